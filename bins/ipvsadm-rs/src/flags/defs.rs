//! The one table of commands and options: parser, manual page and completions are made from it.

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
    Option(Opt),
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum Command {
    Add,
    Edit,
    Delete,
    Clear,
    List,
    AddServer,
    DeleteServer,
    EditServer,
    Set,
    StartDaemon,
    StopDaemon,
    Restore,
    Save,
    Zero,
    Help,
    Version,
    Apply,
}

impl Command {
    /// Name of the command in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add-service",
            Self::Edit => "edit-service",
            Self::Delete => "delete-service",
            Self::Clear => "flush",
            Self::List => "list",
            Self::AddServer => "add-server",
            Self::DeleteServer => "delete-server",
            Self::EditServer => "edit-server",
            Self::Set => "set",
            Self::StartDaemon => "start-daemon",
            Self::StopDaemon => "stop-daemon",
            Self::Restore => "restore",
            Self::Save => "save",
            Self::Zero => "zero",
            Self::Help => "help",
            Self::Version => "version",
            Self::Apply => "apply",
        }
    }
}

/// An option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum Opt {
    Numeric,
    Connection,
    Tcp,
    Udp,
    Sctp,
    Mark,
    Scheduler,
    Persistent,
    Netmask,
    RealServer,
    Gatewaying,
    Ipip,
    Masquerading,
    Weight,
    UpperThreshold,
    LowerThreshold,
    McastInterface,
    Timeout,
    Daemon,
    Stats,
    Rate,
    Thresholds,
    PersistentConn,
    NoSort,
    SyncId,
    Exact,
    Ops,
    Engine,
    SchedFlags,
    McastGroup,
    McastPort,
    McastTtl,
    SyncMaxLength,
    TunInfo,
    TunType,
    TunPort,
    TunNocsum,
    TunCsum,
    TunRemcsum,
    Ipv6,
    Sort,
    Json,
    Check,
    Lines,
    Sync,
    Only,
    DryRun,
}

/// Names of the groups of options that exclude each other or stand alone, by their number in the matrix
/// of `ipvsadm.md` 1.4; those from 34 on are not the original's.
pub const COLUMNS: [&str; 40] = [
    "numeric",
    "connection",
    "service-address",
    "scheduler",
    "persistent",
    "netmask",
    "real-server",
    "forwarding-method",
    "weight",
    "u-threshold",
    "l-threshold",
    "mcast-interface",
    "timeout",
    "daemon",
    "stats",
    "rate",
    "thresholds",
    "persistent-conn",
    "nosort",
    "syncid",
    "exact",
    "ops",
    "pe",
    "sched-flags",
    "mcast-group",
    "mcast-port",
    "mcast-ttl",
    "sync-maxlen",
    "tun-info",
    "tun-type",
    "tun-port",
    "tun-nocsum",
    "tun-csum",
    "tun-remcsum",
    "json",
    "check",
    "lines",
    "sync",
    "only",
    "dry-run",
];

