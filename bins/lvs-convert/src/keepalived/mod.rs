//! keepalived.conf: what it says about virtual servers, and about their addresses.
//!
//! Owns the top level. The parts are read by the modules below.

use std::time::Duration;

use lvs_config::Network;

use crate::draft::{Draft, number};
use crate::notes::{Fault, Notes};
use crate::source::Sources;

mod checker;
mod expand;
mod group;
mod lexer;
mod service;
mod tree;
mod vrrp;

use tree::Statement;

/// Reads file number `file` and those that it includes.
pub(crate) fn read(file: usize, sources: &mut Sources, notes: &mut Notes) -> Result<Draft, Fault> {
    let tokens = expand::Expander::new(sources, notes).file(file, 0)?;
    let statements = tree::statements(tokens)?;
    let mut draft = Draft::default();
    let mut instances = 0;
    for statement in &statements {
        match statement.keyword() {
            "global_defs" => global(statement, &mut draft, notes),
            "vrrp_instance" => {
                vrrp::read(statement, instances == 0, &mut draft, notes);
                instances += 1;
            }
            "virtual_server" => service::read(statement, &statements, &mut draft, notes),
            "virtual_server_group" => {}
            "vrrp_sync_group" => notes.changed(
                statement.place(),
                "vrrp_sync_group",
                "all addresses of an lvs.cf move together",
                "",
            ),
            keyword => {
                let (why, help) = elsewhere(keyword);
                notes.lost(statement.place(), keyword, why, help);
            }
        }
    }
    Ok(draft)
}

/// Why a keyword of the top level has no counterpart.
fn elsewhere(keyword: &str) -> (&'static str, &'static str) {
    match keyword {
        "vrrp_script" | "vrrp_track_process" | "vrrp_track_file" | "track_file" => (
            "a router is not given up because of a program",
            "witness = \"ADDRESS\" and monitor_links = 1 watch the networks",
        ),
        "static_ipaddress"
        | "static_routes"
        | "static_rules"
        | "garp_group"
        | "linkbeat_interfaces" => (
            "lvs.cf knows service addresses only",
            "configure it in the system's network settings",
        ),
        "bfd_instance" => (
            "there is no BFD",
            "monitor_links = 1 watches the interfaces",
        ),
        "SSL" => (
            "the built-in check does not speak TLS",
            "give curl the files in send_program",
        ),
        word if word.starts_with('@') => (
            "a line for one router only",
            "both routers have the same lvs.cf: write by hand what it has to say",
        ),
        _ => ("lvs.cf has nothing of the kind", ""),
    }
}

fn global(block: &Statement, draft: &mut Draft, notes: &mut Notes) {
    for statement in block.inside() {
        let place = statement.place();
        match statement.keyword() {
            "lvs_sync_daemon" => {
                let words = &statement.words;
                let id = words.iter().position(|word| word.text == "id");
                let id = id.and_then(|at| number(statement.word(at + 1)));
                let interface = statement.word(1);
                if is_interface(interface) {
                    draft.routers.sync = Some((interface.to_owned(), id.unwrap_or(0).min(255)));
                } else {
                    notes.lost(place, "lvs_sync_daemon", "not the name of an interface", "");
                }
            }
            "lvs_timeouts" => timeouts(statement, draft, notes),
            "lvs_flush" => {
                let help =
                    "lvs takes over the entries that are there; clear_table = 1 empties the table";
                notes.changed(place, "lvs_flush", "only own entries are put right", help);
            }
            "router_id" | "vrrp_skip_check_adv_addr" => {}
            keyword if keyword.starts_with("notification_") || keyword.starts_with("smtp_") => {
                let help = "let the monitoring watch the log or pulse.json and lvs.json";
                notes.lost(place, keyword, "no program here sends mail", help);
            }
            keyword => notes.lost(place, keyword, "lvs.cf has nothing of the kind", ""),
        }
    }
}

fn timeouts(statement: &Statement, draft: &mut Draft, notes: &mut Notes) {
    let routers = &mut draft.routers;
    let mut words = statement.words.iter().skip(1);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        let setting = match name.text.as_str() {
            "tcp" => &mut routers.tcp_timeout,
            "tcpfin" => &mut routers.tcpfin_timeout,
            "udp" => &mut routers.udp_timeout,
            _ => {
                notes.lost(name.place, "lvs_timeouts", "not tcp, tcpfin or udp", "");
                continue;
            }
        };
        *setting = number(&value.text);
        if setting.is_none() {
            notes.lost(value.place, "lvs_timeouts", "not a number of seconds", "");
        }
    }
}

/// A name that the kernel takes for an interface.
fn is_interface(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    !name.is_empty() && name.len() < 16 && name.chars().all(plain)
}

/// Seconds, perhaps with a fraction; nothing above a day.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (0.01..=86_400.0)
        .contains(&seconds)
        .then(|| Duration::from_millis((seconds * 1000.0).round() as u64))
}

/// `lvs_method`, also under its old name.
fn method(name: &str) -> Option<Network> {
    match name {
        "NAT" => Some(Network::Nat),
        "DR" => Some(Network::Direct),
        "TUN" => Some(Network::Tunnel),
        _ => None,
    }
}
