//! The manual pages. People write them, but for what stands between `.\" begin NAME` and `.\" end NAME`:
//! that is made from the programs' own tables, so that no option and no keyword changes without its page.
//!
//! `UPDATE_GENERATED=1 cargo nextest run -p lab --test manual` writes these parts; otherwise they are compared.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, also in its helping functions"
)]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use clap::{Arg, Command};
use ipvsadm_rs::flags::defs::{Argument, Def, FLAGS, Id};
use lab::{book, setup};
use lvs_config::Level;

mod commands;

/// Pages of others that ours refer to.
const OTHERS: &[&str] = &[
    "ipvsadm(8)",
    "keepalived(8)",
    "ldirectord(8)",
    "systemd.unit(5)",
    "journalctl(1)",
    "regex(7)",
    "ssh(1)",
];

/// Page, part, and what belongs there.
fn parts() -> Vec<(&'static str, &'static str, String)> {
    let options = |page, command| (page, "options", options(command));
    vec![
        ("ipvsadm-rs.8", "commands", flags(true)),
        ("ipvsadm-rs.8", "options", flags(false)),
        options("lvs-convert.8", lvs_convert::command()),
        options("lvsd.8", lvs::command()),
        options("nanny.8", nanny::command()),
        options("piranha-applier.8", piranha_applier::command()),
        options("piranha-gui.8", piranha_gui::command()),
        options("piranha-passwd.8", piranha_passwd::command()),
        options("pulse.8", pulse::command()),
        ("send_arp.8", "options", help_lines(send_arp::HELP)),
        ("lvs.cf.5", "global", keywords(Level::Global)),
        ("lvs.cf.5", "virtual", keywords(Level::Virtual)),
        ("lvs.cf.5", "server", keywords(Level::Server)),
    ]
}

fn roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// A line of text that must not be taken for a request.
fn line(text: &str) -> String {
    let guard = if text.starts_with(['.', '\'']) {
        "\\&"
    } else {
        ""
    };
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{guard}{}{end}\n", roff(text))
}

fn options(command: Command) -> String {
    let command = daemon::cli::popt_like(command);
    let shown = command
        .get_arguments()
        .filter(|option| !option.is_hide_set() && !option.is_positional());
    shown.map(option).collect()
}

fn option(option: &Arg) -> String {
    let short = option
        .get_short()
        .map(|letter| format!("\\fB\\-{letter}\\fR, "));
    let value = option
        .get_value_names()
        .filter(|_| option.get_action().takes_values())
        .map(|names| format!("=\\fI{}\\fR", roff(&names.concat())));
    let name = format!("\\fB\\-\\-{}\\fR", roff(option.get_long().unwrap()));
    let help = option.get_help().unwrap().to_string();
    format!(
        ".TP\n{}{name}{}\n{}",
        short.unwrap_or_default(),
        value.unwrap_or_default(),
        line(&help)
    )
}

/// The commands or the options of ipvsadm-rs.
fn flags(commands: bool) -> String {
    let wanted = FLAGS
        .iter()
        .filter(|def| matches!(def.id, Id::Command(_)) == commands);
    wanted.map(flag).collect()
}

fn flag(def: &Def) -> String {
    let short = def.short.chars().map(|letter| format!("-{letter}"));
    let names: Vec<String> = short
        .chain([format!("--{}", def.long)])
        .map(|name| format!("\\fB{}\\fR", roff(&name)))
        .collect();
    let argument = match def.argument {
        Argument::None => String::new(),
        Argument::Required(name) => format!(" \\fI{}\\fR", roff(name)),
        Argument::Optional(name) => format!(" [\\fI{}\\fR]", roff(name)),
    };
    format!(".TP\n{}{argument}\n{}", names.join(", "), line(def.help))
}

/// From the lines of a `--help`: the name of an option, blanks, what it means, in more lines further right.
fn help_lines(help: &str) -> String {
    let mut text = String::new();
    for line in help.lines().filter(|line| line.starts_with("  -")) {
        let (name, meaning) = line.trim().split_once("  ").unwrap();
        write!(text, ".TP\n\\fB{}\\fR\n{}\n", roff(name), meaning.trim()).unwrap();
    }
    text
}

