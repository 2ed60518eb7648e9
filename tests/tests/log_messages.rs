//! Every message that the programs write stands in `docs/log-messages.md`, with what it means.
//!
//! The first four columns of its table are made from the source: literals in calls that write a message,
//! in functions that make one, and in `#[error]`. `UPDATE_GENERATED=1 cargo nextest run -p lab --test log_messages`
//! writes them; what a message means and what to do is for people to write.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, also in its helping functions"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use lab::{setup, source};

const PAGE: &str = "docs/log-messages.md";
const BEGIN: &str = "<!-- begin messages -->\n";
const END: &str = "<!-- end messages -->\n";

/// Folder, and whose messages its code makes.
const FOLDERS: &[(&str, &str)] = &[
    ("bins/pulse/src", "pulse"),
    ("bins/lvs/src", "lvs"),
    ("bins/nanny/src", "nanny"),
    ("bins/send_arp/src", "send_arp"),
    ("bins/piranha-applier/src", "applier"),
    ("bins/piranha-gui/src", "gui"),
    ("crates/heartbeat/src", "pulse"),
    ("crates/netdev/src", "pulse"),
    ("crates/probe/src", "nanny"),
    ("crates/daemon/src", "all"),
];
/// Calls whose literals are messages.
const CALLS: &[&str] = &[
    "info!(",
    "warn!(",
    "debug!(",
    ".log(",
    ".tell(",
    ".announce(",
    "lvs_gone(",
    "notices.push(",
    "warnings.push(",
    "notes.push(",
    "Line::about(",
    "Refusal::new(",
];
/// Where else messages are put together: folder or file, and the beginning of the statement.
const STATEMENTS: &[(&str, &str)] = &[
    ("bins/lvs/src/core/", "let text = "),
    ("bins/pulse/src/router/", "let text = "),
    ("bins/pulse/src/router/", "let refusal = "),
    ("bins/pulse/src/router/", "let mut outcome = "),
    ("bins/piranha-gui/src/lib.rs", "eprintln!("),
];
/// Functions whose literals are messages.
const FUNCTIONS: &[(&str, &str)] = &[
    ("bins/lvs/src/drains.rs", "load"),
    ("bins/lvs/src/owned.rs", "load"),
    ("bins/nanny/src/settings.rs", "check"),
    ("bins/nanny/src/settings.rs", "greeting"),
    ("bins/nanny/src/settings.rs", "port_warning"),
    ("bins/piranha-gui/src/lib.rs", "need_an_account"),
    ("bins/piranha-gui/src/lib.rs", "start"),
    ("bins/piranha-gui/src/privileges.rs", "drop_to"),
    ("bins/pulse/src/start.rs", "no_ipvs"),
    ("bins/pulse/src/syncd.rs", "fmt"),
    ("bins/pulse/src/throttle.rs", "text"),
    ("bins/send_arp/src/lib.rs", "reason"),
    ("bins/send_arp/src/request.rs", "from_fields"),
    ("bins/send_arp/src/request.rs", "hardware_address"),
    ("bins/send_arp/src/request.rs", "parse_line"),
    ("bins/send_arp/src/request.rs", "resolve"),
    ("crates/daemon/src/log.rs", "lost"),
    ("crates/heartbeat/src/clash.rs", "fmt"),
    ("crates/heartbeat/src/events.rs", "fmt"),
    ("crates/probe/src/reason.rs", "original"),
    ("crates/probe/src/reason.rs", "original_program"),
];
/// Errors of these are shown before there is a log.
const EARLY: &[&str] = &["crates/daemon/src/cli.rs", "bins/piranha-gui/src"];
/// Parts of messages, and what is compared with.
const PARTS: &[&str] = &[
    "; load the module (modprobe ip_vs) or boot a kernel that has it",
    "; this router (…) …",
    "Can't initialize ipvs",
    "Protocol not available",
    "an original",
    "lets go",
    "piranha-gui: …",
    "root makes one with: piranha-passwd",
    "send_arp: …",
    "the partner (…)",
    "the table cannot be read",
    "…, run …, …, epoch …",
];
/// What scripts of the Piranha years look for in the log.
const ORIGINALS: &[&str] = &[
    "STARTING PULSE AS MASTER",
    "STARTING PULSE AS BACKUP",
    "partner dead: activating lvs",
    "backup inactive: activating lvs",
    "primary inactive: activating lvs",
    "partner active: deactivating LVS",
    "partner active: resending arps",
    "gratuitous lvs arps finished",
    "Terminating due to signal …",
    "[ active ] making … available",
    "[inactive] shutting down … due to connection failure",
    "READ to … timed out",
    "CONNECT to … timed out",
    "READ from … was too short",
    "Trouble. Received results are not what we expected from (…)",
    "nanny for child … died! shutting down lvs (…)",
    "create_monitor for … running as pid …",
    "starting virtual service … active: …",
    "shutting down virtual service …",
    "ipvsadm failed for virtual server …!",
    "rereading configuration file",
    "Local NIC link failure: Pulse disabled",
    "Local NIC link(s) restored: Pulse enabled",
    "Incompatible heartbeat received -- other system not using identical services",
];

