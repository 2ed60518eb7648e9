//! Children of a daemon: started with clean signals and exactly the descriptors they are meant to
//! have, joined by pipes, stopped within a bounded time.
//!
//! Must not decide when a child is started again.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, pipe2};
use thiserror::Error;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

use crate::system::{self, BeforeExec};

/// Variables that concern this process alone; a child gets them only through [`Spec::env`].
const OWN_VARIABLES: [&str; 6] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "PIRANHA_CONTROL",
    "PIRANHA_REPORT",
    "PIRANHA_WEIGHT",
];

/// How long a killed child may take to disappear: it can hang in the kernel.
const AFTER_KILL: Duration = Duration::from_secs(1);

/// A child's standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// A pipe that [`Child::stdin`] writes to.
    Pipe,
    /// This process's own.
    Inherit,
}

/// A child's standard output or error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// `/dev/null`.
    #[default]
    Null,
    /// This process's own.
    Inherit,
    /// A pipe that [`Child::stdout`] or [`Child::stderr`] reads.
    Pipe,
}

/// A further pipe, on which the child reports to this process through [`Child::report`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Number of the writing end in the child, above standard error.
    pub fd: RawFd,
}

/// The user and group that a child runs as, without supplementary groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A program to start. Besides what is said here the child inherits the environment, the folder and
/// nothing else: signals are at their defaults, no other descriptor is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The program; searched in `PATH` only when it has no slash.
    pub program: PathBuf,
    /// Its name for itself, when not the path.
    pub arg0: Option<OsString>,
    /// Arguments after the name.
    pub args: Vec<OsString>,
    /// Variables added to the environment.
    pub env: Vec<(OsString, OsString)>,
    /// Standard input.
    pub stdin: Stdin,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// Report pipe.
    pub report: Option<Report>,
    /// Signal that the child gets when the thread that starts it ends; that must be the main one.
    pub die_with_parent: Option<Signal>,
    /// Own session, thus own process group.
    pub own_session: bool,
    /// Another user than this process's.
    pub credentials: Option<Credentials>,
}

