//! Between services and their attributes.

use netlink_packet_core::{DecodeError, ErrorContext, Parseable};

use super::attribute::{STATS, STATS64, ServiceAttribute};
use crate::codec::attribute::SERVICE;
use crate::codec::wire::{address_bytes, address_of, family_number, family_of, missing, nest};
use crate::codec::{Attribute, Command, IpvsMessage, stats};
use crate::{
    Counters, Family, Persistence, Protocol, SCHEDULER_FLAGS, Service, ServiceId, ServiceState,
};

const PERSISTENT: u32 = 0x01;
const ONE_PACKET: u32 = 0x04;

const fn protocol_number(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
        Protocol::Other(number) => number,
    }
}

const fn protocol_of(number: u16) -> Protocol {
    match number {
        6 => Protocol::Tcp,
        17 => Protocol::Udp,
        132 => Protocol::Sctp,
        other => Protocol::Other(other),
    }
}

/// The attributes that name a service.
pub fn key(id: &ServiceId) -> Vec<ServiceAttribute> {
    let mut attributes = vec![ServiceAttribute::Family(family_number(id.family()))];
    match *id {
        ServiceId::Address {
            protocol,
            address,
            port,
        } => attributes.extend([
            ServiceAttribute::Protocol(protocol_number(protocol)),
            ServiceAttribute::Address(address_bytes(address)),
            ServiceAttribute::Port(port),
        ]),
        ServiceId::Mark { mark, .. } => attributes.push(ServiceAttribute::Mark(mark)),
    }
    attributes
}

fn netmask_bytes(family: Family, netmask: u32) -> [u8; 4] {
    match family {
        Family::V4 => netmask.to_be_bytes(),
        Family::V6 => netmask.to_ne_bytes(),
    }
}

/// A service's name with empty settings. The kernel looks at the name only; ipvsadm sends all of it, and
/// so do we, byte for byte.
fn padded_key(id: &ServiceId, netmask: u32) -> Vec<ServiceAttribute> {
    let mut attributes = key(id);
    attributes.extend([
        ServiceAttribute::Scheduler(String::new()),
        ServiceAttribute::Flags {
            flags: 0,
            mask: u32::MAX,
        },
        ServiceAttribute::Timeout(0),
        ServiceAttribute::Netmask(netmask_bytes(id.family(), netmask)),
    ]);
    attributes
}

/// The service as it stands in a request about one of its servers.
pub(in crate::codec) fn owner(id: &ServiceId) -> Attribute {
    Attribute::Service(padded_key(id, id.family().full_netmask()))
}

/// All settings. Without persistence the kernel keeps a mask too; `netmask` is that one.
fn settings(service: &Service, netmask: Option<u32>) -> Vec<ServiceAttribute> {
    let family = service.id.family();
    let mut flags = SCHEDULER_FLAGS.iter().sum::<u32>() & service.scheduler_flags;
    if service.persistence.is_some() {
        flags |= PERSISTENT;
    }
    if service.one_packet {
        flags |= ONE_PACKET;
    }
    let stated = service
        .persistence
        .map(|persistence| persistence.netmask)
        .or(netmask);
    let netmask = stated.unwrap_or(family.full_netmask());
    let mut attributes = key(&service.id);
    attributes.push(ServiceAttribute::Scheduler(service.scheduler.clone()));
    // Before the flags, as ipvsadm sends it.
    attributes.extend(service.engine.clone().map(ServiceAttribute::Engine));
    attributes.extend([
        ServiceAttribute::Flags {
            flags,
            mask: u32::MAX,
        },
        ServiceAttribute::Timeout(service.persistence.map_or(0, |it| it.timeout)),
        ServiceAttribute::Netmask(netmask_bytes(family, netmask)),
    ]);
    attributes
}

/// Adds or edits a service; `netmask` is the mask of a service without persistence.
pub fn change(command: Command, service: &Service, netmask: Option<u32>) -> IpvsMessage {
    IpvsMessage {
        command,
        attributes: vec![Attribute::Service(settings(service, netmask))],
    }
}

/// Adds a service.
pub fn add(service: &Service) -> IpvsMessage {
    change(Command::NewService, service, None)
}

/// Replaces all settings of a service.
pub fn edit(service: &Service) -> IpvsMessage {
    change(Command::SetService, service, None)
}

/// Deletes a service with its servers.
pub fn delete(id: &ServiceId) -> IpvsMessage {
    IpvsMessage {
        command: Command::DelService,
        attributes: vec![owner(id)],
    }
}

