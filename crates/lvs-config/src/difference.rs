//! What one file changes against another: globals, addresses, services, servers.
//!
//! Owns the comparison and its printed form. Compares what is in force: blocks that are inactive
//! or that `service` does not select count as absent.

use std::collections::HashMap;
use std::fmt;
use std::net::Ipv4Addr;

use serde::Serialize;

use crate::keywords::GLOBAL;
use crate::keywords::Keyword;
use crate::keywords::SERVER;
use crate::keywords::VIRTUAL;
use crate::model::Address;
use crate::model::Config;
use crate::model::Host;
use crate::model::Network;
use crate::model::Protocol;
use crate::model::Server;
use crate::model::Text;
use crate::model::Virtual;
use crate::show::plain;
use crate::show::printable;
use crate::value::Value;

/// Globals that pulse uses only when it starts: who is who, on which port, for what.
const NEED_RESTART: &[&str] = &[
    "primary",
    "primary_private",
    "backup",
    "backup_private",
    "heartbeat_port",
    "service",
];

/// A keyword with another value than before. An absent value is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The keyword.
    pub keyword: &'static str,
    /// Value in the old file.
    pub old: String,
    /// Value in the new file.
    pub new: String,
    /// Whether it takes effect only when pulse is started again.
    pub needs_restart: bool,
}

/// An address that the active router holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldAddress {
    /// The address or name.
    pub address: String,
    /// Interface with alias number.
    pub device: String,
    /// The mask, if one is given.
    pub mask: Option<Ipv4Addr>,
}

/// What becomes of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change<T, C> {
    /// Only in the new file.
    Added(T),
    /// Only in the old file.
    Removed(T),
    /// In both, but different.
    Changed(C),
}

/// An address whose device or mask changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedAddress {
    /// As in the old file.
    pub old: HeldAddress,
    /// As in the new file.
    pub new: HeldAddress,
}

/// What the kernel knows a service by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKey {
    /// A firewall mark.
    Mark(u32),
    /// Protocol, address, port.
    Socket(&'static str, String, u16),
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceName {
    /// Its block's name.
    pub name: String,
    /// Its identity.
    pub key: ServiceKey,
}

/// A service that is in both files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceChange {
    /// The service as named in the new file.
    pub service: ServiceName,
    /// Keywords of the block.
    pub keywords: Vec<Changed>,
    /// Its servers.
    pub servers: Vec<Change<ServerName, ServerChange>>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerName {
    /// Its block's name.
    pub name: String,
    /// Its address or name; `-` when absent.
    pub address: String,
    /// Its port.
    pub port: u16,
}

/// A server that is in both files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerChange {
    /// The server as named in the new file.
    pub server: ServerName,
    /// Its keywords.
    pub keywords: Vec<Changed>,
}

/// All that one file changes against another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Difference {
    /// Keywords outside of blocks.
    pub globals: Vec<Changed>,
    /// Addresses that the active router holds: VIPs and the NAT router address.
    pub addresses: Vec<Change<HeldAddress, MovedAddress>>,
    /// Services, each with its servers.
    pub services: Vec<Change<ServiceName, ServiceChange>>,
}

impl Difference {
    /// Compares two files.
    pub fn new(old: &Config, new: &Config) -> Self {
        Self {
            globals: keywords(GLOBAL, &old.global, &new.global, NEED_RESTART),
            addresses: addresses(old, new),
            services: services(old, new),
        }
    }

    /// Whether nothing changes that is in force.
    pub fn is_empty(&self) -> bool {
        self.globals.is_empty() && self.addresses.is_empty() && self.services.is_empty()
    }

    /// The changed keywords that take effect only when pulse is started again.
    pub fn needing_restart(&self) -> impl Iterator<Item = &'static str> {
        self.globals
            .iter()
            .filter(|changed| changed.needs_restart)
            .map(|changed| changed.keyword)
    }
}