impl Spec {
    /// `program` without arguments, standard descriptors at `/dev/null`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arg0: None,
            args: Vec::new(),
            env: Vec::new(),
            stdin: Stdin::default(),
            stdout: Output::default(),
            stderr: Output::default(),
            report: None,
            die_with_parent: None,
            own_session: false,
            credentials: None,
        }
    }

    /// Starts it. A program that cannot be executed is an error here, not an exit status. To be
    /// called within the event loop.
    pub fn spawn(&self) -> Result<Child, ChildError> {
        let (report, write_end) = match self.report {
            Some(report) => {
                let (reader, writer) = self.report_pipe(report)?;
                (Some(reader), Some((writer, report.fd)))
            }
            None => (None, None),
        };
        let mut command = self.command();
        BeforeExec {
            own_session: self.own_session,
            parent_death: self.die_with_parent,
            parent: Pid::this(),
            report: write_end
                .as_ref()
                .map(|(writer, number)| (writer.as_raw_fd(), *number)),
            descriptor_limit: ORIGINAL_LIMIT.get().copied(),
        }
        .attach(&mut command);
        let mut process = command.spawn().map_err(|source| self.failed(source))?;
        let pid = process
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .map(Pid::from_raw);
        Ok(Child {
            pid: pid.ok_or_else(|| self.failed(io::Error::other("it has no process number")))?,
            stdin: process.stdin.take(),
            stdout: process.stdout.take(),
            stderr: process.stderr.take(),
            report,
            process,
            own_group: self.own_session,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .stdin(match self.stdin {
                Stdin::Null => Stdio::null(),
                Stdin::Pipe => Stdio::piped(),
                Stdin::Inherit => Stdio::inherit(),
            })
            .stdout(self.stdout.stdio())
            .stderr(self.stderr.stdio());
        if let Some(name) = &self.arg0 {
            command.arg0(name);
        }
        for variable in OWN_VARIABLES {
            command.env_remove(variable);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(credentials) = self.credentials {
            command.uid(credentials.uid).gid(credentials.gid);
        }
        command
    }

    /// The pipe, its writing end numbered so that `report.fd` is in use in this process. Otherwise
    /// the standard library could put the pipe by which it learns of a failed exec there, and the
    /// child would overwrite it.
    fn report_pipe(&self, report: Report) -> Result<(Receiver, OwnedFd), ChildError> {
        if report.fd <= libc::STDERR_FILENO {
            let text = format!("descriptor {} cannot carry reports", report.fd);
            return Err(self.failed(io::Error::new(io::ErrorKind::InvalidInput, text)));
        }
        let open = || {
            let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
            let writer = system::duplicate(&writer, report.fd)?;
            Ok((Receiver::from_owned_fd(reader)?, writer))
        };
        open().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> ChildError {
        ChildError::Start {
            program: self.program.clone(),
            source,
        }
    }
}

impl Output {
    fn stdio(self) -> Stdio {
        match self {
            Self::Null => Stdio::null(),
            Self::Inherit => Stdio::inherit(),
            Self::Pipe => Stdio::piped(),
        }
    }
}

/// What went wrong with a child.
#[derive(Debug, Error)]
pub enum ChildError {
    /// It could not be started.
    #[error("cannot run {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Its end could not be awaited.
    #[error("cannot wait for process {pid}: {source}")]
    Wait {
        /// The child.
        pid: Pid,
        /// The reason.
        source: io::Error,
    },
    /// A signal could not be sent.
    #[error("cannot send {signal} to process {pid}: {source}")]
    Signal {
        /// The child.
        pid: Pid,
        /// The signal.
        signal: Signal,
        /// The reason.
        source: Errno,
    },
    /// It is still there after SIGKILL, hanging in the kernel.
    #[error("process {pid} does not end although it was killed")]
    Hanging {
        /// The child.
        pid: Pid,
    },
}

/// A started child. Dropping it neither ends nor leaks it: it is reaped when it ends.
#[derive(Debug)]
pub struct Child {
    /// Its process number.
    pub pid: Pid,
    /// Writes to its standard input; dropping it is the end of the file.
    pub stdin: Option<ChildStdin>,
    /// Reads its standard output.
    pub stdout: Option<ChildStdout>,
    /// Reads its standard error.
    pub stderr: Option<ChildStderr>,
    /// Reads its report pipe, best through [`crate::lines::Lines`].
    pub report: Option<Receiver>,
    process: tokio::process::Child,
    own_group: bool,
}

impl Child {
    /// Waits for its end; repeatable. Can be cancelled.
    pub async fn wait(&mut self) -> Result<ExitStatus, ChildError> {
        let pid = self.pid;
        self.process
            .wait()
            .await
            .map_err(|source| ChildError::Wait { pid, source })
    }

    /// Sends a signal; nothing happens when it has ended.
    pub fn signal(&self, signal: Signal) -> Result<(), ChildError> {
        self.send(signal, kill)
    }

    /// Sends a signal to the process group of a child with its own session, else to the child.
    pub fn signal_group(&self, signal: Signal) -> Result<(), ChildError> {
        if self.own_group {
            self.send(signal, killpg)
        } else {
            self.send(signal, kill)
        }
    }

    fn send<F>(&self, signal: Signal, call: F) -> Result<(), ChildError>
    where
        F: Fn(Pid, Signal) -> nix::Result<()>,
    {
        // Once it is reaped the number may belong to somebody else.
        if self.process.id().is_none() {
            return Ok(());
        }
        match call(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(source) => Err(ChildError::Signal {
                pid: self.pid,
                signal,
                source,
            }),
        }
    }

    /// Ends it: SIGTERM, and after `grace` SIGKILL, then to its whole group when it has its own.
    pub async fn stop(&mut self, grace: Duration) -> Result<ExitStatus, ChildError> {
        self.signal(Signal::SIGTERM)?;
        if let Ok(ended) = tokio::time::timeout(grace, self.wait()).await {
            return ended;
        }
        self.signal_group(Signal::SIGKILL)?;
        let pid = self.pid;
        let ended = tokio::time::timeout(AFTER_KILL, self.wait()).await;
        ended.unwrap_or(Err(ChildError::Hanging { pid }))
    }
}

/// An exit status in the originals' words: `exited with status N` or `terminated with signal N`.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("terminated with signal {signal}"),
        (None, None) => format!("ended: {status}"),
    }
}

/// The limits of this process before [`raise_descriptor_limit`].
static ORIGINAL_LIMIT: OnceLock<(u64, u64)> = OnceLock::new();

/// Lets this process have as many open descriptors as it is allowed to, and returns how many.
/// Children get the limit from before.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let _ = ORIGINAL_LIMIT.set((soft, hard));
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}
