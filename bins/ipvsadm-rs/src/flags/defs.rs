//! The one table of commands and options: parser, manual page and completions are made from it.

use super::kinds::{Command, Opt};

/// Whether an option takes an argument, and what the argument is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// It takes none.
    None,
    /// It needs one.
    Required(&'static str),
    /// The next word is the argument unless it begins with a dash.
    Optional(&'static str),
}

/// What a flag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// One of them begins every command line.
    Command(Command),
    /// Everything else.
    Opt(Opt),
}

/// One flag as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Def {
    /// What it is.
    pub id: Id,
    /// Name after two dashes.
    pub long: &'static str,
    /// Letters after one dash.
    pub short: &'static str,
    /// Its argument.
    pub argument: Argument,
    /// One line for people.
    pub help: &'static str,
}

/// Writes the table: kind, flag, long name, letters, argument, text for people.
macro_rules! table {
    ($($kind:ident $flag:ident $long:literal $short:literal $argument:ident $(($name:literal))?, $help:literal;)*) => {
        &[$(Def {
            id: Id::$kind($kind::$flag),
            long: $long,
            short: $short,
            argument: Argument::$argument$(($name))?,
            help: $help,
        }),*]
    };
}

/// All flags.
pub const FLAGS: &[Def] = table! {
    Command Add "add-service" "A" None, "add virtual service with options";
    Command Edit "edit-service" "E" None, "edit virtual service with options";
    Command Delete "delete-service" "D" None, "delete virtual service";
    Command Clear "clear" "C" None, "clear the whole table";
    Command List "list" "Ll" None, "list the table";
    Command AddServer "add-server" "a" None, "add real server with options";
    Command DeleteServer "delete-server" "d" None, "delete real server";
    Command EditServer "edit-server" "e" None, "edit real server with options";
    Command Set "set" "" None, "set connection timeout values: tcp tcpfin udp";
    Command StartDaemon "start-daemon" "" Required("master|backup"), "start connection sync daemon";
    Command StopDaemon "stop-daemon" "" Required("master|backup"), "stop connection sync daemon";
    Command Restore "restore" "R" None, "restore rules from stdin";
    Command Save "save" "S" None, "save rules to stdout";
    Command Zero "zero" "Z" None, "zero counters in a service or all services";
    Command Help "help" "h" None, "display this help message";
    Command Version "version" "v" None, "display the version";
    Opt Numeric "numeric" "n" None, "numeric output of addresses and ports";
    Opt Connection "connection" "c" None, "output of current IPVS connections";
    Opt Tcp "tcp-service" "t" Required("service-address"), "TCP service, host[:port]";
    Opt Udp "udp-service" "u" Required("service-address"), "UDP service, host[:port]";
    Opt Sctp "sctp-service" "" Required("service-address"), "SCTP service, host[:port]";
    Opt Mark "fwmark-service" "f" Required("fwmark"), "firewall mark, an integer greater than zero";
    Opt Scheduler "scheduler" "s" Required("scheduler"),
        "scheduler, one of rr|wrr|lc|wlc|lblc|lblcr|dh|sh|sed|nq|fo|ovf|mh, the default is wlc";
    Opt Persistent "persistent" "p" Optional("timeout"), "persistent service";
    Opt Netmask "netmask" "M" Required("netmask"), "persistent granularity mask";
    Opt RealServer "real-server" "r" Required("server-address"), "real server, host[:port]";
    Opt Gatewaying "gatewaying" "g" None, "gatewaying (direct routing), the default";
    Opt Ipip "ipip" "i" None, "ipip encapsulation (tunneling)";
    Opt Masquerading "masquerading" "m" None, "masquerading (NAT)";
    Opt Weight "weight" "w" Required("weight"), "capacity of real server";
    Opt UpperThreshold "u-threshold" "x" Required("uthreshold"), "upper threshold of connections";
    Opt LowerThreshold "l-threshold" "y" Required("lthreshold"), "lower threshold of connections";
    Opt McastInterface "mcast-interface" "" Required("interface"),
        "multicast interface for connection sync";
    Opt Timeout "timeout" "" None, "output of timeout (tcp tcpfin udp)";
    Opt Daemon "daemon" "" None, "output of daemon information";
    Opt Stats "stats" "" None, "output of statistics information";
    Opt Rate "rate" "" None, "output of rate information";
    Opt Thresholds "thresholds" "" None, "output of thresholds information";
    Opt PersistentConn "persistent-conn" "" None, "output of persistent connection info";
    Opt NoSort "nosort" "" None, "disable sorting output of service/server entries";
    Opt SyncId "syncid" "" Required("sid"), "syncid for connection sync, 0 to 255";
    Opt Exact "exact" "X" None, "expand numbers (display exact values)";
    Opt Ops "ops" "o" None, "one-packet scheduling";
    Opt Engine "pe" "" Required("engine"), "alternate persistence engine may be sip, not set by default";
    Opt SchedFlags "sched-flags" "b" Required("flags"), "scheduler flags (comma-separated)";
    Opt McastGroup "mcast-group" "" Required("address"), "IPv4/IPv6 group (default=224.0.0.81)";
    Opt McastPort "mcast-port" "" Required("port"), "UDP port (default=8848)";
    Opt McastTtl "mcast-ttl" "" Required("ttl"), "multicast TTL (default=1)";
    Opt SyncMaxLength "sync-maxlen" "" Required("length"), "max sync message length (default=1472)";
    Opt TunInfo "tun-info" "" None, "output of tunnel information";
    Opt TunType "tun-type" "" Required("type"), "one of ipip|gue|gre, the default tunnel type is ipip";
    Opt TunPort "tun-port" "" Required("port"), "tunnel destination port";
    Opt TunNocsum "tun-nocsum" "" None, "tunnel encapsulation without checksum";
    Opt TunCsum "tun-csum" "" None, "tunnel encapsulation with checksum";
    Opt TunRemcsum "tun-remcsum" "" None, "tunnel encapsulation with remote checksum";
    Opt Ipv6 "ipv6" "6" None, "fwmark entry uses IPv6";
    Opt Sort "sort" "" None, "does nothing, for backwards compatibility";
    // Beyond the original.
    Command Apply "apply" "" None, "carry out changes from stdin, one answer a line";
    Command Watch "watch" "" Optional("seconds"), "show the table and its rates live, anew every 2 seconds or as given";
    Opt Json "json" "" None, "output as JSON";
    Opt Check "check" "" None, "with -R: only report the errors of all lines";
    Opt Lines "lines" "" None, "with -R: begin messages with the line's number";
    Opt Sync "sync" "" None, "with -R: stdin is the whole table, change only what differs";
    Opt Only "only" "" Required("file"), "with --sync: leave services alone that the file does not name";
    Opt DryRun "dry-run" "" None, "with --sync: print the changes and make none";
};

/// The flag with this long name.
pub fn by_long(name: &[u8]) -> Option<&'static Def> {
    FLAGS.iter().find(|def| def.long.as_bytes() == name)
}

/// The flag with this letter.
pub fn by_short(letter: u8) -> Option<&'static Def> {
    FLAGS
        .iter()
        .find(|def| def.short.as_bytes().contains(&letter))
}
