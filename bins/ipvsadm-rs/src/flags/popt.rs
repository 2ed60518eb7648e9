//! Taking words apart as popt does (`ipvsadm.md` 1.10).
//!
//! Knows letters, names, bundles and arguments; not what they mean.

use std::env;

use super::Word;
use super::defs::{Argument, Def, Id, by_long, by_short};

const UNKNOWN: &str = "unknown option";
const MISSING: &str = "missing argument";
const UNWANTED: &str = "option does not take an argument";
/// In an argument it stands for the next plain word.
const NEXT_WORD: &[u8] = b"!#:+";

/// One option with its argument.
pub(super) type Taken = (Id, Option<Word>);

pub(super) struct Parser {
    words: Vec<Word>,
    next: usize,
    /// Plain words that stand in an argument already.
    used: Vec<usize>,
    /// Letters of a bundle that are left, and whether a `=` stood before them.
    bundle: Option<(Word, bool)>,
    plain: Vec<Word>,
    options_ended: bool,
    stop_at_plain: bool,
}

impl Parser {
    pub(super) fn new(words: Vec<Word>) -> Self {
        let strict = ["POSIXLY_CORRECT", "POSIX_ME_HARDER"];
        Self {
            words,
            next: 0,
            used: Vec::new(),
            bundle: None,
            plain: Vec::new(),
            options_ended: false,
            stop_at_plain: strict.iter().any(|name| env::var_os(name).is_some()),
        }
    }

    /// The next option; `None` when only plain words were left. An error gives its reason.
    pub(super) fn take(&mut self) -> Option<Result<Taken, &'static str>> {
        if let Some((letters, after_equals)) = self.bundle.take() {
            return Some(self.take_letter(&letters, after_equals));
        }
        loop {
            let used = self.used.contains(&self.next);
            let word = self.next_word()?;
            if used {
                continue;
            }
            if self.options_ended || word.len() < 2 || !word.starts_with(b"-") {
                self.options_ended |= self.stop_at_plain;
                self.plain.push(word);
            } else if word == b"--" {
                self.options_ended = true;
            } else {
                return Some(match word.strip_prefix(b"--") {
                    Some(name) => self.take_long(name),
                    None => self.take_letter(word.get(1..).unwrap_or_default(), false),
                });
            }
        }
    }

    /// The plain words so far.
    pub(super) fn into_plain(self) -> Vec<Word> {
        self.plain
    }

    /// The word that was consumed last, as error messages quote it.
    pub(super) fn last_word(&self) -> Word {
        let last = self
            .next
            .checked_sub(1)
            .and_then(|index| self.words.get(index));
        last.cloned().unwrap_or_default()
    }

    fn next_word(&mut self) -> Option<Word> {
        let word = self.words.get(self.next)?.clone();
        self.next += 1;
        Some(word)
    }

    fn take_long(&mut self, text: &[u8]) -> Result<Taken, &'static str> {
        let (name, value) = match text.iter().position(|byte| *byte == b'=') {
            Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
            None => (text, None),
        };
        let def = by_long(name).ok_or(UNKNOWN)?;
        if value.is_some() && def.argument == Argument::None {
            return Err(UNWANTED);
        }
        self.with_argument(def, value)
    }

    /// The first letter of a bundle; a `=` after it begins its argument.
    fn take_letter(&mut self, letters: &[u8], after_equals: bool) -> Result<Taken, &'static str> {
        let (first, rest) = letters.split_first().ok_or(UNKNOWN)?;
        let def = by_short(*first).filter(|_| !after_equals).ok_or(UNKNOWN)?;
        let (rest, equals) = match rest.strip_prefix(b"=") {
            Some(value) => (value, true),
            None => (rest, false),
        };
        let attached = equals || !rest.is_empty();
        if def.argument == Argument::None {
            if equals {
                return Err(UNWANTED);
            }
            self.bundle = attached.then(|| (rest.to_vec(), equals));
            return Ok((def.id, None));
        }
        self.with_argument(def, attached.then_some(rest))
    }

    fn with_argument(&mut self, def: &Def, attached: Option<&[u8]>) -> Result<Taken, &'static str> {
        let argument = match (def.argument, attached) {
            (Argument::None, _) => None,
            (_, Some(value)) => Some(value.to_vec()),
            (Argument::Required(_), None) => Some(self.next_word().ok_or(MISSING)?),
            (Argument::Optional(_), None) => {
                let follows = self.words.get(self.next);
                if follows.is_some_and(|word| !word.starts_with(b"-")) {
                    self.next_word()
                } else {
                    None
                }
            }
        };
        Ok((def.id, argument.map(|text| self.expand(text))))
    }

    /// Puts the next plain word in place of `!#:+`. That word is no plain word then; but an option before
    /// it that wants a value still takes it. Where the original looks for ever, because only options
    /// are left, the text stays.
    fn expand(&mut self, text: Word) -> Word {
        let Some(at) = text
            .windows(NEXT_WORD.len())
            .position(|part| part == NEXT_WORD)
        else {
            return text;
        };
        let ahead = self.words.iter().enumerate().skip(self.next);
        let found = ahead
            .filter(|(index, word)| !word.starts_with(b"-") && !self.used.contains(index))
            .map(|(index, word)| (index, word.clone()))
            .next();
        let Some((index, word)) = found else {
            return text;
        };
        self.used.push(index);
        let mut expanded = text.get(..at).unwrap_or_default().to_vec();
        let mut rest = text.get(at..).unwrap_or_default();
        while let Some((first, tail)) = rest.split_first() {
            match rest.strip_prefix(NEXT_WORD) {
                Some(after) => {
                    expanded.extend(&word);
                    rest = after;
                }
                None => {
                    expanded.push(*first);
                    rest = tail;
                }
            }
        }
        expanded
    }
}
