//! The words of the command line as values of the options.
//!
//! A list without any fault, such as lvs writes a thousand times at its start, is read directly, at a
//! tenth of the general parser's cost. Whatever is not plain goes through that one, which knows help and
//! refusals.

use crate::options::{OPTIONS, Row, Takes};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_lex::{ParsedArg, RawArgs};
use daemon::cli::{self, integer};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// What an option was given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Nothing,
    Number(i32),
    Text(OsString),
}

/// The options that were given, by their long names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Given(BTreeMap<&'static str, Value>);

impl Given {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn number(&self, name: &str) -> Option<i32> {
        match self.0.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<OsString> {
        match self.0.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Reads the words, the program's own name first; `Err` is the status to exit with, everything has been
/// printed.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Given, u8> {
    if let Some(given) = plain(words.clone()) {
        return Ok(given);
    }
    match cli::parse(command(), "nanny", crate::VERSION, words) {
        Ok(matches) => Ok(matched(&matches)),
        Err(status) => Err(u8::from(status != ExitCode::SUCCESS)),
    }
}

/// A list without any fault; nothing for any other.
fn plain(words: Vec<OsString>) -> Option<Given> {
    let words = RawArgs::new(words);
    let mut place = words.cursor();
    words.next(&mut place)?;
    let mut given = Given::default();
    while let Some(word) = words.next(&mut place) {
        let (row, value) = option(&word)?;
        let value = match (row.2, value) {
            (Takes::Nothing, None) => Value::Nothing,
            (Takes::Nothing, Some(_)) => return None,
            (_, Some(value)) => read(row, value)?,
            (_, None) => read(row, words.next_os(&mut place)?)?,
        };
        given.0.insert(row.0, value);
    }
    Some(given)
}

/// The option that a word names, and the value behind it in the same word.
fn option<'a>(word: &ParsedArg<'a>) -> Option<(&'static Row, Option<&'a OsStr>)> {
    if let Some((name, value)) = word.to_long() {
        let name = name.ok()?;
        let row = OPTIONS.iter().find(|row| row.0 == name)?;
        return Some((row, value));
    }
    let mut letters = word.to_short()?;
    let letter = letters.next_flag()?.ok()?;
    let row = OPTIONS.iter().find(|row| row.1 == Some(letter))?;
    Some((row, letters.next_value_os()))
}

fn read(row: &Row, value: &OsStr) -> Option<Value> {
    match row.2 {
        Takes::Number(_) => integer(value.to_str()?).ok().map(Value::Number),
        // What could be meant as something else is left to the general parser.
        _ if value.as_bytes().starts_with(b"=") || value == "--" => None,
        _ => Some(Value::Text(value.to_owned())),
    }
}

/// The options, from their one table.
pub fn command() -> Command {
    Command::new("nanny").args(OPTIONS.iter().map(argument))
}

fn argument(&(long, letter, takes, help): &Row) -> Arg {
    let argument = Arg::new(long).long(long).short(letter).help(help);
    match takes {
        Takes::Nothing => argument.action(ArgAction::SetTrue),
        Takes::Number(value) => argument.value_name(value).value_parser(integer),
        Takes::Text(value) => argument
            .value_name(value)
            .value_parser(value_parser!(OsString)),
    }
}

fn matched(matches: &ArgMatches) -> Given {
    let value = |(name, _, takes, _): &Row| match takes {
        Takes::Nothing => matches.get_flag(name).then_some(Value::Nothing),
        Takes::Number(_) => matches.get_one(name).copied().map(Value::Number),
        Takes::Text(_) => matches.get_one(name).cloned().map(Value::Text),
    };
    let given = OPTIONS
        .iter()
        .filter_map(|row| value(row).map(|value| (row.0, value)));
    Given(given.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Words as they come to the program, and others.
    fn words() -> impl Strategy<Value = Vec<String>> {
        let name = proptest::sample::select(OPTIONS.as_slice());
        let value = proptest::sample::select(vec![
            "", "0", "7", "-7", "0x1f", "09", "a b", "=", "=5", "--", "-q", "-", "--lvs", "é",
        ]);
        let word = (name, value, 0..5_u8).prop_map(|((long, letter, takes, _), value, form)| {
            let letter = letter.unwrap_or('?');
            match (takes, form) {
                (Takes::Nothing, 0) => vec![format!("--{long}={value}")],
                (Takes::Nothing, 1 | 2) => vec![format!("--{long}")],
                (Takes::Nothing, 3) => vec![format!("-{letter}")],
                (_, 0) => vec![format!("--{long}"), value.to_owned()],
                (_, 1) => vec![format!("--{long}={value}")],
                (_, 2) => vec![format!("-{letter}"), value.to_owned()],
                (_, 3) => vec![format!("-{letter}{value}")],
                _ => vec![value.to_owned()],
            }
        });
        let list = proptest::collection::vec(word, 0..6);
        list.prop_map(|words| words.into_iter().flatten().collect())
    }

    proptest! {
        #[test]
        fn the_direct_way_gives_what_the_general_parser_gives(words in words()) {
            let words: Vec<OsString> = ["nanny".to_owned()].into_iter().chain(words).map(Into::into).collect();
            if let Some(given) = plain(words.clone()) {
                let matches = cli::parse(command(), "nanny", crate::VERSION, words);
                prop_assert_eq!(matches.ok().as_ref().map(matched), Some(given));
            }
        }
    }

    #[test]
    fn the_list_that_lvs_writes_is_read_directly() {
        let list = [
            "/usr/sbin/nanny",
            "-c",
            "-h",
            "192.0.2.11",
            "-p",
            "80",
            "-r",
            "8080",
            "-s",
            r"GET / HTTP/1.0\r\n\r\n",
            "-x",
            "",
            "-q",
            "--regex",
            "-a",
            "15",
            "-I",
            "/sbin/ipvsadm",
            "-t",
            "6",
            "-w",
            "10",
            "-V",
            "198.51.100.5",
            "-M",
            "g",
            "-U",
            "none",
            "--nodaemon",
            "--lvs",
        ];
        let given = plain(list.map(OsString::from).to_vec()).unwrap();
        assert_eq!(given.number("rport"), Some(8080));
        assert_eq!(given.text("expect_string"), Some(OsString::new()));
        assert!(given.has("lvs") && given.has("nofork") && !given.has("udp"));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_general_parser() {
        for words in [
            vec!["-?"],
            vec!["--version"],
            vec!["word"],
            vec!["-p"],
            vec!["-p", "many"],
            vec!["--none"],
            vec!["--"],
            vec!["-nv"],
        ] {
            let list = ["nanny"].into_iter().chain(words).map(OsString::from);
            assert_eq!(plain(list.collect()), None);
        }
    }
}
