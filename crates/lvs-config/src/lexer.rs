//! Lines and words of lvs.cf (`piranha-daemons.md` 1.2–1.4).
//!
//! Owns line ends, blanks, comments and quotes. Knows no keyword.

use nom::IResult;
use nom::Offset;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::take_while;
use nom::bytes::complete::take_while1;
use nom::combinator::map;
use nom::error::ErrorKind;
use nom::error::ParseError;
use nom::multi::many0;
use nom::sequence::preceded;

use crate::model::Span;

/// The byte-order mark of UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Only space and tab separate words.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// One line without its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: usize,
    /// Offset of its first byte.
    pub(crate) start: usize,
    pub(crate) bytes: &'a [u8],
    /// Offset of the byte after its end, where the next line starts.
    pub(crate) next: usize,
    /// Whether the line ended in CR LF.
    pub(crate) crlf: bool,
}

impl<'a> Line<'a> {
    /// The span of `part`, a slice of this line.
    pub(crate) fn span_of(&self, part: &[u8]) -> Span {
        let start = self.start + self.bytes.offset(part);
        Span::new(start, start + part.len())
    }

    /// The line without the blanks before and behind.
    pub(crate) fn trimmed(&self) -> &'a [u8] {
        let start = self
            .bytes
            .iter()
            .position(|&b| !is_blank(b))
            .unwrap_or(self.bytes.len());
        let end = self
            .bytes
            .iter()
            .rposition(|&b| !is_blank(b))
            .map_or(start, |at| at + 1);
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// What ends a line of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// LF, perhaps after a CR.
    Lf,
    /// CR: the text holds no LF at all.
    Cr,
}

/// All lines of a text.
#[derive(Debug, Clone)]
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    number: usize,
    end: LineEnd,
}

impl<'a> Lines<'a> {
    /// Starts after a byte-order mark.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let end = if text.contains(&b'\r') && !text.contains(&b'\n') {
            LineEnd::Cr
        } else {
            LineEnd::Lf
        };
        let at = if text.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        Self {
            text,
            at,
            number: 0,
            end,
        }
    }

    pub(crate) const fn line_end(&self) -> LineEnd {
        self.end
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let mark = if self.end == LineEnd::Lf {
            b'\n'
        } else {
            b'\r'
        };
        let found = rest.iter().position(|&b| b == mark);
        let raw = rest.get(..found.unwrap_or(rest.len())).unwrap_or_default();
        let bare = raw.strip_suffix(b"\r").filter(|_| self.end == LineEnd::Lf);
        let start = self.at;
        self.number += 1;
        self.at = start + raw.len() + usize::from(found.is_some());
        Some(Line {
            number: self.number,
            start,
            bytes: bare.unwrap_or(raw),
            next: self.at,
            crlf: bare.is_some(),
        })
    }
}

/// One word of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// Without its quotes.
    pub(crate) bytes: &'a [u8],
    /// As it stands in the line.
    pub(crate) raw: &'a [u8],
    /// The quote character.
    pub(crate) quote: Option<u8>,
}

impl PartialEq<str> for Word<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes == other.as_bytes()
    }
}

/// Why a line has no words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordError<'a> {
    /// The quote that starts here is not closed.
    Unclosed(&'a [u8]),
    /// No word here.
    None,
}

impl<'a> ParseError<&'a [u8]> for WordError<'a> {
    fn from_error_kind(_: &'a [u8], _: ErrorKind) -> Self {
        Self::None
    }

    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, WordError<'a>>;

/// A word ends at the first same mark that is followed by a blank or by the line's end, or that
/// stands behind a blank. Deviates from the original only where that refused `"word"` before a
/// blank (B2).
fn quoted(input: &[u8]) -> Parsed<'_, Word<'_>> {
    let Some((&quote, body)) = input
        .split_first()
        .filter(|(q, _)| matches!(q, b'"' | b'\''))
    else {
        return Err(nom::Err::Error(WordError::None));
    };
    let mut blank_seen = false;
    for (at, &byte) in body.iter().enumerate() {
        if is_blank(byte) {
            blank_seen = true;
        } else if byte == quote {
            let after = body.get(at + 1).copied();
            if blank_seen || after.is_none_or(is_blank) {
                let (raw, rest) = input.split_at(at + 2);
                let bytes = body.get(..at).unwrap_or_default();
                return Ok((
                    rest,
                    Word {
                        bytes,
                        raw,
                        quote: Some(quote),
                    },
                ));
            }
        }
    }
    Err(nom::Err::Failure(WordError::Unclosed(input)))
}

