//! One machine of the laboratory's network: a thread in a network and a mount namespace of its own
//! that does what it is handed. Processes, threads and sockets made there belong to the machine.
//! It goes away with the thread.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::error::{Context, Error, Result};

type Task = Box<dyn FnOnce() + Send>;

/// A machine.
#[derive(Debug)]
pub struct Node {
    name: String,
    tasks: Option<mpsc::Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    namespace: PathBuf,
    inode: u64,
}

impl Node {
    /// Makes the namespaces, with `/sys` of their own and loopback still down.
    pub fn new(name: &str) -> Result<Self> {
        let (tasks, received) = mpsc::channel::<Task>();
        let (ready, answer) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let entered = enter();
                let failed = entered.is_err();
                let _ = ready.send(entered);
                if !failed {
                    received.into_iter().for_each(|task| task());
                }
            })
            .during("starting a thread")?;
        let namespace = answer.recv().map_err(|_| ended(name))??;
        let inode = std::fs::metadata(&namespace)
            .during("reading the namespace")?
            .ino();
        Ok(Self {
            name: name.to_owned(),
            tasks: Some(tasks),
            thread: Some(thread),
            namespace,
            inode,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Path of its network namespace, usable as an argument of `ip`.
    pub fn namespace(&self) -> &Path {
        &self.namespace
    }

    /// Number by which the processes in its network namespace are known.
    pub fn inode(&self) -> u64 {
        self.inode
    }

    /// Does something on this machine and waits for the result.
    pub fn run<T, F>(&self, act: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (reply, answer) = mpsc::channel();
        let task: Task = Box::new(move || {
            let _ = reply.send(act());
        });
        self.tasks
            .as_ref()
            .and_then(|tasks| tasks.send(task).ok())
            .ok_or_else(|| ended(&self.name))?;
        answer.recv().map_err(|_| ended(&self.name))
    }

    /// Runs a command to its end, whatever its status.
    pub fn output(&self, mut command: Command) -> Result<Output> {
        let what = format!("running {:?} on {}", command.get_program(), self.name);
        self.run(move || command.stdin(Stdio::null()).output())?
            .during(what)
    }

    /// Runs commands of `ip` in one process.
    pub fn ip(&self, lines: &str) -> Result<()> {
        let text = lines.to_owned();
        let output = self
            .run(move || {
                let mut child = Command::new("ip")
                    .args(["-batch", "-"])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()?;
                if let Some(mut input) = child.stdin.take() {
                    input.write_all(text.as_bytes())?;
                }
                child.wait_with_output()
            })?
            .during("running ip")?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Command {
            command: format!("ip -batch on {}", self.name),
            outcome: format!("{}\n{lines}", String::from_utf8_lossy(&output.stderr)),
        })
    }

    /// Sets kernel parameters, named below `net` with slashes or dots.
    pub fn sysctl(&self, settings: &[(&str, &str)]) -> Result<()> {
        let settings: Vec<(String, String)> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.run(move || {
            for (name, value) in settings {
                let path = format!("/proc/sys/net/{}", name.replace('.', "/"));
                std::fs::write(&path, value).during(format_args!("writing {path}"))?;
            }
            Ok(())
        })?
    }

    /// Takes an interface up or down, without the cost of a process.
    pub fn set_link(&self, interfaces: &[&str], up: bool) -> Result<()> {
        let files: Vec<String> = interfaces
            .iter()
            .map(|name| format!("/sys/class/net/{name}/flags"))
            .collect();
        self.run(move || {
            for file in files {
                // IFF_BROADCAST | IFF_MULTICAST, with or without IFF_UP.
                std::fs::write(&file, if up { "0x1003" } else { "0x1002" })
                    .during(format_args!("writing {file}"))?;
            }
            Ok(())
        })?
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ended(name: &str) -> Error {
    Error::unmet(format_args!("the thread of {name} ended"))
}

/// Leaves the common namespaces; gives the path of the new network namespace.
fn enter() -> Result<PathBuf> {
    unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)
        .during("making namespaces")?;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )
    .during("making mounts private")?;
    mount(
        Some("sysfs"),
        "/sys",
        Some("sysfs"),
        MsFlags::empty(),
        None::<&str>,
    )
    .during("mounting /sys")?;
    let (process, thread) = (std::process::id(), nix::unistd::gettid());
    Ok(PathBuf::from(format!(
        "/proc/{process}/task/{thread}/ns/net"
    )))
}
