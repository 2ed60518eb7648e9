//! All keywords of lvs.cf, one row each (`piranha-daemons.md` 1.7–1.9).
//!
//! The parser, the printed meaning, the writer and the hints all work from these tables.

use crate::field::Field;
use crate::model::ConflictAction;
use crate::model::Global;
use crate::model::HeartbeatAuth;
use crate::model::Network;
use crate::model::Protocol;
use crate::model::Scheduler;
use crate::model::Server;
use crate::model::ServiceKind;
use crate::model::Virtual;
use crate::value::Kind;

/// Largest number of the original, whose numbers have 32 bits with sign.
const MOST: i64 = i32::MAX as i64;
const ANY: Kind = Kind::Number(i32::MIN as i64, MOST);
const COUNT: Kind = Kind::Number(0, MOST);
const POSITIVE: Kind = Kind::Number(1, MOST);
const MILLISECONDS: Kind = Kind::Number(10, 600_000);

/// When `--show-config` names a keyword that the file does not mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Always, if it has a default.
    Always,
    /// In virtual blocks, if it has a default.
    Virtual,
    /// Never.
    Written,
}

/// Who understands a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Original daemons.
    Original,
    /// Only this project.
    Extension,
}

/// One keyword of a block of type `B`.
pub(crate) struct Keyword<B: 'static> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Place in the GUI's order of keywords; file-only keywords stand behind.
    pub(crate) order: u8,
    pub(crate) shown: Shown,
    pub(crate) origin: Origin,
    pub(crate) get: fn(&B) -> &dyn Field,
    pub(crate) get_mut: fn(&mut B) -> &mut dyn Field,
    /// Back to the default, as if it were not written.
    pub(crate) reset: fn(&mut B),
}

/// Rows in the order in which a meaning is printed.
macro_rules! table {
    ($name:ident of $block:ty: $($field:ident $kind:expr, $order:literal $shown:ident $origin:ident;)*) => {
        pub(crate) static $name: &[Keyword<$block>] = &[$(Keyword {
            name: stringify!($field),
            kind: $kind,
            order: $order,
            shown: Shown::$shown,
            origin: Origin::$origin,
            get: |block| &block.$field,
            get_mut: |block| &mut block.$field,
            reset: |block| block.$field = <$block>::default().$field,
        },)*];
    };
}

table! { GLOBAL of Global:
    serial_no ANY, 1 Always Original;
    primary Kind::Host(false), 2 Always Original;
    primary_private Kind::Host(false), 3 Written Original;
    backup Kind::Host(true), 8 Always Original;
    backup_private Kind::Host(false), 9 Written Original;
    primary_shared Kind::Text, 4 Always Original;
    backup_shared Kind::Text, 10 Always Original;
    backup_active Kind::Flag, 7 Always Original;
    heartbeat Kind::Flag, 11 Always Original;
    heartbeat_port Kind::Port, 12 Always Original;
    keepalive COUNT, 13 Always Original;
    deadtime COUNT, 14 Always Original;
    rsh_command Kind::Text, 6 Always Original;
    debug_level Kind::Text, 19 Always Original;
    network Kind::Choice(Network::NAMES), 15 Always Original;
    service Kind::Choice(ServiceKind::NAMES), 5 Always Original;
    nat_router Kind::HostAndDevice, 16 Always Original;
    nat_nmask Kind::Mask, 17 Always Original;
    reservation_conflict_action Kind::Choice(ConflictAction::NAMES), 18 Always Original;
    monitor_links ANY, 20 Always Original;
    syncdaemon Kind::Flag, 21 Always Original;
    syncd_iface Kind::Text, 22 Always Original;
    syncd_id COUNT, 23 Always Original;
    tcp_timeout COUNT, 24 Always Original;
    tcpfin_timeout COUNT, 25 Always Original;
    udp_timeout COUNT, 26 Always Original;
    hard_shutdown Kind::Flag, 29 Always Original;
    active_cmd Kind::Text, 27 Always Original;
    inactive_cmd Kind::Text, 28 Always Original;
    ipvsadm Kind::Text, 30 Written Original;
    sync Kind::Flag, 31 Written Original;
    keepalive_ms MILLISECONDS, 32 Written Extension;
    deadtime_ms MILLISECONDS, 33 Written Extension;
    heartbeat_key Kind::Text, 34 Written Extension;
    heartbeat_auth Kind::Choice(HeartbeatAuth::NAMES), 35 Written Extension;
    witness Kind::Hosts(4), 36 Written Extension;
    vip_lifetime COUNT, 37 Written Extension;
    arp_interval COUNT, 38 Written Extension;
    failback COUNT, 39 Written Extension;
    standby_checks Kind::Flag, 40 Written Extension;
    audit_interval POSITIVE, 41 Written Extension;
    clear_table Kind::Flag, 42 Written Extension;
    max_programs POSITIVE, 43 Written Extension;
    drain_limit COUNT, 44 Written Extension;
}

