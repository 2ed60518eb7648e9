//! The start of a program without a copy of this process: a daemon with a thousand children is large,
//! and to copy it for each of them takes longer than everything that the child does.
//!
//! The child runs on this process's memory until exec, as after vfork, while the starting thread waits.
//! Until then it makes system calls only: it neither allocates nor takes locks.

use std::cell::Cell;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::ptr;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::child::Credentials;

/// The child's stack until exec, of which it uses little.
const STACK: usize = 64 * 1024;
/// More than the system says about a process; it says it in one piece.
const STATUS: usize = 4096;
/// Runs scripts without a first line that names their interpreter.
const SHELL: &CStr = c"/bin/sh";
/// Where programs without a slash are searched when `PATH` is not set.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A program with its arguments and environment, as exec wants them.
#[derive(Debug)]
pub(crate) struct Program {
    /// Files to try in turn.
    files: Vec<CString>,
    words: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    /// `words` begin with the program's name for itself.
    pub(crate) fn new(
        path: &Path,
        words: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> io::Result<Self> {
        let variable = |(name, value): (OsString, OsString)| {
            let mut text = name.into_vec();
            text.push(b'=');
            text.extend_from_slice(value.as_bytes());
            terminated(text)
        };
        Ok(Self {
            files: files(path.as_os_str())?,
            words: words
                .into_iter()
                .map(|word| terminated(word.into_vec()))
                .collect::<io::Result<_>>()?,
            environment: environment
                .into_iter()
                .map(variable)
                .collect::<io::Result<_>>()?,
        })
    }
}

/// The files that a name stands for: itself when it has a slash, else one in each folder of `PATH`.
fn files(name: &OsStr) -> io::Result<Vec<CString>> {
    if name.as_bytes().contains(&b'/') {
        return Ok(vec![terminated(name.as_bytes().to_vec())?]);
    }
    let folders = std::env::var_os("PATH").unwrap_or_else(|| PATH.into());
    std::env::split_paths(&folders)
        .map(|folder| terminated(folder.join(name).into_os_string().into_vec()))
        .collect()
}

fn terminated(bytes: Vec<u8>) -> io::Result<CString> {
    CString::new(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a word contains a zero byte"))
}

/// What is set up in the child before exec, in this order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// Own session and process group.
    pub(crate) own_session: bool,
    /// Soft and hard limit of open descriptors.
    pub(crate) descriptor_limit: Option<(u64, u64)>,
    /// Descriptors of the parent that become 0, 1 and 2: each its own target or above all targets.
    pub(crate) standard: [RawFd; 3],
    /// Descriptor of the parent to copy, and the number it gets.
    pub(crate) report: Option<(RawFd, RawFd)>,
    /// User and group, without a way back.
    pub(crate) credentials: Option<Credentials>,
    /// Signal sent when the parent's thread that started the child ends.
    pub(crate) parent_death: Option<Signal>,
    /// The parent, to notice that it died before the previous item was in force.
    pub(crate) parent: Pid,
}

/// What the child needs, in memory that it shares with the waiting parent.
struct Shared<'a> {
    setup: &'a Setup,
    files: &'a [*const libc::c_char],
    words: &'a [*const libc::c_char],
    /// The same behind the shell, with room for the file in second place.
    shell_words: &'a mut [*const libc::c_char],
    environment: &'a [*const libc::c_char],
    /// Signals that are not at their default, as bits.
    unusual: u64,
    /// Why it failed, 0 as long as it has not.
    errno: libc::c_int,
}

thread_local! {
    /// The stack of the last child of this thread: to make one anew is the dearest part of a start.
    static STACKS: Cell<Vec<u128>> = const { Cell::new(Vec::new()) };
}

/// Starts the program: its number, and a descriptor that becomes readable when it ends.
pub(crate) fn start(program: &Program, setup: &Setup) -> io::Result<(Pid, OwnedFd)> {
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        let null = std::iter::once(ptr::null());
        list.iter().map(|word| word.as_ptr()).chain(null).collect()
    };
    let words = pointers(&program.words);
    let mut shell_words = vec![SHELL.as_ptr(), ptr::null()];
    shell_words.extend(words.iter().skip(1));
    let mut shared = Shared {
        setup,
        files: &pointers(&program.files),
        words: &words,
        shell_words: &mut shell_words,
        environment: &pointers(&program.environment),
        unusual: unusual_signals(),
        errno: 0,
    };
    let (pid, ended) = clone(&mut shared)?;
    if shared.errno == 0 {
        return Ok((pid, ended));
    }
    // It has ended already.
    let _ = nix::sys::wait::waitpid(pid, None);
    Err(io::Error::from_raw_os_error(shared.errno))
}

fn clone(shared: &mut Shared<'_>) -> io::Result<(Pid, OwnedFd)> {
    let mut stack = STACKS.take();
    stack.reserve(STACK / size_of::<u128>());
    let mut ended: RawFd = -1;
    let shared = ptr::from_mut(shared).cast::<libc::c_void>();
    // A handler of this process must not run in the child, on this process's memory.
    let all = nix::sys::signal::SigSet::all();
    let before = all.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK)?;
    // SAFETY: with CLONE_VFORK this thread waits until the child has left the shared memory by exec or
    // exit, so stack, arguments and results outlive its use of them; `run` keeps to system calls.
    let pid = unsafe {
        libc::clone(
            run,
            stack.spare_capacity_mut().as_mut_ptr_range().end.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD,
            shared,
            &raw mut ended,
        )
    };
    let error = io::Error::last_os_error();
    STACKS.set(stack);
    before.thread_set_mask()?;
    if pid < 0 {
        return Err(error);
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok((Pid::from_raw(pid), unsafe { OwnedFd::from_raw_fd(ended) }))
}

