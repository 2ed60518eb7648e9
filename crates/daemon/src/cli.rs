//! Arguments as the originals took them (`piranha-daemons.md` 2.1): clap parses, but help, usage,
//! version and error texts are popt's.
//!
//! Must not know any program's options.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, Error, value_parser};
use thiserror::Error as ThisError;

mod help;

/// Hidden argument that collects what is not an option.
const POSITIONAL: &str = "unexpected arguments";

/// A number that popt would have refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum NumberError {
    /// Not a number in C notation.
    #[error("invalid numeric value")]
    Invalid,
    /// Beyond 32 bits.
    #[error("number too large or too small")]
    Range,
}

/// An integer option's value in C notation: decimal, `0x` hexadecimal or `0` octal, with a sign.
/// For clap's `value_parser`. As in C, leading blanks are skipped and the empty text is 0.
pub fn integer(text: &str) -> Result<i32, NumberError> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    if text.is_empty() {
        return Ok(0);
    }
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = magnitude
        .strip_prefix("0x")
        .or_else(|| magnitude.strip_prefix("0X"));
    let (digits, radix) = match hexadecimal {
        Some(digits) => (digits, 16),
        None if magnitude.starts_with('0') => (magnitude, 8),
        None => (magnitude, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(NumberError::Invalid);
    }
    // Only digits are left, so the one possible failure is the size.
    let value = i64::from_str_radix(digits, radix).map_err(|_| NumberError::Range)?;
    i32::try_from(if negative { -value } else { value }).map_err(|_| NumberError::Range)
}

/// An option without a value.
pub fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// An option with a text; `value` is its name in the help.
pub fn word(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// An option with a file or a folder; `value` is its name in the help.
pub fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    word(name, value, help).value_parser(value_parser!(PathBuf))
}

/// Parses `args` (the program's own name first) by the options of `command`.
///
/// Adds `-?`, `--help`, `--usage` and `--version`; carries those out, or prints the error, and then
/// returns the status to exit with. `version` is printed after `name`. Options of `command` need a
/// long name, a help text, and when they take a value a value name; they may not be required:
/// `--version` has precedence over what is missing. What `command` takes besides options is called
/// in the help as in the table.
pub fn parse(
    command: Command,
    name: &str,
    version: &str,
    args: impl IntoIterator<Item = impl Into<OsString>>,
) -> Result<ArgMatches, ExitCode> {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    match evaluate(command, name, version, &args) {
        Outcome::Matches(matches) => Ok(*matches),
        Outcome::Print(text) => {
            // A reader that went away, as in `pulse --help | head -1`, is no failure.
            let _ = io::stdout().write_all(text.as_bytes());
            Err(ExitCode::SUCCESS)
        }
        Outcome::Refuse(text) => {
            let _ = writeln!(io::stderr(), "{name}: {text}");
            Err(ExitCode::from(1))
        }
    }
}

/// Whether [`parse`] would take these words, the program's own name first; else what it would say.
pub fn accepts(command: Command, name: &str, words: &[&str]) -> Result<(), String> {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    match evaluate(command, name, "", &words) {
        Outcome::Matches(_) | Outcome::Print(_) => Ok(()),
        Outcome::Refuse(text) => Err(text),
    }
}

#[derive(Debug)]
enum Outcome {
    Matches(Box<ArgMatches>),
    Print(String),
    Refuse(String),
}

fn evaluate(command: Command, name: &str, version: &str, args: &[OsString]) -> Outcome {
    let command = popt_like(command);
    let matches = match command.clone().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return Outcome::Refuse(bad_argument(&error, args)),
    };
    if matches.get_flag("version") {
        Outcome::Print(version_text(name, version))
    } else if matches.get_flag("help") {
        Outcome::Print(help::help(&command, name))
    } else if matches.get_flag("usage") {
        Outcome::Print(help::usage(&command, name))
    } else if matches.contains_id(POSITIONAL) {
        Outcome::Refuse("unexpected arguments".to_owned())
    } else {
        Outcome::Matches(Box::new(matches))
    }
}

/// The options of `command` and those that [`parse`] adds; what is hidden is not meant for people.
///
/// As popt does by itself, the last of repeated options wins, a value may begin with a hyphen.
pub fn popt_like(command: Command) -> Command {
    command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .mut_args(|arg| {
            let takes_value = arg.get_action().takes_values() && !arg.is_positional();
            arg.allow_hyphen_values(takes_value)
        })
        .arg(switch("version", "Display version"))
        .arg(switch("help", "Show this help message").short('?'))
        .arg(switch("usage", "Display brief usage message"))
        .arg(
            Arg::new(POSITIONAL)
                .action(ArgAction::Append)
                .num_args(0..)
                .hide(true)
                .value_parser(value_parser!(OsString)),
        )
}

/// The three lines of `--version`, for programs that do not use [`parse`].
pub fn version_text(name: &str, version: &str) -> String {
    format!(
        "Program Version:\t{name} {version}\nBuilt:\t\t\t{}\nA component of:\t\tpiranha-{}\n",
        env!("BUILD_DATE"),
        env!("CARGO_PKG_VERSION"),
    )
}

/// `bad argument ARG: REASON`. popt names the argument as it was typed.
fn bad_argument(error: &Error, args: &[OsString]) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let typed_last = || args.last().map(|arg| arg.to_string_lossy().into_owned());
    let (argument, reason) = match error.kind() {
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            (
                context(ContextKind::InvalidValue),
                reason.unwrap_or_default(),
            )
        }
        ErrorKind::TooManyValues => (
            as_typed(&context(ContextKind::InvalidArg), args),
            "unexpected value".to_owned(),
        ),
        // An option that takes a value was the last word of the command line.
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => (
            typed_last().unwrap_or_default(),
            "missing argument".to_owned(),
        ),
        ErrorKind::InvalidUtf8 => (
            typed_last().unwrap_or_default(),
            "not valid text".to_owned(),
        ),
        _ => (
            as_typed(&context(ContextKind::InvalidArg), args),
            "unknown option".to_owned(),
        ),
    };
    format!("bad argument {argument}: {reason}")
}

/// The word in which clap found `option`: `-nz` for `-z`, `--foo=bar` for `--foo`.
fn as_typed(option: &str, args: &[OsString]) -> String {
    let option = option.split([' ', '=']).next().unwrap_or_default();
    let words = || args.iter().skip(1).map(|arg| arg.to_string_lossy());
    let long = format!("{option}=");
    let letter = option
        .strip_prefix('-')
        .filter(|rest| !rest.starts_with('-'));
    words()
        .find(|word| word == option)
        .or_else(|| words().find(|word| word.starts_with(&long)))
        .or_else(|| {
            let letter = letter?;
            words().find(|word| {
                word.starts_with('-') && !word.starts_with("--") && word.contains(letter)
            })
        })
        .map_or_else(|| option.to_owned(), |word| word.into_owned())
}

#[cfg(test)]
mod tests;
