//! Attributes of a service (`ipvsadm.md` 4.2).

use netlink_packet_core::{
    DecodeError, DefaultNla, Emitable, ErrorContext, Nla, NlaBuffer, Parseable, parse_string,
    parse_u16, parse_u16_be, parse_u32,
};

use crate::codec::stats::StatsAttribute;
use crate::codec::wire::{array, attributes, put};

const AF: u16 = 1;
const PROTOCOL: u16 = 2;
const ADDR: u16 = 3;
const PORT: u16 = 4;
const FWMARK: u16 = 5;
const SCHED_NAME: u16 = 6;
const FLAGS: u16 = 7;
const TIMEOUT: u16 = 8;
const NETMASK: u16 = 9;
pub(super) const STATS: u16 = 10;
const PE_NAME: u16 = 11;
pub(super) const STATS64: u16 = 12;

/// An attribute of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceAttribute {
    /// 1: 2 or 10.
    Family(u16),
    /// 2: 6, 17, 132.
    Protocol(u16),
    /// 3: an IPv4 address in the first four bytes.
    Address([u8; 16]),
    /// 4: in network order on the wire.
    Port(u16),
    /// 5: takes the place of protocol, address and port.
    Mark(u32),
    /// 6.
    Scheduler(String),
    /// 7: the flags, and the mask of those that are meant.
    Flags {
        /// Bits.
        flags: u32,
        /// Bits of an edited service outside the mask stay as they are.
        mask: u32,
    },
    /// 8: seconds of persistence.
    Timeout(u32),
    /// 9: as on the wire. IPv4: the mask's four bytes in network order; IPv6: the prefix length in host
    /// order.
    Netmask([u8; 4]),
    /// 10: only in answers.
    Stats(Vec<StatsAttribute>),
    /// 11: only when set.
    Engine(String),
    /// 12: only in answers, since Linux 4.1.
    Stats64(Vec<StatsAttribute>),
    /// Of a later kernel.
    Other(DefaultNla),
}

impl Nla for ServiceAttribute {
    fn value_len(&self) -> usize {
        match self {
            Self::Family(_) | Self::Protocol(_) | Self::Port(_) => 2,
            Self::Address(_) => 16,
            Self::Mark(_) | Self::Timeout(_) | Self::Netmask(_) => 4,
            Self::Scheduler(name) | Self::Engine(name) => name.len() + 1,
            Self::Flags { .. } => 8,
            Self::Stats(nested) | Self::Stats64(nested) => nested.as_slice().buffer_len(),
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Family(_) => AF,
            Self::Protocol(_) => PROTOCOL,
            Self::Address(_) => ADDR,
            Self::Port(_) => PORT,
            Self::Mark(_) => FWMARK,
            Self::Scheduler(_) => SCHED_NAME,
            Self::Flags { .. } => FLAGS,
            Self::Timeout(_) => TIMEOUT,
            Self::Netmask(_) => NETMASK,
            Self::Stats(_) => STATS,
            Self::Engine(_) => PE_NAME,
            Self::Stats64(_) => STATS64,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Family(number) | Self::Protocol(number) => put(buffer, &number.to_ne_bytes()),
            Self::Port(port) => put(buffer, &port.to_be_bytes()),
            Self::Address(bytes) => put(buffer, bytes),
            Self::Mark(number) | Self::Timeout(number) => put(buffer, &number.to_ne_bytes()),
            Self::Netmask(bytes) => put(buffer, bytes),
            Self::Scheduler(name) | Self::Engine(name) => put(buffer, name.as_bytes()),
            Self::Flags { flags, mask } => {
                if let Some((first, second)) = buffer.split_at_mut_checked(4) {
                    put(first, &flags.to_ne_bytes());
                    put(second, &mask.to_ne_bytes());
                }
            }
            Self::Stats(nested) | Self::Stats64(nested) => nested.as_slice().emit(buffer),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl Parseable<NlaBuffer<&[u8]>> for ServiceAttribute {
    fn parse(nla: &NlaBuffer<&[u8]>) -> Result<Self, DecodeError> {
        let payload = nla.value();
        Ok(match nla.kind() {
            AF => Self::Family(parse_u16(payload).context("invalid AF")?),
            PROTOCOL => Self::Protocol(parse_u16(payload).context("invalid PROTOCOL")?),
            ADDR => Self::Address(array(payload).context("invalid ADDR")?),
            PORT => Self::Port(parse_u16_be(payload).context("invalid PORT")?),
            FWMARK => Self::Mark(parse_u32(payload).context("invalid FWMARK")?),
            SCHED_NAME => Self::Scheduler(parse_string(payload).context("invalid SCHED_NAME")?),
            FLAGS => {
                let (flags, mask) = payload.split_at_checked(4).unwrap_or_default();
                Self::Flags {
                    flags: parse_u32(flags).context("invalid FLAGS")?,
                    mask: parse_u32(mask).context("invalid FLAGS")?,
                }
            }
            TIMEOUT => Self::Timeout(parse_u32(payload).context("invalid TIMEOUT")?),
            NETMASK => Self::Netmask(array(payload).context("invalid NETMASK")?),
            STATS => Self::Stats(attributes(payload).context("invalid STATS")?),
            PE_NAME => Self::Engine(parse_string(payload).context("invalid PE_NAME")?),
            STATS64 => Self::Stats64(attributes(payload).context("invalid STATS64")?),
            _ => Self::Other(DefaultNla::parse(nla)?),
        })
    }
}
