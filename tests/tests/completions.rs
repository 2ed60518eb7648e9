//! The completions of shells, made from the programs' own tables of options.
//!
//! `UPDATE_GENERATED=1 cargo test -p lab --test completions` writes them; otherwise the files are compared, so
//! that an option cannot change without them. Those of ipvsadm-rs are made by its own test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, also in its helping functions"
)]

use std::fs;

use clap::{Arg, ArgAction, Command};
use clap_complete::{Shell, generate};
use lab::setup;

/// Names as installed, and their options. `lvs` without the letter is LVM's.
fn programs() -> [(&'static str, Command); 8] {
    [
        ("pulse", pulse::command()),
        ("lvsd", lvs::command()),
        ("nanny", nanny::command()),
        ("lvs-convert", lvs_convert::command()),
        ("piranha-gui", piranha_gui::command()),
        ("piranha-applier", piranha_applier::command()),
        ("piranha-passwd", piranha_passwd::command()),
        ("send_arp", send_arp_options()),
    ]
}

/// All that a program takes and that is meant for people. `-?` means something else to shells.
fn complete(name: &'static str, command: Command) -> Command {
    let all = if name == "send_arp" {
        command
    } else {
        daemon::cli::popt_like(command)
    };
    let shown = all.get_arguments().filter(|option| !option.is_hide_set());
    let options = shown.cloned().map(|option| match option.get_short() {
        Some('?') => option.short(None),
        _ => option,
    });
    Command::new(name)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(options)
}

/// It reads its few words without a table; its help is the next best.
fn send_arp_options() -> Command {
    let lines = send_arp::HELP.lines().filter_map(|line| {
        let (options, help) = line.strip_prefix("  ")?.trim_start().split_once("  ")?;
        options
            .starts_with('-')
            .then_some((options, help.trim().trim_end_matches(':')))
    });
    let options = lines.map(|(options, help)| {
        let name = options.trim_start_matches("-?,").trim().trim_matches('-');
        let mut option = Arg::new(name).action(ArgAction::SetTrue).help(help);
        for word in options.split([' ', ',']) {
            option = match (word.strip_prefix("--"), word.strip_prefix('-')) {
                (Some(long), _) => option.long(long),
                (None, Some(letter)) => option.short(letter.chars().next().unwrap()),
                (None, None) if word.is_empty() => option,
                (None, None) => option.action(ArgAction::Set).value_name(word),
            };
        }
        option
    });
    Command::new("send_arp")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(options)
}

fn check(file: &str, text: &str) {
    let path = setup::workspace().join("etc/completions").join(file);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert!(
        found == text,
        "{file} is out of date: run this test with UPDATE_GENERATED=1"
    );
}

#[test]
fn completions_are_up_to_date() {
    for (name, command) in programs() {
        let mut command = complete(name, command);
        for (shell, file) in [
            (Shell::Bash, format!("{name}.bash")),
            (Shell::Zsh, format!("_{name}")),
            (Shell::Fish, format!("{name}.fish")),
        ] {
            let mut text = Vec::new();
            generate(shell, &mut command, name, &mut text);
            check(&file, &String::from_utf8(text).unwrap());
        }
    }
}

#[test]
fn send_arp_has_the_options_of_its_help() {
    let command = send_arp_options();
    let names: Vec<String> = command
        .get_arguments()
        .map(|option| match (option.get_short(), option.get_long()) {
            (_, Some(long)) => format!("--{long}"),
            (Some(letter), None) => format!("-{letter}"),
            (None, None) => String::new(),
        })
        .collect();
    assert_eq!(names, ["-i", "--batch", "--help", "--version"]);
}

/// bash itself completes with them: a word's beginning becomes the option.
#[test]
fn bash_completes_every_program() {
    for (name, word, whole) in [
        ("pulse", "--hand", "--hand-over"),
        ("lvsd", "--nof", "--nofork"),
        ("nanny", "--exp", "--expect_string"),
        ("send_arp", "--b", "--batch"),
        ("lvs-convert", "--out", "--output"),
        ("piranha-gui", "--insec", "--insecure-http"),
        ("piranha-applier", "--allow", "--allow-programs"),
        ("piranha-passwd", "--std", "--stdin"),
        ("ipvsadm-rs", "--add-serv", "--add-server"),
    ] {
        let file = setup::workspace().join(format!("etc/completions/{name}.bash"));
        // What readline does: the function of the program, with the words and the place of the cursor.
        let script = format!(
            "source '{}'; COMP_WORDS=({name} {word}); COMP_CWORD=1; \
             $(complete -p {name} | sed 's/.*-F \\([^ ]*\\).*/\\1/') {name} {word} {name}; echo \"${{COMPREPLY[*]}}\"",
            file.display()
        );
        let output = std::process::Command::new("bash")
            .args(["-c", &script])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complains = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.split_whitespace().any(|found| found == whole) && complains.is_empty(),
            "{name} {word}: {said:?} instead of {whole}; {complains}"
        );
    }
}
