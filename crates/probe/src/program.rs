//! An external check program: its own process group, a time limit that works, bounded output.
//! Source: `piranha-daemons.md` 5.5 with B31–B33, B66.

use crate::check::Outcome;
use crate::expect::{Expect, MOST};
use crate::reason::{Reason, Step};
use crate::wait::{Bounds, Waited};
use crate::{system, words};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, read};
use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// A command line as configured, in words, with `%h` and `%p` still in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    words: Vec<Vec<u8>>,
}

/// How a program ended.
pub(crate) enum Finish {
    Ended { status: ExitStatus, output: Vec<u8> },
    Failed(Reason),
    Interrupted { killed: u32 },
}

impl Program {
    /// Splits a command line into words; no shell is involved.
    pub fn new(command_line: &[u8]) -> Self {
        Self {
            words: words::split(command_line),
        }
    }

    /// A command whose words are already apart.
    pub(crate) fn from_words(words: Vec<Vec<u8>>) -> Self {
        Self { words }
    }

    pub(crate) fn check(
        &self,
        real: SocketAddrV4,
        expect: Option<&Expect>,
        bounds: &Bounds<'_>,
    ) -> Outcome {
        match self.run(real, bounds) {
            Finish::Interrupted { killed } => Outcome::Interrupted {
                killed: Some(killed),
            },
            Finish::Failed(reason) => Outcome::Unavailable(reason),
            Finish::Ended { status, output } => judge(status, output, expect),
        }
    }

    /// Runs the program to its end, its limit or an interruption. Its whole process group is gone
    /// afterwards in every case: what a finished check leaves behind would pile up.
    pub(crate) fn run(&self, real: SocketAddrV4, bounds: &Bounds<'_>) -> Finish {
        let mut words = self
            .words
            .iter()
            .map(|word| OsString::from_vec(words::substitute(word, real)));
        let Some(name) = words.next() else {
            return Finish::Failed(Reason::NoProgram);
        };
        let mut command = Command::new(&name);
        command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command.process_group(0);
        system::die_with_parent(&mut command);
        match command.spawn() {
            Ok(child) => Running {
                child,
                output: Vec::new(),
            }
            .finish(bounds),
            Err(error) => Finish::Failed(Reason::CannotRun {
                program: name.to_string_lossy().escape_debug().to_string(),
                error: error.to_string(),
            }),
        }
    }
}

/// A program that has not been waited for.
struct Running {
    child: Child,
    output: Vec<u8>,
}

impl Running {
    fn finish(mut self, bounds: &Bounds<'_>) -> Finish {
        let waited = self.wait(bounds);
        let killed = self.child.id();
        // Before the child is waited for, so that its number still is its group's.
        if let Ok(group) = i32::try_from(killed) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let status = self.child.wait();
        match (waited, status) {
            (Waited::Ready { .. }, Ok(status)) => Finish::Ended {
                status,
                output: self.output,
            },
            (Waited::Interrupted, _) => Finish::Interrupted { killed },
            (Waited::TimedOut, _) => Finish::Failed(Reason::TimedOut {
                step: Step::Running,
                limit: bounds.limit,
                got: self.output,
            }),
            (Waited::Failed(errno), _) => failed(errno),
            (Waited::Ready { .. }, Err(error)) => failed(
                error
                    .raw_os_error()
                    .map_or(Errno::UnknownErrno, Errno::from_raw),
            ),
        }
    }

    /// Reads output until the program ends. `Ready`: it has ended and all it wrote is read.
    fn wait(&mut self, bounds: &Bounds<'_>) -> Waited {
        let ended = match system::pidfd_open(self.child.id()) {
            Ok(ended) => ended,
            Err(error) => {
                return Waited::Failed(
                    error
                        .raw_os_error()
                        .map_or(Errno::UnknownErrno, Errno::from_raw),
                );
            }
        };
        let mut stdout = self.child.stdout.take();
        if let Some(stdout) = &stdout {
            let _ = fcntl(stdout, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
        }
        loop {
            let mut wanted = vec![(ended.as_fd(), PollFlags::POLLIN)];
            wanted.extend(stdout.iter().map(|pipe| (pipe.as_fd(), PollFlags::POLLIN)));
            let waited = bounds.wait_any(&wanted);
            if !matches!(waited, Waited::Ready { .. }) {
                return waited;
            }
            // Asked before reading: output written before the end is then surely read.
            let over = bounds.ready_now(&ended);
            if stdout.as_ref().is_some_and(|pipe| self.drain(pipe, over)) {
                stdout = None;
            }
            if over {
                return waited;
            }
        }
    }

    /// Reads what is there; true at the end of the output. Beyond the limit output is thrown away,
    /// so that a program that prints without end runs into its time limit and not into our memory;
    /// one round is bounded too, so that the limit is looked at.
    fn drain(&mut self, pipe: &ChildStdout, over: bool) -> bool {
        let mut buffer = [0; 4096];
        let rounds = if over { MOST / 4096 + 1 } else { 16 };
        for _ in 0..rounds {
            match read(pipe, &mut buffer) {
                Ok(0) => return true,
                Ok(count) => {
                    let room = MOST.saturating_sub(self.output.len()).min(count);
                    self.output
                        .extend_from_slice(buffer.get(..room).unwrap_or_default());
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return false,
                Err(_) => return true,
            }
        }
        false
    }
}

fn failed(errno: Errno) -> Finish {
    Finish::Failed(Reason::Failed {
        step: Step::Running,
        errno,
    })
}

/// A program that fails is a failed check whatever it printed (B31, unlike the original). Its
/// output counts without one newline at its end (B33).
fn judge(status: ExitStatus, mut got: Vec<u8>, expect: Option<&Expect>) -> Outcome {
    let expecting = expect.is_some();
    if let Some(signal) = status.signal() {
        return Outcome::Unavailable(Reason::Signalled { signal, expecting });
    }
    if !status.success() {
        let status = status.code().unwrap_or(-1);
        return Outcome::Unavailable(Reason::ExitStatus { status, expecting });
    }
    if got.last() == Some(&b'\n') {
        got.pop();
    }
    let good = match expect {
        None if got.is_empty() => return Outcome::Unavailable(Reason::NoResult),
        None => return Outcome::Unavailable(Reason::Unexpected { got }),
        Some(Expect::Anything) => true,
        Some(Expect::Text(text)) => *text == got,
        Some(Expect::Pattern(pattern)) => pattern.matches(&got),
    };
    match expect {
        Some(expect) if !good => Outcome::Unavailable(Reason::Output {
            got,
            expected: expect.shown(),
        }),
        _ => Outcome::Available,
    }
}
