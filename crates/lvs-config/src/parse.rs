//! Reading a text: up to the first error for the daemons, to the end for the check command.
//!
//! Owns the two ways of reading. The work is done by `reader` and `checks`.

use crate::diagnostic::Diagnostic;
use crate::diagnostic::ParseError;
use crate::model::Config;
use crate::reader::Reader;

/// A file without errors.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it means.
    pub config: Config,
    /// What may surprise.
    pub warnings: Vec<Diagnostic>,
}

/// A file with all that is to be said about it.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What it means; complete only when there are no errors.
    pub config: Config,
    /// Errors and warnings in the order of their lines.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether there is an error among the messages.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|d| d.code.original_text().is_some())
    }
}

/// Reads a file up to its first error, as the daemons need it.
///
/// # Errors
/// The first error, with the original's line and text.
pub fn parse(text: &[u8]) -> Result<Checked, ParseError> {
    let mut reader = Reader::new(text, true);
    reader.read();
    match reader.errors.pop() {
        Some(error) => Err(error.into()),
        None => {
            let (config, warnings) = reader.finish();
            Ok(Checked { config, warnings })
        }
    }
}

/// The model without the values that follow from others, and without warnings.
pub(crate) fn parse_bare(text: &[u8]) -> Result<Config, ParseError> {
    let mut reader = Reader::new(text, true);
    reader.read();
    match reader.errors.pop() {
        Some(error) => Err(error.into()),
        None => Ok(reader.config),
    }
}

/// Reads the whole file and tells each error, as the check command needs it.
pub fn parse_all(text: &[u8]) -> Parsed {
    let mut reader = Reader::new(text, false);
    reader.read();
    let mut diagnostics = std::mem::take(&mut reader.errors);
    let (config, warnings) = reader.finish_after(&diagnostics);
    diagnostics.extend(warnings);
    // Errors of a line stand before its warnings, in the order in which they came up.
    diagnostics.sort_by_key(|d| d.line);
    Parsed {
        config,
        diagnostics,
    }
}
