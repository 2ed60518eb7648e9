//! What an lvs.cf means: every keyword with its value, whether the file wrote it, and where.
//!
//! Values are already checked one by one; what concerns several of them is the business of the
//! checks. Host names stay text: this crate never asks a resolver.
//! Keywords, types and defaults: `piranha-daemons.md` sections 1.7–1.9.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Deref;

/// A half-open range of bytes of the text that was parsed. 32 bits: a model holds many of them,
/// and a file of 4 GiB is refused long before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// The range `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        let cut = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            start: cut(start),
            end: cut(end),
        }
    }

    /// The same as a range of indexes.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value together with the place where it was written; without a place it is the default.
#[derive(Debug, Clone, Default)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Where the value stands; `None` when the file does not mention the keyword.
    pub span: Option<Span>,
}

impl<T> Setting<T> {
    /// A value that the file does not mention.
    pub const fn unwritten(value: T) -> Self {
        Self { value, span: None }
    }

    /// A value that stands at `span`.
    pub const fn written(value: T, span: Span) -> Self {
        Self {
            value,
            span: Some(span),
        }
    }

    /// Whether the file mentions the keyword.
    pub const fn is_written(&self) -> bool {
        self.span.is_some()
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Two settings are equal when they mean the same and are both written or both default;
/// where they stand does not matter.
impl<T: PartialEq> PartialEq for Setting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.is_written() == other.is_written()
    }
}

/// Free text of the file: bytes in whatever encoding its author used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Box<[u8]>);

impl Text {
    /// The bytes as they stand in the file, without outer quotes, backslash sequences unexpanded.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text for a command line.
    pub fn as_os_str(&self) -> &std::ffi::OsStr {
        std::os::unix::ffi::OsStrExt::from_bytes(&self.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<&[u8]> for Text {
    fn from(text: &[u8]) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

/// A host as written: an address in any form of `inet_aton`, or a name to be resolved later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A numeric address.
    Address(Ipv4Addr),
    /// A name.
    Name(String),
}

impl Host {
    /// The address, unless it is a name or 0.0.0.0 ("undefined").
    pub fn address(&self) -> Option<Ipv4Addr> {
        match self {
            Self::Address(address) if !address.is_unspecified() => Some(*address),
            _ => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// `HOST DEVICE`, as in `address = 192.0.2.80 eth0:1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The floating address.
    pub host: Host,
    /// Interface with alias number, `eth0:1`.
    pub device: String,
}

impl Address {
    /// The interface without the alias number.
    pub fn interface(&self) -> &str {
        self.device.split(':').next().unwrap_or_default()
    }
}

/// `network`: how packets reach the real servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// `nat`, ipvsadm's `-m`.
    #[default]
    Nat,
    /// `direct`, ipvsadm's `-g`.
    Direct,
    /// `tunnel`, ipvsadm's `-i`.
    Tunnel,
}

/// `service`: which kind of block is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServiceKind {
    /// `lvs`: the `virtual` blocks.
    #[default]
    Lvs,
    /// `fos`: the `failover` blocks.
    Fos,
}

/// `reservation_conflict_action` (shared SCSI only).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictAction {
    /// `nothing`.
    Nothing,
    /// `preempt`.
    Preempt,
}

/// `heartbeat_auth`: what is asked of the partner's heartbeats when there is a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeartbeatAuth {
    /// Send tags but check nothing.
    Send,
    /// Accept untagged heartbeats.
    Permissive,
    /// Accept only tagged heartbeats.
    #[default]
    Enforce,
}

/// `protocol` of a virtual or failover service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `tcp`.
    #[default]
    Tcp,
    /// `udp`.
    Udp,
}

/// `scheduler` of a virtual service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheduler {
    /// Weighted least connections.
    #[default]
    Wlc,
    /// Least connections.
    Lc,
    /// Round robin.
    Rr,
    /// Weighted round robin.
    Wrr,
    /// Locality-based least connections.
    Lblc,
    /// Locality-based least connections with replication.
    Lblcr,
    /// Destination hashing.
    Dh,
    /// Source hashing.
    Sh,
}