fn bare(input: &[u8]) -> Parsed<'_, Word<'_>> {
    let word = |bytes| Word {
        bytes,
        raw: bytes,
        quote: None,
    };
    map(take_while1(|b| !is_blank(b)), word).parse(input)
}

/// The words of a line; the error is the quote that is not closed.
pub(crate) fn words(line: &[u8]) -> Result<Vec<Word<'_>>, &[u8]> {
    match many0(preceded(take_while(is_blank), alt((quoted, bare)))).parse(line) {
        Ok((_, words)) => Ok(words),
        Err(
            nom::Err::Error(WordError::Unclosed(at)) | nom::Err::Failure(WordError::Unclosed(at)),
        ) => Err(at),
        Err(_) => Ok(Vec::new()),
    }
}

/// Line numbers of offsets, for messages that come up after the reading.
#[derive(Debug)]
pub(crate) struct LineIndex(Vec<usize>);

impl LineIndex {
    pub(crate) fn new(text: &[u8]) -> Self {
        Self(Lines::new(text).map(|line| line.start).collect())
    }

    /// Line and column, both counted from 1.
    pub(crate) fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.0.partition_point(|&start| start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .copied()
            .unwrap_or(0);
        (line.max(1), offset.saturating_sub(start) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<String>, usize> {
        words(line.as_bytes())
            .map(|w| {
                w.iter()
                    .map(|w| String::from_utf8_lossy(w.bytes).into_owned())
                    .collect()
            })
            .map_err(|at| line.as_bytes().offset(at))
    }

    #[test]
    fn quotes_follow_the_table_of_1_4() {
        let ok =
            |line: &str, expected: &[&str]| assert_eq!(split(line).unwrap(), expected, "{line}");
        ok(r#""abc""#, &["abc"]);
        ok(r#""abc" "#, &["abc"]);
        ok(r#""a b"  "#, &["a b"]);
        ok(r#""a "b" c""#, &["a ", "b\"", "c\""]);
        ok(r#""a \" b""#, &["a \\", "b\""]);
        ok(r#"'a "b" c'"#, &[r#"a "b" c"#]);
        ok(r#""""#, &[""]);
        ok(r#"/x/"a b""#, &["/x/\"a", "b\""]);
        ok(r#""a"b"c""#, &["a\"b\"c"]);
        ok(r#""a b"c"#, &["a b", "c"]);
        ok(r#"x "front" {"#, &["x", "front", "{"]);
        assert_eq!(split(r#"x "abc"def"#), Err(2));
        assert_eq!(split(r#"x ""#), Err(2));
        assert_eq!(split(r#"x "NONE"#), Err(2));
    }

    #[test]
    fn lines_end_in_lf_crlf_or_cr() {
        let of = |text: &'static str| -> Vec<(usize, String)> {
            Lines::new(text.as_bytes())
                .map(|l| (l.number, String::from_utf8_lossy(l.bytes).into_owned()))
                .collect()
        };
        let two = vec![(1, "a".to_owned()), (2, "b".to_owned())];
        assert_eq!(of("a\nb"), two);
        assert_eq!(of("a\r\nb\r\n"), two);
        assert_eq!(of("a\rb\r"), two);
        assert_eq!(of("a\nb\r"), two);
        assert_eq!(of("\u{feff}a\nb\n"), two);
        assert_eq!(
            of("a\rc\nb"),
            vec![(1, "a\rc".to_owned()), (2, "b".to_owned())]
        );
        assert_eq!(of(""), vec![]);
    }
}
