//! Changing a text without touching what is not meant: comments, order and blanks stay.
//!
//! Owns single changes. A change whose outcome would not mean exactly what was asked is refused
//! and leaves the text as it was.

use std::ops::Range;

use crate::change::apply;
use crate::change::block_of;
use crate::change::current;
use crate::change::name_of;
use crate::change::no_such_keyword;
use crate::change::remove_from;
use crate::diagnostic::Code;
use crate::diagnostic::ParseError;
use crate::keywords;
use crate::keywords::GLOBAL;
use crate::keywords::Level;
use crate::keywords::SERVER;
use crate::keywords::VIRTUAL;
use crate::layout::Item;
use crate::layout::Layout;
use crate::lexer::Word;
use crate::lexer::is_blank;
use crate::model::Config;
use crate::model::Server;
use crate::model::Setting;
use crate::model::Span;
use crate::model::Text;
use crate::model::Virtual;
use crate::parse::parse_bare;
use crate::place::Place;
use crate::value::Kind;
use crate::value::Value;
use crate::write;
use crate::write::WriteError;

/// Why a change is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such block.
    #[error("there is no {0}")]
    NoSuchPlace(Place),
    /// The keyword cannot stand there.
    #[error("{keyword} cannot stand {}", place.level().place())]
    NoSuchKeyword {
        /// The keyword.
        keyword: String,
        /// The place.
        place: Place,
    },
    /// The value is not one of the keyword's.
    #[error("{keyword}: {message}; expected {expected}")]
    Refused {
        /// The keyword.
        keyword: String,
        /// The original's text for this error.
        message: &'static str,
        /// What would be right.
        expected: String,
    },
    /// The value or name cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The text would not mean what was asked.
    #[error("the text would not mean what was asked")]
    NotTheSame,
}

/// A text without errors, to be changed.
#[derive(Debug, Clone)]
pub struct Editor {
    text: Vec<u8>,
    /// What the text means, without values that follow from others.
    config: Config,
}

impl Editor {
    /// Takes a text.
    ///
    /// # Errors
    /// The first error of the text.
    pub fn new(text: &[u8]) -> Result<Self, ParseError> {
        Ok(Self {
            config: parse_bare(text)?,
            text: text.to_vec(),
        })
    }

    /// The text as changed so far.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// What the text means.
    pub fn config(&self) -> Config {
        let mut config = self.config.clone();
        config.settle();
        config
    }

