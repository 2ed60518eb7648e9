//! The lines of a listing (`ipvsadm.md` 2.1).

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use ipvs::text::scheduler_flag_names;
use ipvs::{
    Checksum, Counters, Error, Family, Forward, Info, Persistence, Protocol, Server, ServerState,
    Service, ServiceId, ServiceState, Tunnel,
};

use super::number::write_counter;
use super::{sort_servers, sort_services};
use crate::flags::{Mode, TableListing};
use crate::kernel::Kernel;
use crate::names::{Names, cut};

/// An IPv4 service's name is cut at this many characters, a server's at [`SERVER_NAME`].
const SERVICE_NAME: usize = 33;
const SERVER_NAME: usize = 28;

/// Bytes kept free for a service and its servers. Memory that is not written to costs nothing, and a text
/// that need not grow is not moved.
const ROOM: usize = 1024;

/// Writes a listing. Nothing is written when the kernel does not give its data.
pub fn print(
    out: &mut String,
    kernel: &mut dyn Kernel,
    listing: &TableListing,
) -> Result<(), Error> {
    let info = kernel.probe()?;
    let services = match &listing.service {
        Some(id) => vec![kernel.service(id)?],
        None => kernel.services()?,
    };
    let mut order: Vec<&ServiceState> = services.iter().collect();
    if listing.sorted {
        order = sort_services(order, |state| state);
    }
    out.reserve(services.len() * ROOM);
    if listing.service.is_none() {
        write_version(out, info);
    }
    write_titles(out, listing.mode);
    for state in order {
        write_service(out, state, listing);
        let mut servers = kernel.servers(&state.service.id)?;
        if listing.sorted {
            servers = sort_servers(servers);
        }
        for server in &servers {
            write_server(out, &state.service.id, server, listing);
        }
    }
    Ok(())
}

