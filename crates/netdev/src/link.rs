//! The state of an interface.

use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use pnet::datalink::MacAddr;

use crate::{Error, Result};

/// An interface as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its Ethernet address, when it has one.
    pub mac: Option<MacAddr>,
    /// Its Ethernet broadcast address, when it has one.
    pub broadcast_mac: Option<MacAddr>,
    /// Set up by the administrator.
    pub up: bool,
    /// The kernel sees a carrier; for bonds and VLANs that of what is below (B38).
    pub carrier: bool,
}

impl Link {
    /// Whether it can carry traffic: up and with carrier.
    pub fn is_working(&self) -> bool {
        self.up && self.carrier
    }

    /// The Ethernet address, an error when there is none (B36).
    pub fn hardware_address(&self) -> Result<MacAddr> {
        self.mac.ok_or_else(|| Error::NoHardwareAddress {
            interface: self.name.clone(),
        })
    }

    pub(crate) fn from_message(message: &LinkMessage) -> Option<Self> {
        let flags = message.header.flags;
        let mut link = Self {
            index: message.header.index,
            name: String::new(),
            mac: None,
            broadcast_mac: None,
            up: flags.contains(LinkFlags::Up),
            carrier: flags.contains(LinkFlags::LowerUp),
        };
        let ethernet = message.header.link_layer_type == LinkLayerType::Ether;
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name.clone_from(name),
                LinkAttribute::Address(bytes) if ethernet => link.mac = mac(bytes),
                LinkAttribute::Broadcast(bytes) if ethernet => link.broadcast_mac = mac(bytes),
                LinkAttribute::Carrier(carrier) => link.carrier = *carrier != 0,
                _ => {}
            }
        }
        Some(link).filter(|link| !link.name.is_empty())
    }
}

fn mac(bytes: &[u8]) -> Option<MacAddr> {
    <[u8; 6]>::try_from(bytes).ok().map(MacAddr::from)
}
