//! What can be wrong with a line of a saved table.

/// A line that is not one of a saved table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct TextError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: TextErrorKind,
}

/// What is wrong with a line of a saved table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextErrorKind {
    /// The line begins with neither `-A` nor `-a`.
    #[error("not -A or -a: {0}")]
    Command(String),
    /// An option that a saved table does not hold.
    #[error("unknown option: {0}")]
    Option(String),
    /// An option without its value.
    #[error("missing value of {0}")]
    MissingValue(String),
    /// A value that its option cannot take.
    #[error("invalid value of {option}: {value}")]
    Value {
        /// The option.
        option: String,
        /// The value as written.
        value: String,
    },
    /// None of `-t`, `-u`, `--sctp-service`, `-f`.
    #[error("no service named")]
    NoService,
    /// `-a` without `-r`.
    #[error("no real server named")]
    NoServer,
    /// A second line that adds the same service.
    #[error("service already exists")]
    ServiceExists,
    /// `-a` for a service that no line before added.
    #[error("service not defined")]
    ServiceNotDefined,
    /// A second line that adds the same server to a service.
    #[error("destination already exists")]
    ServerExists,
    /// Options that contradict each other.
    #[error("tunnel options do not fit the forwarding method")]
    Tunnel,
}
