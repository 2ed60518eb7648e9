//! The part outside the kernel: the namespace with the tap device, the kernel's thread, the browser.

use std::net::TcpStream;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use tempfile::TempDir;

use super::driver::Browser;
use super::inside::{CONTROL, Remote};
use crate::error::{Context, Error, Result};
use crate::kernel::{Job, Kernel};
use crate::node::Node;
use crate::wait;

/// The browser's end of the cable.
const TAP: &str = "lab0";
/// The browser's address on the public network.
const ADDRESS: &str = "198.51.100.20/24";
/// For the whole story, whatever hangs.
const LIMIT: Duration = Duration::from_secs(1200);
/// For the kernel to start and build its network.
const BOOT: Duration = Duration::from_secs(180);
/// For the part inside to do something.
const ACT: Duration = Duration::from_secs(120);

/// A browser, and the pair that it can reach.
pub(super) struct World {
    pub(super) browser: Browser,
    pub(super) remote: Option<Remote>,
    kernel: Option<JoinHandle<Result<u8>>>,
    // What the others are in is dropped last.
    _node: Arc<Node>,
    _folder: TempDir,
}

impl World {
    pub(super) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("lab-browser.")
            .tempdir()
            .during("making a temporary folder")?;
        let node = Arc::new(Node::new("browser")?);
        node.ip(&format!(
            "link set lo up\ntuntap add dev {TAP} mode tap\naddr add {ADDRESS} dev {TAP}\n\
             link set {TAP} up\n"
        ))?;
        let kernel = boot(&node)?;
        let browser = Browser::start(&node, folder.path())?;
        let remote = connect(&node, &kernel)?;
        Ok(Self {
            browser,
            remote: Some(remote),
            kernel: Some(kernel),
            _node: node,
            _folder: folder,
        })
    }

    /// Asks the part inside.
    pub(super) fn ask(&mut self, request: &str) -> Result<String> {
        match &mut self.remote {
            Some(remote) => remote.ask(request),
            None => Err(Error::unmet("the part inside is gone")),
        }
    }

    /// Adds what the routers did to an error.
    pub(super) fn explained<T>(&mut self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error {
            Error::Interrupted | Error::Explained { .. } => error,
            error => Error::Explained {
                source: Box::new(error),
                report: self.ask("report").unwrap_or_default(),
            },
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The part inside ends with its connection, and the kernel with it.
        self.remote = None;
        if let Some(kernel) = self.kernel.take() {
            let _ = kernel.join();
        }
    }
}

/// Starts the kernel in the namespace; the node's own thread stays free.
fn boot(node: &Arc<Node>) -> Result<JoinHandle<Result<u8>>> {
    let job = Job {
        tap: Some(TAP.to_owned()),
        ..Job::own(&["__browser"], LIMIT)?
    };
    let namespace = std::fs::File::open(node.namespace()).during("opening the namespace")?;
    std::thread::Builder::new()
        .name("kernel".to_owned())
        .spawn(move || {
            setns(namespace, CloneFlags::CLONE_NEWNET).during("entering the namespace")?;
            Kernel::Uml.run(&job)
        })
        .during("starting a thread")
}

fn connect(node: &Node, kernel: &JoinHandle<Result<u8>>) -> Result<Remote> {
    let stream = wait::until("the pair inside the kernel", BOOT, || {
        if kernel.is_finished() {
            return Err(Error::Kernel(
                "the kernel ended before its network was up".to_owned(),
            ));
        }
        node.run(|| TcpStream::connect_timeout(&CONTROL, Duration::from_secs(2)).ok())
    })?;
    Remote::new(stream, ACT)
}