/// The child's life until exec. Its end is an error.
extern "C" fn run(shared: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the parent waits and keeps it alive; nobody else uses it meanwhile.
    let shared = unsafe { &mut *shared.cast::<Shared<'_>>() };
    reset_signals(shared.unusual);
    shared.errno = match prepare(shared.setup) {
        Ok(()) => execute(shared),
        Err(errno) => errno,
    };
    127
}

/// Tries the files; the most telling error.
fn execute(shared: &mut Shared<'_>) -> libc::c_int {
    let mut told = libc::ENOENT;
    let files = shared.files;
    for file in files.iter().filter(|file| !file.is_null()) {
        // SAFETY: all lists end with a null pointer and their words with a zero byte.
        let errno = unsafe {
            libc::execve(*file, shared.words.as_ptr(), shared.environment.as_ptr());
            *libc::__errno_location()
        };
        match errno {
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES => told = errno,
            libc::ENOEXEC => {
                if let Some(place) = shared.shell_words.get_mut(1) {
                    *place = *file;
                }
                let words = shared.shell_words.as_ptr();
                // SAFETY: as above.
                unsafe {
                    libc::execve(SHELL.as_ptr(), words, shared.environment.as_ptr());
                }
                return errno;
            }
            _ => return errno,
        }
    }
    told
}

/// Every signal at its default action and none blocked: both are inherited through exec (B64). Handlers
/// first, so that none of them can run here.
fn reset_signals(unusual: u64) {
    for signal in (1..=64).filter(|signal| unusual >> (signal - 1) & 1 == 1) {
        // SAFETY: SIG_DFL is valid for each; KILL, STOP and the C library's own two are refused.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
    // SAFETY: the set is initialised by sigemptyset before its use.
    unsafe {
        let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

/// Signals that this process ignores or handles; all where the system does not say.
fn unusual_signals() -> u64 {
    let mut text = [0; STATUS];
    let read = std::fs::File::open("/proc/self/status").and_then(|mut file| file.read(&mut text));
    let status = text.get(..read.unwrap_or_default()).unwrap_or_default();
    let status = String::from_utf8_lossy(status);
    let bits = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    match (bits("SigIgn:"), bits("SigCgt:")) {
        (Some(ignored), Some(handled)) => ignored | handled,
        _ => u64::MAX,
    }
}

fn prepare(setup: &Setup) -> Result<(), libc::c_int> {
    if setup.own_session {
        // Fails only for a process group leader, which a fresh child is not.
        let _ = nix::unistd::setsid();
    }
    if let Some((soft, hard)) = setup.descriptor_limit {
        let limit = nix::sys::resource::Resource::RLIMIT_NOFILE;
        // A child that may open more than it was meant to is no harm.
        let _ = nix::sys::resource::setrlimit(limit, soft, hard);
    }
    for (source, target) in setup.standard.into_iter().zip(0..) {
        place(source, target)?;
    }
    close_from_on_exec(3);
    if let Some((source, target)) = setup.report {
        place(source, target)?;
    }
    if let Some(credentials) = setup.credentials {
        become_user(credentials)?;
    }
    // A change of user clears this setting.
    if let Some(signal) = setup.parent_death {
        nix::sys::prctl::set_pdeathsig(signal).map_err(|errno| errno as libc::c_int)?;
        if nix::unistd::getppid() != setup.parent {
            return Err(libc::ESRCH);
        }
    }
    Ok(())
}

/// Without supplementary groups, and with no way to gain anything by a program that is executed. The
/// change from root takes the capabilities away. By system calls: the C library's functions would change
/// the threads of this process, whose memory this is.
fn become_user(credentials: Credentials) -> Result<(), libc::c_int> {
    const ZERO: libc::c_ulong = 0;
    const ONE: libc::c_ulong = 1;
    let (uid, gid) = (credentials.uid, credentials.gid);
    // SAFETY: integers only, but for an empty list that is not looked at.
    let results = unsafe {
        [
            libc::syscall(libc::SYS_setgroups, 0, ptr::null::<libc::gid_t>()),
            libc::syscall(libc::SYS_setresgid, gid, gid, gid),
            libc::syscall(libc::SYS_setresuid, uid, uid, uid),
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, ONE, ZERO, ZERO, ZERO).into(),
        ]
    };
    if results.iter().all(|result| *result == 0) {
        Ok(())
    } else {
        Err(libc::EPERM)
    }
}

/// Marks all descriptors from `first` on as not to be inherited, also those of libraries that
/// forgot to. Kernels before 5.11 refuse; there the libraries' own flags must do.
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
fn place(source: RawFd, target: RawFd) -> Result<(), libc::c_int> {
    if source == target {
        // SAFETY: clears a flag; a standard descriptor that the parent does not have is none here either.
        unsafe { libc::fcntl(target, libc::F_SETFD, 0) };
        return Ok(());
    }
    // SAFETY: `source` is open in the parent, whose descriptors the child has copies of; whatever the
    // copy of `target` was, the program must not inherit it anyway.
    if unsafe { libc::dup2(source, target) } >= 0 {
        return Ok(());
    }
    // SAFETY: reads this thread's error number, which is the waiting parent's.
    Err(unsafe { *libc::__errno_location() })
}
