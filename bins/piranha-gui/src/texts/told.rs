//! What programs say, in the visitor's language: found by its English pattern.
//!
//! Owns the finding; the tables are beside it. A message that no table has stays in English: better
//! that than none.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::{daemons, diagnostics, messages, reasons, words};
use crate::visitor::Language;

/// English and Korean. In both, `{}` stands for a value that stays as it is and `{told}` for what is
/// a message in itself; the two have the same places in the same order.
pub(super) type Table = &'static [(&'static str, &'static str)];

/// A table of messages: `ENGLISH => KOREAN;`. Of those that begin alike the special stand before the
/// general.
macro_rules! table {
    ($($english:literal => $korean:literal;)*) => {
        pub(super) static TABLE: super::told::Table = &[$(($english, $korean),)*];
    };
}
pub(super) use table;

const TABLES: [Table; 4] = [
    reasons::TABLE,
    daemons::TABLE,
    messages::TABLE,
    diagnostics::TABLE,
];

struct Pattern {
    /// What stands around the places, in English and in Korean.
    english: Pieces,
    korean: Pieces,
}

struct Pieces {
    first: &'static str,
    /// Whether a place is a message in itself, and what follows it.
    rest: Vec<(bool, &'static str)>,
}

impl Pieces {
    fn new(pattern: &'static str) -> Self {
        let mut pieces = Self {
            first: pattern,
            rest: Vec::new(),
        };
        let mut left = pattern;
        while let Some((before, is_told, after)) = place(left) {
            match pieces.rest.last_mut() {
                None => pieces.first = before,
                Some((_, text)) => *text = before,
            }
            pieces.rest.push((is_told, after));
            left = after;
        }
        pieces
    }

    /// What stands at the places, if the message is made from the pattern.
    fn varying<'m>(&self, message: &'m str) -> Option<Vec<&'m str>> {
        let Some(((_, last), between)) = self.rest.split_last() else {
            return (self.first == message).then(Vec::new);
        };
        let mut message = message.strip_prefix(self.first)?;
        let mut found = Vec::new();
        for (_, piece) in between {
            let (value, after) = message.split_once(piece)?;
            found.push(value);
            message = after;
        }
        found.push(message.strip_suffix(last)?);
        Some(found)
    }

    fn fill(&self, values: &[&str]) -> String {
        let mut text = self.first.to_owned();
        for ((is_told, piece), value) in self.rest.iter().zip(values) {
            if *is_told {
                text += &korean(value);
            } else {
                text += value;
            }
            text += piece;
        }
        text
    }
}

/// What is before the first place, whether it is a message, and what is behind it.
fn place(pattern: &str) -> Option<(&str, bool, &str)> {
    let value = pattern.split_once("{}").map(|(a, b)| (a, false, b));
    let told = pattern.split_once("{told}").map(|(a, b)| (a, true, b));
    value
        .into_iter()
        .chain(told)
        .min_by_key(|(before, ..)| before.len())
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let pattern = |(english, korean): &(&'static str, &'static str)| Pattern {
        english: Pieces::new(english),
        korean: Pieces::new(korean),
    };
    let mut patterns: Vec<Pattern> = TABLES.into_iter().flatten().map(pattern).collect();
    // What a message begins with tells most of it.
    patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.english.first.len()));
    patterns
});

/// The message for people of this language.
pub(crate) fn told(language: Language, message: &str) -> Cow<'_, str> {
    match language {
        Language::English => Cow::Borrowed(message),
        Language::Korean => korean(message),
    }
}

/// A daemon's name of a state, a verdict or an act.
pub(crate) fn word(language: Language, word: &str) -> &str {
    let known = match language {
        Language::English => None,
        Language::Korean => words::WORDS.iter().find(|(english, _)| *english == word),
    };
    known.map_or(word, |(_, korean)| korean)
}

fn korean(message: &str) -> Cow<'_, str> {
    if message.is_empty() {
        return Cow::Borrowed(message);
    }
    // What belongs to a service is indented.
    let text = message.trim_start_matches(' ');
    let found = PATTERNS
        .iter()
        .find_map(|pattern| Some((pattern.english.varying(text)?, &pattern.korean)));
    if let Some((varying, pieces)) = found {
        let indent = message.len() - text.len();
        return Cow::Owned(" ".repeat(indent) + &pieces.fill(&varying));
    }
    // Several at once.
    if message.contains("; ") {
        let parts: Vec<_> = message.split("; ").map(korean).collect();
        return Cow::Owned(parts.join("; "));
    }
    Cow::Borrowed(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lvs_config::Level;

    fn is_korean(text: &str) -> bool {
        text.chars().any(|c| ('가'..='힣').contains(&c))
    }

    #[test]
    fn r22_what_fields_refuse_is_said_in_korean() {
        let long = "x".repeat(2000);
        let names = ["", "a b", &long].map(change::refuse_name);
        let values = [
            (Level::Virtual, "port", "0"),
            (Level::Virtual, "address", "192.0.2.80"),
            (Level::Virtual, "address", "192.0.2.80 eth0;"),
            (Level::Global, "primary", "192.0.2.300"),
            (Level::Global, "primary", "a\nb"),
            (Level::Virtual, "send", &long),
        ]
        .map(|(level, keyword, value)| change::refuse_value(level, keyword, value));
        for message in names.into_iter().chain(values) {
            let message = message.unwrap();
            let korean = told(Language::Korean, &message);
            assert!(
                is_korean(&korean) && !korean.contains("{}"),
                "{message}: {korean}"
            );
            assert_eq!(told(Language::English, &message), message);
        }
    }

    #[test]
    fn parts_are_told_too_and_strange_messages_stay() {
        let message = "written; pulse is not running here";
        let expected = "기록했습니다. 이 라우터에서 pulse이(가) 실행되지 않습니다";
        assert_eq!(told(Language::Korean, message), expected);
        let message = "the partner is not reached: lvs.cf has errors: line 3: x";
        let expected = "상대 라우터에 연결하지 않습니다. lvs.cf에 오류가 있습니다: line 3: x";
        assert_eq!(told(Language::Korean, message), expected);
        let strange = "disk on fire";
        assert_eq!(told(Language::Korean, strange), strange);
        let several = "the netlink connection was lost; disk on fire";
        let expected = "netlink 연결이 끊겼습니다; disk on fire";
        assert_eq!(told(Language::Korean, several), expected);
    }

    #[test]
    fn names_that_are_messages_elsewhere_stay() {
        let message = "there is another refused";
        let expected = "refused 이름이 이미 있습니다";
        assert_eq!(told(Language::Korean, message), expected);
    }

    #[test]
    fn both_sides_have_the_same_places() {
        for (english, korean) in TABLES.into_iter().flatten() {
            let places = |text| -> Vec<bool> {
                let pieces = Pieces::new(text);
                pieces.rest.iter().map(|(is_told, _)| *is_told).collect()
            };
            assert_eq!(places(english), places(korean), "{english}");
            assert!(is_korean(korean), "{english}");
        }
    }

    /// One that stands behind a more general one of its own form would never be found.
    #[test]
    fn each_message_is_found_by_its_own_pattern() {
        for (english, korean) in TABLES.into_iter().flatten() {
            let message = english.replace("{told}", "x").replace("{}", "x");
            let expected = korean.replace("{told}", "x").replace("{}", "x");
            assert_eq!(told(Language::Korean, &message), expected, "{english}");
        }
    }
}
