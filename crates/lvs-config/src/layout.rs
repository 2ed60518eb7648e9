//! Which line of a text without errors says what, for editing it.
//!
//! Owns the map from places to lines. Changes nothing.

use std::ops::Range;

use crate::keywords::Level;
use crate::lexer;
use crate::lexer::LineEnd;
use crate::lexer::Lines;
use crate::place::Place;

/// A line that says something.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) place: Place,
    pub(crate) what: What,
    /// Offset of its first byte.
    pub(crate) start: usize,
    /// Offset of the line behind it.
    pub(crate) next: usize,
    /// Blanks at its start.
    pub(crate) indent: Vec<u8>,
}

#[derive(Debug)]
pub(crate) enum What {
    /// A keyword, and where its value stands.
    Assignment(Vec<u8>, Range<usize>),
    /// The opening of the block, and where its name stands.
    Opening(Range<usize>),
    /// The end of the block.
    Closing,
}

/// All lines that say something.
pub(crate) struct Layout {
    pub(crate) items: Vec<Item>,
    /// Offset of the first line.
    pub(crate) start: usize,
    /// The line end in use.
    pub(crate) line_end: &'static [u8],
}

impl Layout {
    pub(crate) fn new(text: &[u8]) -> Self {
        let lines = Lines::new(text);
        let cr = lines.line_end() == LineEnd::Cr;
        let mut layout = Self {
            items: Vec::new(),
            start: text.len(),
            line_end: b"\n",
        };
        if cr {
            layout.line_end = b"\r";
        }
        let mut counts = [0usize; 2];
        let mut place = Place::Global;
        let mut servers = 0;
        for (at, line) in lines.enumerate() {
            if at == 0 {
                layout.start = line.start;
                if line.crlf {
                    layout.line_end = b"\r\n";
                }
            }
            if line.trimmed().starts_with(b"#") {
                continue;
            }
            let words = lexer::words(line.bytes).unwrap_or_default();
            let Some(first) = words.first() else { continue };
            let range = |from: &lexer::Word<'_>, to: &lexer::Word<'_>| {
                line.span_of(from.raw).range().start..line.span_of(to.raw).range().end
            };
            let mut after = place;
            let what = if *first == *"}" {
                after = match place {
                    Place::VirtualServer(block, _) => Place::Virtual(block),
                    Place::FailoverServer(block, _) => Place::Failover(block),
                    _ => Place::Global,
                };
                What::Closing
            } else if place
                .level()
                .openers()
                .iter()
                .any(|opener| *first == **opener)
            {
                let Some(name) = words.get(1) else { continue };
                place = match place.server(servers) {
                    Some(server) => {
                        servers += 1;
                        server
                    }
                    None => {
                        servers = 0;
                        next_block(&mut counts, first.bytes == b"failover")
                    }
                };
                after = place;
                What::Opening(range(name, name))
            } else {
                let (Some(from), Some(to)) = (words.get(2), words.last()) else {
                    continue;
                };
                What::Assignment(first.bytes.to_vec(), range(from, to))
            };
            let blanks = line.bytes.iter().take_while(|b| lexer::is_blank(**b));
            let indent = blanks.copied().collect();
            layout.items.push(Item {
                place,
                what,
                start: line.start,
                next: line.next,
                indent,
            });
            place = after;
        }
        layout
    }

    /// The lines of one place, without those of blocks within.
    pub(crate) fn of(&self, place: Place) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.place == place)
    }

    /// The line that opens the block.
    pub(crate) fn opening(&self, place: Place) -> Option<(&Item, Range<usize>)> {
        self.of(place).find_map(|item| match &item.what {
            What::Opening(name) => Some((item, name.clone())),
            _ => None,
        })
    }

    /// The line that closes the block.
    pub(crate) fn closing(&self, place: Place) -> Option<&Item> {
        self.of(place)
            .find(|item| matches!(item.what, What::Closing))
    }

    /// The lines with a keyword, and where their values stand.
    pub(crate) fn assignments(
        &self,
        place: Place,
    ) -> impl Iterator<Item = (&Item, &[u8], Range<usize>)> {
        self.of(place).filter_map(|item| match &item.what {
            What::Assignment(name, value) => Some((item, name.as_slice(), value.clone())),
            _ => None,
        })
    }

    /// The last block of a kind that is closed.
    pub(crate) fn last_closing(&self, level: Level) -> Option<&Item> {
        let closes =
            |item: &&Item| item.place.level() == level && matches!(item.what, What::Closing);
        self.items.iter().rfind(closes)
    }
}

fn next_block(counts: &mut [usize; 2], failover: bool) -> Place {
    let [virtuals, failovers] = counts;
    let count = if failover { failovers } else { virtuals };
    *count += 1;
    if failover {
        Place::Failover(*count - 1)
    } else {
        Place::Virtual(*count - 1)
    }
}
