//! Warnings on their way: collected without their lines, which are found at the end.
//!
//! Owns the bound on their number. Decides about none.

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::lexer::LineIndex;
use crate::model::Span;

/// So many errors, and as many warnings, are enough of any file: what is no lvs.cf at all must not
/// fill the memory.
pub(crate) const MOST_MESSAGES: usize = 10_000;
/// A warning that comes up while reading.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) code: Code,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}
/// Where the notes go.
pub(crate) struct Notes<'n>(pub(crate) &'n mut Vec<Note>);

impl Notes<'_> {
    /// A note about the place of `span`, or about the whole file.
    pub(crate) fn add(&mut self, code: Code, span: Option<Span>, message: String, help: &str) {
        if self.0.len() >= MOST_MESSAGES {
            return;
        }
        let help = Some(help.to_owned()).filter(|help| !help.is_empty());
        self.0.push(Note {
            code,
            span: span.unwrap_or_default(),
            message,
            help,
        });
    }
}

/// Finds the lines of the notes.
pub(crate) fn warnings(text: &[u8], notes: Vec<Note>) -> Vec<Diagnostic> {
    if notes.is_empty() {
        return Vec::new();
    }
    let index = LineIndex::new(text);
    let warning = |note: Note| {
        let (line, column) = match note.span {
            // A note without a place concerns the file.
            span if span == Span::default() && !note.code.at_start() => (0, 0),
            span => index.place(span.start as usize),
        };
        Diagnostic {
            severity: note.code.severity(),
            code: note.code,
            line,
            column,
            span: note.span,
            message: note.message,
            expected: None,
            help: note.help,
        }
    };
    let mut warnings: Vec<_> = notes.into_iter().map(warning).collect();
    warnings.sort_by_key(|d| (d.line, d.span.start));
    warnings
}