fn keywords(level: Level) -> String {
    let mut text = String::new();
    for keyword in lvs_config::manual::describe(level) {
        let form = roff(&keyword.form)
            .replace('<', "\\fI")
            .replace('>', "\\fR");
        write!(text, ".TP\n\\fB{}\\fR = {form}\n", keyword.name).unwrap();
        text.push_str(&line(keyword.meaning));
        if let Some(default) = keyword.default {
            writeln!(text, "Default: {}.", roff(&default)).unwrap();
        }
        if keyword.is_extension {
            text.push_str("Extension.\n");
        }
    }
    text
}

fn folder() -> PathBuf {
    setup::workspace().join("docs/man")
}

/// Name and text of each page.
fn pages() -> Vec<(String, String)> {
    let mut pages: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    pages.sort();
    assert!(pages.len() >= 10, "{} pages", pages.len());
    pages
}

#[test]
fn what_is_made_from_tables_is_up_to_date() {
    let mut wrong = Vec::new();
    for (page, part, wanted) in parts() {
        let path = folder().join(page);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
        let begin = format!(".\\\" begin {part}\n");
        let end = format!(".\\\" end {part}\n");
        let (before, rest) = text
            .split_once(&begin)
            .unwrap_or_else(|| panic!("{page}: no {begin}"));
        let (found, after) = rest
            .split_once(&end)
            .unwrap_or_else(|| panic!("{page}: no {end}"));
        if found == wanted {
            continue;
        }
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            fs::write(&path, [before, &begin, &wanted, &end, after].concat()).unwrap();
        } else {
            wrong.push(format!("{page}: {part}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "out of date, run this test with UPDATE_GENERATED=1: {wrong:?}"
    );
}

/// The words `name(8)` in the text without its font changes.
fn references(text: &str) -> Vec<String> {
    let plain = text
        .replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fR", "");
    let words = plain.split([' ', '\n', ',']);
    let page = |word: &str| {
        let (name, rest) = word.split_once('(')?;
        let section = rest.split_once(')')?.0;
        let is_one =
            !name.is_empty() && section.len() == 1 && section.chars().all(|c| c.is_ascii_digit());
        is_one.then(|| format!("{name}({section})"))
    };
    words.filter_map(page).collect()
}

#[test]
fn pages_that_are_referred_to_are_there() {
    let pages = pages();
    let mut wrong = Vec::new();
    for (name, text) in &pages {
        for reference in references(text) {
            let file = reference.replace('(', ".").replace(')', "");
            let known = pages.iter().any(|(page, _)| *page == file);
            if !known && !OTHERS.contains(&reference.as_str()) {
                wrong.push(format!("{name}: {reference}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The lines between `.nf` and `.fi` in EXAMPLES.
fn examples(text: &str) -> String {
    let section = text
        .split(".SH ")
        .find(|section| section.starts_with("EXAMPLE"));
    let blocks = section.unwrap_or_default().split(".nf\n").skip(1);
    let lines = blocks.filter_map(|block| block.split(".fi\n").next());
    lines
        .collect::<String>()
        .replace("\\-", "-")
        .replace("\\e", "\\")
}

#[test]
fn examples_are_commands_that_the_programs_take() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, text) in pages().iter().filter(|(name, _)| name.ends_with(".8")) {
        let before = count;
        for command in book::commands(&examples(text)) {
            count += usize::from(commands::is_ours(&command));
            if let Err(text) = commands::accepted(&command) {
                wrong.push(format!("{name}: {}: {text}", command.join(" ")));
            }
        }
        if count == before {
            wrong.push(format!("{name}: no example"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_example_of_lvs_cf_is_accepted() {
    let page = fs::read_to_string(folder().join("lvs.cf.5")).unwrap();
    let example = examples(&page);
    let said = lvs_config::parse_all(example.as_bytes()).diagnostics;
    assert!(example.contains("virtual") && said.is_empty(), "{said:?}");
}

/// What people look for, in the usual order.
#[test]
fn each_page_has_the_usual_sections() {
    let mut wrong = Vec::new();
    for (name, text) in pages() {
        assert!(text.is_ascii(), "{name}: groff reads ASCII");
        let mut wanted = vec!["NAME", "DESCRIPTION", "EXAMPLES", "SEE ALSO"];
        if name.ends_with(".8") {
            wanted.splice(1..1, ["SYNOPSIS"]);
            wanted.splice(3..3, ["OPTIONS", "EXIT STATUS"]);
        }
        let headings: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        let mut rest = headings.iter();
        for title in wanted {
            if !rest.any(|heading| heading.trim_matches('"') == title) {
                wrong.push(format!("{name}: {title} is missing or in another place"));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
