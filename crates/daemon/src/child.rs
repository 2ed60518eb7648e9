//! Children of a daemon: started with clean signals and exactly the descriptors they are meant to
//! have, joined by pipes, stopped within a bounded time.
//!
//! Must not decide when a child is started again.

mod process;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, pipe2};
use thiserror::Error;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use self::process::Process;
use crate::system;
use crate::system::start::{self, Program, Setup};

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

/// The user and group that a child runs as: without supplementary groups and capabilities, and without
/// a way to gain privileges by a program that it executes.
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
        self.try_spawn().map_err(|source| ChildError::Start {
            program: self.program.clone(),
            source,
        })
    }

    fn try_spawn(&self) -> io::Result<Child> {
        let program = Program::new(&self.program, self.words(), self.environment())?;
        let report = self.report.map(report_pipe).transpose()?;
        let stdin = Stream::input(self.stdin)?;
        let stdout = Stream::output(self.stdout, libc::STDOUT_FILENO)?;
        let stderr = Stream::output(self.stderr, libc::STDERR_FILENO)?;
        let setup = Setup {
            own_session: self.own_session,
            descriptor_limit: ORIGINAL_LIMIT.get().copied(),
            standard: [stdin.source(), stdout.source(), stderr.source()],
            report: report
                .as_ref()
                .map(|(_, writer, number)| (writer.as_raw_fd(), *number)),
            credentials: self.credentials,
            parent_death: self.die_with_parent,
            parent: Pid::this(),
        };
        let (stdin, stdout, stderr) = (
            stdin.ours.map(writer).transpose()?,
            stdout.ours.map(stdout_reader).transpose()?,
            stderr.ours.map(stderr_reader).transpose()?,
        );
        let (pid, ended) = start::start(&program, &setup)?;
        Ok(Child {
            pid,
            process: Process::new(pid, ended),
            stdin,
            stdout,
            stderr,
            report: report.map(|(reader, ..)| reader),
            own_group: self.own_session,
        })
    }

    fn words(&self) -> impl Iterator<Item = OsString> {
        let name = self.arg0.as_deref().unwrap_or(self.program.as_os_str());
        std::iter::once(name.to_owned()).chain(self.args.iter().cloned())
    }

    fn environment(&self) -> impl Iterator<Item = (OsString, OsString)> {
        let own = |name: &OsStr| OWN_VARIABLES.iter().any(|variable| name == *variable);
        let mut variables: BTreeMap<OsString, OsString> =
            std::env::vars_os().filter(|(name, _)| !own(name)).collect();
        variables.extend(self.env.iter().cloned());
        variables.into_iter()
    }
}

/// In a process without standard descriptors a new one may have their numbers; the copies that the child
/// makes must not run over it.
fn above_standard(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(descriptor);
    }
    system::duplicate(&descriptor, libc::STDERR_FILENO + 1)
}

/// The pipe, and the number of its writing end in the child.
fn report_pipe(report: Report) -> io::Result<(Receiver, OwnedFd, RawFd)> {
    if report.fd <= libc::STDERR_FILENO {
        let text = format!("descriptor {} cannot carry reports", report.fd);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    Ok((
        Receiver::from_owned_fd(reader)?,
        above_standard(writer)?,
        report.fd,
    ))
}

/// A standard descriptor of a child to be: its end, which it gets a copy of, and ours of a pipe.
struct Stream {
    theirs: Option<OwnedFd>,
    ours: Option<OwnedFd>,
    /// Its number in the child.
    target: RawFd,
}

impl Stream {
    fn input(stdin: Stdin) -> io::Result<Self> {
        let (theirs, ours) = match stdin {
            Stdin::Null => (Some(null()?), None),
            Stdin::Inherit => (None, None),
            Stdin::Pipe => {
                let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
                (Some(reader), Some(writer))
            }
        };
        Self::new(theirs, ours, libc::STDIN_FILENO)
    }

    fn output(output: Output, target: RawFd) -> io::Result<Self> {
        let (theirs, ours) = match output {
            Output::Null => (Some(null()?), None),
            Output::Inherit => (None, None),
            Output::Pipe => {
                let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
                (Some(writer), Some(reader))
            }
        };
        Self::new(theirs, ours, target)
    }

    fn new(theirs: Option<OwnedFd>, ours: Option<OwnedFd>, target: RawFd) -> io::Result<Self> {
        Ok(Self {
            theirs: theirs.map(above_standard).transpose()?,
            ours,
            target,
        })
    }

    /// The number here of what the child gets.
    fn source(&self) -> RawFd {
        let theirs = self.theirs.as_ref();
        theirs.map_or(self.target, AsRawFd::as_raw_fd)
    }
}

fn writer(pipe: OwnedFd) -> io::Result<ChildStdin> {
    ChildStdin::from_std(std::process::ChildStdin::from(pipe))
}

fn stdout_reader(pipe: OwnedFd) -> io::Result<ChildStdout> {
    ChildStdout::from_std(std::process::ChildStdout::from(pipe))
}

fn stderr_reader(pipe: OwnedFd) -> io::Result<ChildStderr> {
    ChildStderr::from_std(std::process::ChildStderr::from(pipe))
}

fn null() -> io::Result<OwnedFd> {
    let mut options = File::options();
    Ok(options.read(true).write(true).open("/dev/null")?.into())
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
    process: Process,
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

    /// Gives the descriptor of its end back until [`Self::wait`] is called: for children by the thousand
    /// whose end shows on their report pipe.
    pub fn release(&mut self) {
        self.process.release();
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
        if self.process.is_reaped() {
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

/// Lets this process have as many open descriptors as it is allowed to, and `wanted` if it may allow them
/// to itself; returns how many. Children get the limit from before.
pub fn raise_descriptor_limit(wanted: u64) -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let _ = ORIGINAL_LIMIT.set((soft, hard));
    if hard < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted).is_ok() {
        return Ok(wanted);
    }
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// How many descriptors this process may have open at present.
pub fn descriptor_limit() -> io::Result<u64> {
    Ok(getrlimit(Resource::RLIMIT_NOFILE)?.0)
}