impl Scheduler {
    /// The keyword, which is also the kernel's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wlc => "wlc",
            Self::Lc => "lc",
            Self::Rr => "rr",
            Self::Wrr => "wrr",
            Self::Lblc => "lblc",
            Self::Lblcr => "lblcr",
            Self::Dh => "dh",
            Self::Sh => "sh",
        }
    }
}

/// A whole lvs.cf.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// Keywords outside of blocks.
    pub global: Global,
    /// `virtual` blocks in the order of the file.
    pub virtuals: Vec<Virtual>,
    /// `failover` blocks in the order of the file.
    pub failovers: Vec<Virtual>,
}

/// Keywords outside of blocks. Times are in seconds unless the name says `_ms`.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "the fields are lvs.cf's own keywords, described in lvs.cf(5)"
)]
pub struct Global {
    pub primary: Setting<Option<Host>>,
    pub primary_private: Setting<Option<Host>>,
    pub primary_shared: Setting<Option<Text>>,
    pub backup: Setting<Option<Host>>,
    pub backup_private: Setting<Option<Host>>,
    pub backup_shared: Setting<Option<Text>>,
    pub backup_active: Setting<bool>,
    pub heartbeat: Setting<bool>,
    pub heartbeat_port: Setting<u16>,
    pub keepalive: Setting<u32>,
    pub deadtime: Setting<u32>,
    pub network: Setting<Network>,
    pub nat_router: Setting<Option<Address>>,
    pub nat_nmask: Setting<Option<Ipv4Addr>>,
    pub service: Setting<ServiceKind>,
    pub ipvsadm: Setting<Text>,
    pub rsh_command: Setting<Text>,
    pub sync: Setting<bool>,
    pub debug_level: Setting<Text>,
    pub serial_no: Setting<i32>,
    pub reservation_conflict_action: Setting<Option<ConflictAction>>,
    pub active_cmd: Setting<Option<Text>>,
    pub inactive_cmd: Setting<Option<Text>>,
    pub monitor_links: Setting<i32>,
    pub hard_shutdown: Setting<bool>,
    pub syncdaemon: Setting<bool>,
    pub syncd_iface: Setting<Text>,
    pub syncd_id: Setting<u32>,
    pub tcp_timeout: Setting<u32>,
    pub tcpfin_timeout: Setting<u32>,
    pub udp_timeout: Setting<u32>,
    // Extensions, which an original refuses.
    pub keepalive_ms: Setting<Option<u32>>,
    pub deadtime_ms: Setting<Option<u32>>,
    pub heartbeat_key: Setting<Option<Text>>,
    pub heartbeat_auth: Setting<HeartbeatAuth>,
    pub witness: Setting<Vec<Host>>,
    pub vip_lifetime: Setting<Option<u32>>,
    pub arp_interval: Setting<u32>,
    pub failback: Setting<u32>,
    pub standby_checks: Setting<bool>,
    pub audit_interval: Setting<u32>,
    pub clear_table: Setting<bool>,
    pub max_programs: Setting<u32>,
    pub drain_limit: Setting<u32>,
}

impl Default for Global {
    fn default() -> Self {
        let d = Setting::<bool>::unwritten;
        let n = Setting::<u32>::unwritten;
        Self {
            primary: Setting::default(),
            primary_private: Setting::default(),
            primary_shared: Setting::default(),
            backup: Setting::default(),
            backup_private: Setting::default(),
            backup_shared: Setting::default(),
            backup_active: d(false),
            heartbeat: d(false),
            heartbeat_port: Setting::unwritten(539),
            keepalive: n(2),
            deadtime: n(5),
            network: Setting::default(),
            nat_router: Setting::default(),
            nat_nmask: Setting::default(),
            service: Setting::default(),
            ipvsadm: Setting::unwritten(Text::from("/sbin/ipvsadm")),
            rsh_command: Setting::unwritten(Text::from("rsh")),
            sync: d(false),
            debug_level: Setting::unwritten(Text::from("NONE")),
            serial_no: Setting::unwritten(0),
            reservation_conflict_action: Setting::default(),
            active_cmd: Setting::default(),
            inactive_cmd: Setting::default(),
            monitor_links: Setting::unwritten(0),
            hard_shutdown: d(true),
            syncdaemon: d(false),
            syncd_iface: Setting::unwritten(Text::from("eth0")),
            syncd_id: n(0),
            tcp_timeout: n(0),
            tcpfin_timeout: n(0),
            udp_timeout: n(0),
            keepalive_ms: Setting::default(),
            deadtime_ms: Setting::default(),
            heartbeat_key: Setting::default(),
            heartbeat_auth: Setting::default(),
            witness: Setting::default(),
            vip_lifetime: Setting::default(),
            arp_interval: n(60),
            failback: n(0),
            standby_checks: d(false),
            audit_interval: n(10),
            clear_table: d(false),
            max_programs: n(64),
            drain_limit: n(300),
        }
    }
}