impl Opt {
    /// Number of the option's group in the matrix; `None` for those that go with everything.
    pub const fn column(self) -> Option<usize> {
        match self {
            Self::Numeric => Some(0),
            Self::Connection => Some(1),
            Self::Tcp | Self::Udp | Self::Sctp | Self::Mark => Some(2),
            Self::Scheduler => Some(3),
            Self::Persistent => Some(4),
            Self::Netmask => Some(5),
            Self::RealServer => Some(6),
            Self::Gatewaying | Self::Ipip | Self::Masquerading => Some(7),
            Self::Weight => Some(8),
            Self::UpperThreshold => Some(9),
            Self::LowerThreshold => Some(10),
            Self::McastInterface => Some(11),
            Self::Timeout => Some(12),
            Self::Daemon => Some(13),
            Self::Stats => Some(14),
            Self::Rate => Some(15),
            Self::Thresholds => Some(16),
            Self::PersistentConn => Some(17),
            Self::NoSort => Some(18),
            Self::SyncId => Some(19),
            Self::Exact => Some(20),
            Self::Ops => Some(21),
            Self::Engine => Some(22),
            Self::SchedFlags => Some(23),
            Self::McastGroup => Some(24),
            Self::McastPort => Some(25),
            Self::McastTtl => Some(26),
            Self::SyncMaxLength => Some(27),
            Self::TunInfo => Some(28),
            Self::TunType => Some(29),
            Self::TunPort => Some(30),
            Self::TunNocsum => Some(31),
            Self::TunCsum => Some(32),
            Self::TunRemcsum => Some(33),
            Self::Json => Some(34),
            Self::Check => Some(35),
            Self::Lines => Some(36),
            Self::Sync => Some(37),
            Self::Only => Some(38),
            Self::DryRun => Some(39),
            Self::Ipv6 | Self::Sort => None,
        }
    }
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

const fn command(
    id: Command,
    long: &'static str,
    short: &'static str,
    argument: Argument,
    help: &'static str,
) -> Def {
    Def {
        id: Id::Command(id),
        long,
        short,
        argument,
        help,
    }
}

const fn option(
    id: Opt,
    long: &'static str,
    short: &'static str,
    argument: Argument,
    help: &'static str,
) -> Def {
    Def {
        id: Id::Option(id),
        long,
        short,
        argument,
        help,
    }
}

/// All flags.
pub const FLAGS: &[Def] = &[
    command(
        Command::Add,
        "add-service",
        "A",
        Argument::None,
        "add virtual service with options",
    ),
    command(
        Command::Edit,
        "edit-service",
        "E",
        Argument::None,
        "edit virtual service with options",
    ),
    command(
        Command::Delete,
        "delete-service",
        "D",
        Argument::None,
        "delete virtual service",
    ),
    command(
        Command::Clear,
        "clear",
        "C",
        Argument::None,
        "clear the whole table",
    ),
    command(
        Command::List,
        "list",
        "Ll",
        Argument::None,
        "list the table",
    ),
    command(
        Command::AddServer,
        "add-server",
        "a",
        Argument::None,
        "add real server with options",
    ),
    command(
        Command::DeleteServer,
        "delete-server",
        "d",
        Argument::None,
        "delete real server",
    ),
    command(
        Command::EditServer,
        "edit-server",
        "e",
        Argument::None,
        "edit real server with options",
    ),
    command(
        Command::Set,
        "set",
        "",
        Argument::None,
        "set connection timeout values: tcp tcpfin udp",
    ),
    command(
        Command::StartDaemon,
        "start-daemon",
        "",
        Argument::Required("master|backup"),
        "start connection sync daemon",
    ),
    command(
        Command::StopDaemon,
        "stop-daemon",
        "",
        Argument::Required("master|backup"),
        "stop connection sync daemon",
    ),
    command(
        Command::Restore,
        "restore",
        "R",
        Argument::None,
        "restore rules from stdin",
    ),
    command(
        Command::Save,
        "save",
        "S",
        Argument::None,
        "save rules to stdout",
    ),
    command(
        Command::Zero,
        "zero",
        "Z",
        Argument::None,
        "zero counters in a service or all services",
    ),
    command(
        Command::Help,
        "help",
        "h",
        Argument::None,
        "display this help message",
    ),
    command(
        Command::Version,
        "version",
        "v",
        Argument::None,
        "display the version",
    ),
    option(
        Opt::Numeric,
        "numeric",
        "n",
        Argument::None,
        "numeric output of addresses and ports",
    ),
    option(
        Opt::Connection,
        "connection",
        "c",
        Argument::None,
        "output of current IPVS connections",
    ),
    option(
        Opt::Tcp,
        "tcp-service",
        "t",
        Argument::Required("service-address"),
        "TCP service, host[:port]",
    ),
    option(
        Opt::Udp,
        "udp-service",
        "u",
        Argument::Required("service-address"),
        "UDP service, host[:port]",
    ),
    option(
        Opt::Sctp,
        "sctp-service",
        "",
        Argument::Required("service-address"),
        "SCTP service, host[:port]",
    ),
    option(
        Opt::Mark,
        "fwmark-service",
        "f",
        Argument::Required("fwmark"),
        "firewall mark, an integer greater than zero",
    ),
    option(
        Opt::Scheduler,
        "scheduler",
        "s",
        Argument::Required("scheduler"),
        "scheduler, one of rr|wrr|lc|wlc|lblc|lblcr|dh|sh|sed|nq|fo|ovf|mh, the default is wlc",
    ),
    option(
        Opt::Persistent,
        "persistent",
        "p",
        Argument::Optional("timeout"),
        "persistent service",
    ),
    option(
        Opt::Netmask,
        "netmask",
        "M",
        Argument::Required("netmask"),
        "persistent granularity mask",
    ),
    option(
        Opt::RealServer,
        "real-server",
        "r",
        Argument::Required("server-address"),
        "real server, host[:port]",
    ),
    option(
        Opt::Gatewaying,
        "gatewaying",
        "g",
        Argument::None,
        "gatewaying (direct routing), the default",
    ),
    option(
        Opt::Ipip,
        "ipip",
        "i",
        Argument::None,
        "ipip encapsulation (tunneling)",
    ),
    option(
        Opt::Masquerading,
        "masquerading",
        "m",
        Argument::None,
        "masquerading (NAT)",
    ),
    option(
        Opt::Weight,
        "weight",
        "w",
        Argument::Required("weight"),
        "capacity of real server",
    ),
    option(
        Opt::UpperThreshold,
        "u-threshold",
        "x",
        Argument::Required("uthreshold"),
        "upper threshold of connections",
    ),
    option(
        Opt::LowerThreshold,
        "l-threshold",
        "y",
        Argument::Required("lthreshold"),
        "lower threshold of connections",
    ),
    option(
        Opt::McastInterface,
        "mcast-interface",
        "",
        Argument::Required("interface"),
        "multicast interface for connection sync",
    ),
    option(
        Opt::Timeout,
        "timeout",
        "",
        Argument::None,
        "output of timeout (tcp tcpfin udp)",
    ),
    option(
        Opt::Daemon,
        "daemon",
        "",
        Argument::None,
        "output of daemon information",
    ),
    option(
        Opt::Stats,
        "stats",
        "",
        Argument::None,
        "output of statistics information",
    ),
    option(
        Opt::Rate,
        "rate",
        "",
        Argument::None,
        "output of rate information",
    ),
    option(
        Opt::Thresholds,
        "thresholds",
        "",
        Argument::None,
        "output of thresholds information",
    ),
    option(
        Opt::PersistentConn,
        "persistent-conn",
        "",
        Argument::None,
        "output of persistent connection info",
    ),
    option(
        Opt::NoSort,
        "nosort",
        "",
        Argument::None,
        "disable sorting output of service/server entries",
    ),
    option(
        Opt::SyncId,
        "syncid",
        "",
        Argument::Required("sid"),
        "syncid for connection sync, 0 to 255",
    ),
    option(
        Opt::Exact,
        "exact",
        "X",
        Argument::None,
        "expand numbers (display exact values)",
    ),
    option(
        Opt::Ops,
        "ops",
        "o",
        Argument::None,
        "one-packet scheduling",
    ),
    option(
        Opt::Engine,
        "pe",
        "",
        Argument::Required("engine"),
        "alternate persistence engine may be sip, not set by default",
    ),
    option(
        Opt::SchedFlags,
        "sched-flags",
        "b",
        Argument::Required("flags"),
        "scheduler flags (comma-separated)",
    ),
    option(
        Opt::McastGroup,
        "mcast-group",
        "",
        Argument::Required("address"),
        "IPv4/IPv6 group (default=224.0.0.81)",
    ),
    option(
        Opt::McastPort,
        "mcast-port",
        "",
        Argument::Required("port"),
        "UDP port (default=8848)",
    ),
    option(
        Opt::McastTtl,
        "mcast-ttl",
        "",
        Argument::Required("ttl"),
        "multicast TTL (default=1)",
    ),
    option(
        Opt::SyncMaxLength,
        "sync-maxlen",
        "",
        Argument::Required("length"),
        "max sync message length (default=1472)",
    ),
    option(
        Opt::TunInfo,
        "tun-info",
        "",
        Argument::None,
        "output of tunnel information",
    ),
    option(
        Opt::TunType,
        "tun-type",
        "",
        Argument::Required("type"),
        "one of ipip|gue|gre, the default tunnel type is ipip",
    ),
    option(
        Opt::TunPort,
        "tun-port",
        "",
        Argument::Required("port"),
        "tunnel destination port",
    ),
    option(
        Opt::TunNocsum,
        "tun-nocsum",
        "",
        Argument::None,
        "tunnel encapsulation without checksum",
    ),
    option(
        Opt::TunCsum,
        "tun-csum",
        "",
        Argument::None,
        "tunnel encapsulation with checksum",
    ),
    option(
        Opt::TunRemcsum,
        "tun-remcsum",
        "",
        Argument::None,
        "tunnel encapsulation with remote checksum",
    ),
    option(
        Opt::Ipv6,
        "ipv6",
        "6",
        Argument::None,
        "fwmark entry uses IPv6",
    ),
    option(
        Opt::Sort,
        "sort",
        "",
        Argument::None,
        "does nothing, for backwards compatibility",
    ),
    // Beyond the original.
    command(
        Command::Apply,
        "apply",
        "",
        Argument::None,
        "carry out changes from stdin, one answer a line",
    ),
    option(Opt::Json, "json", "", Argument::None, "output as JSON"),
    option(
        Opt::Check,
        "check",
        "",
        Argument::None,
        "with -R: only report the errors of all lines",
    ),
    option(
        Opt::Lines,
        "lines",
        "",
        Argument::None,
        "with -R: begin messages with the line's number",
    ),
    option(
        Opt::Sync,
        "sync",
        "",
        Argument::None,
        "with -R: stdin is the whole table, change only what differs",
    ),
    option(
        Opt::Only,
        "only",
        "",
        Argument::Required("file"),
        "with --sync: leave services alone that the file does not name",
    ),
    option(
        Opt::DryRun,
        "dry-run",
        "",
        Argument::None,
        "with --sync: print the changes and make none",
    ),
];

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
