//! Attributes of a real server (`ipvsadm.md` 4.3).

use netlink_packet_core::{
    DecodeError, DefaultNla, Emitable, ErrorContext, Nla, NlaBuffer, Parseable, parse_u8,
    parse_u16, parse_u16_be, parse_u32,
};

use crate::codec::stats::StatsAttribute;
use crate::codec::wire::{array, attributes, put};

const ADDR: u16 = 1;
const PORT: u16 = 2;
const FWD_METHOD: u16 = 3;
const WEIGHT: u16 = 4;
const U_THRESH: u16 = 5;
const L_THRESH: u16 = 6;
const ACTIVE_CONNS: u16 = 7;
const INACT_CONNS: u16 = 8;
const PERSIST_CONNS: u16 = 9;
pub(super) const STATS: u16 = 10;
const ADDR_FAMILY: u16 = 11;
pub(super) const STATS64: u16 = 12;
const TUN_TYPE: u16 = 13;
const TUN_PORT: u16 = 14;
const TUN_FLAGS: u16 = 15;

/// An attribute of a real server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationAttribute {
    /// 1: an IPv4 address in the first four bytes.
    Address([u8; 16]),
    /// 2: in network order on the wire.
    Port(u16),
    /// 3: forwarding method in the low three bits.
    Forward(u32),
    /// 4: a signed number.
    Weight(i32),
    /// 5: upper threshold.
    UpperThreshold(u32),
    /// 6: lower threshold.
    LowerThreshold(u32),
    /// 7: only in answers.
    ActiveConnections(u32),
    /// 8: only in answers.
    InactiveConnections(u32),
    /// 9: only in answers.
    PersistentConnections(u32),
    /// 10: only in answers.
    Stats(Vec<StatsAttribute>),
    /// 11: since Linux 3.18.
    Family(u16),
    /// 12: only in answers, since Linux 4.1.
    Stats64(Vec<StatsAttribute>),
    /// 13: 0 ipip, 1 gue, 2 gre.
    TunnelType(u8),
    /// 14: in network order on the wire.
    TunnelPort(u16),
    /// 15: 0 none, 1 checksum, 2 remote checksum.
    TunnelFlags(u16),
    /// Of a later kernel.
    Other(DefaultNla),
}

impl Nla for DestinationAttribute {
    fn value_len(&self) -> usize {
        match self {
            Self::Address(_) => 16,
            Self::Port(_) | Self::Family(_) | Self::TunnelPort(_) | Self::TunnelFlags(_) => 2,
            Self::TunnelType(_) => 1,
            Self::Forward(_)
            | Self::Weight(_)
            | Self::UpperThreshold(_)
            | Self::LowerThreshold(_)
            | Self::ActiveConnections(_)
            | Self::InactiveConnections(_)
            | Self::PersistentConnections(_) => 4,
            Self::Stats(nested) | Self::Stats64(nested) => nested.as_slice().buffer_len(),
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Address(_) => ADDR,
            Self::Port(_) => PORT,
            Self::Forward(_) => FWD_METHOD,
            Self::Weight(_) => WEIGHT,
            Self::UpperThreshold(_) => U_THRESH,
            Self::LowerThreshold(_) => L_THRESH,
            Self::ActiveConnections(_) => ACTIVE_CONNS,
            Self::InactiveConnections(_) => INACT_CONNS,
            Self::PersistentConnections(_) => PERSIST_CONNS,
            Self::Stats(_) => STATS,
            Self::Family(_) => ADDR_FAMILY,
            Self::Stats64(_) => STATS64,
            Self::TunnelType(_) => TUN_TYPE,
            Self::TunnelPort(_) => TUN_PORT,
            Self::TunnelFlags(_) => TUN_FLAGS,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Address(bytes) => put(buffer, bytes),
            Self::Port(port) | Self::TunnelPort(port) => put(buffer, &port.to_be_bytes()),
            Self::Family(number) | Self::TunnelFlags(number) => put(buffer, &number.to_ne_bytes()),
            Self::TunnelType(number) => put(buffer, &[*number]),
            Self::Weight(number) => put(buffer, &number.to_ne_bytes()),
            Self::Forward(number)
            | Self::UpperThreshold(number)
            | Self::LowerThreshold(number)
            | Self::ActiveConnections(number)
            | Self::InactiveConnections(number)
            | Self::PersistentConnections(number) => put(buffer, &number.to_ne_bytes()),
            Self::Stats(nested) | Self::Stats64(nested) => nested.as_slice().emit(buffer),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl Parseable<NlaBuffer<&[u8]>> for DestinationAttribute {
    fn parse(nla: &NlaBuffer<&[u8]>) -> Result<Self, DecodeError> {
        let payload = nla.value();
        Ok(match nla.kind() {
            ADDR => Self::Address(array(payload).context("invalid ADDR")?),
            PORT => Self::Port(parse_u16_be(payload).context("invalid PORT")?),
            FWD_METHOD => Self::Forward(parse_u32(payload).context("invalid FWD_METHOD")?),
            WEIGHT => Self::Weight(i32::from_ne_bytes(
                array(payload).context("invalid WEIGHT")?,
            )),
            U_THRESH => Self::UpperThreshold(parse_u32(payload).context("invalid U_THRESH")?),
            L_THRESH => Self::LowerThreshold(parse_u32(payload).context("invalid L_THRESH")?),
            ACTIVE_CONNS => Self::ActiveConnections(parse_u32(payload)?),
            INACT_CONNS => Self::InactiveConnections(parse_u32(payload)?),
            PERSIST_CONNS => Self::PersistentConnections(parse_u32(payload)?),
            STATS => Self::Stats(attributes(payload).context("invalid STATS")?),
            ADDR_FAMILY => Self::Family(parse_u16(payload).context("invalid ADDR_FAMILY")?),
            STATS64 => Self::Stats64(attributes(payload).context("invalid STATS64")?),
            TUN_TYPE => Self::TunnelType(parse_u8(payload).context("invalid TUN_TYPE")?),
            TUN_PORT => Self::TunnelPort(parse_u16_be(payload).context("invalid TUN_PORT")?),
            TUN_FLAGS => Self::TunnelFlags(parse_u16(payload).context("invalid TUN_FLAGS")?),
            _ => Self::Other(DefaultNla::parse(nla)?),
        })
    }
}
