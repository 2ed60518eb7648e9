//! The grammar: text to tree. GNU extensions that `regcomp` accepts are accepted too: `\w \W \s
//! \S \b \B \< \> \`` and `\'`, `{,n}`, empty alternatives, several repetitions in a row.

use super::PatternError;

/// Levels of parentheses.
const DEEPEST: usize = 200;
/// Largest count, `RE_DUP_MAX` of the GNU C library.
const MOST_REPETITIONS: u32 = 32_767;

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set([u64; 4]);

impl Set {
    pub(super) fn contains(&self, byte: u8) -> bool {
        let part = self.0.get(usize::from(byte >> 6)).copied().unwrap_or(0);
        part >> (byte & 63) & 1 == 1
    }

    fn insert(&mut self, byte: u8) {
        if let Some(part) = self.0.get_mut(usize::from(byte >> 6)) {
            *part |= 1 << (byte & 63);
        }
    }

    fn of(accept: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        (0..=u8::MAX)
            .filter(|byte| accept(*byte))
            .for_each(|byte| set.insert(byte));
        set
    }

    fn inverted(self) -> Self {
        Self(self.0.map(|part| !part))
    }
}

/// A condition on a place between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Begin,
    End,
    WordEdge,
    NoWordEdge,
    WordBegin,
    WordEnd,
}

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Byte(u8),
    Set(Box<Set>),
    At(Place),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat {
        node: Box<Node>,
        least: u32,
        most: Option<u32>,
    },
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn parse(text: &[u8]) -> Result<Node, PatternError> {
    let mut parser = Parser {
        rest: text,
        depth: 0,
    };
    parser.alternatives()
}

struct Parser<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn take(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn skip(&mut self, text: &[u8]) -> bool {
        let found = self.rest.strip_prefix(text);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn alternatives(&mut self) -> Result<Node, PatternError> {
        let mut all = vec![self.sequence()?];
        while self.skip(b"|") {
            all.push(self.sequence()?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Node::Either(all)
        })
    }

    fn sequence(&mut self) -> Result<Node, PatternError> {
        let mut all: Vec<Node> = Vec::new();
        // Whether a repetition may follow: not at the beginning, and not after `^`.
        let mut repeatable = false;
        while let Some(byte) = self.peek() {
            if byte == b'|' || (byte == b')' && self.depth > 0) {
                break;
            }
            if let Some((least, most)) = self.repetition()? {
                let node = all
                    .pop()
                    .filter(|_| repeatable)
                    .ok_or(PatternError::Repetition)?;
                all.push(Node::Repeat {
                    node: Box::new(node),
                    least,
                    most,
                });
                continue;
            }
            self.take();
            let node = self.atom(byte)?;
            repeatable = !matches!(node, Node::At(Place::Begin)) || byte != b'^';
            all.push(node);
        }
        Ok(Node::Sequence(all))
    }

    /// A repetition at this place, taken; a `{` that begins no count is an ordinary character.
    fn repetition(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let simple = match self.peek() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') => return self.count(),
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(simple))
    }

    fn count(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let before = self.rest;
        self.take();
        let least = self.number();
        let most = if self.skip(b",") {
            self.number()
        } else {
            least
        };
        if !self.skip(b"}") || (least.is_none() && most.is_none()) {
            self.rest = before;
            return Ok(None);
        }
        let least = least.unwrap_or(0);
        if most.is_some_and(|most| most < least) {
            return Err(PatternError::Count);
        }
        if least.max(most.unwrap_or(0)) > MOST_REPETITIONS {
            return Err(PatternError::TooBig);
        }
        Ok(Some((least, most)))
    }

    fn number(&mut self) -> Option<u32> {
        let mut value: Option<u32> = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            self.take();
            let so_far = value.unwrap_or(0).saturating_mul(10);
            value = Some(so_far.saturating_add(u32::from(digit - b'0')));
        }
        value
    }

    fn atom(&mut self, byte: u8) -> Result<Node, PatternError> {
        Ok(match byte {
            b'(' => self.group()?,
            b'[' => Node::Set(Box::new(self.bracket()?)),
            b'.' => Node::Set(Box::new(Set::of(|byte| byte != 0))),
            b'^' => Node::At(Place::Begin),
            b'$' => Node::At(Place::End),
            b'\\' => self.escaped()?,
            other => Node::Byte(other),
        })
    }

    fn group(&mut self) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(PatternError::TooBig);
        }
        let inside = self.alternatives()?;
        self.depth -= 1;
        if self.skip(b")") {
            Ok(inside)
        } else {
            Err(PatternError::Parenthesis)
        }
    }

    fn escaped(&mut self) -> Result<Node, PatternError> {
        Ok(match self.take().ok_or(PatternError::Backslash)? {
            b'w' => Node::Set(Box::new(Set::of(is_word))),
            b'W' => Node::Set(Box::new(Set::of(is_word).inverted())),
            b's' => Node::Set(Box::new(Set::of(is_space))),
            b'S' => Node::Set(Box::new(Set::of(is_space).inverted())),
            b'b' => Node::At(Place::WordEdge),
            b'B' => Node::At(Place::NoWordEdge),
            b'<' => Node::At(Place::WordBegin),
            b'>' => Node::At(Place::WordEnd),
            b'`' => Node::At(Place::Begin),
            b'\'' => Node::At(Place::End),
            b'1'..=b'9' => return Err(PatternError::BackReference),
            other => Node::Byte(other),
        })
    }

    /// A bracket expression; its `[` is taken.
    fn bracket(&mut self) -> Result<Set, PatternError> {
        let inverted = self.skip(b"^");
        let mut set = Set::default();
        let mut first = true;
        loop {
            if !std::mem::take(&mut first) && self.skip(b"]") {
                return Ok(if inverted { set.inverted() } else { set });
            }
            if self.skip(b"[:") {
                let name = self.name(b":]")?;
                let class = class(name).ok_or(PatternError::Class)?;
                (0..=u8::MAX)
                    .filter(class)
                    .for_each(|byte| set.insert(byte));
                // A class cannot begin a range.
                if self.peek() == Some(b'-') && self.rest.get(1).is_some_and(|next| *next != b']') {
                    return Err(PatternError::Range);
                }
                continue;
            }
            let low = self.member()?;
            // A `-` before the closing bracket is itself.
            if self.peek() == Some(b'-') && self.rest.get(1) != Some(&b']') {
                self.take();
                let high = self.member()?;
                if high < low {
                    return Err(PatternError::Range);
                }
                (low..=high).for_each(|byte| set.insert(byte));
            } else {
                set.insert(low);
            }
        }
    }

    /// One character of a bracket expression, also as `[.x.]` or `[=x=]`.
    fn member(&mut self) -> Result<u8, PatternError> {
        for (open, close) in [(b"[.", b".]"), (b"[=", b"=]")] {
            if self.skip(open) {
                return match self.name(close)? {
                    [byte] => Ok(*byte),
                    _ => Err(PatternError::Collation),
                };
            }
        }
        self.take().ok_or(PatternError::Bracket)
    }

    fn name(&mut self, close: &[u8; 2]) -> Result<&[u8], PatternError> {
        let rest = self.rest;
        let length = rest
            .windows(2)
            .position(|pair| pair == close)
            .ok_or(PatternError::Bracket)?;
        self.rest = rest.get(length + 2..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or_default())
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn class(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| is_space(*byte),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}
