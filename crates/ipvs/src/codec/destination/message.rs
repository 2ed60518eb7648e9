//! Between real servers and their attributes.

use netlink_packet_core::{DecodeError, ErrorContext, Parseable};

use super::attribute::{DestinationAttribute, STATS, STATS64};
use crate::codec::attribute::DEST;
use crate::codec::wire::{address_bytes, address_of, family_number, family_of, missing, nest};
use crate::codec::{Attribute, Command, IpvsMessage, service, stats};
use crate::{
    Checksum, Counters, Family, Forward, Server, ServerId, ServerState, ServiceId, Tunnel,
};

const METHOD_MASK: u32 = 0x07;

const fn forward_number(forward: Forward) -> u32 {
    match forward {
        Forward::Masquerade => 0,
        Forward::Local => 1,
        Forward::Tunnel(_) => 2,
        Forward::DirectRoute => 3,
        Forward::Other(number) => number,
    }
}

const fn checksum_number(checksum: Checksum) -> u16 {
    match checksum {
        Checksum::None => 0,
        Checksum::Plain => 1,
        Checksum::Remote => 2,
    }
}

/// Type, port and flags of a tunnel on the wire.
const fn tunnel_numbers(forward: Forward) -> (u8, u16, u16) {
    match forward {
        Forward::Tunnel(Tunnel::Gue { port, checksum }) => (1, port, checksum_number(checksum)),
        Forward::Tunnel(Tunnel::Gre { checksum }) => (2, 0, checksum_number(checksum)),
        _ => (0, 0, 0),
    }
}

/// All attributes in the order in which ipvsadm sends them, also to delete a server.
fn settings(server: &Server) -> Vec<DestinationAttribute> {
    let (tunnel_type, tunnel_port, tunnel_flags) = tunnel_numbers(server.forward);
    vec![
        DestinationAttribute::Family(family_number(Family::of(server.id.address))),
        DestinationAttribute::Address(address_bytes(server.id.address)),
        DestinationAttribute::Port(server.id.port),
        DestinationAttribute::Forward(forward_number(server.forward)),
        DestinationAttribute::Weight(server.weight),
        DestinationAttribute::TunnelType(tunnel_type),
        DestinationAttribute::TunnelPort(tunnel_port),
        DestinationAttribute::TunnelFlags(tunnel_flags),
        DestinationAttribute::UpperThreshold(server.upper_threshold),
        DestinationAttribute::LowerThreshold(server.lower_threshold),
    ]
}

fn request(command: Command, owner: &ServiceId, server: &Server) -> IpvsMessage {
    let attributes = vec![
        service::owner(owner),
        Attribute::Destination(settings(server)),
    ];
    IpvsMessage {
        command,
        attributes,
    }
}

/// Adds a server to a service.
pub fn add(owner: &ServiceId, server: &Server) -> IpvsMessage {
    request(Command::NewDest, owner, server)
}

/// Replaces all settings of a server.
pub fn edit(owner: &ServiceId, server: &Server) -> IpvsMessage {
    request(Command::SetDest, owner, server)
}

/// Deletes a server from a service. The kernel looks at address and port; the rest is what ipvsadm sends
/// when no more is given.
pub fn delete(owner: &ServiceId, id: &ServerId) -> IpvsMessage {
    let defaults = Server {
        id: *id,
        forward: Forward::DirectRoute,
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
    };
    request(Command::DelDest, owner, &defaults)
}

/// Asks for all servers of a service; a dump. For a service that does not exist it is empty.
pub fn list(owner: &ServiceId) -> IpvsMessage {
    let attributes = vec![Attribute::Service(service::key(owner))];
    IpvsMessage {
        command: Command::GetDest,
        attributes,
    }
}

/// What an answer tells of a server; `service_family` holds where the kernel names none.
pub fn value(message: &IpvsMessage, service_family: Family) -> Result<ServerState, DecodeError> {
    let nested = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            Attribute::Destination(nested) => Some(nested),
            _ => None,
        });
    let mut raw = Raw::default();
    for attribute in nested.ok_or_else(|| missing("a server"))? {
        raw.take(attribute);
    }
    raw.state(service_family)
}

