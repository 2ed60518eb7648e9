//! The end of a child process: awaited on a descriptor of the kernel, so that its number cannot have
//! passed to another process meanwhile.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use crate::system;

/// Pause between two looks at a child where there is no descriptor left to wait on.
const LOOK: Duration = Duration::from_millis(20);

/// A child process that was started and perhaps has ended.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    end: End,
}

#[derive(Debug)]
enum End {
    /// Nobody waits; with the descriptor from the start, or without.
    Unwatched(Option<OwnedFd>),
    Watched(AsyncFd<OwnedFd>),
    Known(ExitStatus),
}

impl Process {
    /// `ended` is the descriptor of the process.
    pub(super) const fn new(pid: Pid, ended: OwnedFd) -> Self {
        let end = End::Unwatched(Some(ended));
        Self { pid, end }
    }

    /// Closes the descriptor; [`Self::wait`] opens another.
    pub(super) fn release(&mut self) {
        if !self.is_reaped() {
            self.end = End::Unwatched(None);
        }
    }

    /// Whether its end has been taken note of: then its number may be another's.
    pub(super) const fn is_reaped(&self) -> bool {
        matches!(self.end, End::Known(_))
    }

    /// Waits for its end; repeatable. Can be cancelled. Within the event loop.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = wait(self.pid, &mut self.end).await?;
        self.end = End::Known(status);
        Ok(status)
    }
}

impl Drop for Process {
    /// Without somebody who waits a dead child would stay as a zombie.
    fn drop(&mut self) {
        let (pid, mut end) = (
            self.pid,
            std::mem::replace(&mut self.end, End::Unwatched(None)),
        );
        if let (End::Unwatched(_) | End::Watched(_), Ok(runtime)) = (&end, Handle::try_current()) {
            runtime.spawn(async move { wait(pid, &mut end).await });
        }
    }
}

async fn wait(pid: Pid, end: &mut End) -> io::Result<ExitStatus> {
    if let End::Unwatched(ended) = end {
        let ended = ended.take().map_or_else(|| system::process(pid), Ok);
        match ended.and_then(system::watch) {
            Ok(watch) => *end = End::Watched(watch),
            Err(_) => return look(pid).await,
        }
    }
    match end {
        End::Watched(ended) => reap(ended).await,
        End::Known(status) => Ok(*status),
        End::Unwatched(_) => look(pid).await,
    }
}

async fn reap(ended: &AsyncFd<OwnedFd>) -> io::Result<ExitStatus> {
    loop {
        let mut ready = ended.readable().await?;
        match take(Id::PIDFd(ended.get_ref().as_fd()))? {
            Some(status) => return Ok(status),
            None => ready.clear_ready(),
        }
    }
}

async fn look(pid: Pid) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = take(Id::Pid(pid))? {
            return Ok(status);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The exit status, if it has ended.
fn take(id: Id<'_>) -> io::Result<Option<ExitStatus>> {
    let status = match waitid(id, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG)? {
        WaitStatus::Exited(_, code) => (code & 0xff) << 8,
        WaitStatus::Signaled(_, signal, core) => signal as i32 | if core { 0x80 } else { 0 },
        _ => return Ok(None),
    };
    Ok(Some(ExitStatus::from_raw(status)))
}
