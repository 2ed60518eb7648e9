//! Counters of a service or server, in 32 bits (`STATS`) and 64 bits (`STATS64`).

mod attribute;

pub use attribute::{Counter, StatsAttribute};

use netlink_packet_core::{DecodeError, NlasIterator, Parseable};

use crate::Counters;

/// The counters that a nest of either kind holds; those that are missing are 0.
pub fn value(attributes: &[StatsAttribute]) -> Counters {
    let mut counters = Counters::default();
    for attribute in attributes {
        take(&mut counters, attribute);
    }
    counters
}

/// The same of a nest as it came, without a list of attributes in between.
pub(super) fn read(nest: &[u8]) -> Result<Counters, DecodeError> {
    let mut counters = Counters::default();
    for nla in NlasIterator::new(nest) {
        take(&mut counters, &StatsAttribute::parse(&nla?)?);
    }
    Ok(counters)
}

fn take(counters: &mut Counters, attribute: &StatsAttribute) {
    let StatsAttribute::Counter { counter, value, .. } = attribute else {
        return;
    };
    let field = match counter {
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
    };
    *field = *value;
}