/// Sets the counters of a service, or of everything, to 0.
pub fn zero(id: Option<&ServiceId>) -> IpvsMessage {
    IpvsMessage {
        command: Command::Zero,
        attributes: id.map(owner).into_iter().collect(),
    }
}

/// Asks for one service.
pub fn get(id: &ServiceId) -> IpvsMessage {
    let attributes = vec![Attribute::Service(padded_key(id, 0))];
    IpvsMessage {
        command: Command::GetService,
        attributes,
    }
}

/// Asks for all services; a dump.
pub const fn list() -> IpvsMessage {
    IpvsMessage::bare(Command::GetService)
}

/// What an answer tells of a service.
pub fn value(message: &IpvsMessage) -> Result<ServiceState, DecodeError> {
    let nested = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            Attribute::Service(nested) => Some(nested),
            _ => None,
        });
    let mut raw = Raw::default();
    for attribute in nested.ok_or_else(|| missing("a service"))? {
        raw.take(attribute);
    }
    raw.state()
}

/// The same of an answer's attributes as they came. Listings are long: this makes no list of attributes
/// for each of their entries.
pub(crate) fn read(payload: &[u8]) -> Result<ServiceState, DecodeError> {
    let mut raw = Raw::default();
    for nla in nest(payload, SERVICE, "a service")? {
        let nla = nla?;
        match nla.kind() {
            STATS => raw.stats = Some(stats::read(nla.value()).context("invalid STATS")?),
            STATS64 => raw.stats64 = Some(stats::read(nla.value()).context("invalid STATS64")?),
            _ => raw.take(&ServiceAttribute::parse(&nla)?),
        }
    }
    raw.state()
}

#[derive(Default)]
struct Raw {
    family: Option<u16>,
    protocol: Option<u16>,
    address: Option<[u8; 16]>,
    port: Option<u16>,
    mark: Option<u32>,
    scheduler: Option<String>,
    flags: u32,
    timeout: u32,
    netmask: [u8; 4],
    engine: Option<String>,
    stats: Option<Counters>,
    stats64: Option<Counters>,
}

impl Raw {
    fn take(&mut self, attribute: &ServiceAttribute) {
        match attribute {
            ServiceAttribute::Family(number) => self.family = Some(*number),
            ServiceAttribute::Protocol(number) => self.protocol = Some(*number),
            ServiceAttribute::Address(bytes) => self.address = Some(*bytes),
            ServiceAttribute::Port(port) => self.port = Some(*port),
            ServiceAttribute::Mark(mark) => self.mark = Some(*mark),
            ServiceAttribute::Scheduler(name) => self.scheduler = Some(name.clone()),
            ServiceAttribute::Flags { flags, .. } => self.flags = *flags,
            ServiceAttribute::Timeout(seconds) => self.timeout = *seconds,
            ServiceAttribute::Netmask(bytes) => self.netmask = *bytes,
            ServiceAttribute::Engine(name) => {
                self.engine = Some(name.clone()).filter(|name| !name.is_empty());
            }
            ServiceAttribute::Stats(nested) => self.stats = Some(stats::value(nested)),
            ServiceAttribute::Stats64(nested) => self.stats64 = Some(stats::value(nested)),
            ServiceAttribute::Other(_) => {}
        }
    }

    fn state(self) -> Result<ServiceState, DecodeError> {
        let family = family_of(self.family.ok_or_else(|| missing("an address family"))?)?;
        let id = match (self.mark, self.protocol, self.address, self.port) {
            (Some(mark), ..) => ServiceId::Mark { mark, family },
            (None, Some(protocol), Some(bytes), Some(port)) => ServiceId::Address {
                protocol: protocol_of(protocol),
                address: address_of(family, bytes),
                port,
            },
            _ => return Err(missing("the service's address")),
        };
        let netmask = match family {
            Family::V4 => u32::from_be_bytes(self.netmask),
            Family::V6 => u32::from_ne_bytes(self.netmask),
        };
        let timeout = self.timeout;
        Ok(ServiceState {
            service: Service {
                id,
                scheduler: self.scheduler.ok_or_else(|| missing("a scheduler"))?,
                scheduler_flags: SCHEDULER_FLAGS.iter().sum::<u32>() & self.flags,
                one_packet: self.flags & ONE_PACKET != 0,
                persistence: (self.flags & PERSISTENT != 0)
                    .then_some(Persistence { timeout, netmask }),
                engine: self.engine,
            },
            counters: self.stats64.or(self.stats).unwrap_or_default(),
        })
    }
}
