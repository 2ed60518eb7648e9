//! Words, braces and line ends of keepalived.conf.
//!
//! Owns remarks, quotes and escapes. Knows no keyword.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while1};
use nom::character::complete::{anychar, char, none_of, one_of};
use nom::combinator::{map, not, recognize, value};
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::notes::Fault;
use crate::source::Place;

/// One piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
}

/// Of what kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Without its quotes and escapes.
    Word(String),
    Open,
    Close,
    LineEnd,
}

type Parsed<'a, T> = IResult<&'a str, T>;

/// All tokens of file number `file`.
pub(crate) fn tokens(file: usize, text: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Ok((after, ())) = nothing(rest) {
            rest = after;
            continue;
        }
        let Ok((after, kind)) = token(rest) else {
            let line = rest.split('\n').next().unwrap_or_default();
            let place = Place::of(file, text, line);
            let help = "close it in the same line; a mark within it is written \\\"";
            return Err(Fault::at(place, "a quote that is not closed", help));
        };
        let length = rest.len() - after.len();
        let part = rest.get(..length).unwrap_or_default();
        tokens.push(Token {
            kind,
            place: Place::of(file, text, part),
        });
        rest = after;
    }
    Ok(tokens)
}

/// Blanks, remarks and line ends behind a backslash.
fn nothing(input: &str) -> Parsed<'_, ()> {
    let blank = value((), take_while1(|c: char| c != '\n' && c.is_whitespace()));
    let remark = value((), (one_of("#!"), take_till(|c| c == '\n')));
    let continued = value((), alt((tag("\\\n"), tag("\\\r\n"))));
    alt((blank, remark, continued)).parse(input)
}

fn token(input: &str) -> Parsed<'_, Kind> {
    alt((
        value(Kind::LineEnd, char('\n')),
        value(Kind::Open, char('{')),
        value(Kind::Close, char('}')),
        map(word, Kind::Word),
    ))
    .parse(input)
}

fn word(input: &str) -> Parsed<'_, String> {
    let mut pieces = fold_many0(piece, String::new, |mut word, piece: String| {
        word.push_str(&piece);
        word
    });
    let (rest, word) = pieces.parse(input)?;
    // A quote that is not closed ends the word before it.
    if rest.len() == input.len() || rest.starts_with('"') {
        let error = nom::error::Error::new(rest, nom::error::ErrorKind::Tag);
        return Err(nom::Err::Error(error));
    }
    Ok((rest, word))
}

fn piece(input: &str) -> Parsed<'_, String> {
    let bare = |c: char| !c.is_whitespace() && !"{}\"\\#!$".contains(c);
    let parameter = recognize((
        tag("${"),
        take_till(|c: char| c == '}' || c == '\n'),
        char('}'),
    ));
    let escaped = preceded(char('\\'), none_of("\r\n"));
    // One before a line end continues the line.
    let line_end = alt((tag("\n"), tag("\r\n")));
    let lone = terminated(char('\\'), not(line_end));
    alt((
        quoted,
        map(parameter, str::to_owned),
        map(char('$'), String::from),
        map(escaped, String::from),
        map(lone, String::from),
        map(take_while1(bare), str::to_owned),
    ))
    .parse(input)
}

fn quoted(input: &str) -> Parsed<'_, String> {
    let plain = map(take_while1(|c| !"\"\\\n".contains(c)), str::to_owned);
    let escaped = map(preceded(char('\\'), anychar), |c| {
        match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            c => c,
        }
        .to_string()
    });
    let inside = fold_many0(
        alt((plain, escaped)),
        String::new,
        |mut text, part: String| {
            text.push_str(&part);
            text
        },
    );
    delimited(char('"'), inside, char('"')).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let shown = |token: Token| match token.kind {
            Kind::Word(word) => word,
            Kind::Open => "{".into(),
            Kind::Close => "}".into(),
            Kind::LineEnd => "|".into(),
        };
        tokens(0, text).unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn braces_remarks_and_quotes() {
        assert_eq!(
            shown("virtual_server 192.0.2.1 80{ # x\n! y\n path \"/a b\\\"c\" }"),
            [
                "virtual_server",
                "192.0.2.1",
                "80",
                "{",
                "|",
                "|",
                "path",
                "/a b\"c",
                "}"
            ]
        );
    }

    #[test]
    fn a_remark_ends_a_word_and_a_backslash_keeps_its_mark() {
        assert_eq!(
            shown("a#b\nc\\#d\ne\\\nf"),
            ["a", "|", "c#d", "|", "e", "f"]
        );
    }

    #[test]
    fn a_parameter_with_braces_is_one_word() {
        assert_eq!(shown("10.${NET}.1 $X{"), ["10.${NET}.1", "$X", "{"]);
    }

    #[test]
    fn an_open_quote_is_named_with_its_place() {
        let fault = tokens(0, "a\n b \"c\n").unwrap_err();
        assert!(format!("{fault:?}").contains("start: 5"), "{fault:?}");
    }
}
