//! Attributes of a connection-sync daemon (`ipvsadm.md` 4.4).

use netlink_packet_core::{
    DecodeError, DefaultNla, ErrorContext, Nla, NlaBuffer, Parseable, parse_string, parse_u8,
    parse_u16, parse_u32,
};

use crate::codec::wire::{array, put};

const STATE: u16 = 1;
const MCAST_IFN: u16 = 2;
const SYNC_ID: u16 = 3;
const SYNC_MAXLEN: u16 = 4;
const MCAST_GROUP: u16 = 5;
const MCAST_GROUP6: u16 = 6;
const MCAST_PORT: u16 = 7;
const MCAST_TTL: u16 = 8;

/// An attribute of a connection-sync daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DaemonAttribute {
    /// 1: 1 master, 2 backup.
    State(u32),
    /// 2.
    Interface(String),
    /// 3.
    SyncId(u32),
    /// 4: bytes.
    MaxLength(u16),
    /// 5.
    Group([u8; 4]),
    /// 6.
    Group6([u8; 16]),
    /// 7: in host order, unlike all other ports.
    Port(u16),
    /// 8.
    Ttl(u8),
    /// Of a later kernel.
    Other(DefaultNla),
}

impl Nla for DaemonAttribute {
    fn value_len(&self) -> usize {
        match self {
            Self::State(_) | Self::SyncId(_) | Self::Group(_) => 4,
            Self::Interface(name) => name.len() + 1,
            Self::MaxLength(_) | Self::Port(_) => 2,
            Self::Group6(_) => 16,
            Self::Ttl(_) => 1,
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::State(_) => STATE,
            Self::Interface(_) => MCAST_IFN,
            Self::SyncId(_) => SYNC_ID,
            Self::MaxLength(_) => SYNC_MAXLEN,
            Self::Group(_) => MCAST_GROUP,
            Self::Group6(_) => MCAST_GROUP6,
            Self::Port(_) => MCAST_PORT,
            Self::Ttl(_) => MCAST_TTL,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::State(number) | Self::SyncId(number) => put(buffer, &number.to_ne_bytes()),
            Self::Interface(name) => put(buffer, name.as_bytes()),
            Self::MaxLength(number) | Self::Port(number) => put(buffer, &number.to_ne_bytes()),
            Self::Group(bytes) => put(buffer, bytes),
            Self::Group6(bytes) => put(buffer, bytes),
            Self::Ttl(number) => put(buffer, &[*number]),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl Parseable<NlaBuffer<&[u8]>> for DaemonAttribute {
    fn parse(nla: &NlaBuffer<&[u8]>) -> Result<Self, DecodeError> {
        let payload = nla.value();
        Ok(match nla.kind() {
            STATE => Self::State(parse_u32(payload).context("invalid STATE")?),
            MCAST_IFN => Self::Interface(parse_string(payload).context("invalid MCAST_IFN")?),
            SYNC_ID => Self::SyncId(parse_u32(payload).context("invalid SYNC_ID")?),
            SYNC_MAXLEN => Self::MaxLength(parse_u16(payload).context("invalid SYNC_MAXLEN")?),
            MCAST_GROUP => Self::Group(array(payload).context("invalid MCAST_GROUP")?),
            MCAST_GROUP6 => Self::Group6(array(payload).context("invalid MCAST_GROUP6")?),
            MCAST_PORT => Self::Port(parse_u16(payload).context("invalid MCAST_PORT")?),
            MCAST_TTL => Self::Ttl(parse_u8(payload).context("invalid MCAST_TTL")?),
            _ => Self::Other(DefaultNla::parse(nla)?),
        })
    }
}
