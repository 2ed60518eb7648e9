//! All keywords of lvs.cf, one row each (`piranha-daemons.md` 1.7–1.9).
//!
//! The parser, the printed meaning, the writer, the hints and the manual all work from these tables.

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
    /// For the manual; of one line.
    pub(crate) meaning: &'static str,
    pub(crate) get: fn(&B) -> &dyn Field,
    pub(crate) get_mut: fn(&mut B) -> &mut dyn Field,
    /// Back to the default, as if it were not written.
    pub(crate) reset: fn(&mut B),
}

/// Rows in the order in which a meaning is printed.
macro_rules! table {
    ($name:ident of $block:ty: $($field:ident $kind:expr, $order:literal $shown:ident $origin:ident $meaning:literal;)*) => {
        pub(crate) static $name: &[Keyword<$block>] = &[$(Keyword {
            name: stringify!($field),
            kind: $kind,
            order: $order,
            shown: Shown::$shown,
            origin: Origin::$origin,
            meaning: $meaning,
            get: |block| &block.$field,
            get_mut: |block| &mut block.$field,
            reset: |block| block.$field = <$block>::default().$field,
        },)*];
    };
}

table! { GLOBAL of Global:
    serial_no ANY, 1 Always Original
        "Number of the file's edition. The web tool adds 1 with each change; the routers tell each other which one they use.";
    primary Kind::Host(false), 2 Always Original
        "The primary router's address on the public network. The router that has it is the primary.";
    primary_private Kind::Host(false), 3 Written Original
        "The primary router's address on the private network, the second path of heartbeats. Unwritten: one path only.";
    backup Kind::Host(true), 8 Always Original
        "The backup router's address on the public network. 0.0.0.0: there is none.";
    backup_private Kind::Host(false), 9 Written Original
        "The backup router's address on the private network. It counts when primary_private is written, too.";
    primary_shared Kind::Text, 4 Always Original
        "Shared SCSI device of the primary, for failover services, which are not supported.";
    backup_shared Kind::Text, 10 Always Original
        "Shared SCSI device of the backup, for failover services, which are not supported.";
    backup_active Kind::Flag, 7 Always Original
        "1: there is a backup router. Heartbeats are sent and expected.";
    heartbeat Kind::Flag, 11 Always Original
        "Has no effect, as ever: heartbeats depend on backup_active.";
    heartbeat_port Kind::Port, 12 Always Original
        "UDP port of the heartbeats, at both ends.";
    keepalive COUNT, 13 Always Original
        "Seconds between two heartbeats; 0 counts as 1.";
    deadtime COUNT, 14 Always Original
        "Seconds of silence after which the partner counts as dead.";
    rsh_command Kind::Text, 6 Always Original
        "Remote shell by which load_monitor = uptime asks the servers. When it is ssh, the web tool may be allowed to send lvs.cf to the other router.";
    debug_level Kind::Text, 19 Always Original
        "Has no effect, as ever.";
    network Kind::Choice(Network::NAMES), 15 Always Original
        "How packets of all services reach the real servers: by NAT, by direct routing, or in IP-in-IP tunnels.";
    service Kind::Choice(ServiceKind::NAMES), 5 Always Original
        "Which blocks count. fos is refused: failover services are not supported.";
    nat_router Kind::HostAndDevice, 16 Always Original
        "With network = nat: the real servers' gateway, which moves along with the active role, and its interface with an alias number.";
    nat_nmask Kind::Mask, 17 Always Original
        "Mask of that address. Unwritten: the one of its class, as Piranha had it.";
    reservation_conflict_action Kind::Choice(ConflictAction::NAMES), 18 Always Original
        "For shared SCSI devices, which are not supported.";
    monitor_links ANY, 20 Always Original
        "Any number but 0: the active router hands over when the link of an interface fails that it needs.";
    syncdaemon Kind::Flag, 21 Always Original
        "1: the kernels tell each other of connections, so that these survive a change of roles. Of no use with tunnels.";
    syncd_iface Kind::Text, 22 Always Original
        "Interface over which they do.";
    syncd_id COUNT, 23 Always Original
        "Number of this pair on that network. Its low 8 bits count.";
    tcp_timeout COUNT, 24 Always Original
        "Seconds after which the kernel forgets an idle TCP connection. 0: the kernel's own time.";
    tcpfin_timeout COUNT, 25 Always Original
        "The same after a FIN.";
    udp_timeout COUNT, 26 Always Original
        "The same for UDP.";
    hard_shutdown Kind::Flag, 29 Always Original
        "Written as 1: lvs ends when a nanny dies, as Piranha's did. Otherwise the nanny is started again.";
    active_cmd Kind::Text, 27 Always Original
        "Command that is started when the router becomes active.";
    inactive_cmd Kind::Text, 28 Always Original
        "Command that is started when the router stops being active, and when pulse starts.";
    ipvsadm Kind::Text, 30 Written Original
        "Another ipvsadm, which is called once for each change. This value, or /usr/sbin/ipvsadm: the ipvsadm-rs that lies beside lvs.";
    sync Kind::Flag, 31 Written Original
        "Has no effect, as ever.";
    keepalive_ms MILLISECONDS, 32 Written Extension
        "Milliseconds between two heartbeats; takes precedence over keepalive.";
    deadtime_ms MILLISECONDS, 33 Written Extension
        "Milliseconds of silence after which the partner counts as dead; takes precedence over deadtime.";
    heartbeat_key Kind::Text, 34 Written Extension
        "File with one or two keys, one a line, at least 16 bytes each. The first signs heartbeats, both verify.";
    heartbeat_auth Kind::Choice(HeartbeatAuth::NAMES), 35 Written Extension
        "Which heartbeats are believed when there is a key. send: signs and believes all. permissive: believes unsigned ones, too. enforce: believes signed ones only.";
    witness Kind::Hosts(4), 36 Written Extension
        "Hosts that a router pings before it takes over. When none answers, it does not.";
    vip_lifetime COUNT, 37 Written Extension
        "Seconds for which a VIP outlives its pulse; 0: for ever. Unwritten: the whole seconds of deadtime minus keepalive, at least 2; without a backup for ever.";
    arp_interval COUNT, 38 Written Extension
        "Seconds after which VIPs are announced again and again; 0: only after a take-over.";
    failback COUNT, 39 Written Extension
        "Seconds of health after which the primary asks for the active role; 0: it never does.";
    standby_checks Kind::Flag, 40 Written Extension
        "1: the standby router checks the servers, too, and knows their state when it takes over.";
    audit_interval POSITIVE, 41 Written Extension
        "Seconds after which the kernel's table is compared with what it should be.";
    clear_table Kind::Flag, 42 Written Extension
        "1: lvs empties the whole table when it starts, as Piranha's did.";
    max_programs POSITIVE, 43 Written Extension
        "How many check programs may run at once on a router.";
    drain_limit COUNT, 44 Written Extension
        "Seconds after which a server that became inactive is removed although it has connections.";
}

