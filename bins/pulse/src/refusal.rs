//! Why pulse does not start.

use std::process::ExitCode;

/// A start that is refused: one line for the terminal, sometimes one for the log, and a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// For standard error, without the program's name.
    pub(crate) text: String,
    /// For the log, where the original logged something else or as well.
    pub(crate) log: Option<String>,
    /// For standard error instead of the text: whole lines, the program's name included.
    pub(crate) drawn: Option<String>,
    pub(crate) status: u8,
}

impl Refusal {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            log: None,
            drawn: None,
            status: 1,
        }
    }

    pub(crate) fn logged(self, log: impl Into<String>) -> Self {
        Self {
            log: Some(log.into()),
            ..self
        }
    }

    pub(crate) fn status(self, status: u8) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn drawn(self, drawn: Option<String>) -> Self {
        Self { drawn, ..self }
    }

    /// Tells it and gives the exit status.
    pub(crate) fn tell(&self) -> ExitCode {
        if let Some(log) = &self.log {
            tracing::info!("{log}");
        }
        match &self.drawn {
            Some(lines) => eprint!("{lines}"),
            None => eprintln!("pulse: {}", self.text),
        }
        ExitCode::from(self.status)
    }
}
