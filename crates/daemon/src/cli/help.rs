//! The two layouts that popt prints: one line for each option, and the short synopsis.

use clap::{Arg, Command};

/// popt breaks lines before this column.
const WIDTH: usize = 79;
const OWN: [&str; 2] = ["help", "usage"];

/// `--help`.
pub(super) fn help(command: &Command, name: &str) -> String {
    let width = shown(command).map(|arg| left(arg).len()).max().unwrap_or(0);
    let mut text = format!("Usage: {name} [OPTION...]");
    for word in positional(command) {
        text.push_str(&format!(" {word}"));
    }
    text.push('\n');
    for arg in shown(command).filter(|arg| !is_own(arg)) {
        line(&mut text, arg, width);
    }
    text.push_str("\nHelp options:\n");
    for arg in shown(command).filter(|arg| is_own(arg)) {
        line(&mut text, arg, width);
    }
    text
}

/// `--usage`.
pub(super) fn usage(command: &Command, name: &str) -> String {
    let letters: String = shown(command)
        .filter(|arg| !arg.get_action().takes_values())
        .filter_map(Arg::get_short)
        .collect();
    let cluster = Some(format!("[-{letters}]")).filter(|_| !letters.is_empty());
    let mut text = format!("Usage: {name}");
    let mut column = text.len();
    let items = cluster.into_iter().chain(shown(command).map(synopsis));
    for item in items.chain(positional(command).map(str::to_owned)) {
        if column + 1 + item.len() > WIDTH {
            text.push_str("\n       ");
            column = 7;
        }
        text.push(' ');
        text.push_str(&item);
        column += 1 + item.len();
    }
    text.push('\n');
    text
}

fn shown(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && arg.get_long().is_some())
}

/// What it takes besides options.
fn positional(command: &Command) -> impl Iterator<Item = &str> {
    command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && arg.is_positional())
        .map(|arg| arg.get_id().as_str())
}

fn is_own(arg: &Arg) -> bool {
    OWN.contains(&arg.get_id().as_str())
}

/// `-c, --configfile=configfile`, the long name in its column also without a letter.
fn left(arg: &Arg) -> String {
    let letter = arg
        .get_short()
        .map_or("    ".to_owned(), |letter| format!("-{letter}, "));
    format!("{letter}{}", long(arg))
}

fn synopsis(arg: &Arg) -> String {
    let letter = arg
        .get_short()
        .map(|letter| format!("-{letter}|"))
        .unwrap_or_default();
    format!("[{letter}{}]", long(arg))
}

fn long(arg: &Arg) -> String {
    let name = arg.get_long().unwrap_or_default();
    if !arg.get_action().takes_values() {
        return format!("--{name}");
    }
    let value = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map(|name| name.as_str());
    format!("--{name}={}", value.unwrap_or(name))
}

/// One option: its names padded to `width`, its text broken at blanks and indented.
fn line(text: &mut String, arg: &Arg, width: usize) {
    let names = left(arg);
    text.push_str(&format!("  {names:width$}"));
    let indent = width + 5;
    let room = WIDTH.saturating_sub(indent).max(20);
    let mut column = 0;
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    for word in help.split_whitespace() {
        if column == 0 {
            text.push_str("   ");
        } else if column + 1 + word.len() > room {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = 0;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}
