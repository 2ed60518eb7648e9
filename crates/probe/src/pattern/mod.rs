//! POSIX extended regular expressions on bytes, for one question: is there a match?
//!
//! Lines and loops as the original's `regcomp`/`regexec` in the C locale have them; expressions
//! are turned into a small automaton that is stepped once for each byte, so a server cannot make a
//! match slow, and bytes can arrive in pieces. No back-references.

mod automaton;
mod parse;

pub(crate) use automaton::Matcher;

use std::fmt;

/// Why an expression cannot be used; the texts are those of the GNU C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternError {
    /// `[` without end, or a class name without end.
    Bracket,
    /// `(` without end.
    Parenthesis,
    /// `*`, `+`, `?` or a count with nothing before it.
    Repetition,
    /// A count whose second number is less than the first, or too great.
    Count,
    /// A range that runs backwards.
    Range,
    /// `[:NAME:]` with an unknown name.
    Class,
    /// `[.NAME.]` or `[=NAME=]` longer than one character.
    Collation,
    /// A backslash at the end.
    Backslash,
    /// Back-references are not supported.
    BackReference,
    /// Too many states or levels.
    TooBig,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bracket => "Unmatched [, [^, [:, [., or [=",
            Self::Parenthesis => "Unmatched ( or \\(",
            Self::Repetition => "Invalid preceding regular expression",
            Self::Count => "Invalid content of \\{\\}",
            Self::Range => "Invalid range end",
            Self::Class => "Invalid character class name",
            Self::Collation => "Invalid collation character",
            Self::Backslash => "Trailing backslash",
            Self::BackReference => "Invalid back reference",
            Self::TooBig => "Regular expression too big",
        })
    }
}

impl std::error::Error for PatternError {}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: Vec<u8>,
    automaton: automaton::Automaton,
}

impl Pattern {
    /// Compiles an expression.
    pub fn new(text: &[u8]) -> Result<Self, PatternError> {
        let tree = parse::parse(text)?;
        Ok(Self {
            text: text.to_vec(),
            automaton: automaton::Automaton::new(&tree)?,
        })
    }

    /// Whether the expression matches anywhere in these bytes.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.matcher().feed(bytes)
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn matcher(&self) -> Matcher<'_> {
        Matcher::new(&self.automaton)
    }
}
