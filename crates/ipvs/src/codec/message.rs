//! One message: command and top-level attributes.

use netlink_packet_core::{DecodeError, Emitable, ParseableParametrized};
use netlink_packet_generic::{GenlFamily, GenlHeader};

use super::attribute::{Attribute, parse_top_level};
use super::command::Command;

/// Name under which the kernel's controller knows the family.
pub const FAMILY_NAME: &str = "IPVS";

/// Version of the family, the same in every kernel.
pub const FAMILY_VERSION: u8 = 1;

/// Payload of a generic-netlink message of the family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpvsMessage {
    /// What is asked or told.
    pub command: Command,
    /// What it is about.
    pub attributes: Vec<Attribute>,
}

impl IpvsMessage {
    /// A message without attributes.
    pub const fn bare(command: Command) -> Self {
        Self {
            command,
            attributes: Vec::new(),
        }
    }
}

impl GenlFamily for IpvsMessage {
    fn family_name() -> &'static str {
        FAMILY_NAME
    }

    fn command(&self) -> u8 {
        self.command.into()
    }

    fn version(&self) -> u8 {
        FAMILY_VERSION
    }
}

impl Emitable for IpvsMessage {
    fn buffer_len(&self) -> usize {
        self.attributes.as_slice().buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.attributes.as_slice().emit(buffer);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for IpvsMessage {
    fn parse_with_param(payload: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        let command = Command::from(header.cmd);
        Ok(Self {
            command,
            attributes: parse_top_level(command, payload)?,
        })
    }
}
