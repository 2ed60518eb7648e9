//! `vrrp_instance`: the addresses that move, and the two routers.
//!
//! Owns the block. The first one of the file speaks for the routers.

use super::tree::Statement;
use super::{is_interface, seconds};
use crate::draft::{Draft, Vip, host};
use crate::notes::Notes;

pub(crate) fn read(instance: &Statement, first: bool, draft: &mut Draft, notes: &mut Notes) {
    let interface = instance
        .find("interface")
        .map(|statement| statement.word(1));
    let interface = interface.filter(|name| is_interface(name));
    for statement in instance.inside() {
        match statement.keyword() {
            "virtual_ipaddress" | "virtual_ipaddress_excluded" => {
                for address in statement.inside() {
                    vip(address, interface, draft, notes);
                }
            }
            "interface"
            | "virtual_router_id"
            | "nopreempt"
            | "dont_track_primary"
            | "promote_secondaries" => {}
            _ if first => router(statement, instance, draft, notes),
            "state" | "priority" | "advert_int" | "unicast_peer" | "unicast_src_ip" => {
                let help = "all addresses move together, by the first vrrp_instance";
                notes.lost(
                    statement.place(),
                    statement.keyword(),
                    "lvs.cf has one pair of routers",
                    help,
                );
            }
            _ => lost(statement, notes),
        }
    }
}

/// What the first instance says about the routers.
fn router(statement: &Statement, instance: &Statement, draft: &mut Draft, notes: &mut Notes) {
    let routers = &mut draft.routers;
    let place = statement.place();
    match statement.keyword() {
        "state" | "unicast_src_ip" | "mcast_src_ip" => {}
        "unicast_peer" => peers(statement, instance, draft, notes),
        "priority" => {
            if instance.find("nopreempt").is_none() {
                let why = "the primary does not take the active role back when it returns";
                notes.changed(place, "priority", why, "failback = SECONDS asks for that");
            }
        }
        "advert_int" => match seconds(statement.word(1)) {
            Some(time) => routers.keepalive = Some(time),
            None => notes.lost(place, "advert_int", "not a number of seconds", ""),
        },
        "track_interface" => routers.monitor_links = true,
        "lvs_sync_daemon_interface" if is_interface(statement.word(1)) => {
            routers.sync = Some((statement.word(1).to_owned(), 0));
        }
        "notify_master" => {
            let why = "active_cmd is started with no other words than these";
            notes.changed(place, "notify_master", why, "");
            routers.active_cmd = Some((statement.word(1).to_owned(), place));
        }
        "notify_backup" => {
            let why = "inactive_cmd is started when pulse starts, too";
            notes.changed(place, "notify_backup", why, "");
            routers.inactive_cmd = Some((statement.word(1).to_owned(), place));
        }
        _ => lost(statement, notes),
    }
}

/// Both routers' own addresses, when there is one partner.
fn peers(statement: &Statement, instance: &Statement, draft: &mut Draft, notes: &mut Notes) {
    let own = ["unicast_src_ip", "mcast_src_ip"]
        .iter()
        .find_map(|word| instance.find(word));
    let own = own.and_then(|statement| host(statement.word(1)));
    let [peer] = statement.inside() else {
        let help = "write primary and backup by hand";
        notes.lost(
            statement.place(),
            "unicast_peer",
            "a pair has one partner",
            help,
        );
        return;
    };
    let peer = host(peer.word(0));
    let master = instance
        .find("state")
        .is_some_and(|state| state.word(1) == "MASTER");
    let routers = &mut draft.routers;
    (routers.primary, routers.backup) = if master { (own, peer) } else { (peer, own) };
}

fn lost(statement: &Statement, notes: &mut Notes) {
    let (why, help) = match statement.keyword() {
        "authentication" => ("heartbeats are not VRRP", "heartbeat_key = FILE signs them"),
        "track_script" | "track_process" | "track_file" | "track_bfd" => (
            "a router is not given up because of a program",
            "witness = \"ADDRESS\" and monitor_links = 1 watch the networks",
        ),
        "virtual_routes" | "virtual_rules" => (
            "lvs.cf moves addresses only",
            "let active_cmd and inactive_cmd set and remove them",
        ),
        "notify" | "notify_fault" | "notify_stop" | "notify_master_rx_lower_pri" | "smtp_alert" => {
            (
                "only active_cmd and inactive_cmd are started",
                "let the monitoring watch the log or pulse.json",
            )
        }
        "use_vmac" | "vmac_xmit_base" => ("VIPs have the interface's own hardware address", ""),
        keyword if keyword.starts_with("garp_") => (
            "VIPs are announced five times",
            "arp_interval = SECONDS repeats that",
        ),
        keyword if keyword.starts_with('@') => (
            "a line for one router only",
            "both routers have the same lvs.cf: write by hand what it has to say",
        ),
        _ => ("lvs.cf has nothing of the kind", ""),
    };
    notes.lost(statement.place(), statement.keyword(), why, help);
}

/// `ADDRESS[/LENGTH] [dev NAME] [label NAME] …`
fn vip(statement: &Statement, interface: Option<&str>, draft: &mut Draft, notes: &mut Notes) {
    let place = statement.place();
    let (address, length) = statement
        .word(0)
        .split_once('/')
        .unwrap_or((statement.word(0), "32"));
    let (Ok(address), Some(prefix)) = (
        address.parse(),
        length.parse().ok().filter(|length: &u8| *length <= 32),
    ) else {
        notes.lost(
            place,
            "virtual_ipaddress",
            "not an IPv4 address",
            "lvs.cf has no IPv6",
        );
        return;
    };
    let after = |name: &str| {
        let at = statement.words.iter().position(|word| word.text == name)?;
        Some(statement.word(at + 1)).filter(|word| !word.is_empty())
    };
    let label = after("label").map(str::to_owned);
    let is_label = |label: &String| {
        label
            .split_once(':')
            .is_some_and(|(name, _)| is_interface(name))
    };
    draft.vips.push(Vip {
        address,
        interface: after("dev")
            .filter(|name| is_interface(name))
            .or(interface)
            .map(str::to_owned),
        label: label.filter(is_label).filter(|label| {
            label
                .chars()
                .all(|c| c.is_ascii_graphic() && c != '"' && c != '\'')
        }),
        prefix,
        place,
    });
}
