//! Why a server is not available, as one line for people, and in the original's words.

use nix::errno::Errno;
use std::fmt;
use std::net::SocketAddrV4;
use std::time::Duration;

/// Of what was received, this much appears in a reason.
const SHOWN: usize = 64;

/// What an attempt was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Making a socket.
    Opening,
    /// Connecting.
    Connecting,
    /// Sending the request.
    Writing,
    /// Waiting for the answer.
    Reading,
    /// Waiting for an external program.
    Running,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opening => "making a socket",
            Self::Connecting => "connecting",
            Self::Writing => "writing",
            Self::Reading => "reading",
            Self::Running => "running the program",
        })
    }
}

/// Why a check failed. `Display` is one printable line whatever the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nobody listens: a reset on connecting, or an ICMP refusal of a datagram.
    Refused,
    /// The limit passed.
    TimedOut {
        /// What was going on then.
        step: Step,
        /// The limit.
        limit: Duration,
        /// What had come till then.
        got: Vec<u8>,
    },
    /// A system call failed.
    Failed {
        /// What was going on.
        step: Step,
        /// The system's error.
        errno: Errno,
    },
    /// The stream or datagram ended before a decision was possible.
    TooShort {
        /// All that came.
        got: Vec<u8>,
        /// What was expected.
        expected: String,
    },
    /// Something else came.
    Different {
        /// What came.
        got: Vec<u8>,
        /// What was expected.
        expected: String,
    },
    /// A regular expression that cannot be used.
    BadPattern(String),
    /// There is no word in the program's command line.
    NoProgram,
    /// The program cannot be started.
    CannotRun {
        /// Its name.
        program: String,
        /// The system's error.
        error: String,
    },
    /// The program ended with this status other than 0.
    ExitStatus {
        /// The status.
        status: i32,
        /// An answer was expected from it.
        expecting: bool,
    },
    /// The program was ended by a signal.
    Signalled {
        /// The signal's number.
        signal: i32,
        /// An answer was expected from it.
        expecting: bool,
    },
    /// Nothing is expected from the program, but it printed something.
    Unexpected {
        /// What it printed.
        got: Vec<u8>,
    },
    /// Nothing is expected from the program, and it printed nothing: a check without a result.
    NoResult,
    /// The program's output is not the expected one.
    Output {
        /// What it printed.
        got: Vec<u8>,
        /// What was expected.
        expected: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::TimedOut { step, limit, got } => {
                write!(f, "timed out after {} while {step}", Seconds(*limit))?;
                if got.is_empty() {
                    Ok(())
                } else {
                    write!(f, ", got {}", Quoted(got))
                }
            }
            Self::Failed { step, errno } => write!(f, "{} while {step}", errno.desc()),
            Self::TooShort { got, expected } if got.is_empty() => {
                write!(f, "closed without an answer instead of {expected}")
            }
            Self::TooShort { got, expected } => {
                write!(f, "closed after {} instead of {expected}", Quoted(got))
            }
            Self::Different { got, expected } | Self::Output { got, expected } => {
                write!(f, "got {} instead of {expected}", Quoted(got))
            }
            other => other.fmt_program(f),
        }
    }
}