fn keywords<B>(
    table: &'static [Keyword<B>],
    old: &B,
    new: &B,
    need_restart: &[&str],
) -> Vec<Changed> {
    let shown = |value: Option<Value>| value.map(|value| plain(&value)).unwrap_or_default();
    let changed = |keyword: &'static Keyword<B>| {
        let (from, to) = ((keyword.get)(old).value(), (keyword.get)(new).value());
        (from != to).then(|| Changed {
            keyword: keyword.name,
            old: shown(from),
            new: shown(to),
            needs_restart: need_restart.contains(&keyword.name),
        })
    };
    table.iter().filter_map(changed).collect()
}

/// Things of both files by their identity, in the order of the old file, then of the new one. Of
/// several things with one identity the first of each file belong together, and so on.
fn pair<'t, T, K>(old: Vec<(K, &'t T)>, new: Vec<(K, &'t T)>) -> Vec<Pair<'t, T>>
where
    K: Eq + std::hash::Hash + Clone,
{
    let mut places: HashMap<(K, usize), usize> = HashMap::new();
    let mut pairs: Vec<Pair<'t, T>> = Vec::new();
    for (is_new, things) in [(false, old), (true, new)] {
        let mut times: HashMap<K, usize> = HashMap::new();
        for (key, thing) in things {
            let time = times.entry(key.clone()).or_insert(0);
            *time += 1;
            let place = *places.entry((key, *time)).or_insert_with(|| {
                pairs.push(Pair {
                    old: None,
                    new: None,
                });
                pairs.len() - 1
            });
            if let Some(pair) = pairs.get_mut(place) {
                *(if is_new { &mut pair.new } else { &mut pair.old }) = Some(thing);
            }
        }
    }
    pairs
}

struct Pair<'t, T> {
    old: Option<&'t T>,
    new: Option<&'t T>,
}

impl<T> Pair<'_, T> {
    fn change<N, C>(
        &self,
        name: impl Fn(&T) -> N,
        compare: impl FnOnce(&T, &T) -> Option<C>,
    ) -> Option<Change<N, C>> {
        match (self.old, self.new) {
            (None, None) => None,
            (None, Some(new)) => Some(Change::Added(name(new))),
            (Some(old), None) => Some(Change::Removed(name(old))),
            (Some(old), Some(new)) => compare(old, new).map(Change::Changed),
        }
    }
}

fn addresses(old: &Config, new: &Config) -> Vec<Change<HeldAddress, MovedAddress>> {
    fn keyed(held: &[HeldAddress]) -> Vec<(&str, &HeldAddress)> {
        held.iter()
            .map(|address| (address.address.as_str(), address))
            .collect()
    }
    let (old, new) = (held(old), held(new));
    let compare = |old: &HeldAddress, new: &HeldAddress| {
        (old != new).then(|| MovedAddress {
            old: old.clone(),
            new: new.clone(),
        })
    };
    let pairs = pair(keyed(&old), keyed(&new));
    pairs
        .iter()
        .filter_map(|pair| pair.change(Clone::clone, compare))
        .collect()
}

/// The distinct addresses; the first active block with an address says its device and mask.
fn held(config: &Config) -> Vec<HeldAddress> {
    let mut held: Vec<HeldAddress> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut add = |address: &Address, mask| {
        let undefined = matches!(&address.host, Host::Address(host) if host.is_unspecified());
        let host = address.host.to_string();
        if !undefined && seen.insert(host.clone()) {
            held.push(HeldAddress {
                address: host,
                device: address.device.clone(),
                mask,
            });
        }
    };
    let global = &config.global;
    let router = global.nat_router.value.as_ref();
    if let Some(router) = router.filter(|_| global.network.value == Network::Nat) {
        add(router, global.nat_nmask.value);
    }
    for block in config.active_blocks() {
        if let Some(address) = &block.address.value {
            add(address, block.vip_nmask.value);
        }
    }
    held
}

fn services(old: &Config, new: &Config) -> Vec<Change<ServiceName, ServiceChange>> {
    let keyed = |config| -> Vec<(ServiceKey, &Virtual)> {
        let config: &Config = config;
        config
            .active_blocks()
            .map(|block| (key(block), block))
            .collect()
    };
    let name = |block: &Virtual| ServiceName {
        name: printable(&block.name),
        key: key(block),
    };
    let compare = |old: &Virtual, new: &Virtual| {
        let mut keywords = keywords(VIRTUAL, old, new, &[]);
        if old.name.value != new.name.value {
            keywords.insert(0, renamed(&old.name.value, &new.name.value));
        }
        let servers = servers(old, new);
        let different = !keywords.is_empty() || !servers.is_empty();
        different.then(|| ServiceChange {
            service: name(new),
            keywords,
            servers,
        })
    };
    let pairs = pair(keyed(old), keyed(new));
    pairs
        .iter()
        .filter_map(|pair| pair.change(name, compare))
        .collect()
}

