//! Which keywords make the daemons run something, or read a file, as root (R14).
//!
//! Owns the list, and what is new in one file against another. Whether a program may be run is for
//! the administrator and the file system to say; that is asked elsewhere.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use lvs_config::{Config, Setting, Text};

use crate::item::{Item, Name};

/// What a guarded keyword names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guarded {
    /// A command line.
    Program,
    /// A file.
    File,
}

/// Whether the keyword names something that is run or read as root.
pub fn guarded(keyword: &str) -> Option<Guarded> {
    match keyword {
        "active_cmd" | "inactive_cmd" | "ipvsadm" | "rsh_command" | "client_monitor"
        | "send_program" | "start_cmd" | "stop_cmd" | "load_monitor" => Some(Guarded::Program),
        "heartbeat_key" => Some(Guarded::File),
        _ => None,
    }
}

/// Something to be run or read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Program {
    /// Where it is first said.
    pub at: Item,
    /// By which keyword.
    pub keyword: &'static str,
    /// The command line or file.
    pub command: Text,
}

/// What `new` names and `old` did not, each once. What the daemons have built in counts as known.
pub fn new_programs(old: &Config, new: &Config) -> Vec<Program> {
    let known = named(old);
    let mut known: HashSet<_> = known.into_iter().map(|p| (p.keyword, p.command)).collect();
    let mut fresh = named(new);
    fresh.retain(|program| {
        !is_built_in(program.keyword, program.command.as_bytes())
            && known.insert((program.keyword, program.command.clone()))
    });
    fresh
}

/// What the daemons run without being told where it is.
pub(crate) fn is_built_in(keyword: &str, command: &[u8]) -> bool {
    let built_in: &[&[u8]] = match keyword {
        "ipvsadm" => &[b"/sbin/ipvsadm", b"/usr/sbin/ipvsadm"],
        "rsh_command" => &[b"rsh", b"ssh"],
        "client_monitor" => &[b"/usr/sbin/nanny"],
        "load_monitor" => &[b"none", b"rup", b"ruptime", b"uptime"],
        _ => &[],
    };
    command.is_empty() || built_in.contains(&command)
}

fn named(config: &Config) -> Vec<Program> {
    let mut programs = Vec::new();
    let mut add = |at: &Item, keyword, command: Option<&Text>| {
        programs.extend(command.map(|command| Program {
            at: at.clone(),
            keyword,
            command: command.clone(),
        }));
    };
    let global = &config.global;
    let optional = |setting: &Setting<Option<Text>>| setting.value.clone();
    let at = Item::Global;
    add(&at, "active_cmd", optional(&global.active_cmd).as_ref());
    add(&at, "inactive_cmd", optional(&global.inactive_cmd).as_ref());
    add(&at, "ipvsadm", Some(&global.ipvsadm.value));
    add(&at, "rsh_command", Some(&global.rsh_command.value));
    add(
        &at,
        "heartbeat_key",
        optional(&global.heartbeat_key).as_ref(),
    );
    let blocks = [&config.virtuals, &config.failovers];
    for blocks in blocks {
        for (block, service) in blocks.iter().zip(Name::of_virtuals(blocks)) {
            let at = Item::Virtual { service };
            add(&at, "client_monitor", Some(&block.client_monitor.value));
            add(&at, "send_program", block.send_program.value.as_ref());
            add(&at, "start_cmd", block.start_cmd.value.as_ref());
            add(&at, "stop_cmd", block.stop_cmd.value.as_ref());
            add(&at, "load_monitor", block.load_monitor.value.as_ref());
        }
    }
    programs
}

