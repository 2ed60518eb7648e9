//! What a listing holds, as JSON: always everything, always in full.

use std::net::Ipv4Addr;

use ipvs::text::scheduler_flag_names;
use ipvs::{
    Checksum, Counters, Daemon, DaemonRole, Error, Family, Forward, Info, Persistence, Protocol,
    ServerState, Service, ServiceId, ServiceState, Timeouts, Tunnel,
};

use super::Json;
use crate::flags::TableListing;
use crate::kernel::Kernel;
use crate::list::{sort_servers, sort_services};

/// Services and servers in the order of the plain listing.
pub(crate) fn table(kernel: &mut dyn Kernel, listing: &TableListing) -> Result<Json, Error> {
    let Info {
        version,
        table_size,
    } = kernel.probe()?;
    let (major, minor, patch) = (version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
    let states = match &listing.service {
        Some(id) => vec![kernel.service(id)?],
        None => kernel.services()?,
    };
    let order = if listing.sorted {
        sort_services(&states)
    } else {
        states.iter().collect()
    };
    let mut services = Vec::with_capacity(order.len());
    for state in order {
        let servers = kernel.servers(&state.service.id)?;
        let order = if listing.sorted {
            sort_servers(&servers)
        } else {
            servers.iter().collect()
        };
        services.push(service(state, &order));
    }
    Ok(Json::object([
        (
            "version",
            Json::text(format_args!("{major}.{minor}.{patch}")),
        ),
        ("size", Json::number(table_size)),
        ("services", Json::List(services)),
    ]))
}

/// The timeouts.
pub(crate) fn timeouts(timeouts: &Timeouts) -> Json {
    Json::object([
        ("tcp", Json::number(timeouts.tcp)),
        ("tcpfin", Json::number(timeouts.tcp_fin)),
        ("udp", Json::number(timeouts.udp)),
    ])
}

/// The connection-sync daemons.
pub(crate) fn daemons(daemons: &[Daemon]) -> Json {
    let one = |daemon: &Daemon| {
        let role = match daemon.role {
            DaemonRole::Master => "master",
            DaemonRole::Backup => "backup",
        };
        Json::object([
            ("role", Json::text(role)),
            ("interface", Json::text(&daemon.interface)),
            ("syncid", Json::number(daemon.sync_id)),
            ("maxlen", daemon.max_length.map_or(Json::Null, Json::number)),
            ("group", daemon.group.map_or(Json::Null, Json::text)),
            ("port", daemon.port.map_or(Json::Null, Json::number)),
            ("ttl", daemon.ttl.map_or(Json::Null, Json::number)),
        ])
    };
    Json::List(daemons.iter().map(one).collect())
}

fn service(state: &ServiceState, servers: &[&ServerState]) -> Json {
    let Service {
        id,
        scheduler,
        scheduler_flags,
        one_packet,
        persistence,
        engine,
    } = &state.service;
    let mut fields = match id {
        ServiceId::Address {
            protocol,
            address,
            port,
        } => vec![
            ("protocol", protocol_name(*protocol)),
            ("address", Json::text(address)),
            ("port", Json::number(*port)),
        ],
        ServiceId::Mark { mark, .. } => vec![("mark", Json::number(*mark))],
    };
    let family = match id.family() {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    };
    let names = scheduler_flag_names(scheduler, *scheduler_flags);
    let names = names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(Json::text);
    fields.extend([
        ("family", Json::text(family)),
        ("scheduler", Json::text(scheduler)),
        ("flags", Json::List(names.collect())),
        ("one_packet", Json::Bool(*one_packet)),
        (
            "persistence",
            persistence.map_or(Json::Null, |it| persistence_of(id.family(), it)),
        ),
        ("engine", engine.as_ref().map_or(Json::Null, Json::text)),
        ("counters", counters(&state.counters)),
        (
            "servers",
            Json::List(servers.iter().copied().map(server).collect()),
        ),
    ]);
    Json::Object(fields)
}

fn protocol_name(protocol: Protocol) -> Json {
    match protocol {
        Protocol::Tcp => Json::text("tcp"),
        Protocol::Udp => Json::text("udp"),
        Protocol::Sctp => Json::text("sctp"),
        Protocol::Other(number) => Json::number(number),
    }
}

fn persistence_of(family: Family, Persistence { timeout, netmask }: Persistence) -> Json {
    let netmask = match family {
        Family::V4 => Json::text(Ipv4Addr::from(netmask)),
        Family::V6 => Json::number(netmask),
    };
    Json::object([("timeout", Json::number(timeout)), ("netmask", netmask)])
}

fn server(state: &ServerState) -> Json {
    let server = &state.server;
    let (forward, tunnel) = match server.forward {
        Forward::Masquerade => (Json::text("masquerade"), Json::Null),
        Forward::Local => (Json::text("local"), Json::Null),
        Forward::Tunnel(tunnel) => (Json::text("tunnel"), tunnel_of(tunnel)),
        Forward::DirectRoute => (Json::text("route"), Json::Null),
        Forward::Other(number) => (Json::number(number), Json::Null),
    };
    Json::object([
        ("address", Json::text(server.id.address)),
        ("port", Json::number(server.id.port)),
        ("forward", forward),
        ("tunnel", tunnel),
        ("weight", Json::number(server.weight)),
        ("upper_threshold", Json::number(server.upper_threshold)),
        ("lower_threshold", Json::number(server.lower_threshold)),
        ("active_connections", Json::number(state.active_connections)),
        (
            "inactive_connections",
            Json::number(state.inactive_connections),
        ),
        (
            "persistent_connections",
            Json::number(state.persistent_connections),
        ),
        ("counters", counters(&state.counters)),
    ])
}

fn tunnel_of(tunnel: Tunnel) -> Json {
    let checksum = |checksum| {
        Json::text(match checksum {
            Checksum::None => "none",
            Checksum::Plain => "plain",
            Checksum::Remote => "remote",
        })
    };
    match tunnel {
        Tunnel::Ipip => Json::object([("type", Json::text("ipip"))]),
        Tunnel::Gue {
            port,
            checksum: kind,
        } => Json::object([
            ("type", Json::text("gue")),
            ("port", Json::number(port)),
            ("checksum", checksum(kind)),
        ]),
        Tunnel::Gre { checksum: kind } => {
            Json::object([("type", Json::text("gre")), ("checksum", checksum(kind))])
        }
    }
}

fn counters(counters: &Counters) -> Json {
    Json::object([
        ("connections", Json::number(counters.connections)),
        ("in_packets", Json::number(counters.in_packets)),
        ("out_packets", Json::number(counters.out_packets)),
        ("in_bytes", Json::number(counters.in_bytes)),
        ("out_bytes", Json::number(counters.out_bytes)),
        (
            "connections_per_second",
            Json::number(counters.connection_rate),
        ),
        (
            "in_packets_per_second",
            Json::number(counters.in_packet_rate),
        ),
        (
            "out_packets_per_second",
            Json::number(counters.out_packet_rate),
        ),
        ("in_bytes_per_second", Json::number(counters.in_byte_rate)),
        ("out_bytes_per_second", Json::number(counters.out_byte_rate)),
    ])
}
