//! The three ways of starting (`piranha-daemons.md` 2.5): detached, in the foreground as a service
//! manager or parent daemon wants it, in the foreground for a person. Owns the pid file.
//!
//! Must be used before the process has a second thread.

use std::fs::{File, OpenOptions, read_to_string, remove_file};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::SigSet;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, pipe2, setsid};
use thiserror::Error;

use crate::{status, system};

/// How a daemon was asked to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartMode {
    /// Neither option: detached from its starter, with a pid file.
    Daemon,
    /// `--nofork`: not detached, else as a daemon.
    NoFork,
    /// `--nodaemon`: as it was started, messages on standard output, no pid file.
    NoDaemon,
}

impl StartMode {
    /// From the two options; `--nodaemon` is the stronger one.
    pub fn from_options(nodaemon: bool, nofork: bool) -> Self {
        match (nodaemon, nofork) {
            (true, _) => Self::NoDaemon,
            (false, true) => Self::NoFork,
            (false, false) => Self::Daemon,
        }
    }
}

/// Why a mode could not be entered.
#[derive(Debug, Error)]
pub enum ModeError {
    /// No second process.
    #[error("cannot start in the background: {0}")]
    Fork(Errno),
    /// `/dev/null` could not take the place of the standard descriptors.
    #[error("cannot detach from the terminal: /dev/null: {0}")]
    Detach(io::Error),
}

/// A daemon in its mode. Keeps the pid file, and the starter waiting until the daemon says how its
/// start went. Dropped at the regular end, it removes the pid file.
#[derive(Debug)]
#[must_use = "dropping it removes the pid file and tells the starter that the start failed"]
pub struct Running {
    starter: Option<File>,
    pid_file: Option<PidFile>,
}

impl Running {
    /// The daemon is up: a waiting starter exits with status 0.
    pub fn ready(&mut self) {
        if let Some(mut starter) = self.starter.take() {
            let _ = starter.write_all(&[0]);
        }
    }

    /// The daemon gives up: a waiting starter prints `text` as a line on standard error and exits
    /// with `status`. The caller then ends as well.
    pub fn fail(mut self, status: u8, text: &str) {
        // First, so that the starter's caller does not find it.
        drop(self.pid_file.take());
        if let Some(mut starter) = self.starter.take() {
            let _ = starter.write_all(&[&[status], text.as_bytes()].concat());
        }
    }
}

/// Enters `mode`; standard descriptors go to `/dev/null` except in `NoDaemon`. In `Daemon` only the
/// detached process returns. An unwritable pid file is logged, so [`crate::log::init`] comes first.
/// Signals that the starter blocked are unblocked (B64).
pub fn enter(mode: StartMode, pid_file: Option<&Path>) -> Result<Running, ModeError> {
    enter_with(mode, pid_file, false)
}

/// As [`enter`], for a daemon whose parent talks to it through standard input: that stays.
pub fn enter_keeping_stdin(mode: StartMode, pid_file: Option<&Path>) -> Result<Running, ModeError> {
    enter_with(mode, pid_file, true)
}

fn enter_with(
    mode: StartMode,
    pid_file: Option<&Path>,
    keep_stdin: bool,
) -> Result<Running, ModeError> {
    let _ = SigSet::empty().thread_set_mask();
    if mode == StartMode::NoDaemon {
        return Ok(Running {
            starter: None,
            pid_file: None,
        });
    }
    let starter = match mode {
        StartMode::Daemon => Some(fork_twice()?),
        // Fails for a process group leader; then it already is as detached as it can be.
        _ => setsid().ok().and(None),
    };
    if let Err(error) = detach(keep_stdin) {
        let error = ModeError::Detach(error);
        Running {
            starter,
            pid_file: None,
        }
        .fail(1, &error.to_string());
        return Err(error);
    }
    Ok(Running {
        starter,
        pid_file: pid_file.and_then(PidFile::write),
    })
}

fn detach(keep_stdin: bool) -> io::Result<()> {
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    if !keep_stdin {
        dup2_stdin(&null)?;
    }
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// Returns in the grandchild, which is nobody's child and cannot get a controlling terminal, with
/// the pipe to the starter. The starter waits for the pipe and exits.
fn fork_twice() -> Result<File, ModeError> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC).map_err(ModeError::Fork)?;
    match system::fork().map_err(ModeError::Fork)? {
        ForkResult::Parent { child } => {
            drop(write);
            wait_for_start(child, read)
        }
        ForkResult::Child => {
            drop(read);
            let _ = setsid();
            match system::fork() {
                Ok(ForkResult::Child) => Ok(File::from(write)),
                Ok(ForkResult::Parent { .. }) => system::exit_now(0),
                Err(error) => {
                    let text = ModeError::Fork(error).to_string();
                    Running {
                        starter: Some(File::from(write)),
                        pid_file: None,
                    }
                    .fail(1, &text);
                    system::exit_now(1)
                }
            }
        }
    }
}

fn wait_for_start(child: Pid, outcome: OwnedFd) -> ! {
    while waitpid(child, None) == Err(Errno::EINTR) {}
    let mut said = Vec::new();
    let _ = File::from(outcome).read_to_end(&mut said);
    let (status, text) = match said.split_first() {
        Some((status, text)) => (*status, String::from_utf8_lossy(text).into_owned()),
        None => (
            1,
            "the daemon died while starting; the system log may say why".to_owned(),
        ),
    };
    if !text.is_empty() {
        let _ = writeln!(io::stderr(), "{text}");
    }
    std::process::exit(i32::from(status))
}

/// Removed when dropped, unless another process has written it since.
#[derive(Debug)]
struct PidFile {
    path: PathBuf,
    content: String,
}

impl PidFile {
    fn write(path: &Path) -> Option<Self> {
        let content = format!("{}\n", std::process::id());
        match status::replace(path, content.as_bytes()) {
            Ok(()) => Some(Self {
                path: path.to_path_buf(),
                content,
            }),
            Err(error) => {
                // Execution goes on: the pid file is for scripts only.
                tracing::info!("failed to open {}: {}", path.display(), error);
                None
            }
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if read_to_string(&self.path).is_ok_and(|content| content == self.content) {
            let _ = remove_file(&self.path);
        }
    }
}