    /// Gives a keyword a value, in the form of `--show-config`: without quotes, an address and its
    /// device, or the words of a list, separated by blanks.
    ///
    /// # Errors
    /// [`EditError`]; the text is then as before.
    pub fn set(
        &mut self,
        place: Place,
        keyword: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<(), EditError> {
        let kind = place.level().kind_of(keyword.as_bytes());
        let kind = kind.ok_or_else(|| no_such_keyword(place, keyword))?;
        let value = read(keyword, kind, value.as_ref())?;
        if current(&self.config, place, keyword)? == Some(Some(value.clone())) {
            return Ok(());
        }
        let name = unwritable(place.level(), keyword);
        let layout = Layout::new(&self.text);
        let last = layout
            .assignments(place)
            .filter(|(_, name, _)| *name == keyword.as_bytes())
            .last();
        let behind = last.as_ref().and_then(|(_, _, old)| self.text.get(old.end));
        let words = match behind {
            Some(&behind) if is_blank(behind) => write::words_before_blank(kind, &value),
            _ => write::words_of(kind, &value),
        };
        let words = words.ok_or(name)?;
        let mut wanted = self.config.clone();
        apply(&mut wanted, place, keyword, Some(value))?;
        let text = match last {
            Some((_, _, old)) => self.replaced(old, &words),
            None => self.with_line(&layout, place, keyword, &words),
        };
        self.accept(text, wanted)
    }

    /// Removes all lines with the keyword, so that its default is in force.
    ///
    /// # Errors
    /// [`EditError`]; the text is then as before.
    pub fn unset(&mut self, place: Place, keyword: &str) -> Result<(), EditError> {
        let mut wanted = self.config.clone();
        apply(&mut wanted, place, keyword, None)?;
        let layout = Layout::new(&self.text);
        let named = layout
            .assignments(place)
            .filter(|(_, name, _)| *name == keyword.as_bytes());
        let lines: Vec<_> = named.map(|(item, _, _)| item.start..item.next).collect();
        let mut text = self.text.clone();
        for line in lines.into_iter().rev() {
            text.drain(line);
        }
        self.accept(text, wanted)
    }

    /// Gives a block another name.
    ///
    /// # Errors
    /// [`EditError`]; the text is then as before.
    pub fn rename(&mut self, place: Place, name: impl AsRef<[u8]>) -> Result<(), EditError> {
        let name = Text::from(name.as_ref());
        let token = write::name_token(&name).ok_or(WriteError::Unwritable { keyword: "name" })?;
        let mut wanted = self.config.clone();
        let old = name_of(&mut wanted, place).ok_or(EditError::NoSuchPlace(place))?;
        *old = Setting::written(name, Span::default());
        let layout = Layout::new(&self.text);
        let (_, span) = layout.opening(place).ok_or(EditError::NoSuchPlace(place))?;
        self.accept(self.replaced(span, &token), wanted)
    }

    /// Adds a virtual block behind the last one.
    ///
    /// # Errors
    /// [`EditError`]; the text is then as before.
    pub fn add_virtual(&mut self, block: &Virtual) -> Result<(), EditError> {
        let mut wanted = self.config.clone();
        wanted.virtuals.push(block.clone());
        self.add_block(Level::Virtual, write::virtual_lines(block)?, wanted)
    }

    /// Adds a failover block behind the last one.
    ///
    /// # Errors
    /// [`EditError`]; the text is then as before.
    pub fn add_failover(&mut self, block: &Virtual) -> Result<(), EditError> {
        let mut wanted = self.config.clone();
        wanted.failovers.push(block.clone());
        self.add_block(Level::Failover, write::failover_lines(block)?, wanted)
    }

    fn add_block(
        &mut self,
        level: Level,
        lines: Vec<Vec<u8>>,
        wanted: Config,
    ) -> Result<(), EditError> {
        let layout = Layout::new(&self.text);
        let at = layout
            .last_closing(level)
            .map_or(self.text.len(), |item| item.next);
        self.accept(self.with_lines(&layout, at, &lines), wanted)
    }

    /// Adds a server block behind the last one of the block, indented as its neighbours are.
    ///
    /// # Errors
    /// [`EditError`]; the text is then as before.
    pub fn add_server(&mut self, place: Place, server: &Server) -> Result<(), EditError> {
        let mut wanted = self.config.clone();
        let block = block_of(&mut wanted, place).ok_or(EditError::NoSuchPlace(place))?;
        let count = block.servers.len();
        block.servers.push(server.clone());
        let layout = Layout::new(&self.text);
        let last = count.checked_sub(1).and_then(|last| place.server(last));
        let opening = last.and_then(|last| layout.opening(last));
        let (outer, inner) = match (
            opening,
            last.and_then(|last| layout.assignments(last).next()),
        ) {
            (Some((opening, _)), Some((body, _, _))) => {
                (opening.indent.clone(), body.indent.clone())
            }
            _ => (
                vec![b' '; write::BLOCK_INDENT],
                vec![b' '; write::SERVER_INDENT],
            ),
        };
        let lines = write::server_lines(server, 0, 1)?;
        let indented = |line: Vec<u8>| match line.strip_prefix(b" ") {
            Some(body) => [inner.as_slice(), body].concat(),
            None => [outer.as_slice(), &line].concat(),
        };
        let lines: Vec<_> = lines.into_iter().map(indented).collect();
        let at = match last.and_then(|last| layout.closing(last)) {
            Some(last) => last.next,
            None => {
                layout
                    .closing(place)
                    .ok_or(EditError::NoSuchPlace(place))?
                    .start
            }
        };
        self.accept(self.with_lines(&layout, at, &lines), wanted)
    }

    /// Removes a block with all that stands in it.
    ///
    /// # Errors
    /// [`EditError`]; the text is then as before.
    pub fn remove(&mut self, place: Place) -> Result<(), EditError> {
        let mut wanted = self.config.clone();
        if !remove_from(&mut wanted, place) {
            return Err(EditError::NoSuchPlace(place));
        }
        let layout = Layout::new(&self.text);
        let (Some((opening, _)), Some(closing)) = (layout.opening(place), layout.closing(place))
        else {
            return Err(EditError::NoSuchPlace(place));
        };
        let text = self.replaced(opening.start..closing.next, b"");
        self.accept(text, wanted)
    }

    /// Takes the new text if it means what was wanted.
    fn accept(&mut self, mut text: Vec<u8>, wanted: Config) -> Result<(), EditError> {
        if text.is_empty() {
            // A file of zero bytes is refused.
            text.push(b'\n');
        }
        match parse_bare(&text) {
            Ok(config) if config == wanted => {
                (self.text, self.config) = (text, config);
                Ok(())
            }
            _ => Err(EditError::NotTheSame),
        }
    }

    fn replaced(&self, range: Range<usize>, with: &[u8]) -> Vec<u8> {
        let before = self.text.get(..range.start).unwrap_or_default();
        let after = self.text.get(range.end..).unwrap_or_default();
        [before, with, after].concat()
    }

    /// With a new line for the keyword: behind the nearest one that the GUI wrote before it.
    fn with_line(&self, layout: &Layout, place: Place, keyword: &str, words: &[u8]) -> Vec<u8> {
        let order = |name: &[u8]| order(place.level(), name);
        let mine = order(keyword.as_bytes());
        let before = layout
            .assignments(place)
            .filter(|(_, name, _)| order(name) < mine)
            .max_by_key(|(item, name, _)| (order(name), item.start));
        let first = layout.assignments(place).next();
        let line = |indent: &[u8]| [indent, &write::assignment(0, keyword, words)].concat();
        let (at, line) = match (before, first, layout.opening(place)) {
            (Some((item, _, _)), _, _) => (item.next, line(&item.indent)),
            (None, Some((item, _, _)), _) => (item.start, line(&item.indent)),
            (None, None, Some((item, _))) => {
                let more = write::SERVER_INDENT - write::BLOCK_INDENT;
                let more = if place.level() == Level::Server {
                    more
                } else {
                    write::BLOCK_INDENT
                };
                (
                    item.next,
                    line(&[item.indent.as_slice(), &vec![b' '; more]].concat()),
                )
            }
            (None, None, None) => (
                layout
                    .items
                    .first()
                    .map_or(self.text.len(), |item: &Item| item.start),
                line(b""),
            ),
        };
        self.with_lines(layout, at, &[line])
    }

    /// With new lines at the start of a line, or at the end of the text.
    fn with_lines(&self, layout: &Layout, at: usize, lines: &[Vec<u8>]) -> Vec<u8> {
        let end = layout.line_end;
        let at = at.max(layout.start);
        let unfinished = at == self.text.len()
            && at > layout.start
            && !self
                .text
                .ends_with(end.get(end.len() - 1..).unwrap_or_default());
        let mut new = lines.join(end);
        if unfinished {
            let cut = self.text.ends_with(b"\r") && end != b"\r";
            new = [if cut { b"\n".as_slice() } else { end }, &new].concat();
        } else {
            new.extend_from_slice(end);
        }
        self.replaced(at..at, &new)
    }
}

fn unwritable(level: Level, keyword: &str) -> WriteError {
    let known = level.keywords().into_iter().find(|name| *name == keyword);
    WriteError::Unwritable {
        keyword: known.unwrap_or("value"),
    }
}

fn order(level: Level, name: &[u8]) -> u8 {
    let order = match level {
        Level::Global => keywords::find(GLOBAL, name).map(|k| k.order),
        Level::Virtual | Level::Failover => keywords::find(VIRTUAL, name).map(|k| k.order),
        Level::Server => keywords::find(SERVER, name).map(|k| k.order),
    };
    order.unwrap_or(u8::MAX)
}

/// A value as `--show-config` prints it.
fn read(keyword: &str, kind: Kind, value: &[u8]) -> Result<Value, EditError> {
    let word = |bytes| Word {
        bytes,
        raw: bytes,
        quote: Some(b'"'),
    };
    let words: Vec<_> = match kind {
        Kind::HostAndDevice | Kind::List => value
            .split(|b| is_blank(*b))
            .filter(|w| !w.is_empty())
            .map(word)
            .collect(),
        _ => vec![word(value)],
    };
    let refused = |code: Code| EditError::Refused {
        keyword: keyword.to_owned(),
        message: code.original_text().unwrap_or_default(),
        expected: kind.expected(),
    };
    if kind == Kind::List {
        return Ok(Value::List(
            words.iter().map(|word| Text::from(word.bytes)).collect(),
        ));
    }
    match kind.words() {
        Some(wanted) if words.len() < wanted => {
            return Err(refused(Code::MissingArguments));
        }
        Some(wanted) if words.len() > wanted => {
            return Err(refused(Code::UnexpectedArguments));
        }
        _ => {}
    }
    kind.read(&words, &mut None)
        .map_err(|error| refused(error.code))
}
