//! The shell completions, made from the program's own table of flags.
//!
//! `UPDATE_GENERATED=1 cargo test -p ipvsadm-rs --test generated` writes them; otherwise the files are
//! compared, so that a flag cannot change without them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, also in its helping functions"
)]

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use ipvsadm_rs::flags::defs::{Argument, Def, FLAGS, Id};

fn is_command(def: &Def) -> bool {
    matches!(def.id, Id::Command(_))
}

fn argument(def: &Def) -> Option<&'static str> {
    match def.argument {
        Argument::None => None,
        Argument::Required(name) | Argument::Optional(name) => Some(name),
    }
}

/// Every spelling of a flag.
fn spellings(def: &Def) -> Vec<String> {
    let short = def.short.chars().map(|letter| format!("-{letter}"));
    short.chain([format!("--{}", def.long)]).collect()
}

/// Values that an option's argument can have.
fn values(def: &Def) -> Option<&'static str> {
    match def.long {
        "scheduler" => Some("rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh"),
        "start-daemon" | "stop-daemon" => Some("master backup"),
        "tun-type" => Some("ipip gue gre"),
        "pe" => Some("sip"),
        "sched-flags" => Some("flag-1 flag-2 flag-3 sh-fallback sh-port mh-fallback mh-port"),
        _ => None,
    }
}

fn bash() -> String {
    let words = |commands: bool| {
        let wanted = FLAGS.iter().filter(|def| is_command(def) == commands);
        wanted.flat_map(spellings).collect::<Vec<_>>().join(" ")
    };
    let mut cases = String::new();
    for def in FLAGS {
        let pattern = spellings(def).join("|");
        if let Some(values) = values(def) {
            let reply = format!("COMPREPLY=($(compgen -W '{values}' -- \"$word\"))");
            writeln!(cases, "        {pattern}) {reply}; return ;;").unwrap();
        } else if def.long == "only" {
            let reply = "COMPREPLY=($(compgen -f -- \"$word\"))";
            writeln!(cases, "        {pattern}) {reply}; return ;;").unwrap();
        } else if matches!(def.argument, Argument::Required(_)) {
            writeln!(cases, "        {pattern}) return ;;").unwrap();
        }
    }
    format!(
        "# Completion of ipvsadm-rs for bash; made from the program's table of flags.\n\
         _ipvsadm_rs() {{\n    \
             local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n    \
             COMPREPLY=()\n    \
             case $before in\n{cases}    esac\n    \
             if ((COMP_CWORD == 1)); then\n        \
                 COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n    \
             else\n        \
                 COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n    \
             fi\n\
         }}\n\
         complete -F _ipvsadm_rs ipvsadm-rs\n",
        words(true),
        words(false)
    )
}

fn zsh() -> String {
    let escape = |text: &str| {
        text.replace('\'', "'\\''")
            .replace('[', "\\[")
            .replace(']', "\\]")
    };
    let mut lines = String::new();
    for def in FLAGS {
        let action = match (values(def), def.long) {
            (Some(values), _) => format!("({values})"),
            (None, "only") => "_files".to_owned(),
            (None, _) => String::new(),
        };
        let argument = argument(def).map(|name| {
            let optional = matches!(def.argument, Argument::Optional(_));
            format!(
                "{}{}:{action}",
                if optional { "::" } else { ":" },
                name.replace(':', "\\:")
            )
        });
        for name in spellings(def) {
            let help = escape(&def.help.replace(':', "\\:"));
            let argument = argument.clone().unwrap_or_default();
            writeln!(lines, "    '{name}[{help}]{argument}' \\").unwrap();
        }
    }
    format!(
        "#compdef ipvsadm-rs\n\
         # Completion of ipvsadm-rs for zsh; made from the program's table of flags.\n\
         _arguments -s \\\n{lines}    '*:: :'\n"
    )
}

fn fish() -> String {
    let mut lines = String::from(
        "# Completion of ipvsadm-rs for fish; made from the program's table of flags.\n\
         complete -c ipvsadm-rs -f\n",
    );
    for def in FLAGS {
        let short: String = def
            .short
            .chars()
            .map(|letter| format!(" -s {letter}"))
            .collect();
        let required = if matches!(def.argument, Argument::Required(_)) {
            " -x"
        } else {
            ""
        };
        let choice = match (values(def), def.long) {
            (Some(values), _) => format!(" -a '{values}'"),
            (None, "only") => " -F".to_owned(),
            (None, _) => String::new(),
        };
        let required = if def.long == "only" { " -r" } else { required };
        let help = def.help.replace('\'', "\\'");
        writeln!(
            lines,
            "complete -c ipvsadm-rs -l {}{short}{required}{choice} -d '{help}'",
            def.long
        )
        .unwrap();
    }
    lines
}

fn check(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    assert!(
        found == text,
        "{path:?} is out of date: run this test with UPDATE_GENERATED=1"
    );
}

#[test]
fn completions_are_up_to_date() {
    check("etc/completions/ipvsadm-rs.bash", &bash());
    check("etc/completions/_ipvsadm-rs", &zsh());
    check("etc/completions/ipvsadm-rs.fish", &fish());
}
