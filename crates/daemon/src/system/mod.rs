//! The system calls of this crate that have no safe wrapper: fork, the start of a program, and taking
//! over a descriptor that the parent process left open.
//!
//! Must not decide anything; callers say what they want in plain values.
#![allow(unsafe_code)]

#[cfg(feature = "tokio")]
pub(crate) mod start;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::ForkResult;

/// Forks. Refused with `EBUSY` while the process has more than one thread: the child would own
/// locks that nobody unlocks.
pub(crate) fn fork() -> nix::Result<ForkResult> {
    let threads = std::fs::read_dir("/proc/self/task")
        .map(Iterator::count)
        .unwrap_or(1);
    if threads != 1 {
        return Err(Errno::EBUSY);
    }
    // SAFETY: there is one thread, so the child's copy of the memory is consistent.
    unsafe { nix::unistd::fork() }
}

/// Ends the process at once, without flushing buffers that the parent process holds as well.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(status) }
}

/// Takes over the open descriptor `number`, which nothing else in this process may own, and keeps
/// it from the programs that this one starts.
pub(crate) fn take_descriptor(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD only looks the number up.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and the caller vouches that nothing else closes it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl(&descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(descriptor)
}

/// A copy of `descriptor` with the lowest free number from `lowest` on, not inherited by programs.
#[cfg(feature = "tokio")]
pub(crate) fn duplicate(descriptor: &OwnedFd, lowest: RawFd) -> io::Result<OwnedFd> {
    let number = fcntl(descriptor, FcntlArg::F_DUPFD_CLOEXEC(lowest))?;
    // SAFETY: the call has just made it, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Watches `descriptor` for being readable. To be called within the event loop.
#[cfg(feature = "tokio")]
pub(crate) fn watch(descriptor: OwnedFd) -> io::Result<tokio::io::unix::AsyncFd<OwnedFd>> {
    use tokio::io::{Interest, unix::AsyncFd};
    // SAFETY: an OwnedFd is open, is the same number as long as it lives, and now belongs to the watch.
    let watch = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    watch.map_err(Into::into)
}

/// Gives the calling thread the lowest of the real-time priorities, which its children do not inherit.
#[cfg(feature = "tokio")]
pub(crate) fn real_time() -> nix::Result<()> {
    let parameters = libc::sched_param { sched_priority: 1 };
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the parameters are complete and outlive the call.
    let result = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    Errno::result(result).map(drop)
}

/// A descriptor of a child that has not been waited for, readable when it has ended.
#[cfg(feature = "tokio")]
pub(crate) fn process(pid: nix::unistd::Pid) -> io::Result<OwnedFd> {
    let pid = libc::c_long::from(pid.as_raw());
    // SAFETY: the call takes two integers and touches no memory of ours.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    match RawFd::try_from(number) {
        // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
        Ok(number) if number >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(number) }),
        _ => Err(io::Error::last_os_error()),
    }
}
