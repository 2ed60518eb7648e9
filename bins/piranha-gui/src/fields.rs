//! The fields of the forms: which keyword of lvs.cf each one is, in the original's order.

use crate::texts::{FieldText, Fields};

/// How a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// A line of text, so wide.
    Text(u8),
    /// A box to tick: 1 or 0.
    Flag,
    /// Yes or no: 1 or 0.
    YesNo,
    /// A mask, typed or chosen; blank means none.
    Mask,
    /// One of these; value and label.
    Choice(&'static [(&'static str, &'static str)]),
}

/// Which words of the keyword's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    First,
    Second,
}

/// One field.
#[derive(Debug)]
pub(crate) struct Definition {
    /// The original's name of the parameter.
    pub(crate) parameter: &'static str,
    /// The keyword; `name` is the block's name.
    pub(crate) keyword: &'static str,
    pub(crate) part: Part,
    pub(crate) control: Control,
    /// What counts when the file does not say.
    pub(crate) default: &'static str,
    pub(crate) text: fn(&'static Fields) -> &'static FieldText,
    /// An original refuses a file with this keyword: it is written only where it says something.
    pub(crate) is_extension: bool,
}

macro_rules! definitions {
    ($name:ident:
        $($parameter:literal $keyword:literal $part:ident $control:expr, $default:literal $text:ident;)*
        $(extensions: $($own:ident $own_control:expr, $own_default:literal;)*)?
    ) => {
        pub(crate) static $name: &[Definition] = &[
            $(Definition {
                parameter: $parameter,
                keyword: $keyword,
                part: Part::$part,
                control: $control,
                default: $default,
                text: |fields| &fields.$text,
                is_extension: false,
            },)*
            $($(Definition {
                parameter: stringify!($own),
                keyword: stringify!($own),
                part: Part::Whole,
                control: $own_control,
                default: $own_default,
                text: |fields| &fields.$own,
                is_extension: true,
            },)*)?
        ];
    };
}

const PROTOCOLS: &[(&str, &str)] = &[("tcp", "tcp"), ("udp", "udp")];
const LOAD_TOOLS: &[(&str, &str)] = &[("none", "none"), ("rup", "rup"), ("ruptime", "ruptime")];
pub(crate) const NETWORKS: &[(&str, &str)] = &[
    ("nat", "NAT"),
    ("direct", "Direct Routing"),
    ("tunnel", "Tunneling"),
];
const SCHEDULERS: &[(&str, &str)] = &[
    ("rr", "Round robin"),
    ("wlc", "Weighted least-connections"),
    ("wrr", "Weighted round robin"),
    ("lc", "Least-connection"),
    ("lblc", "Locality-Based Least-Connection Scheduling"),
    ("lblcr", "Locality-Based Least-Connection Scheduling (R)"),
    ("dh", "Destination Hash Scheduling"),
    ("sh", "Source Hash Scheduling"),
];

const AUTHENTICATION: &[(&str, &str)] = &[
    ("enforce", "enforce"),
    ("permissive", "permissive"),
    ("send", "send"),
];

/// Masks to choose from: /32 to /8 (R21).
pub(crate) fn masks() -> impl Iterator<Item = String> {
    let mask = |length: u32| std::net::Ipv4Addr::from_bits(u32::MAX << (32 - length));
    (8..=32).rev().map(move |length| mask(length).to_string())
}

definitions! { GLOBAL:
    "PriLVSIP" "primary" Whole Control::Text(16), "" primary;
    "primary_private" "primary_private" Whole Control::Text(16), "" primary_private;
    "tcp_timeout" "tcp_timeout" Whole Control::Text(6), "" tcp_timeout;
    "tcpfin_timeout" "tcpfin_timeout" Whole Control::Text(6), "" tcpfin_timeout;
    "udp_timeout" "udp_timeout" Whole Control::Text(6), "" udp_timeout;
    "network" "network" Whole Control::Choice(NETWORKS), "nat" network;
    "NATRtrIP" "nat_router" First Control::Text(16), "" nat_router;
    "nat_nmask" "nat_nmask" Whole Control::Mask, "" nat_nmask;
    "NATRtrDev" "nat_router" Second Control::Text(8), "" nat_device;
    extensions:
    audit_interval Control::Text(6), "10";
    drain_limit Control::Text(6), "300";
    max_programs Control::Text(6), "64";
    clear_table Control::Flag, "0";
}

definitions! { REDUNDANCY:
    "redundant" "backup" Whole Control::Text(16), "" backup;
    "redundant_private" "backup_private" Whole Control::Text(16), "" backup_private;
    "hb_interval" "keepalive" Whole Control::Text(6), "2" keepalive;
    "dead_after" "deadtime" Whole Control::Text(6), "5" deadtime;
    "hb_port" "heartbeat_port" Whole Control::Text(6), "539" heartbeat_port;
    "monitor_links" "monitor_links" Whole Control::Flag, "0" monitor_links;
    "syncdaemon" "syncdaemon" Whole Control::Flag, "0" syncdaemon;
    "syncd_iface" "syncd_iface" Whole Control::Text(8), "eth0" syncd_iface;
    "syncd_id" "syncd_id" Whole Control::Text(6), "0" syncd_id;
    extensions:
    keepalive_ms Control::Text(6), "";
    deadtime_ms Control::Text(6), "";
    heartbeat_key Control::Text(60), "";
    heartbeat_auth Control::Choice(AUTHENTICATION), "enforce";
    witness Control::Text(60), "";
    vip_lifetime Control::Text(6), "";
    arp_interval Control::Text(6), "60";
    failback Control::Text(6), "0";
    standby_checks Control::Flag, "0";
}

definitions! { VIRTUAL:
    "hostname" "name" Whole Control::Text(16), "" virtual_name;
    "port" "port" Whole Control::Text(6), "80" port;
    "protocol" "protocol" Whole Control::Choice(PROTOCOLS), "tcp" protocol;
    "address" "address" First Control::Text(16), "" vip;
    "vip_nmask" "vip_nmask" Whole Control::Mask, "" vip_nmask;
    "sorry_server" "sorry_server" Whole Control::Text(16), "" sorry_server;
    "fwmark" "fwmark" Whole Control::Text(8), "" fwmark;
    "device" "address" Second Control::Text(8), "" device;
    "reentry" "reentry" Whole Control::Text(6), "180" reentry;
    "timeout" "timeout" Whole Control::Text(6), "10" timeout;
    "quiesce_server" "quiesce_server" Whole Control::YesNo, "0" quiesce_server;
    "load" "load_monitor" Whole Control::Choice(LOAD_TOOLS), "none" load_monitor;
    "sched" "scheduler" Whole Control::Choice(SCHEDULERS), "wlc" scheduler;
    "persistent" "persistent" Whole Control::Text(6), "" persistent;
    "pmask" "pmask" Whole Control::Mask, "" pmask;
    extensions:
    timeout_ms Control::Text(6), "";
    retries Control::Text(6), "1";
    slow_start Control::YesNo, "1";
}

definitions! { SERVER:
    "name" "name" Whole Control::Text(16), "" server_name;
    "address" "address" Whole Control::Text(16), "" server_address;
    "port" "port" Whole Control::Text(6), "" server_port;
    "weight" "weight" Whole Control::Text(6), "1" server_weight;
}

definitions! { SCRIPTS:
    "send_program" "send_program" Whole Control::Text(60), "" send_program;
    "send" "send" Whole Control::Text(60), "" send;
    "expect" "expect" Whole Control::Text(60), "" expect;
    "use_regex" "use_regex" Whole Control::Flag, "0" use_regex;
}

#[cfg(test)]
mod tests {
    use lvs_config::Level;

