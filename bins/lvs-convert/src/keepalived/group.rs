//! `virtual_server_group`: several addresses or marks for one virtual server.
//!
//! Owns the block and its ranges.

use std::net::Ipv4Addr;

use super::tree::Statement;
use crate::draft::number;
use crate::notes::Notes;
use crate::source::Place;

/// By what a virtual server is known to the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Address(Ipv4Addr, u16),
    Mark(u32),
}

/// All that the group of this name has.
pub(crate) fn members(
    name: &str,
    place: Place,
    file: &[Statement],
    notes: &mut Notes,
) -> Vec<(Key, Place)> {
    let is_group = |statement: &&Statement| {
        statement.keyword() == "virtual_server_group" && statement.word(1) == name
    };
    let Some(group) = file.iter().find(is_group) else {
        let help = "write the virtual_server_group";
        notes.lost(
            place,
            "virtual_server",
            &format!("there is no group {name}"),
            help,
        );
        return Vec::new();
    };
    let mut members = Vec::new();
    for statement in group.inside() {
        let keys = keys(statement);
        if keys.is_empty() {
            let help = "lvs.cf has IPv4 addresses, one port each, and marks";
            notes.lost(
                statement.place(),
                "virtual_server_group",
                "not an IPv4 address and port",
                help,
            );
        }
        members.extend(keys.into_iter().map(|key| (key, statement.place())));
    }
    members
}

/// `ADDRESS[-LAST] PORT` or `fwmark N`; nothing when it is neither.
fn keys(statement: &Statement) -> Vec<Key> {
    if statement.keyword() == "fwmark" {
        let mark = number(statement.word(1)).filter(|mark| *mark > 0);
        return mark.map(Key::Mark).into_iter().collect();
    }
    let Some(port) = port(statement.word(1)) else {
        return Vec::new();
    };
    let (first, last) = statement
        .word(0)
        .split_once('-')
        .unwrap_or((statement.word(0), ""));
    let Ok(first) = first.parse::<Ipv4Addr>() else {
        return Vec::new();
    };
    let [.., from] = first.octets();
    let to = if last.is_empty() {
        Some(from)
    } else {
        last.parse::<u8>().ok()
    };
    let last = |to: u8| u32::from(first) - u32::from(from) + u32::from(to);
    let range = to
        .map(|to| u32::from(first)..=last(to))
        .into_iter()
        .flatten();
    range
        .map(|bits| Key::Address(Ipv4Addr::from(bits), port))
        .collect()
}

/// A port; keepalived takes names, too.
pub(crate) fn port(text: &str) -> Option<u16> {
    text.parse().ok().or_else(|| lvs_config::tcp_port(text))
}
