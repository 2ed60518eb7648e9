//! A machine on which lvs runs by hand, for servers on its loopback.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::file::Services;
use super::servers::Servers;
use crate::error::{Context, Result};
use crate::node::Node;
use crate::processes::{self, Process};
use crate::{ensure, wait};

/// The machine, its servers, and lvs while it runs. Everything ends with it.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) node: Node,
    pub(super) folder: TempDir,
    pub(super) servers: Servers,
    lvs: Option<Child>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// `furnish` puts the programs into the machine's folder.
    pub(super) fn new(furnish: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let folder = tempfile::tempdir().during("making a temporary folder")?;
        furnish(folder.path())?;
        let node = Node::new("bench")?;
        node.ip("link set lo up\n")?;
        // A thousand checks at once, as connections that end.
        node.sysctl(&[("ipv4/ip_local_port_range", "1024 65535")])?;
        let servers = Servers::start(&node)?;
        Ok(Self {
            node,
            folder,
            servers,
            lvs: None,
            log: Arc::default(),
        })
    }

    pub(super) fn configure(&self, services: &Services) -> Result<()> {
        let path = self.folder.path().join("lvs.cf");
        std::fs::write(path, services.lvs_cf()).during("writing lvs.cf")
    }

    /// Starts lvs in the foreground.
    pub(super) fn start(&mut self) -> Result<()> {
        let folder = self.folder.path();
        let mut command = Command::new(folder.join("lvs"));
        command
            .args([
                "-n".as_ref(),
                "-c".as_ref(),
                folder.join("lvs.cf").as_os_str(),
            ])
            .arg("--run-dir")
            .arg(folder)
            .arg("--state-dir")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = self
            .node
            .run(move || command.spawn())?
            .during("starting lvs")?;
        if let Some(output) = child.stdout.take() {
            let log = self.log.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(|line| line.ok()) {
                    log.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(line);
                }
            });
        }
        self.lvs = Some(child);
        Ok(())
    }

    pub(super) fn lvs(&self) -> i32 {
        let id = self.lvs.as_ref().map_or(0, Child::id);
        i32::try_from(id).unwrap_or(0)
    }

    pub(super) fn reload(&self) -> Result<()> {
        kill(Pid::from_raw(self.lvs()), Signal::SIGHUP).during("asking for a reload")
    }

    /// The nannies at work.
    pub(super) fn nannies(&self) -> Vec<Process> {
        let lvs = self.lvs();
        let mut found = processes::in_namespace(self.node.inode());
        found.retain(|process| process.parent == lvs && process.program != "ipvsadm-rs");
        found
    }

    /// The last lines of the log.
    pub(super) fn log(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let last = log.len().saturating_sub(20);
        log.get(last..).unwrap_or_default().join("\n")
    }

    /// Lines of the log with this text.
    pub(super) fn logged(&self, text: &str) -> usize {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|line| line.contains(text)).count()
    }

    /// Waits for something about the table, which may take very long before it is given up.
    pub(super) fn wait(&self, what: &str, holds: impl FnMut() -> Result<bool>) -> Result<()> {
        let limit = Duration::from_secs(180);
        wait::for_it(what, limit, holds).map_err(|error| {
            crate::error::Error::unmet(format_args!("{error}; log of lvs:\n{}", self.log()))
        })
    }

    /// Stops lvs in good order.
    pub(super) fn stop(&mut self) -> Result<()> {
        if let Some(mut child) = self.lvs.take() {
            let pid = i32::try_from(child.id()).unwrap_or(0);
            kill(Pid::from_raw(pid), Signal::SIGTERM).during("stopping lvs")?;
            let status = child.wait().during("waiting for lvs")?;
            ensure!(status.success(), "lvs ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(child) = &mut self.lvs {
            let _ = child.kill();
            let _ = child.wait();
        }
        for process in processes::in_namespace(self.node.inode()) {
            // The nannies die with lvs; what they leave does not.
            if process.pid != i32::try_from(std::process::id()).unwrap_or(0) {
                let _ = process.signal(Signal::SIGKILL);
            }
        }
    }
}