table! { VIRTUAL of Virtual:
    active Kind::Flag, 1 Always Original;
    address Kind::HostAndDevice, 2 Always Original;
    vip_nmask Kind::Mask, 4 Always Original;
    port Kind::Port, 6 Always Original;
    send Kind::Quoted, 9 Always Original;
    expect Kind::Quoted, 10 Always Original;
    timeout POSITIVE, 16 Always Original;
    reentry COUNT, 17 Always Original;
    sorry_server Kind::Ip, 3 Virtual Original;
    fwmark Kind::Number(0, u32::MAX as i64), 5 Virtual Original;
    protocol Kind::Choice(Protocol::NAMES), 15 Virtual Original;
    scheduler Kind::Choice(Scheduler::NAMES), 14 Virtual Original;
    persistent COUNT, 7 Virtual Original;
    pmask Kind::PersistenceMask, 8 Virtual Original;
    use_regex Kind::Flag, 11 Virtual Original;
    quiesce_server Kind::Flag, 18 Virtual Original;
    load_monitor Kind::Text, 13 Always Original;
    send_program Kind::Quoted, 12 Always Original;
    start_cmd Kind::Quoted, 20 Always Original;
    stop_cmd Kind::Quoted, 21 Always Original;
    client_monitor Kind::Text, 19 Written Original;
    master Kind::Host(true), 22 Written Original;
    dirs Kind::List, 23 Written Original;
    timeout_ms MILLISECONDS, 24 Written Extension;
    retries Kind::Number(1, 100), 25 Written Extension;
    slow_start Kind::Flag, 26 Written Extension;
}

table! { SERVER of Server:
    address Kind::Host(true), 1 Always Original;
    active Kind::Flag, 2 Always Original;
    port Kind::Number(0, u16::MAX as i64), 3 Always Original;
    weight COUNT, 4 Always Original;
}

/// The keyword of that name.
pub(crate) fn find<B>(table: &'static [Keyword<B>], name: &[u8]) -> Option<&'static Keyword<B>> {
    table.iter().find(|keyword| keyword.name.as_bytes() == name)
}

/// A kind of block, or the text outside of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Outside of blocks.
    Global,
    /// In a `virtual` block.
    Virtual,
    /// In a `failover` block.
    Failover,
    /// In a `server` block.
    Server,
}

impl Level {
    /// For a sentence.
    pub(crate) const fn place(self) -> &'static str {
        match self {
            Self::Global => "outside of blocks",
            Self::Virtual => "in a virtual block",
            Self::Failover => "in a failover block",
            Self::Server => "in a server block",
        }
    }

    /// The words that open a block at this level.
    pub(crate) const fn openers(self) -> &'static [&'static str] {
        match self {
            Self::Global => &["virtual", "failover"],
            Self::Virtual | Self::Failover => &["server"],
            Self::Server => &[],
        }
    }

    /// Names of the keywords of this level.
    pub fn keywords(self) -> Vec<&'static str> {
        match self {
            Self::Global => GLOBAL.iter().map(|k| k.name).collect(),
            Self::Virtual | Self::Failover => VIRTUAL.iter().map(|k| k.name).collect(),
            Self::Server => SERVER.iter().map(|k| k.name).collect(),
        }
    }

    /// What the keyword takes at this level.
    pub(crate) fn kind_of(self, name: &[u8]) -> Option<Kind> {
        match self {
            Self::Global => find(GLOBAL, name).map(|k| k.kind),
            Self::Virtual | Self::Failover => find(VIRTUAL, name).map(|k| k.kind),
            Self::Server => find(SERVER, name).map(|k| k.kind),
        }
    }
}

/// Keywords that GUI versions wrote and that all daemons refuse: where, and which.
pub(crate) const GUI_ONLY: &[(Level, &str)] = &[
    (Level::Server, "nmask"),
    (Level::Virtual, "expect_program"),
    (Level::Failover, "expect_program"),
    (Level::Virtual, "deadtime"),
    (Level::Failover, "heartbeat"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer;
    use crate::model::Span;

    fn example(kind: Kind) -> &'static str {
        match kind {
            Kind::Flag => "1",
            Kind::Number(..) => "11",
            Kind::Port => "11",
            Kind::Host(_) => "192.0.2.1",
            Kind::HostAndDevice => "192.0.2.1 eth0:1",
            Kind::Ip => "192.0.2.1",
            Kind::Mask | Kind::PersistenceMask => "255.255.0.0",
            Kind::Text | Kind::Quoted => "\"a b\"",
            Kind::Choice(names) => names[names.len() - 1],
            Kind::List => "[ a b ]",
            Kind::Hosts(_) => "\"192.0.2.1 x\"",
        }
    }

    fn every_kind_fits<B: Default>(table: &'static [Keyword<B>]) {
        for keyword in table {
            let words = lexer::words(example(keyword.kind).as_bytes()).unwrap();
            let value = keyword.kind.read(&words, &mut None).unwrap();
            let mut block = B::default();
            (keyword.get_mut)(&mut block).load(value.clone(), Span::default());
            let field = (keyword.get)(&block);
            assert!(field.span().is_some(), "{}", keyword.name);
            assert_eq!(field.value(), Some(value), "{}", keyword.name);
        }
        let mut orders: Vec<_> = table.iter().map(|k| k.order).collect();
        orders.sort_unstable();
        assert!(
            orders.windows(2).all(|pair| pair[0] < pair[1]),
            "one place each"
        );
    }

    #[test]
    fn each_kind_fits_its_field() {
        every_kind_fits(GLOBAL);
        every_kind_fits(VIRTUAL);
        every_kind_fits(SERVER);
    }
}