fn renamed(old: &Text, new: &Text) -> Changed {
    Changed {
        keyword: "name",
        old: printable(old),
        new: printable(new),
        needs_restart: false,
    }
}

fn key(block: &Virtual) -> ServiceKey {
    if block.fwmark.value != 0 {
        return ServiceKey::Mark(block.fwmark.value);
    }
    let protocol = match block.protocol.value {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    let host = block
        .address
        .value
        .as_ref()
        .map(|address| address.host.to_string());
    ServiceKey::Socket(
        protocol,
        host.unwrap_or_else(|| "-".to_owned()),
        block.port.value,
    )
}

fn servers(old: &Virtual, new: &Virtual) -> Vec<Change<ServerName, ServerChange>> {
    type Key<'b> = (Option<&'b Host>, u16);
    fn keyed(block: &Virtual) -> Vec<(Key<'_>, &Server)> {
        block
            .active_servers()
            .map(|s| ((s.address.value.as_ref(), s.port.value), s))
            .collect()
    }
    let name = |server: &Server| ServerName {
        name: printable(&server.name),
        address: server
            .address
            .value
            .as_ref()
            .map_or_else(|| "-".to_owned(), Host::to_string),
        port: server.port.value,
    };
    let compare = |old: &Server, new: &Server| {
        let mut keywords = keywords(SERVER, old, new, &[]);
        if old.name.value != new.name.value {
            keywords.insert(0, renamed(&old.name.value, &new.name.value));
        }
        (!keywords.is_empty()).then(|| ServerChange {
            server: name(new),
            keywords,
        })
    };
    let pairs = pair(keyed(old), keyed(new));
    pairs
        .iter()
        .filter_map(|pair| pair.change(name, compare))
        .collect()
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            ServiceKey::Mark(mark) => write!(f, "{} (fwmark {mark})", self.name),
            ServiceKey::Socket(protocol, host, port) => {
                write!(f, "{} ({protocol} {host}:{port})", self.name)
            }
        }
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.name, self.address, self.port)
    }
}

impl fmt::Display for HeldAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.address, self.device)?;
        self.mask
            .map_or(Ok(()), |mask| write!(f, " netmask {mask}"))
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &str| match value {
            "" => "nothing".to_owned(),
            value => value.to_owned(),
        };
        write!(
            f,
            "{}: {} -> {}",
            self.keyword,
            shown(&self.old),
            shown(&self.new)
        )?;
        if self.needs_restart {
            f.write_str(" (needs a restart of pulse)")
        } else {
            Ok(())
        }
    }
}

/// One change a line, what belongs to a service indented below it; nothing for equal files.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for changed in &self.globals {
            writeln!(f, "~ {changed}")?;
        }
        for change in &self.addresses {
            match change {
                Change::Added(address) => writeln!(f, "+ address {address}")?,
                Change::Removed(address) => writeln!(f, "- address {address}")?,
                Change::Changed(moved) => writeln!(f, "~ address {} -> {}", moved.old, moved.new)?,
            }
        }
        for change in &self.services {
            match change {
                Change::Added(service) => writeln!(f, "+ service {service}")?,
                Change::Removed(service) => writeln!(f, "- service {service}")?,
                Change::Changed(service) => service.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for ServiceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "~ service {}", self.service)?;
        for changed in &self.keywords {
            writeln!(f, "    ~ {changed}")?;
        }
        for change in &self.servers {
            match change {
                Change::Added(server) => writeln!(f, "    + server {server}")?,
                Change::Removed(server) => writeln!(f, "    - server {server}")?,
                Change::Changed(change) => {
                    writeln!(f, "    ~ server {}", change.server)?;
                    for changed in &change.keywords {
                        writeln!(f, "        ~ {changed}")?;
                    }
                }
            }
        }
        Ok(())
    }
}
