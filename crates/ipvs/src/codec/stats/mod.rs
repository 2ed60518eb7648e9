//! Counters of a service or server, in 32 bits (`STATS`) and 64 bits (`STATS64`).

mod attribute;

pub use attribute::{Counter, StatsAttribute};

use netlink_packet_core::{DecodeError, NlasIterator};

use self::attribute::number;
use crate::Counters;

/// The counters that a nest of either kind holds; those that are missing are 0.
pub fn value(attributes: &[StatsAttribute]) -> Counters {
    let mut counters = Counters::default();
    for attribute in attributes {
        if let StatsAttribute::Counter { counter, value, .. } = attribute {
            *field(&mut counters, *counter) = *value;
        }
    }
    counters
}

/// The same of a nest as it came, without a list of attributes in between.
pub(super) fn read(nest: &[u8]) -> Result<Counters, DecodeError> {
    let mut counters = Counters::default();
    for nla in NlasIterator::new(nest) {
        let nla = nla?;
        if let Some(counter) = Counter::of(nla.kind()) {
            *field(&mut counters, counter) = number(nla.value())?;
        }
    }
    Ok(counters)
}

const fn field(counters: &mut Counters, counter: Counter) -> &mut u64 {
    match counter {
        Counter::Connections => &mut counters.connections,
        Counter::InPackets => &mut counters.in_packets,
        Counter::OutPackets => &mut counters.out_packets,
        Counter::InBytes => &mut counters.in_bytes,
        Counter::OutBytes => &mut counters.out_bytes,
        Counter::ConnectionRate => &mut counters.connection_rate,
        Counter::InPacketRate => &mut counters.in_packet_rate,
        Counter::OutPacketRate => &mut counters.out_packet_rate,
        Counter::InByteRate => &mut counters.in_byte_rate,
        Counter::OutByteRate => &mut counters.out_byte_rate,
    }
}