/// The same of an answer's attributes as they came. Listings are long: this makes no list of attributes
/// for each of their entries.
pub(crate) fn read(payload: &[u8], service_family: Family) -> Result<ServerState, DecodeError> {
    let mut raw = Raw::default();
    for nla in nest(payload, DEST, "a server")? {
        let nla = nla?;
        match nla.kind() {
            STATS => raw.stats = Some(stats::read(nla.value()).context("invalid STATS")?),
            STATS64 => raw.stats64 = Some(stats::read(nla.value()).context("invalid STATS64")?),
            _ => raw.take(&DestinationAttribute::parse(&nla)?),
        }
    }
    raw.state(service_family)
}

#[derive(Default)]
struct Raw {
    family: Option<u16>,
    address: Option<[u8; 16]>,
    port: Option<u16>,
    forward: u32,
    weight: i32,
    upper: u32,
    lower: u32,
    active: u32,
    inactive: u32,
    persistent: u32,
    tunnel_type: u8,
    tunnel_port: u16,
    tunnel_flags: u16,
    stats: Option<Counters>,
    stats64: Option<Counters>,
}

impl Raw {
    fn take(&mut self, attribute: &DestinationAttribute) {
        match attribute {
            DestinationAttribute::Address(bytes) => self.address = Some(*bytes),
            DestinationAttribute::Port(port) => self.port = Some(*port),
            DestinationAttribute::Forward(number) => self.forward = *number & METHOD_MASK,
            DestinationAttribute::Weight(weight) => self.weight = *weight,
            DestinationAttribute::UpperThreshold(number) => self.upper = *number,
            DestinationAttribute::LowerThreshold(number) => self.lower = *number,
            DestinationAttribute::ActiveConnections(number) => self.active = *number,
            DestinationAttribute::InactiveConnections(number) => self.inactive = *number,
            DestinationAttribute::PersistentConnections(number) => self.persistent = *number,
            DestinationAttribute::Stats(nested) => self.stats = Some(stats::value(nested)),
            DestinationAttribute::Family(number) => self.family = Some(*number),
            DestinationAttribute::Stats64(nested) => self.stats64 = Some(stats::value(nested)),
            DestinationAttribute::TunnelType(number) => self.tunnel_type = *number,
            DestinationAttribute::TunnelPort(port) => self.tunnel_port = *port,
            DestinationAttribute::TunnelFlags(flags) => self.tunnel_flags = *flags,
            DestinationAttribute::Other(_) => {}
        }
    }

    fn tunnel(&self) -> Tunnel {
        let checksum = match self.tunnel_flags {
            1 => Checksum::Plain,
            2 => Checksum::Remote,
            _ => Checksum::None,
        };
        match self.tunnel_type {
            1 => Tunnel::Gue {
                port: self.tunnel_port,
                checksum,
            },
            2 => Tunnel::Gre { checksum },
            _ => Tunnel::Ipip,
        }
    }

    fn state(self, service_family: Family) -> Result<ServerState, DecodeError> {
        let family = self.family.map_or(Ok(service_family), family_of)?;
        let bytes = self
            .address
            .ok_or_else(|| missing("the server's address"))?;
        let id = ServerId {
            address: address_of(family, bytes),
            port: self.port.ok_or_else(|| missing("the server's port"))?,
        };
        let forward = match self.forward {
            0 => Forward::Masquerade,
            1 => Forward::Local,
            2 => Forward::Tunnel(self.tunnel()),
            3 => Forward::DirectRoute,
            other => Forward::Other(other),
        };
        Ok(ServerState {
            server: Server {
                id,
                forward,
                weight: self.weight,
                upper_threshold: self.upper,
                lower_threshold: self.lower,
            },
            active_connections: self.active,
            inactive_connections: self.inactive,
            persistent_connections: self.persistent,
            counters: self.stats64.or(self.stats).unwrap_or_default(),
        })
    }
}
