//! What a good answer looks like, and the decision as its bytes arrive.

use crate::pattern::{Matcher, Pattern};
use crate::reason::{Quoted, Reason};

/// No answer is read further than this.
pub(crate) const MOST: usize = 64 * 1024;

/// What is expected from a server or a program.
#[derive(Debug, Clone)]
pub enum Expect {
    /// Anything, also an immediate end of stream: `*`, or an empty string.
    Anything,
    /// These bytes: the first ones of a server's answer, the whole output of a program.
    Text(Vec<u8>),
    /// A match anywhere.
    Pattern(Pattern),
}

impl Expect {
    /// From the expect string as configured (decoded): `*` and an empty string mean anything.
    /// `Err` is the reason why a regular expression cannot be used.
    pub fn new(text: &[u8], regex: bool) -> Result<Self, Reason> {
        match text {
            b"*" | b"" => Ok(Self::Anything),
            _ if regex => Pattern::new(text)
                .map(Self::Pattern)
                .map_err(|error| Reason::BadPattern(error.to_string())),
            _ => Ok(Self::Text(text.to_vec())),
        }
    }

    /// As it appears in a reason.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Anything => "anything".to_owned(),
            Self::Text(text) => Quoted(text).to_string(),
            Self::Pattern(pattern) => {
                format!("a match of {}", Quoted(pattern.text()))
            }
        }
    }

    /// Starts to look at one answer.
    pub(crate) fn begin(&self) -> Answer<'_> {
        let matcher = match self {
            Self::Pattern(pattern) => Some(pattern.matcher()),
            _ => None,
        };
        Answer {
            expect: self,
            matcher,
            got: Vec::new(),
        }
    }
}

/// An answer as far as it has come.
pub(crate) struct Answer<'a> {
    expect: &'a Expect,
    matcher: Option<Matcher<'a>>,
    pub(crate) got: Vec<u8>,
}

impl Answer<'_> {
    /// Takes the next bytes; an empty slice is the end. `None`: more is needed.
    ///
    /// An expression is tried on everything that has come so far, as if it ended there: that is
    /// what the original saw with its one read.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<Result<(), Reason>> {
        self.got.extend_from_slice(bytes);
        let (decided, good) = match (self.expect, &mut self.matcher) {
            (Expect::Anything, _) => (true, true),
            (Expect::Text(text), _) => {
                let common = text.len().min(self.got.len());
                let same = self.got.get(..common) == text.get(..common);
                (!same || common == text.len(), same)
            }
            (Expect::Pattern(_), Some(matcher)) => {
                let matched = matcher.feed(bytes);
                (matched || self.got.len() >= MOST, matched)
            }
            (Expect::Pattern(_), None) => (true, false),
        };
        if decided && good {
            Some(Ok(()))
        } else if decided {
            Some(Err(self.different()))
        } else if bytes.is_empty() {
            Some(Err(self.ended()))
        } else {
            None
        }
    }

    fn different(&mut self) -> Reason {
        Reason::Different {
            got: std::mem::take(&mut self.got),
            expected: self.expect.shown(),
        }
    }

    fn ended(&mut self) -> Reason {
        match self.expect {
            Expect::Pattern(_) if !self.got.is_empty() => self.different(),
            _ => Reason::TooShort {
                got: std::mem::take(&mut self.got),
                expected: self.expect.shown(),
            },
        }
    }

    /// How many bytes the next read may bring.
    pub(crate) fn room(&self) -> usize {
        match self.expect {
            // A little more than needed, so that a reason shows more than the first wrong byte.
            Expect::Text(text) => text.len().saturating_sub(self.got.len()).max(64),
            _ => MOST.saturating_sub(self.got.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(expect: &[u8], regex: bool, parts: &[&[u8]]) -> Option<Result<(), String>> {
        let expect = Expect::new(expect, regex).unwrap();
        let mut answer = expect.begin();
        parts
            .iter()
            .find_map(|part| answer.take(part))
            .map(|result| result.map_err(|reason| reason.to_string()))
    }

    #[test]
    fn the_first_bytes_count() {
        assert_eq!(answer(b"HTTP", false, &[b"HTTP/1.0 500"]), Some(Ok(())));
        assert_eq!(answer(b"HTTP", false, &[b"HT"]), None);
        assert_eq!(
            answer(b"HTTP", false, &[b"H", b"T", b"T", b"P"]),
            Some(Ok(()))
        );
        let wrong = r#"got "SSH-2.0" instead of "HTTP""#.to_owned();
        assert_eq!(answer(b"HTTP", false, &[b"SSH-2.0"]), Some(Err(wrong)));
    }

    #[test]
    fn B34_too_short_only_at_the_end() {
        let short = r#"closed after "HT" instead of "HTTP""#.to_owned();
        assert_eq!(answer(b"HTTP", false, &[b"HT", b""]), Some(Err(short)));
        let none = r#"closed without an answer instead of "HTTP""#.to_owned();
        assert_eq!(answer(b"HTTP", false, &[b""]), Some(Err(none)));
    }

    #[test]
    fn anything_and_nothing() {
        assert_eq!(answer(b"*", false, &[b""]), Some(Ok(())));
        assert_eq!(answer(b"*", true, &[b"x"]), Some(Ok(())));
        assert_eq!(answer(b"", false, &[b"x"]), Some(Ok(())));
    }

    #[test]
    fn expressions_over_several_reads() {
        assert_eq!(
            answer(b"^220 .*ready", true, &[b"220 mail", b" is rea", b"dy"]),
            Some(Ok(()))
        );
        assert_eq!(answer(b"ready$", true, &[b"220 ready"]), Some(Ok(())));
        let wrong = r#"got "421 no" instead of a match of "^220""#.to_owned();
        assert_eq!(answer(b"^220", true, &[b"421 no", b""]), Some(Err(wrong)));
    }
}
