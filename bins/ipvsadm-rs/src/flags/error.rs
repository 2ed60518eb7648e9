//! What is wrong with a command line, and how ipvsadm says it.

use super::Word;

/// A command line that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageError {
    /// The first option is not a command: exit 255.
    Try,
    /// The parser does not understand a word: exit 255. `-R` goes on after it.
    Parser {
        /// The whole word.
        word: Word,
        /// Why.
        reason: &'static str,
    },
    /// The options make no sense: exit 2.
    Refused(Vec<u8>),
}

impl UsageError {
    /// A refusal with a fixed text.
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into().into_bytes())
    }

    /// A refusal that quotes a word as it came.
    pub(super) fn quoting(before: &str, word: &[u8], after: &str) -> Self {
        Self::Refused([before.as_bytes(), word, after.as_bytes()].concat())
    }

    /// The line for standard error, without its end.
    pub fn text(&self, program: &[u8]) -> Vec<u8> {
        match self {
            Self::Try => [
                b"Try `".as_slice(),
                program,
                b" -h' or '",
                program,
                b" --help' for more information.",
            ]
            .concat(),
            Self::Parser { word, reason } => [word, b": ".as_slice(), reason.as_bytes()].concat(),
            Self::Refused(text) => text.clone(),
        }
    }

    /// The exit status.
    pub const fn status(&self) -> u8 {
        match self {
            Self::Try | Self::Parser { .. } => 255,
            Self::Refused(_) => 2,
        }
    }
}
