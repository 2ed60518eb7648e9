//! What can go wrong in the laboratory itself or in what it looks at.

use std::fmt::Display;
use std::io;

/// Result of everything in this package.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the laboratory stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation of the system failed.
    #[error("{act}: {source}")]
    System {
        /// What was tried, with its object.
        act: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A command ended with another status than 0.
    #[error("{command}: {outcome}")]
    Command {
        /// The command line.
        command: String,
        /// Its status and what it wrote.
        outcome: String,
    },
    /// Something must be installed first.
    #[error("{0}")]
    Setup(String),
    /// The kernel did not come up, died or ran out of time.
    #[error("{0}")]
    Kernel(String),
    /// A program under test did not do what was expected of it.
    #[error("{0}")]
    Unmet(String),
    /// An error with what the routers did until then.
    #[error("{source}")]
    Explained {
        /// The error.
        source: Box<Error>,
        /// Logs, processes, addresses and tables.
        report: String,
    },
    /// This machine cannot do it.
    #[error("{0}")]
    NotRun(String),
    /// Somebody interrupted the run.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// An expectation that was not met.
    pub fn unmet(text: impl Display) -> Self {
        Self::Unmet(text.to_string())
    }
}

/// Adds what was tried to an error of the system.
pub trait Context<T> {
    /// Names the act that failed.
    fn during(self, act: impl Display) -> Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for std::result::Result<T, E> {
    fn during(self, act: impl Display) -> Result<T> {
        self.map_err(|error| Error::System {
            act: act.to_string(),
            source: error.into(),
        })
    }
}

/// Fails with the given text unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::error::Error::unmet(format!($($text)+)));
        }
    };
}
