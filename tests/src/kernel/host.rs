//! The kernel that runs already, when it has IPVS: fresh process, mount and network namespaces of
//! it. Their first process dies with everything in them when it is killed.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sched::{CloneFlags, unshare};

use super::{End, Job, Shared, Spec, environment, stream};
use crate::error::{Context, Error, Result};
use crate::setup;

/// Whether this kernel has IPVS and lets us make namespaces.
pub(super) fn has_ipvs() -> bool {
    if !nix::unistd::geteuid().is_root() {
        return false;
    }
    let _ = Command::new("modprobe")
        .args(["-q", "ip_vs"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    // In a namespace of its own, so that the question leaves nothing behind.
    std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS).is_ok()
            && Path::new("/proc/thread-self/net/ip_vs").exists()
    })
    .join()
    .unwrap_or(false)
}

/// The first process; killing it ends all others in its process namespace.
struct First(Child);

impl Drop for First {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn run(job: &Job, folder: &Path) -> Result<u8> {
    let shared = Shared(folder);
    shared.write_spec(&Spec {
        command: job.command.clone(),
        environment: environment(),
        directory: std::env::current_dir().during("asking for the working directory")?,
        terminal: job.interactive.then(|| "/dev/tty".into()),
        ipvs: true,
        modules: None,
        power_off: false,
    })?;
    let output = OpenOptions::new()
        .append(true)
        .open(shared.output())
        .during("opening the output file")?;
    let program = setup::own_program()?;
    let mut command = Command::new(program);
    command
        .arg("__init")
        .arg(folder)
        .stdin(if job.interactive {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .stdout(output.try_clone().during("opening the output file")?)
        .stderr(output);
    // The process namespace is for children of the calling thread, hence a thread of its own.
    let child = std::thread::spawn(move || {
        unshare(
            CloneFlags::CLONE_NEWPID
                | CloneFlags::CLONE_NEWNET
                | CloneFlags::CLONE_NEWIPC
                | CloneFlags::CLONE_FS
                | CloneFlags::CLONE_NEWNS,
        )
        .during("making namespaces")?;
        command.spawn().during("starting the first process")
    })
    .join()
    .map_err(|_| Error::Kernel("the starting thread died".into()))??;
    let mut first = First(child);
    let end = stream(&shared, job.limit, || {
        Ok(first
            .0
            .try_wait()
            .during("waiting for the first process")?
            .is_some())
    })?;
    match (end, shared.read_status()) {
        (End::Gone, Some(status)) => Ok(status),
        (End::Gone, None) => Err(Error::Kernel(
            "the first process ended without an exit status".into(),
        )),
        (End::OutOfTime, _) => Err(Error::Kernel(format!(
            "not finished within {} s",
            job.limit.unwrap_or_default().as_secs()
        ))),
    }
}
