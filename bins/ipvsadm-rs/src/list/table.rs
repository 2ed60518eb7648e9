//! The lines of a listing (`ipvsadm.md` 2.1).

use std::fmt::Write;
use std::net::Ipv4Addr;

use ipvs::text::scheduler_flag_names;
use ipvs::{
    Checksum, Counters, Error, Family, Forward, Info, Persistence, Protocol, Server, ServerState,
    Service, ServiceId, ServiceState, Tunnel,
};

use super::number::{fill, write_counter, write_left, write_right, write_text};
use super::{sort_servers, sort_services};
use crate::flags::{Mode, TableListing};
use crate::kernel::Kernel;
use crate::names::{Names, cut};

/// An IPv4 service's name is cut at this many characters, a server's at [`SERVER_NAME`].
const SERVICE_NAME: usize = 33;
const SERVER_NAME: usize = 28;
/// Columns of a service's name before its counters.
const COUNTED_NAME: usize = 33;

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
    let order = if listing.sorted {
        sort_services(&services)
    } else {
        services.iter().collect()
    };
    out.reserve(services.len() * ROOM);
    if listing.service.is_none() {
        write_version(out, info);
    }
    write_titles(out, listing.mode);
    for state in order {
        write_service(out, state, listing);
        let servers = kernel.servers(&state.service.id)?;
        let order = if listing.sorted {
            sort_servers(&servers)
        } else {
            servers.iter().collect()
        };
        for server in order {
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

/// Writes a service's protocol, address and port, or its mark.
pub(crate) fn write_service_name(out: &mut String, id: &ServiceId, names: Names) {
    match *id {
        ServiceId::Address {
            protocol,
            address,
            port,
        } => {
            let start = out.len();
            out.push_str(match protocol {
                Protocol::Tcp => "TCP  ",
                Protocol::Udp => "UDP  ",
                Protocol::Sctp => "SCTP ",
                Protocol::Other(_) => "?    ",
            });
            let _ = names.write(out, address, port, Some(protocol));
            if address.is_ipv4() {
                cut(out, start, SERVICE_NAME);
            }
        }
        ServiceId::Mark { mark, family } => {
            let _ = write!(out, "FWM  {mark}");
            if family == Family::V6 {
                out.push_str(" IPv6");
            }
        }
    }
}

fn write_service(out: &mut String, state: &ServiceState, listing: &TableListing) {
    let service = &state.service;
    let names = Names {
        numeric: listing.numeric,
    };
    let start = out.len();
    write_service_name(out, &service.id, names);
    match listing.mode {
        Mode::Stats => {
            fill(out, start, COUNTED_NAME);
            write_counters(out, totals(&state.counters), listing.exact);
        }
        Mode::Rate => {
            fill(out, start, COUNTED_NAME);
            write_counters(out, rates(&state.counters), listing.exact);
        }
        _ => {
            out.push(' ');
            out.push_str(&service.scheduler);
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

fn write_server_name(out: &mut String, server: &Server, service: &ServiceId, names: Names) {
    out.push_str("  -> ");
    let start = out.len();
    let _ = names.write(out, server.id.address, server.id.port, service.protocol());
    if server.id.address.is_ipv4() {
        cut(out, start, SERVER_NAME);
    }
    fill(out, start, SERVER_NAME);
}

fn write_server(
    out: &mut String,
    service: &ServiceId,
    state: &ServerState,
    listing: &TableListing,
) {
    let server = &state.server;
    let names = Names {
        numeric: listing.numeric,
    };
    write_server_name(out, server, service, names);
    match listing.mode {
        Mode::Default => {
            write_text(out, forward_name(server.forward), 7);
            write_left(out, server.weight, 6);
            write_connections(out, state);
        }
        Mode::TunnelInfo => {
            write_text(out, forward_name(server.forward), 7);
            write_text(out, &tunnel_text(server.forward), 13);
            write_left(out, server.weight, 6);
            write_connections(out, state);
        }
        Mode::Thresholds => {
            write_left(out, server.upper_threshold, 10);
            write_left(out, server.lower_threshold, 10);
            write_connections(out, state);
        }
        Mode::PersistentConnections => {
            // Unsigned in this listing only; the kernel refuses negative weights.
            write_left(out, server.weight.cast_unsigned(), 9);
            write_left(out, state.persistent_connections, 11);
            write_connections(out, state);
        }
        Mode::Stats => write_counters(out, totals(&state.counters), listing.exact),
        Mode::Rate => {
            let [connections, in_packets, out_packets, in_bytes, out_bytes] =
                rates(&state.counters);
            // The original never shortens the first three.
            for value in [connections, in_packets, out_packets] {
                write_right(out, value);
            }
            for value in [in_bytes, out_bytes] {
                write_counter(out, value, listing.exact);
            }
        }
    }
    out.push('\n');
}

fn write_connections(out: &mut String, state: &ServerState) {
    write_left(out, state.active_connections, 10);
    write_left(out, state.inactive_connections, 10);
}

/// What a listing calls a forwarding method.
pub(crate) const fn forward_name(forward: Forward) -> &'static str {
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