/// A `virtual` or `failover` block. Times are in seconds unless the name says `_ms`.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "the fields are lvs.cf's own keywords, described in lvs.cf(5)"
)]
pub struct Virtual {
    pub name: Setting<Text>,
    pub active: Setting<bool>,
    pub address: Setting<Option<Address>>,
    /// `None`: absent or 0.0.0.0.
    pub vip_nmask: Setting<Option<Ipv4Addr>>,
    pub sorry_server: Setting<Option<Ipv4Addr>>,
    /// 0: none.
    pub fwmark: Setting<u32>,
    pub protocol: Setting<Protocol>,
    pub port: Setting<u16>,
    pub scheduler: Setting<Scheduler>,
    /// 0: off.
    pub persistent: Setting<u32>,
    /// `None`: absent, 0.0.0.0 or 255.255.255.255.
    pub pmask: Setting<Option<Ipv4Addr>>,
    pub client_monitor: Setting<Text>,
    pub send: Setting<Option<Text>>,
    pub expect: Setting<Option<Text>>,
    pub send_program: Setting<Option<Text>>,
    pub use_regex: Setting<bool>,
    pub timeout: Setting<u32>,
    pub reentry: Setting<u32>,
    pub load_monitor: Setting<Option<Text>>,
    pub quiesce_server: Setting<bool>,
    pub start_cmd: Setting<Option<Text>>,
    pub stop_cmd: Setting<Option<Text>>,
    pub master: Setting<Option<Host>>,
    pub dirs: Setting<Vec<Text>>,
    // Extensions, which an original refuses.
    pub timeout_ms: Setting<Option<u32>>,
    pub retries: Setting<u32>,
    pub slow_start: Setting<bool>,
    /// `server` blocks in the order of the file.
    pub servers: Vec<Server>,
}

impl Default for Virtual {
    fn default() -> Self {
        Self {
            name: Setting::default(),
            active: Setting::unwritten(false),
            address: Setting::default(),
            vip_nmask: Setting::default(),
            sorry_server: Setting::default(),
            fwmark: Setting::unwritten(0),
            protocol: Setting::default(),
            port: Setting::unwritten(80),
            scheduler: Setting::default(),
            persistent: Setting::unwritten(0),
            pmask: Setting::default(),
            client_monitor: Setting::unwritten(Text::from("/usr/sbin/nanny")),
            send: Setting::default(),
            expect: Setting::default(),
            send_program: Setting::default(),
            use_regex: Setting::unwritten(false),
            timeout: Setting::unwritten(10),
            reentry: Setting::unwritten(180),
            load_monitor: Setting::default(),
            quiesce_server: Setting::unwritten(false),
            start_cmd: Setting::default(),
            stop_cmd: Setting::default(),
            master: Setting::default(),
            dirs: Setting::default(),
            timeout_ms: Setting::default(),
            retries: Setting::unwritten(1),
            slow_start: Setting::unwritten(true),
            servers: Vec::new(),
        }
    }
}

/// A `server` block.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "the fields are lvs.cf's own keywords, described in lvs.cf(5)"
)]
pub struct Server {
    pub name: Setting<Text>,
    pub address: Setting<Option<Host>>,
    pub active: Setting<bool>,
    pub weight: Setting<u32>,
    /// Unwritten: the final `port` of the virtual block.
    pub port: Setting<u16>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            name: Setting::default(),
            address: Setting::default(),
            active: Setting::unwritten(false),
            weight: Setting::unwritten(1),
            port: Setting::unwritten(80),
        }
    }
}
