//! Counters of a service or server, in 32 bits (`STATS`) and 64 bits (`STATS64`).

mod attribute;

pub use attribute::{Counter, StatsAttribute};

use crate::Counters;

/// The counters that a nest of either kind holds; those that are missing are 0.
pub fn value(attributes: &[StatsAttribute]) -> Counters {
    let mut counters = Counters::default();
    for attribute in attributes {
        let StatsAttribute::Counter { counter, value, .. } = attribute else {
            continue;
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
    counters
}
