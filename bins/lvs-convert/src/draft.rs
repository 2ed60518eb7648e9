//! What both formats say, in lvs.cf's terms but not yet in its form.
//!
//! Owns the shape between reading and writing.

use std::net::Ipv4Addr;
use std::time::Duration;

use lvs_config::{Host, Network, Protocol, Scheduler};

use crate::check::Check;
use crate::source::Place;

/// A whole file.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) routers: Routers,
    pub(crate) services: Vec<Service>,
    /// Addresses that move with the active role.
    pub(crate) vips: Vec<Vip>,
}

/// What is said about the two routers.
#[derive(Debug, Default)]
pub(crate) struct Routers {
    pub(crate) primary: Option<Host>,
    pub(crate) backup: Option<Host>,
    /// Time between two heartbeats.
    pub(crate) keepalive: Option<Duration>,
    pub(crate) monitor_links: bool,
    /// Interface and identifier of the connection synchronisation.
    pub(crate) sync: Option<(String, u32)>,
    pub(crate) active_cmd: Option<(String, Place)>,
    pub(crate) inactive_cmd: Option<(String, Place)>,
    pub(crate) tcp_timeout: Option<u32>,
    pub(crate) tcpfin_timeout: Option<u32>,
    pub(crate) udp_timeout: Option<u32>,
}

/// An address that moves, and where it lives.
#[derive(Debug)]
pub(crate) struct Vip {
    pub(crate) address: Ipv4Addr,
    pub(crate) interface: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) prefix: u8,
    pub(crate) place: Place,
}

/// One virtual service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) place: Place,
    /// What it is called where it has no address.
    pub(crate) name: Option<String>,
    pub(crate) host: Option<Host>,
    pub(crate) port: u16,
    /// Firewall mark; 0: none.
    pub(crate) mark: u32,
    pub(crate) protocol: Protocol,
    pub(crate) scheduler: Scheduler,
    /// How packets reach the servers, and where that is said.
    pub(crate) method: Option<(Network, Place)>,
    /// Seconds; 0: off.
    pub(crate) persistent: u32,
    pub(crate) mask: Option<Ipv4Addr>,
    pub(crate) sorry: Option<Ipv4Addr>,
    pub(crate) interval: Duration,
    /// Failed checks before a server is taken out.
    pub(crate) retries: Option<u32>,
    pub(crate) quiesce: bool,
    pub(crate) servers: Vec<RealServer>,
}

impl Service {
    /// As it is when the file says nothing more.
    pub(crate) fn new(place: Place, interval: Duration) -> Self {
        Self {
            place,
            name: None,
            host: None,
            port: 0,
            mark: 0,
            protocol: Protocol::Tcp,
            scheduler: Scheduler::Wlc,
            method: None,
            persistent: 0,
            mask: None,
            sorry: None,
            interval,
            retries: None,
            quiesce: false,
            servers: Vec::new(),
        }
    }
}

/// One server of a service.
#[derive(Debug)]
pub(crate) struct RealServer {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) weight: u32,
    pub(crate) method: Option<(Network, Place)>,
    /// What is asked of it, and where that is said.
    pub(crate) check: (Check, Place),
}

/// A scheduler of lvs.cf by the kernel's name.
pub(crate) fn scheduler(name: &str) -> Option<Scheduler> {
    use Scheduler::{Dh, Lblc, Lblcr, Lc, Rr, Sh, Wlc, Wrr};
    let all = [Wlc, Lc, Rr, Wrr, Lblc, Lblcr, Dh, Sh];
    all.into_iter().find(|scheduler| scheduler.name() == name)
}

/// Largest number that lvs.cf takes.
const MOST: u32 = i32::MAX.unsigned_abs();

/// A number that lvs.cf takes.
pub(crate) fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number <= MOST)
}

/// A subnet mask, dotted or as the length of its prefix; `None` when it is none.
pub(crate) fn mask(text: &str) -> Option<Ipv4Addr> {
    if let Ok(length) = text.parse::<u8>() {
        return (length <= 32).then(|| mask_of(length));
    }
    let mask: Ipv4Addr = text.parse().ok()?;
    let bits = u32::from(mask);
    (bits.leading_ones() + bits.trailing_zeros() == 32).then_some(mask)
}

/// The mask with so many ones.
pub(crate) fn mask_of(length: u8) -> Ipv4Addr {
    let zeros = u32::from(32 - length.min(32));
    Ipv4Addr::from(u32::MAX.checked_shl(zeros).unwrap_or(0))
}

/// An address or a name; 0.0.0.0 and IPv6 are `None`.
pub(crate) fn host(text: &str) -> Option<Host> {
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Some(Host::Address(address)).filter(|_| !address.is_unspecified()),
        Err(_) => {
            let label = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let named = text.starts_with(|c: char| c.is_ascii_alphabetic());
            (named && text.chars().all(label)).then(|| Host::Name(text.to_owned()))
        }
    }
}