/// Who writes a message, and whether only with `-v`.
#[derive(Debug, Default)]
struct Origin {
    programs: BTreeSet<&'static str>,
    always: bool,
}

/// A literal as people see it: `…` where something is filled in.
fn shown(literal: &str) -> String {
    let mut text = String::new();
    let mut depth = 0;
    let mut rest = literal.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' if rest.peek() == Some(&'{') => text.extend(rest.next()),
            '}' if depth == 0 => text.extend(rest.next()),
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                text.push('…');
            }
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    text.trim().to_owned()
}

fn is_message(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 6 && !PARTS.contains(&text)
}

fn messages() -> BTreeMap<String, Origin> {
    let mut messages: BTreeMap<String, Origin> = BTreeMap::new();
    for (folder, program) in FOLDERS {
        for (path, text) in source::files(Path::new(folder)).unwrap() {
            let path = path.to_str().unwrap();
            let mut add = |part: &str, always: bool| {
                for literal in source::literals(part) {
                    let text = shown(&literal);
                    if is_message(&text) {
                        let origin = messages.entry(text).or_default();
                        origin.programs.insert(program);
                        origin.always |= always;
                    }
                }
            };
            for call in CALLS {
                for part in source::calls(&text, call) {
                    add(part, *call != "debug!(");
                }
            }
            let in_file = |place: &&(&str, &str)| path.starts_with(place.0);
            for (_, begin) in STATEMENTS.iter().filter(in_file) {
                for part in source::statements(&text, begin) {
                    add(part, true);
                }
            }
            for (_, name) in FUNCTIONS.iter().filter(in_file) {
                let bodies = source::functions(&text, name);
                assert!(!bodies.is_empty(), "{path} has no function {name}");
                for part in bodies {
                    add(part, true);
                }
            }
            if !EARLY.iter().any(|early| path.starts_with(early)) {
                for part in source::calls(&text, "#[error(") {
                    add(part, true);
                }
            }
        }
    }
    messages
}

/// The first four columns.
fn generated(text: &str, origin: &Origin) -> String {
    let programs: Vec<&str> = origin.programs.iter().copied().collect();
    let level = if origin.always { "info" } else { "debug" };
    let original = if ORIGINALS.contains(&text) { "P" } else { "" };
    format!(
        "| `{text}` | {} | {level} | {original} |",
        programs.join(", ")
    )
}

/// The rest of the row of a message, as people have written it.
fn written(table: &str) -> BTreeMap<&str, &str> {
    let rows = table.lines().filter_map(|row| row.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (text, rest) = row.split_once("` | ")?;
        Some((text, rest.splitn(4, '|').nth(3)?))
    })
    .collect()
}

#[test]
fn every_message_is_explained() {
    let path = setup::workspace().join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let written = written(table);
    let mut wanted =
        String::from("| Text | Of | Level | | Means | To do |\n|---|---|---|---|---|---|\n");
    let mut unexplained = Vec::new();
    for (text, origin) in messages() {
        let rest = written.get(text.as_str()).copied().unwrap_or("  |  |");
        if rest.split('|').next().unwrap_or_default().trim().is_empty() {
            unexplained.push(text.clone());
        }
        writeln!(wanted, "{}{rest}", generated(&text, &origin)).unwrap();
    }
    if table != wanted && std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, [before, BEGIN, &wanted, END, after].concat()).unwrap();
    } else {
        let gone: Vec<&str> = table.lines().filter(|row| !wanted.contains(row)).collect();
        assert!(
            table == wanted,
            "out of date, run this test with UPDATE_GENERATED=1: {gone:#?}"
        );
    }
    assert!(
        unexplained.is_empty(),
        "write in {PAGE} what these mean: {unexplained:#?}"
    );
}

#[test]
fn each_text_of_the_original_is_still_written() {
    let messages = messages();
    let gone: Vec<_> = ORIGINALS
        .iter()
        .filter(|text| !messages.contains_key(**text))
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn what_is_filled_in_is_shown_as_a_gap() {
    assert_eq!(shown("a {b} c {d:?} {{e}}"), "a … c … {e}");
}
