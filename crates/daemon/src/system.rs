//! The system calls of this crate that have no safe wrapper: fork, what happens between fork and
//! exec, and taking over a descriptor that the parent process left open.
//!
//! Must not decide anything; callers say what they want in plain values.
#![allow(unsafe_code)]

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

/// What a child does between fork and exec, after its standard descriptors and user are set.
#[cfg(feature = "tokio")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct BeforeExec {
    /// Own session and process group.
    pub(crate) own_session: bool,
    /// Signal sent when the parent's thread that started the child ends.
    pub(crate) parent_death: Option<nix::sys::signal::Signal>,
    /// The parent, to notice that it died before the previous item was in force.
    pub(crate) parent: nix::unistd::Pid,
    /// Descriptor of the parent to copy, and the number it gets in the child.
    pub(crate) report: Option<(RawFd, RawFd)>,
    /// Soft and hard limit of open descriptors.
    pub(crate) descriptor_limit: Option<(u64, u64)>,
}

#[cfg(feature = "tokio")]
impl BeforeExec {
    /// Has `command` do all of this when it is started.
    pub(crate) fn attach(self, command: &mut tokio::process::Command) {
        // SAFETY: `run` makes system calls only; it neither allocates nor takes locks.
        unsafe {
            command.pre_exec(move || self.run());
        }
    }

    fn run(self) -> io::Result<()> {
        reset_signals();
        if self.own_session {
            // Fails only for a process group leader, which a fresh child is not.
            let _ = nix::unistd::setsid();
        }
        if let Some((soft, hard)) = self.descriptor_limit {
            nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, soft, hard)?;
        }
        close_from_on_exec(3);
        if let Some((source, target)) = self.report {
            place(source, target)?;
        }
        // A change of user clears this setting; the standard library makes that change earlier.
        if let Some(signal) = self.parent_death {
            nix::sys::prctl::set_pdeathsig(signal)?;
            if nix::unistd::getppid() != self.parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
        }
        Ok(())
    }
}

/// Every signal at its default action and none blocked: both are inherited through exec (B64).
#[cfg(feature = "tokio")]
fn reset_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL is valid for each; KILL, STOP and the C library's own two are refused.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
    // SAFETY: the set is initialised by sigemptyset before its use.
    unsafe {
        let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Marks all descriptors from `first` on as not to be inherited, also those of libraries that
/// forgot to. Kernels before 5.11 refuse; there the libraries' own flags must do.
#[cfg(feature = "tokio")]
fn close_from_on_exec(first: RawFd) {
    // SAFETY: sets flags only; the descriptors stay usable until exec.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
}

/// Copies `source` to the number `target`, inherited by the program.
#[cfg(feature = "tokio")]
fn place(source: RawFd, target: RawFd) -> io::Result<()> {
    // SAFETY: `source` is open in the parent for the time of the start; whatever the child's copy
    // of `target` was, the program must not inherit it anyway.
    let result = unsafe {
        if source == target {
            libc::fcntl(target, libc::F_SETFD, 0)
        } else {
            libc::dup2(source, target)
        }
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
