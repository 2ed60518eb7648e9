//! What a person is told about an error beside the original's text.
//!
//! Owns guesses at what was meant. They never change what a file means.

use crate::diagnostic::Code;
use crate::keywords::GUI_ONLY;
use crate::keywords::Level;
use crate::lexer::Line;
use crate::lexer::Word;
use crate::reader::Fault;
use crate::services;
use crate::value::Kind;
use crate::value::Refused;

const COMMENTS: &str = "comments must be on their own line";

/// NUL and a CR that does not end the line.
pub(crate) fn stray_byte(line: &Line<'_>) -> Option<Fault> {
    let at = line.bytes.iter().position(|b| matches!(b, 0 | b'\r'))?;
    let byte = line.bytes.get(at..=at)?;
    let (code, help) = match byte {
        [0] => (
            Code::InvalidArgument,
            "a byte of value 0: this is not a text file",
        ),
        _ => (
            Code::UnexpectedArguments,
            "a carriage return within the line",
        ),
    };
    let help = Some(help.to_owned());
    Some(Fault {
        code,
        span: line.span_of(byte),
        expected: None,
        help,
    })
}

pub(crate) fn unclosed_quote(line: &Line<'_>, at: &[u8]) -> Fault {
    let quote = at.first().copied().map_or('"', char::from);
    let closed = at.get(1..).unwrap_or_default().contains(&(quote as u8));
    let help = if closed {
        format!("the closing {quote} must be followed by a blank or the end of the line")
    } else {
        format!("the text that starts with {quote} must end with {quote} in the same line")
    };
    Fault {
        code: Code::QuotationMismatch,
        span: line.span_of(at),
        expected: Some(format!("a closing {quote}")),
        help: Some(help),
    }
}

pub(crate) fn bad_opening(code: Code, line: &Line<'_>, words: &[Word<'_>]) -> Fault {
    let kind = words.first().map(|w| lossy(w.bytes)).unwrap_or_default();
    let expected = Some(format!("{kind} NAME {{"));
    let extra = words.get(3).filter(|_| code == Code::UnexpectedArguments);
    let place = extra.or(words.last()).map_or(line.bytes, |word| word.raw);
    let help = match (words, extra) {
        (_, Some(extra)) if extra.bytes.starts_with(b"#") => COMMENTS.to_owned(),
        (_, Some(_)) if words.get(2).is_some_and(|w| *w == *"{") => {
            "what stands in the block, and its closing brace, need their own lines".to_owned()
        }
        (_, Some(_)) => "a name with blanks needs quotes".to_owned(),
        ([_, name], _) if *name == *"{" => "the block needs a name".to_owned(),
        ([_, name], _) if name.bytes.ends_with(b"{") => {
            let name = lossy(name.bytes);
            let name = name.trim_end_matches('{');
            format!("put a blank before the brace: {kind} {name} {{")
        }
        ([_, _], _) => "the opening brace belongs in the same line".to_owned(),
        ([_], _) => "the block needs a name and an opening brace".to_owned(),
        _ => "a name with blanks needs quotes; the last word must be an opening brace".to_owned(),
    };
    Fault {
        code,
        span: line.span_of(place),
        expected,
        help: Some(help),
    }
}

pub(crate) fn unknown_command(level: Level, line: &Line<'_>, words: &[Word<'_>]) -> Fault {
    let first = words.first().map(|w| w.bytes).unwrap_or_default();
    let raw = words.first().map_or(line.bytes, |w| w.raw);
    Fault {
        code: Code::UnknownCommand,
        span: line.span_of(raw),
        expected: Some(format!("a keyword that can stand {}", level.place())),
        help: unknown_help(level, first, words),
    }
}

