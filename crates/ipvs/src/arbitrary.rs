//! Random tables for property tests.
//!
//! Addresses come from small sets so that two tables overlap.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use crate::*;

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0u32..4).prop_map(|n| IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n))),
        (0u128..4).prop_map(|n| IpAddr::V6(Ipv6Addr::from((0x2001_0db8 << 96) + n))),
        any::<u32>().prop_map(|n| IpAddr::V4(n.into())),
        any::<u128>().prop_map(|n| IpAddr::V6(n.into())),
    ]
}

pub(crate) fn service_id() -> impl Strategy<Value = ServiceId> {
    let protocol = prop_oneof![
        Just(Protocol::Tcp),
        Just(Protocol::Udp),
        Just(Protocol::Sctp)
    ];
    let port = prop_oneof![Just(80u16), any::<u16>()];
    prop_oneof![
        (protocol, address(), port).prop_map(|(protocol, address, port)| ServiceId::Address {
            protocol,
            address,
            port
        }),
        (1u32.., prop_oneof![Just(Family::V4), Just(Family::V6)])
            .prop_map(|(mark, family)| ServiceId::Mark { mark, family }),
    ]
}

fn persistence(family: Family) -> impl Strategy<Value = Persistence> {
    let netmask = match family {
        Family::V4 => prop_oneof![Just(u32::MAX), any::<u32>()].boxed(),
        Family::V6 => (1u32..=128).boxed(),
    };
    (1u32..=2_678_400, netmask).prop_map(|(timeout, netmask)| Persistence { timeout, netmask })
}

/// Services that print without loss: flag-3 has no name with `sh` and `mh`.
fn service(id: ServiceId) -> impl Strategy<Value = Service> {
    let scheduler = prop_oneof![
        Just("rr"),
        Just("wlc"),
        Just("sh"),
        Just("mh"),
        Just("none")
    ];
    let engine = proptest::option::of(Just("sip".to_owned()));
    (
        scheduler,
        0u32..8,
        any::<bool>(),
        proptest::option::of(persistence(id.family())),
        engine,
    )
        .prop_map(move |(scheduler, flags, one_packet, persistence, engine)| {
            let named = if matches!(scheduler, "sh" | "mh") {
                3
            } else {
                7
            };
            Service {
                id,
                scheduler: scheduler.to_owned(),
                scheduler_flags: (flags & named) << 3,
                one_packet,
                persistence,
                engine,
            }
        })
}

fn forward() -> impl Strategy<Value = Forward> {
    let checksum = || {
        prop_oneof![
            Just(Checksum::None),
            Just(Checksum::Plain),
            Just(Checksum::Remote)
        ]
    };
    prop_oneof![
        Just(Forward::Masquerade),
        Just(Forward::DirectRoute),
        Just(Forward::Tunnel(Tunnel::Ipip)),
        (1u16.., checksum())
            .prop_map(|(port, checksum)| Forward::Tunnel(Tunnel::Gue { port, checksum })),
        checksum().prop_map(|checksum| Forward::Tunnel(Tunnel::Gre { checksum })),
    ]
}

pub(crate) fn server() -> impl Strategy<Value = Server> {
    let port = prop_oneof![Just(80u16), any::<u16>()];
    let thresholds = prop_oneof![Just((0, 0)), (any::<u32>(), any::<u32>())];
    (address(), port, forward(), 0..=i32::MAX, thresholds).prop_map(
        |(address, port, forward, weight, (upper_threshold, lower_threshold))| Server {
            id: ServerId { address, port },
            forward,
            weight,
            upper_threshold,
            lower_threshold,
        },
    )
}

fn entry() -> impl Strategy<Value = Entry> {
    let service = service_id().prop_flat_map(service);
    (service, proptest::collection::vec(server(), 0..5)).prop_map(|(service, servers)| Entry {
        service,
        servers: servers
            .into_iter()
            .map(|server| (server.id, server))
            .collect(),
    })
}

pub(crate) fn table() -> impl Strategy<Value = Table> {
    proptest::collection::vec(entry(), 0..6).prop_map(|entries| {
        entries
            .into_iter()
            .map(|entry| (entry.service.id, entry))
            .collect()
    })
}

/// Two tables of which the second shares entries with the first, some of them changed.
pub(crate) fn two_tables() -> impl Strategy<Value = (Table, Table)> {
    (
        table(),
        table(),
        proptest::collection::vec((any::<bool>(), entry()), 0..6),
    )
        .prop_map(|(first, mut second, choices)| {
            for ((id, entry), (keep, other)) in first.iter().zip(choices) {
                let mut entry = entry.clone();
                if !keep {
                    let service = Service {
                        id: *id,
                        ..other.service
                    };
                    entry.service = service;
                    entry.servers.pop_first();
                    entry.servers.extend(other.servers);
                }
                second.insert(*id, entry);
            }
            (first, second)
        })
}
