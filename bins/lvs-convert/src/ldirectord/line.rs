//! Lines of ldirectord.cf.
//!
//! Owns indentation, remarks, and `KEYWORD = VALUE`. Knows no keyword.

use nom::bytes::complete::{tag, take_till, take_while1};
use nom::character::complete::{char, space0};
use nom::combinator::opt;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use crate::source::Place;

/// One line that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Belongs to the `virtual` above it.
    pub(crate) indented: bool,
    pub(crate) keyword: &'a str,
    /// `None`: there is no equals sign.
    pub(crate) value: Option<&'a str>,
    pub(crate) place: Place,
}

impl<'a> Line<'a> {
    /// The value, an empty one when there is none.
    pub(crate) fn text(&self) -> &'a str {
        self.value.unwrap_or_default()
    }

    /// The value without the quotes around it.
    pub(crate) fn unquoted(&self) -> &'a str {
        let inner = self
            .text()
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        inner.unwrap_or(self.text())
    }
}

/// All lines of a file that say something.
pub(crate) fn lines<'a>(file: usize, text: &'a str) -> impl Iterator<Item = Line<'a>> {
    text.lines().filter_map(move |whole| {
        let indented = is_indented(whole);
        // ldirectord cuts a remark off within a service only, but nobody has values with this mark.
        let bare = whole.split('#').next().unwrap_or_default().trim();
        let (rest, keyword) = keyword(bare).unwrap_or(("", bare));
        let value = value(rest).ok().and_then(|(_, value)| value);
        (!bare.is_empty()).then(|| Line {
            indented,
            keyword,
            value,
            place: Place::of(file, text, bare),
        })
    })
}

/// At least four blanks, or a tab.
fn is_indented(line: &str) -> bool {
    let blanks = line.chars().take_while(|c| matches!(c, ' ' | '\t'));
    blanks.map(|c| if c == '\t' { 4 } else { 1 }).sum::<usize>() >= 4
}

fn keyword(input: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c)).parse(input)
}

fn value(input: &str) -> IResult<&str, Option<&str>> {
    opt(preceded(
        (space0, char('='), space0),
        take_till(|c| c == '\n'),
    ))
    .parse(input)
}

/// A `real` line's parts: `HOST[->HOST][:PORT] METHOD [WEIGHT] ["REQUEST", "RECEIVE"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Real<'a> {
    pub(crate) first: &'a str,
    pub(crate) last: Option<&'a str>,
    pub(crate) port: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) weight: Option<&'a str>,
    pub(crate) exchange: Option<(&'a str, &'a str)>,
}

/// Reads the value of a `real` line; `None` when it has another form.
pub(crate) fn real(input: &str) -> Option<Real<'_>> {
    let (rest, real) = parts(input).ok()?;
    rest.trim().is_empty().then_some(real)
}

fn parts(input: &str) -> IResult<&str, Real<'_>> {
    let (rest, first) = name(input)?;
    let (rest, last) = opt(preceded(tag("->"), name)).parse(rest)?;
    let (rest, port) = opt(preceded(char(':'), keyword)).parse(rest)?;
    let (rest, method) = opt(preceded(space0, letters)).parse(rest)?;
    let (rest, weight) = opt(preceded(space0, digits)).parse(rest)?;
    let separator = (space0, opt(char(',')), space0);
    let pair = (preceded(space0, quoted), preceded(separator, opt(quoted)));
    let (rest, exchange) = opt(pair).parse(rest)?;
    let real = Real {
        first,
        last,
        port,
        // Old versions took the method for granted.
        method: method.unwrap_or("gate"),
        weight,
        exchange: exchange.map(|(request, receive)| (request, receive.unwrap_or_default())),
    };
    Ok((rest, real))
}

fn name(input: &str) -> IResult<&str, &str> {
    // A minus within a name is not the arrow of a range.
    let end = input.find("->").unwrap_or(input.len());
    let (head, tail) = input.split_at(end);
    let (rest, name) =
        take_while1(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c)).parse(head)?;
    let after = input
        .get(input.len() - rest.len() - tail.len()..)
        .unwrap_or_default();
    Ok((after, name))
}

fn letters(input: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_ascii_alphabetic()).parse(input)
}

fn digits(input: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_ascii_digit()).parse(input)
}

fn quoted(input: &str) -> IResult<&str, &str> {
    delimited(char('"'), take_till(|c| c == '"'), char('"')).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_line_has_up_to_six_parts() {
        let all = real("10.0.0.1->10.0.0.3:http masq 5 \"/x\", \"ok\"").unwrap();
        assert_eq!(
            (all.first, all.last, all.port),
            ("10.0.0.1", Some("10.0.0.3"), Some("http"))
        );
        assert_eq!((all.method, all.weight), ("masq", Some("5")));
        assert_eq!(all.exchange, Some(("/x", "ok")));
        let short = real("sql-1 gate").unwrap();
        assert_eq!(
            (short.first, short.port, short.method),
            ("sql-1", None, "gate")
        );
        assert_eq!(real("10.0.0.1::80 gate"), None);
        assert_eq!(real("[2001:db8::1]:80 gate"), None);
    }

    #[test]
    fn indentation_decides() {
        let text = "a=1\n\tb = 2 # c\n   d=3\n    e\n#f\n";
        let all: Vec<_> = lines(0, text)
            .map(|line| (line.indented, line.keyword, line.value))
            .collect();
        let wanted = [
            (false, "a", Some("1")),
            (true, "b", Some("2")),
            (false, "d", Some("3")),
            (true, "e", None),
        ];
        assert_eq!(all, wanted);
    }
}
