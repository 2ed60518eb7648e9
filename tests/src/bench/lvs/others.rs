//! What lvs is measured beside: keepalived and ldirectord, as their packages have them. Each ends with
//! its children.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::file::Services;
use super::site::Site;
use crate::error::{Context, Error, Result};
use crate::setup;

/// A program at work on a site's machine.
struct Running(Child);

impl Running {
    fn start(site: &Site, program: &str, arguments: Vec<PathBuf>) -> Result<Self> {
        let path = setup::find(program).ok_or_else(|| Error::Setup(format!("no {program}")))?;
        let mut command = Command::new(path);
        command
            .args(arguments)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = site.node.run(move || command.spawn())?;
        Ok(Self(child.during(format_args!("starting {program}"))?))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.0.id().cast_signed());
        kill(pid, signal).during("signalling what lvs is measured beside")
    }

    fn stop(mut self) -> Result<()> {
        self.signal(Signal::SIGTERM)?;
        self.0
            .wait()
            .during("waiting for what lvs is measured beside")?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// keepalived.
pub(super) struct Keepalived(Running);

impl Keepalived {
    pub(super) fn start(site: &Site, services: &Services) -> Result<Self> {
        let folder = site.folder.path();
        Self::configure(site, services)?;
        let words = |words: [&str; 5]| words.map(PathBuf::from).to_vec();
        let mut arguments = words([
            "--dont-fork",
            "--log-console",
            "--check",
            "--no-syslog",
            "--use-file",
        ]);
        arguments.push(folder.join("keepalived.conf"));
        for (option, file) in [
            ("--pid", "keepalived.pid"),
            ("--checkers_pid", "checkers.pid"),
        ] {
            arguments.extend([PathBuf::from(option), folder.join(file)]);
        }
        Running::start(site, "keepalived", arguments).map(Self)
    }

    pub(super) fn configure(site: &Site, services: &Services) -> Result<()> {
        let path = site.folder.path().join("keepalived.conf");
        std::fs::write(path, services.keepalived_conf()).during("writing keepalived.conf")
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        self.0.signal(signal)
    }

    pub(super) fn stop(self) -> Result<()> {
        self.0.stop()
    }
}

/// ldirectord, which calls Debian's ipvsadm.
pub(super) struct Ldirectord(Running);

impl Ldirectord {
    /// What its process is called.
    pub(super) const PROCESS: &'static str = "perl";

    pub(super) fn start(site: &Site, services: &Services) -> Result<Self> {
        let path = site.folder.path().join("ldirectord.cf");
        let log = site.folder.path().join("ldirectord.log");
        std::fs::write(&path, services.ldirectord_cf(&log)).during("writing ldirectord.cf")?;
        Running::start(site, "ldirectord", vec![path, "start".into()]).map(Self)
    }

    pub(super) fn stop(self) -> Result<()> {
        self.0.stop()
    }
}