fn unknown_help(level: Level, first: &[u8], words: &[Word<'_>]) -> Option<String> {
    let name = lossy(first);
    if let Some(at) = first.iter().position(|&b| b == b'=').filter(|&at| at > 0) {
        let keyword = lossy(first.get(..at).unwrap_or_default());
        let value = lossy(first.get(at + 1..).unwrap_or_default());
        let value = if value.is_empty() { "VALUE" } else { &value };
        return Some(format!(
            "put a blank on each side of the equal sign: {keyword} = {value}"
        ));
    }
    if first.iter().any(|b| matches!(b, 0x0b | 0x0c)) || name.contains('\u{a0}') {
        return Some("only spaces and tabs separate words; another white character is here".into());
    }
    if GUI_ONLY
        .iter()
        .any(|(place, keyword)| *place == level && *keyword == name)
    {
        let text = "the GUI of 0.8.x wrote this keyword; daemons never read it: remove the line";
        return Some(text.to_owned());
    }
    if first.starts_with(b"};") || first == b"};" {
        return Some("a brace stands alone".to_owned());
    }
    let elsewhere = [
        Level::Global,
        Level::Virtual,
        Level::Failover,
        Level::Server,
    ]
    .into_iter()
    .filter(|other| *other != level)
    .find(|other| other.kind_of(first).is_some() || other.openers().iter().any(|o| *o == name));
    let opens = words.last().is_some_and(|w| w.bytes.ends_with(b"{"));
    match (elsewhere, level) {
        (Some(_), Level::Virtual | Level::Failover | Level::Server) if opens => {
            return Some(format!(
                "is a closing brace missing above? {name} cannot stand here"
            ));
        }
        (Some(other), _) => return Some(format!("{name} can only stand {}", other.place())),
        (None, _) => {}
    }
    if name == "{" {
        return Some("the opening brace belongs in the line of the block's name".to_owned());
    }
    let near = nearest(
        &name,
        level
            .keywords()
            .into_iter()
            .chain(level.openers().iter().copied()),
    );
    match near {
        Some(near) => Some(format!("did you mean {near}?")),
        None if words.get(1).is_none_or(|second| *second != *"=") => {
            Some("comments start with #, and each needs its own line".to_owned())
        }
        None => None,
    }
}

pub(crate) fn equal_expected(
    name: &str,
    kind: Kind,
    line: &Line<'_>,
    first: &Word<'_>,
    rest: &[Word<'_>],
) -> Fault {
    let second = rest.first();
    let help = match second {
        Some(word) if word.bytes.starts_with(b"=") => {
            let value = lossy(word.bytes.get(1..).unwrap_or_default());
            format!("put a blank behind the equal sign: {name} = {value}")
        }
        Some(_) => format!("a value is given as {name} = VALUE"),
        None => format!("{name} needs an equal sign and a value"),
    };
    Fault {
        code: Code::EqualExpected,
        span: line.span_of(second.unwrap_or(first).raw),
        expected: Some(format!("= and then {}", kind.expected())),
        help: Some(help),
    }
}

pub(crate) fn missing_value(name: &str, kind: Kind, line: &Line<'_>, values: &[Word<'_>]) -> Fault {
    let help = match (kind, values) {
        (Kind::HostAndDevice, [address]) => {
            let address = lossy(address.bytes);
            Some(format!("the device is missing: {name} = {address} eth0:1"))
        }
        (Kind::Text | Kind::Quoted, _) => Some(format!("an empty text is written {name} = \"\"")),
        _ => Some("remove the line to get the default".to_owned()),
    };
    let place = values.last().map_or(line.trimmed(), |word| word.raw);
    let expected = Some(kind.expected());
    Fault {
        code: Code::MissingArguments,
        span: line.span_of(place),
        expected,
        help,
    }
}

pub(crate) fn extra_word(
    name: &str,
    kind: Kind,
    line: &Line<'_>,
    values: &[Word<'_>],
    extra: &Word<'_>,
) -> Fault {
    let help = if extra.bytes.starts_with(b"#") {
        COMMENTS.to_owned()
    } else if matches!(kind, Kind::Text | Kind::Quoted | Kind::Hosts(_)) {
        match values.first().and_then(|word| word.quote) {
            Some(quote) => {
                let quote = char::from(quote);
                format!("the text ended at the second {quote}; there is no way to escape it")
            }
            None => format!("a text with blanks needs quotes: {name} = \"…\""),
        }
    } else {
        "remove what stands behind the value".to_owned()
    };
    Fault {
        code: Code::UnexpectedArguments,
        span: line.span_of(extra.raw),
        expected: Some(kind.expected()),
        help: Some(help),
    }
}

pub(crate) fn refused(_name: &str, kind: Kind, line: &Line<'_>, refused: Refused<'_>) -> Fault {
    let help = refused
        .help
        .or_else(|| value_help(kind, refused.word.bytes));
    Fault {
        code: refused.code,
        span: line.span_of(refused.word.raw),
        expected: Some(kind.expected()),
        help,
    }
}

fn value_help(kind: Kind, value: &[u8]) -> Option<String> {
    let text = lossy(value);
    let lower = text.to_ascii_lowercase();
    if value
        .iter()
        .position(|&b| b == b'#')
        .is_some_and(|at| at > 0)
    {
        return Some(COMMENTS.to_owned());
    }
    if value.ends_with(b";") {
        return Some("no semicolon ends a line".to_owned());
    }
    match kind {
        Kind::Flag => match lower.as_str() {
            "yes" | "on" | "true" | "enabled" => Some("write 1 for yes".to_owned()),
            "no" | "off" | "false" | "disabled" => Some("write 0 for no".to_owned()),
            _ => None,
        },
        Kind::Port if text.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            nearest(&lower, services::names()).map(|near| format!("did you mean {near}?"))
        }
        Kind::Number(..) | Kind::Port => number_help(&text),
        Kind::Mask | Kind::PersistenceMask => mask_help(&text),
        Kind::Choice(names) => nearest(&lower, names.iter().copied())
            .map(|near| format!("did you mean {near}? values are lower case")),
        Kind::Host(_) | Kind::HostAndDevice | Kind::Ip | Kind::Hosts(_) => host_help(&text),
        Kind::Text | Kind::Quoted | Kind::List => None,
    }
}

fn number_help(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    if digits == 0 {
        return text
            .starts_with('-')
            .then(|| "the number must not be negative".to_owned());
    }
    match unit {
        "" if number.starts_with('0') => Some("a number that starts with 0 is octal".to_owned()),
        "" => None,
        "s" | "sec" | "m" | "min" | "ms" => Some("numbers have no unit".to_owned()),
        _ if unit.starts_with('.') || unit.starts_with(',') => {
            Some("only whole numbers are possible".to_owned())
        }
        _ => None,
    }
}

fn mask_help(text: &str) -> Option<String> {
    let bits: u32 = text
        .trim_start_matches('/')
        .parse()
        .ok()
        .filter(|bits| *bits <= 32)?;
    let ones = u32::MAX.checked_shl(u32::BITS - bits).unwrap_or(0);
    Some(format!("write {}", std::net::Ipv4Addr::from(ones)))
}

fn host_help(text: &str) -> Option<String> {
    if text.matches(':').count() > 1 {
        return Some("IPv6 addresses cannot be used here".to_owned());
    }
    if text.contains('/') {
        return Some(
            "an address has no prefix length; masks have keywords of their own".to_owned(),
        );
    }
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (numeric && !text.is_empty())
        .then(|| "an IPv4 address is four numbers up to 255 with dots between".to_owned())
}

/// The candidate with the fewest changes, if they are few enough to be a slip.
fn nearest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_ascii_lowercase();
    let most = (lower.len() / 3).clamp(1, 3);
    candidates
        .filter(|candidate| candidate.len().abs_diff(lower.len()) <= most)
        .map(|candidate| (changes(lower.as_bytes(), candidate.as_bytes()), candidate))
        .filter(|(changes, _)| *changes <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove, replace or swap with their neighbours.
fn changes(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (i, &x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut least = (at(&row, j) + usize::from(x != y))
                .min(at(&row, j + 1) + 1)
                .min(at(&next, j) + 1);
            let last_b = j.checked_sub(1).and_then(|j| b.get(j));
            if last_a == Some(&y) && last_b == Some(&x) {
                least = least.min(at(&before, j.saturating_sub(1)) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
        last_a = a.get(i);
    }
    row.last().copied().unwrap_or(a.len())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_keyword_is_a_slip_away() {
        let near = |name: &str| nearest(name, Level::Global.keywords().into_iter());
        assert_eq!(near("keepalvie"), Some("keepalive"));
        assert_eq!(near("Keepalive"), Some("keepalive"));
        assert_eq!(near("netwrok"), Some("network"));
        assert_eq!(near("virtual_router_id"), None);
        assert_eq!(changes(b"abcd", b"acbd"), 1);
        assert_eq!(changes(b"", b"abc"), 3);
    }
}