fn write_version(
    out: &mut String,
    Info {
        version,
        table_size,
    }: Info,
) {
    let (major, minor, patch) = (version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
    // Writing to a string does not fail; so everywhere below.
    let _ = writeln!(
        out,
        "IP Virtual Server version {major}.{minor}.{patch} (size={table_size})"
    );
}

fn write_titles(out: &mut String, mode: Mode) {
    let prot = "Prot LocalAddress:Port";
    let remote = "  -> RemoteAddress:Port";
    let _ = match mode {
        Mode::Default => writeln!(
            out,
            "{prot} Scheduler Flags\n{remote}           Forward Weight ActiveConn InActConn"
        ),
        Mode::TunnelInfo => writeln!(
            out,
            "{prot} Scheduler Flags\n{remote}           Forward TunnelInfo    Weight ActiveConn InActConn"
        ),
        Mode::Stats => writeln!(
            out,
            "{prot:<33} {:>8} {:>8} {:>8} {:>8} {:>8}\n{remote}",
            "Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"
        ),
        Mode::Rate => writeln!(
            out,
            "{prot:<33} {:>8} {:>8} {:>8} {:>8} {:>8}\n{remote}",
            "CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"
        ),
        Mode::Thresholds => writeln!(
            out,
            "{prot:<33} {:<10} {:<10} {:<10} {:<10}\n{remote}",
            "Uthreshold", "Lthreshold", "ActiveConn", "InActConn"
        ),
        Mode::PersistentConnections => writeln!(
            out,
            "{prot:<33} {:<9} {:<11} {:<10} {:<10}\n{remote}",
            "Weight", "PersistConn", "ActiveConn", "InActConn"
        ),
    };
}

fn service_name(id: &ServiceId, names: Names) -> String {
    match *id {
        ServiceId::Address {
            protocol,
            address,
            port,
        } => {
            let protocol_name = match protocol {
                Protocol::Tcp => "TCP",
                Protocol::Udp => "UDP",
                Protocol::Sctp => "SCTP",
                Protocol::Other(_) => "?",
            };
            let name = format!(
                "{protocol_name:<4} {}",
                names.text(address, port, Some(protocol))
            );
            if address.is_ipv4() {
                cut(name, SERVICE_NAME)
            } else {
                name
            }
        }
        ServiceId::Mark {
            mark,
            family: Family::V4,
        } => format!("FWM  {mark}"),
        ServiceId::Mark {
            mark,
            family: Family::V6,
        } => format!("FWM  {mark} IPv6"),
    }
}

fn write_service(out: &mut String, state: &ServiceState, listing: &TableListing) {
    let service = &state.service;
    let name = service_name(
        &service.id,
        Names {
            numeric: listing.numeric,
        },
    );
    match listing.mode {
        Mode::Stats => {
            let _ = write!(out, "{name:<33}");
            write_counters(out, totals(&state.counters), listing.exact);
        }
        Mode::Rate => {
            let _ = write!(out, "{name:<33}");
            write_counters(out, rates(&state.counters), listing.exact);
        }
        _ => {
            let _ = write!(out, "{name} {}", service.scheduler);
            write_settings(out, service);
        }
    }
    out.push('\n');
}

fn write_settings(out: &mut String, service: &Service) {
    if service.scheduler_flags != 0 {
        let names = scheduler_flag_names(&service.scheduler, service.scheduler_flags);
        let _ = write!(out, " ({names})");
    }
    if let Some(Persistence { timeout, netmask }) = service.persistence {
        let _ = write!(out, " persistent {timeout}");
        let family = service.id.family();
        if netmask != family.full_netmask() {
            let _ = match family {
                Family::V4 => write!(out, " mask {}", Ipv4Addr::from(netmask)),
                Family::V6 => write!(out, " mask {netmask}"),
            };
        }
        if let Some(engine) = &service.engine {
            let _ = write!(out, " pe {engine}");
        }
    }
    if service.one_packet {
        out.push_str(" ops");
    }
}

const fn totals(counters: &Counters) -> [u64; 5] {
    [
        counters.connections,
        counters.in_packets,
        counters.out_packets,
        counters.in_bytes,
        counters.out_bytes,
    ]
}

const fn rates(counters: &Counters) -> [u64; 5] {
    [
        counters.connection_rate,
        counters.in_packet_rate,
        counters.out_packet_rate,
        counters.in_byte_rate,
        counters.out_byte_rate,
    ]
}

fn write_counters(out: &mut String, values: [u64; 5], exact: bool) {
    for value in values {
        write_counter(out, value, exact);
    }
}

fn server_name(server: &Server, service: &ServiceId, names: Names) -> String {
    let text = names.text(server.id.address, server.id.port, service.protocol());
    match server.id.address {
        IpAddr::V4(_) => cut(text, SERVER_NAME),
        IpAddr::V6(_) => text,
    }
}

fn write_server(
    out: &mut String,
    service: &ServiceId,
    state: &ServerState,
    listing: &TableListing,
) {
    let server = &state.server;
    let name = server_name(
        server,
        service,
        Names {
            numeric: listing.numeric,
        },
    );
    let (active, inactive) = (state.active_connections, state.inactive_connections);
    let weight = server.weight;
    let _ = write!(out, "  -> {name:<28}");
    let _ = match listing.mode {
        Mode::Default => {
            let forward = forward_name(server.forward);
            write!(out, " {forward:<7} {weight:<6} {active:<10} {inactive:<10}")
        }
        Mode::TunnelInfo => {
            let forward = forward_name(server.forward);
            let tunnel = tunnel_text(server.forward);
            write!(
                out,
                " {forward:<7} {tunnel:<13} {weight:<6} {active:<10} {inactive:<10}"
            )
        }
        Mode::Thresholds => {
            let (upper, lower) = (server.upper_threshold, server.lower_threshold);
            write!(out, " {upper:<10} {lower:<10} {active:<10} {inactive:<10}")
        }
        Mode::PersistentConnections => {
            let persistent = state.persistent_connections;
            write!(
                out,
                " {weight:<9} {persistent:<11} {active:<10} {inactive:<10}"
            )
        }
        Mode::Stats => {
            write_counters(out, totals(&state.counters), listing.exact);
            Ok(())
        }
        Mode::Rate => {
            let [connections, in_packets, out_packets, in_bytes, out_bytes] =
                rates(&state.counters);
            // The original never shortens the first three.
            let _ = write!(out, " {connections:>8} {in_packets:>8} {out_packets:>8}");
            for value in [in_bytes, out_bytes] {
                write_counter(out, value, listing.exact);
            }
            Ok(())
        }
    };
    out.push('\n');
}

const fn forward_name(forward: Forward) -> &'static str {
    match forward {
        Forward::Masquerade => "Masq",
        Forward::Local => "Local",
        Forward::Tunnel(_) => "Tunnel",
        Forward::DirectRoute => "Route",
        // What the original prints for a method that it does not know.
        Forward::Other(_) => "(null)",
    }
}

fn tunnel_text(forward: Forward) -> String {
    let flag = |checksum| match checksum {
        Checksum::None => "-c",
        Checksum::Plain => "+c",
        Checksum::Remote => "r+c",
    };
    match forward {
        Forward::Tunnel(Tunnel::Ipip) => "ipip".to_owned(),
        Forward::Tunnel(Tunnel::Gue { port, checksum }) => format!("gue:{port}:{}", flag(checksum)),
        Forward::Tunnel(Tunnel::Gre { checksum }) => format!("gre:{}", flag(checksum)),
        _ => "n/a".to_owned(),
    }
}
