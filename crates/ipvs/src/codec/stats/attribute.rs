//! Attributes of a nest of counters (`ipvsadm.md` 4.5).

use netlink_packet_core::{DecodeError, DefaultNla, Nla, NlaBuffer, Parseable};

use crate::codec::wire::{array, put};

const PAD: u16 = 11;
/// Bytes of a 32-bit counter.
const NARROW: usize = 4;

/// Which counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// 1: connections.
    Connections = 1,
    /// 2: packets from clients.
    InPackets = 2,
    /// 3: packets to clients.
    OutPackets = 3,
    /// 4: bytes from clients.
    InBytes = 4,
    /// 5: bytes to clients.
    OutBytes = 5,
    /// 6: connections per second.
    ConnectionRate = 6,
    /// 7: packets from clients per second.
    InPacketRate = 7,
    /// 8: packets to clients per second.
    OutPacketRate = 8,
    /// 9: bytes from clients per second.
    InByteRate = 9,
    /// 10: bytes to clients per second.
    OutByteRate = 10,
}

impl Counter {
    pub(super) const fn of(kind: u16) -> Option<Self> {
        Some(match kind {
            1 => Self::Connections,
            2 => Self::InPackets,
            3 => Self::OutPackets,
            4 => Self::InBytes,
            5 => Self::OutBytes,
            6 => Self::ConnectionRate,
            7 => Self::InPacketRate,
            8 => Self::OutPacketRate,
            9 => Self::InByteRate,
            10 => Self::OutByteRate,
            _ => return None,
        })
    }
}

/// An attribute of a nest of counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatsAttribute {
    /// 1 to 10.
    Counter {
        /// Which one.
        counter: Counter,
        /// Its value.
        value: u64,
        /// Whether it takes 8 bytes on the wire, else 4.
        wide: bool,
    },
    /// 11: empty, aligns a 64-bit number that follows.
    Pad,
    /// Of a later kernel.
    Other(DefaultNla),
}

impl Nla for StatsAttribute {
    fn value_len(&self) -> usize {
        match self {
            Self::Counter { wide: true, .. } => 8,
            Self::Counter { wide: false, .. } => 4,
            Self::Pad => 0,
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Counter { counter, .. } => *counter as u16,
            Self::Pad => PAD,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Counter {
                value, wide: true, ..
            } => put(buffer, &value.to_ne_bytes()),
            Self::Counter {
                value, wide: false, ..
            } => {
                // A narrow counter came from 32 bits, so nothing is lost.
                let value = u32::try_from(*value).unwrap_or(u32::MAX);
                put(buffer, &value.to_ne_bytes());
            }
            Self::Pad => {}
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl Parseable<NlaBuffer<&[u8]>> for StatsAttribute {
    fn parse(nla: &NlaBuffer<&[u8]>) -> Result<Self, DecodeError> {
        let payload = nla.value();
        Ok(match (Counter::of(nla.kind()), payload.len()) {
            (Some(counter), length) => Self::Counter {
                counter,
                value: number(payload)?,
                wide: length != NARROW,
            },
            (None, 0) if nla.kind() == PAD => Self::Pad,
            _ => Self::Other(DefaultNla::parse(nla)?),
        })
    }
}

/// The value of a counter, which takes 4 or 8 bytes.
pub(super) fn number(payload: &[u8]) -> Result<u64, DecodeError> {
    if payload.len() == NARROW {
        return Ok(u32::from_ne_bytes(array(payload)?).into());
    }
    Ok(u64::from_ne_bytes(array(payload)?))
}