    use super::*;

    #[test]
    fn each_field_is_a_keyword_of_its_place() {
        for (level, definitions) in [
            (Level::Global, GLOBAL),
            (Level::Global, REDUNDANCY),
            (Level::Virtual, VIRTUAL),
            (Level::Virtual, SCRIPTS),
            (Level::Server, SERVER),
        ] {
            let keywords = level.keywords();
            for field in definitions {
                let known = field.keyword == "name" || keywords.contains(&field.keyword);
                assert!(known, "{}", field.keyword);
            }
        }
    }

    #[test]
    fn each_keyword_of_this_project_has_a_field() {
        for (level, panels) in [
            (Level::Global, [GLOBAL, REDUNDANCY].as_slice()),
            (Level::Virtual, &[VIRTUAL]),
            (Level::Server, &[SERVER]),
        ] {
            let fields = panels.iter().copied().flatten();
            let (ours, originals): (Vec<_>, Vec<_>) = fields.partition(|it| it.is_extension);
            let extensions = level.extensions();
            for keyword in &extensions {
                let count = ours.iter().filter(|it| it.keyword == *keyword).count();
                assert_eq!(count, 1, "{keyword}");
            }
            assert_eq!(ours.len(), extensions.len());
            assert!(originals.iter().all(|it| !extensions.contains(&it.keyword)));
        }
    }

    #[test]
    fn r21_all_prefixes() {
        let masks: Vec<String> = masks().collect();
        assert_eq!(masks.len(), 25);
        assert_eq!(masks.first().map(String::as_str), Some("255.255.255.255"));
        assert_eq!(masks.last().map(String::as_str), Some("255.0.0.0"));
    }
}