table! { VIRTUAL of Virtual:
    active Kind::Flag, 1 Always Original
        "0: the block is ignored.";
    address Kind::HostAndDevice, 2 Always Original
        "The service's floating address (VIP), and its interface with an alias number.";
    vip_nmask Kind::Mask, 4 Always Original
        "Mask of that address. Unwritten: the one of its class, as Piranha had it.";
    port Kind::Port, 6 Always Original
        "Port of the service, which is also checked where a server has no other one.";
    send Kind::Quoted, 9 Always Original
        "What a check sends once it is connected. Known are \\r, \\n, \\t, \\\\, \\' and \\\". Unwritten, with port 80 and no expect: GET /.";
    expect Kind::Quoted, 10 Always Original
        "What the answer has to begin with. Unwritten, with port 80 and no send: HTTP. Otherwise unwritten: a connection is enough.";
    timeout POSITIVE, 16 Always Original
        "Seconds between two checks of a server, and how long one may take.";
    reentry COUNT, 17 Always Original
        "Seconds for which a failed server must answer before it is used again; 0 counts as 180.";
    sorry_server Kind::Ip, 3 Virtual Original
        "Server that is used, at the service's port, when no other one is left.";
    fwmark Kind::Number(0, u32::MAX as i64), 5 Virtual Original
        "Firewall mark that packets of the service have, in place of address, port and protocol. 0: none.";
    protocol Kind::Choice(Protocol::NAMES), 15 Virtual Original
        "Protocol of the service.";
    scheduler Kind::Choice(Scheduler::NAMES), 14 Virtual Original
        "How connections are spread over the servers.";
    persistent COUNT, 7 Virtual Original
        "Seconds for which a client stays with its server; 0: it does not.";
    pmask Kind::PersistenceMask, 8 Virtual Original
        "Clients that are equal under this mask count as one. 255.255.255.255 is the same as unwritten.";
    use_regex Kind::Flag, 11 Virtual Original
        "1: expect is an extended regular expression that has to match somewhere in the answer.";
    quiesce_server Kind::Flag, 18 Virtual Original
        "1: a failed server stays in the table with weight 0, so that its connections may end. 0: it is removed.";
    load_monitor Kind::Text, 13 Always Original
        "How the load of servers is asked for, by which their weights are adjusted: none, rup, ruptime, uptime (by rsh_command), or a program.";
    send_program Kind::Quoted, 12 Always Original
        "Program that checks instead of send; %h and %p in it are the server's address and port. What it prints is compared with expect.";
    start_cmd Kind::Quoted, 20 Always Original
        "For failover services, which are not supported.";
    stop_cmd Kind::Quoted, 21 Always Original
        "For failover services, which are not supported.";
    client_monitor Kind::Text, 19 Written Original
        "Another checker in place of nanny, which then changes its server's entry itself.";
    master Kind::Host(true), 22 Written Original
        "Has no effect, as ever.";
    dirs Kind::List, 23 Written Original
        "Has no effect, as ever.";
    timeout_ms MILLISECONDS, 24 Written Extension
        "Milliseconds between two checks, and how long one may take; takes precedence over timeout.";
    retries Kind::Number(1, 100), 25 Written Extension
        "So many checks must fail in a row before a server is taken out.";
    slow_start Kind::Flag, 26 Written Extension
        "0: a server has its full weight at once. 1: its weight grows while it answers.";
}

table! { SERVER of Server:
    address Kind::Host(true), 1 Always Original
        "Address of the server.";
    active Kind::Flag, 2 Always Original
        "0: the block is ignored.";
    port Kind::Number(0, u16::MAX as i64), 3 Always Original
        "Port of the server, where it is not the service's own. Another one works with network = nat only.";
    weight COUNT, 4 Always Original
        "Capacity, compared with that of the other servers. 0: no new connections.";
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

    /// Names of those that an original refuses.
    pub fn extensions(self) -> Vec<&'static str> {
        fn of<B>(table: &'static [Keyword<B>]) -> Vec<&'static str> {
            let ours = table.iter().filter(|it| it.origin == Origin::Extension);
            ours.map(|keyword| keyword.name).collect()
        }
        match self {
            Self::Global => of(GLOBAL),
            Self::Virtual | Self::Failover => of(VIRTUAL),
            Self::Server => of(SERVER),
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