/// The file that a command line starts. Only plain command lines have one: the routers, and an
/// original as partner, must all split them alike, with or without a shell.
///
/// # Errors
/// Why it is not plain, for people.
pub fn program_path(command: &Text) -> Result<PathBuf, String> {
    let text = std::str::from_utf8(command.as_bytes()).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.strip_prefix('"').unwrap_or(text);
    let text = text.strip_suffix('"').unwrap_or(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-+=.,:/@%".contains(c);
    if let Some(c) = text.chars().find(|c| !plain(*c)) {
        let c = c.escape_default();
        return Err(format!("must consist of plain words, without {c}"));
    }
    let path = text.split(' ').next().unwrap_or_default();
    let path = Path::new(path);
    let ordinary = |part| {
        matches!(
            part,
            std::path::Component::RootDir | std::path::Component::Normal(_)
        )
    };
    if !path.is_absolute() || !path.components().all(ordinary) {
        return Err("must begin with the full path of a program".to_owned());
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        lvs_config::parse(text.as_bytes()).unwrap().config
    }

    /// Each keyword whose value is free text is either here or known to be harmless: a new one has to
    /// be thought about.
    #[test]
    fn r14_every_keyword_with_free_text_is_guarded_or_harmless() {
        let harmless = [
            "primary_shared",
            "backup_shared",
            "debug_level",
            "syncd_iface",
            "send",
            "expect",
            "dirs",
            "primary",
            "primary_private",
            "backup",
            "backup_private",
            "nat_router",
            "witness",
            "address",
            "master",
        ];
        for level in [lvs_config::Level::Global, lvs_config::Level::Virtual] {
            for keyword in level.keywords() {
                let place = match level {
                    lvs_config::Level::Global => lvs_config::Place::Global,
                    _ => lvs_config::Place::Virtual(0),
                };
                let mut editor = lvs_config::Editor::new(b"virtual x {\n}\n").unwrap();
                let takes_text = editor.set(place, keyword, "/bin/anything").is_ok()
                    || editor.set(place, keyword, "any.thing").is_ok()
                    || editor.set(place, keyword, "any.thing eth0:1").is_ok();
                let thought_of = guarded(keyword).is_some() || harmless.contains(&keyword);
                assert!(!takes_text || thought_of, "{keyword}");
            }
        }
    }

    #[test]
    fn r14_what_is_named_anew_is_found() {
        let old = config("active_cmd = /bin/a\nvirtual x {\n send_program = \"/bin/b %h\"\n}\n");
        let same = config("virtual y {\n send_program = \"/bin/b %h\"\n load_monitor = rup\n}\n");
        assert_eq!(new_programs(&old, &same), []);
        let new = config(
            "rsh_command = /x\nipvsadm = /y\nheartbeat_key = /etc/shadow\n\
             inactive_cmd = /bin/a\nvirtual x {\n send_program = \"/bin/c\"\n load_monitor = /z\n\
             client_monitor = /n\n start_cmd = \"/s\"\n stop_cmd = \"/t\"\n}\n",
        );
        let found: Vec<_> = new_programs(&old, &new).iter().map(|p| p.keyword).collect();
        let expected = [
            "inactive_cmd",
            "ipvsadm",
            "rsh_command",
            "heartbeat_key",
            "client_monitor",
            "send_program",
            "start_cmd",
            "stop_cmd",
            "load_monitor",
        ];
        assert_eq!(found, expected);
        for keyword in found {
            assert!(guarded(keyword).is_some());
        }
    }

    #[test]
    fn r14_only_plain_command_lines_have_a_path() {
        let path = |text: &str| program_path(&Text::from(text));
        assert_eq!(
            path("/opt/checks/dns.sh %h -p 53"),
            Ok("/opt/checks/dns.sh".into())
        );
        for bad in [
            "",
            "dns.sh",
            "./x",
            "/opt/checks/../../bin/sh",
            "/bin/sh;reboot",
            "/bin/sh `x`",
            "/bin/sh $(x)",
            "/bin/sh > /etc/passwd",
            "'/bin/sh' x",
            "/a\\ b",
            "/a|b",
            "/a&b",
            "/a\tb",
        ] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
