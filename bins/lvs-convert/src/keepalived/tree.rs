//! Statements and the blocks below them.
//!
//! Owns the pairing of braces. Knows no keyword.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::lexer::{Kind, Token};
use crate::notes::Fault;
use crate::source::Place;

/// Deeper than any block of keepalived.
const DEPTH: usize = 32;

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// The words of a line, and the block that follows them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statement {
    pub(crate) words: Vec<Word>,
    pub(crate) block: Option<Vec<Statement>>,
}

impl Statement {
    /// Its first word.
    pub(crate) fn keyword(&self) -> &str {
        self.word(0)
    }

    /// The word at a place, else an empty text.
    pub(crate) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| &word.text)
    }

    /// All words behind the first.
    pub(crate) fn rest(&self) -> String {
        let words: Vec<_> = self
            .words
            .iter()
            .skip(1)
            .map(|word| word.text.as_str())
            .collect();
        words.join(" ")
    }

    /// From the first word to the last.
    pub(crate) fn place(&self) -> Place {
        let first = self
            .words
            .first()
            .map(|word| word.place)
            .unwrap_or_default();
        self.words.last().map_or(first, |last| first.to(last.place))
    }

    /// The statements of its block.
    pub(crate) fn inside(&self) -> &[Statement] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The last statement of its block with this keyword: keepalived goes by the last.
    pub(crate) fn find(&self, keyword: &str) -> Option<&Statement> {
        self.inside()
            .iter()
            .rfind(|statement| statement.keyword() == keyword)
    }
}

/// All statements of the tokens.
pub(crate) fn statements(tokens: Vec<Token>) -> Result<Vec<Statement>, Fault> {
    let mut tokens = tokens.into_iter().peekable();
    block(&mut tokens, None, 0)
}

fn block(
    tokens: &mut Peekable<IntoIter<Token>>,
    opened: Option<Place>,
    depth: usize,
) -> Result<Vec<Statement>, Fault> {
    let mut statements: Vec<Statement> = Vec::new();
    let mut line_ended = true;
    while let Some(token) = tokens.next() {
        match token.kind {
            Kind::LineEnd => line_ended = true,
            Kind::Word(text) => {
                if line_ended {
                    statements.push(Statement::default());
                    line_ended = false;
                }
                let word = Word {
                    text,
                    place: token.place,
                };
                if let Some(statement) = statements.last_mut() {
                    statement.words.push(word);
                }
            }
            Kind::Open if depth == DEPTH => {
                let text = format!("more than {DEPTH} blocks within each other");
                return Err(Fault::at(token.place, text, "is a closing brace missing?"));
            }
            Kind::Open => {
                let inside = block(tokens, Some(token.place), depth + 1)?;
                match statements.last_mut() {
                    Some(statement) if statement.block.is_none() => statement.block = Some(inside),
                    _ => {
                        let help = "a block belongs to the keyword before it";
                        return Err(Fault::at(token.place, "a block without a keyword", help));
                    }
                }
                line_ended = true;
            }
            Kind::Close if opened.is_some() => return Ok(statements),
            Kind::Close => {
                let help = "remove it, or write the opening brace that it belongs to";
                return Err(Fault::at(token.place, "a } that closes nothing", help));
            }
        }
    }
    match opened {
        None => Ok(statements),
        Some(place) => Err(Fault::at(
            place,
            "a block that is not closed",
            "write its }",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    fn read(text: &str) -> Result<Vec<Statement>, Fault> {
        statements(tokens(0, text)?)
    }

    #[test]
    fn a_brace_in_the_next_line_belongs_to_the_keyword() {
        let statements = read("global_defs\n{\n  a b\n}\nc { d { e } f }").unwrap();
        let keywords: Vec<_> = statements.iter().map(Statement::keyword).collect();
        assert_eq!(keywords, ["global_defs", "c"]);
        assert_eq!(statements[0].inside()[0].rest(), "b");
        let inside: Vec<_> = statements[1]
            .inside()
            .iter()
            .map(Statement::keyword)
            .collect();
        assert_eq!(inside, ["d", "f"]);
    }

    #[test]
    fn braces_that_do_not_pair_are_refused() {
        for text in ["a {", "a }", "{ a }", "a { } { }", &"a {".repeat(40)] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
