//! The end of a child process: awaited on a descriptor that the kernel gave with the child, so that its
//! number cannot have passed to another process meanwhile.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use crate::system;

/// A child process that was started and perhaps has ended.
#[derive(Debug)]
pub(super) struct Process {
    ended: Option<AsyncFd<OwnedFd>>,
    status: Option<ExitStatus>,
}

impl Process {
    /// `ended` is the descriptor of the process. To be called within the event loop.
    pub(super) fn new(ended: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            ended: Some(system::watch(ended)?),
            status: None,
        })
    }

    /// Whether its end has been taken note of: then its number may be another's.
    pub(super) const fn is_reaped(&self) -> bool {
        self.status.is_some()
    }

    /// Waits for its end; repeatable. Can be cancelled.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let Some(ended) = &self.ended else {
            return Err(io::Error::from_raw_os_error(libc::ECHILD));
        };
        let status = reap(ended).await?;
        self.status = Some(status);
        self.ended = None;
        Ok(status)
    }
}

impl Drop for Process {
    /// Without somebody who waits a dead child would stay as a zombie.
    fn drop(&mut self) {
        if let (Some(ended), Ok(runtime)) = (self.ended.take(), Handle::try_current()) {
            runtime.spawn(async move { reap(&ended).await });
        }
    }
}

async fn reap(ended: &AsyncFd<OwnedFd>) -> io::Result<ExitStatus> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
    loop {
        let mut ready = ended.readable().await?;
        match waitid(Id::PIDFd(ended.get_ref().as_fd()), flags)? {
            WaitStatus::Exited(_, code) => return Ok(ExitStatus::from_raw((code & 0xff) << 8)),
            WaitStatus::Signaled(_, signal, core) => {
                let core = if core { 0x80 } else { 0 };
                return Ok(ExitStatus::from_raw(signal as i32 | core));
            }
            _ => ready.clear_ready(),
        }
    }
}
