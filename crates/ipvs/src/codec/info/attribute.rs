//! Attributes of the answer to `GET_INFO`.

use netlink_packet_core::{DecodeError, DefaultNla, Nla, NlaBuffer, Parseable, parse_u32};

use crate::codec::wire::put;

const VERSION: u16 = 1;
const CONN_TAB_SIZE: u16 = 2;

/// An attribute of the answer to `GET_INFO`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InfoAttribute {
    /// 1: 0x010201 is version 1.2.1.
    Version(u32),
    /// 2: entries of the connection table.
    TableSize(u32),
    /// Of a later kernel.
    Other(DefaultNla),
}

impl Nla for InfoAttribute {
    fn value_len(&self) -> usize {
        match self {
            Self::Version(_) | Self::TableSize(_) => 4,
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Version(_) => VERSION,
            Self::TableSize(_) => CONN_TAB_SIZE,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Version(number) | Self::TableSize(number) => put(buffer, &number.to_ne_bytes()),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl Parseable<NlaBuffer<&[u8]>> for InfoAttribute {
    fn parse(nla: &NlaBuffer<&[u8]>) -> Result<Self, DecodeError> {
        let payload = nla.value();
        Ok(match nla.kind() {
            VERSION => Self::Version(parse_u32(payload)?),
            CONN_TAB_SIZE => Self::TableSize(parse_u32(payload)?),
            _ => Self::Other(DefaultNla::parse(nla)?),
        })
    }
}