impl Reason {
    /// Reasons that have nothing to do with the network.
    fn fmt_program(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPattern(error) => write!(f, "bad regular expression: {error}"),
            Self::NoProgram => f.write_str("no program to run"),
            Self::CannotRun { program, error } => write!(f, "cannot run {program}: {error}"),
            Self::ExitStatus { status, .. } => write!(f, "exit status {status}"),
            Self::Signalled { signal, .. } => write!(f, "killed by signal {signal}"),
            Self::Unexpected { got } => write!(f, "got {} though nothing is expected", Quoted(got)),
            Self::NoResult => f.write_str("neither output nor an expected string"),
            _ => Ok(()),
        }
    }

    /// The original's own messages for this failure (`piranha-daemons.md` 5.3, 5.5); none where it
    /// was silent.
    pub fn original(&self, real: SocketAddrV4) -> Vec<String> {
        match self {
            Self::TimedOut {
                step: Step::Connecting,
                ..
            } => {
                vec![format!("CONNECT to {real} timed out")]
            }
            Self::TimedOut {
                step: Step::Reading,
                ..
            } => vec![format!("READ to {real} timed out")],
            Self::TimedOut {
                step: Step::Running,
                ..
            } => {
                vec!["timeout running the following:".to_owned()]
            }
            Self::Failed {
                step: Step::Writing,
                errno,
            } => {
                vec![format!(
                    "WRITE operation for {real} returned error: {}",
                    errno.desc()
                )]
            }
            Self::Failed {
                step: Step::Reading,
                errno,
            } => {
                vec![format!(
                    "READ returned error {}:{}",
                    *errno as i32,
                    errno.desc()
                )]
            }
            Self::TooShort { .. } => vec![format!("READ from {real} was too short")],
            Self::BadPattern(error) => {
                vec![format!(
                    "Error '{error}' processing expected regular expression"
                )]
            }
            other => other.original_program(real),
        }
    }

    fn original_program(&self, real: SocketAddrV4) -> Vec<String> {
        const ABNORMAL: &str = "The following exited abnormally:";
        let nothing_back = |expecting: bool| {
            if expecting {
                format!("Ran the external sending program to ({real}) but didn't get anything back")
            } else {
                BOTH_NULL.to_owned()
            }
        };
        match self {
            Self::NoProgram => vec!["No command to run".to_owned()],
            Self::ExitStatus { expecting, .. } | Self::Signalled { expecting, .. } => {
                vec![ABNORMAL.to_owned(), nothing_back(*expecting)]
            }
            Self::CannotRun { .. } => vec![ABNORMAL.to_owned()],
            Self::Unexpected { .. } => vec![
                "Expect string is NULL, but the external sending program returned a non-NULL result"
                    .to_owned(),
            ],
            Self::NoResult => vec![BOTH_NULL.to_owned()],
            Self::Output { .. } => vec![format!(
                "Trouble. Received results are not what we expected from ({real})"
            )],
            _ => Vec::new(),
        }
    }
}

const BOTH_NULL: &str = "Ran the external sending program. The result and expected response are \
                         both NULL! You may wish to revise your settings";

/// Bytes from outside in double quotes, printable and not too long.
pub(crate) struct Quoted<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..SHOWN).unwrap_or(self.0);
        let rest = if self.0.len() > SHOWN { "..." } else { "" };
        write!(f, "\"{}{rest}\"", shown.escape_ascii())
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_nanos() == 0 {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{} ms", self.0.as_millis())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_printable_line_whatever_came() {
        let reason = Reason::Different {
            got: b"HTTP/1.0 500\r\n\x1b[2J\n".to_vec(),
            expected: "\"HTTP\"".into(),
        };
        assert_eq!(
            reason.to_string(),
            r#"got "HTTP/1.0 500\r\n\x1b[2J\n" instead of "HTTP""#
        );
        let long = Reason::Unexpected {
            got: vec![b'x'; 1000],
        };
        assert!(long.to_string().len() < 120);
    }

    #[test]
    fn limits_in_seconds_or_milliseconds() {
        let timed_out = |limit| Reason::TimedOut {
            step: Step::Reading,
            limit,
            got: Vec::new(),
        };
        assert_eq!(
            timed_out(Duration::from_secs(6)).to_string(),
            "timed out after 6 s while reading"
        );
        assert_eq!(
            timed_out(Duration::from_millis(250)).to_string(),
            "timed out after 250 ms while reading"
        );
    }

    #[test]
    fn the_originals_words() {
        let real = "10.0.0.3:80".parse().unwrap();
        let reset = Reason::Failed {
            step: Step::Reading,
            errno: Errno::ECONNRESET,
        };
        assert_eq!(
            reset.original(real),
            ["READ returned error 104:Connection reset by peer"]
        );
        let late = |step| Reason::TimedOut {
            step,
            limit: Duration::from_secs(6),
            got: Vec::new(),
        };
        let (got, expected) = (b"no".to_vec(), "yes".to_owned());
        let short = Reason::TooShort {
            got: got.clone(),
            expected: expected.clone(),
        };
        for (reason, words) in [
            (late(Step::Connecting), "CONNECT to 10.0.0.3:80 timed out"),
            (late(Step::Reading), "READ to 10.0.0.3:80 timed out"),
            (short, "READ from 10.0.0.3:80 was too short"),
            (
                Reason::Output { got, expected },
                "Trouble. Received results are not what we expected from (10.0.0.3:80)",
            ),
        ] {
            assert_eq!(reason.original(real), [words]);
        }
        assert_eq!(Reason::Refused.original(real), Vec::<String>::new());
    }
}
