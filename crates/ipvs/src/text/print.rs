//! Printing of tables and operations.
//!
//! Owns the exact words and blanks of a saved table (`ipvsadm.md` 2.7).

use std::fmt::{self, Display, Formatter, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    Checksum, Family, Forward, Operation, Persistence, Protocol, SCHEDULER_FLAGS, Server, ServerId,
    Service, ServiceId, Table, Tunnel,
};

/// Writes an address and a port.
pub trait NameAddress<W: ?Sized>:
    FnMut(&mut W, IpAddr, u16, Option<Protocol>) -> fmt::Result
{
}

impl<W: ?Sized, F> NameAddress<W> for F where
    F: FnMut(&mut W, IpAddr, u16, Option<Protocol>) -> fmt::Result
{
}

/// The numeric text of an address and a port: `10.0.0.1:80`, `[2001:db8::1]:80`.
pub fn numeric(address: IpAddr, port: u16, protocol: Option<Protocol>) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_numeric(&mut text, address, port, protocol);
    text
}

/// Writes the same. A large table has many addresses: this goes without the machinery of formats.
pub fn write_numeric<W: Write + ?Sized>(
    out: &mut W,
    address: IpAddr,
    port: u16,
    _: Option<Protocol>,
) -> fmt::Result {
    let mut digits = itoa::Buffer::new();
    match address {
        IpAddr::V4(address) => {
            for (octet, end) in address.octets().into_iter().zip(['.', '.', '.', ':']) {
                out.write_str(digits.format(octet))?;
                out.write_char(end)?;
            }
        }
        IpAddr::V6(address) => {
            out.write_char('[')?;
            write_ipv6(out, address)?;
            out.write_str("]:")?;
        }
    }
    out.write_str(digits.format(port))
}

/// Writes an IPv6 address as C's `inet_ntop` does: what begins with 96 zero bits ends like an IPv4
/// address, `::10.0.0.1`, unless only 16 bits are left.
pub fn write_ipv6<W: Write + ?Sized>(out: &mut W, address: Ipv6Addr) -> fmt::Result {
    match address.octets() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, end @ ..] if !matches!(end, [0, 0, _, _]) => {
            write!(out, "::{}", Ipv4Addr::from(end))
        }
        _ => write!(out, "{address}"),
    }
}

/// Prints a table as `ipvsadm -S -n` does, in the order of the map.
///
/// As there, thresholds are not part of it.
pub fn print_table(table: &Table) -> String {
    let mut out = String::new();
    for entry in table.values() {
        // Writing to a string does not fail.
        let _ = write_saved_service(&mut out, &entry.service, &mut write_numeric);
        out.push('\n');
        for server in entry.servers.values() {
            let _ = write_saved_server(&mut out, &entry.service.id, server, &mut write_numeric);
            out.push('\n');
        }
    }
    out
}

/// Names of the scheduler flags that are set, as `-L` shows them and `-S` saves them.
///
/// Flag 3 has no name with the schedulers `sh` and `mh`, so the text may be empty.
pub fn scheduler_flag_names(scheduler: &str, flags: u32) -> String {
    let names: &[&str] = match scheduler {
        "sh" => &["sh-fallback", "sh-port"],
        "mh" => &["mh-fallback", "mh-port"],
        _ => &["flag-1", "flag-2", "flag-3"],
    };
    let set = names
        .iter()
        .zip(SCHEDULER_FLAGS)
        .filter(|(_, bit)| flags & bit != 0);
    set.map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

/// Flag names that can be read back: flag 3 of `sh` and `mh` by its general name.
fn readable_flag_names(scheduler: &str, flags: u32) -> String {
    let mut names = scheduler_flag_names(scheduler, flags);
    if matches!(scheduler, "sh" | "mh") && flags & SCHEDULER_FLAGS[2] != 0 {
        if !names.is_empty() {
            names.push(',');
        }
        names.push_str("flag-3");
    }
    names
}

/// Writes the `-A` line of a service without its newline, as `-S` prints it.
///
/// `name` writes an address and a port; the protocol is that of the service, `None` for a mark.
pub fn write_saved_service<W: Write + ?Sized>(
    out: &mut W,
    service: &Service,
    name: &mut impl NameAddress<W>,
) -> fmt::Result {
    out.write_str("-A ")?;
    write_service_id(out, &service.id, name)?;
    write_service_options(out, service)?;
    if has_flags(service) {
        let names = scheduler_flag_names(&service.scheduler, service.scheduler_flags);
        write!(out, " -b {names}")?;
    }
    Ok(())
}

fn has_flags(service: &Service) -> bool {
    SCHEDULER_FLAGS
        .iter()
        .any(|bit| service.scheduler_flags & bit != 0)
}

fn write_service_id<W: Write + ?Sized>(
    out: &mut W,
    id: &ServiceId,
    name: &mut impl NameAddress<W>,
) -> fmt::Result {
    match *id {
        ServiceId::Address {
            protocol,
            address,
            port,
        } => {
            let option = match protocol {
                Protocol::Tcp => "-t",
                Protocol::Udp => "-u",
                Protocol::Sctp => "--sctp-service",
                // What ipvsadm prints; it cannot be read back.
                Protocol::Other(_) => "--xxx-service",
            };
            out.write_str(option)?;
            out.write_char(' ')?;
            name(out, address, port, Some(protocol))
        }
        ServiceId::Mark {
            mark,
            family: Family::V4,
        } => write!(out, "-f {mark}"),
        ServiceId::Mark {
            mark,
            family: Family::V6,
        } => write!(out, "-f {mark} -6"),
    }
}

/// Everything of a service but its identity and its scheduler flags.
fn write_service_options<W: Write + ?Sized>(out: &mut W, service: &Service) -> fmt::Result {
    write!(out, " -s {}", service.scheduler)?;
    if let Some(Persistence { timeout, netmask }) = service.persistence {
        write!(out, " -p {timeout}")?;
        let family = service.id.family();
        if netmask != family.full_netmask() {
            match family {
                Family::V4 => write!(out, " -M {}", Ipv4Addr::from(netmask))?,
                Family::V6 => write!(out, " -M {netmask}")?,
            }
        }
    }
    if let Some(engine) = &service.engine {
        write!(out, " --pe {engine}")?;
    }
    if service.one_packet {
        out.write_str(" -o")?;
    }
    Ok(())
}

/// Writes the `-a` line of a server without its newline, as `-S` prints it.
pub fn write_saved_server<W: Write + ?Sized>(
    out: &mut W,
    service: &ServiceId,
    server: &Server,
    name: &mut impl NameAddress<W>,
) -> fmt::Result {
    out.write_str("-a ")?;
    write_server_id(out, service, &server.id, name)?;
    let method = match server.forward {
        Forward::Masquerade => "-m",
        Forward::Tunnel(_) => "-i",
        // ipvsadm saves the kernel's own choice "local" as direct routing.
        Forward::DirectRoute | Forward::Local => "-g",
        // As in listings. No kernel has such a server.
        Forward::Other(_) => "(null)",
    };
    out.write_char(' ')?;
    out.write_str(method)?;
    out.write_str(" -w ")?;
    out.write_str(itoa::Buffer::new().format(server.weight))?;
    if let Forward::Tunnel(tunnel) = server.forward {
        write_tunnel(out, tunnel)?;
    }
    Ok(())
}

fn write_server_id<W: Write + ?Sized>(
    out: &mut W,
    service: &ServiceId,
    server: &ServerId,
    name: &mut impl NameAddress<W>,
) -> fmt::Result {
    write_service_id(out, service, name)?;
    out.write_str(" -r ")?;
    name(out, server.address, server.port, service.protocol())
}

fn write_tunnel<W: Write + ?Sized>(out: &mut W, tunnel: Tunnel) -> fmt::Result {
    let checksum = |checksum| match checksum {
        Checksum::None => "--tun-nocsum",
        Checksum::Plain => "--tun-csum",
        Checksum::Remote => "--tun-remcsum",
    };
    match tunnel {
        Tunnel::Ipip => out.write_str(" --tun-type ipip"),
        Tunnel::Gue {
            port,
            checksum: kind,
        } => {
            write!(out, " --tun-type gue --tun-port {port} {}", checksum(kind))
        }
        Tunnel::Gre { checksum: kind } => write!(out, " --tun-type gre {}", checksum(kind)),
    }
}

/// One line that `ipvsadm -R` reads, numeric, without the newline. Its words are also the arguments of
/// one run of ipvsadm.
///
/// Unlike a saved table it names everything that the operation sets, so that nothing falls back to a
/// default: `-E` and `-e` replace all of a service or server.
impl Display for Operation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddService(service) => write_service_operation(f, "-A", service),
            Self::EditService(service) => write_service_operation(f, "-E", service),
            Self::DeleteService(id) => {
                f.write_str("-D ")?;
                write_service_id(f, id, &mut write_numeric)
            }
            Self::AddServer(id, server) => write_server_operation(f, "-a", id, server),
            Self::EditServer(id, server) => write_server_operation(f, "-e", id, server),
            Self::DeleteServer(id, server) => {
                f.write_str("-d ")?;
                write_server_id(f, id, server, &mut write_numeric)
            }
        }
    }
}

fn write_service_operation(f: &mut Formatter<'_>, command: &str, service: &Service) -> fmt::Result {
    write!(f, "{command} ")?;
    write_service_id(f, &service.id, &mut write_numeric)?;
    write_service_options(f, service)?;
    if has_flags(service) {
        let names = readable_flag_names(&service.scheduler, service.scheduler_flags);
        write!(f, " -b {names}")?;
    }
    Ok(())
}

fn write_server_operation(
    f: &mut Formatter<'_>,
    command: &str,
    service: &ServiceId,
    server: &Server,
) -> fmt::Result {
    write!(f, "{command} ")?;
    write_server_id(f, service, &server.id, &mut write_numeric)?;
    match server.forward {
        Forward::Masquerade => f.write_str(" -m")?,
        Forward::Tunnel(_) => f.write_str(" -i")?,
        Forward::DirectRoute | Forward::Local | Forward::Other(_) => f.write_str(" -g")?,
    }
    write!(f, " -w {}", server.weight)?;
    if server.upper_threshold != 0 {
        write!(f, " -x {}", server.upper_threshold)?;
    }
    if server.lower_threshold != 0 {
        write!(f, " -y {}", server.lower_threshold)?;
    }
    match server.forward {
        // Left out because ipvsadm before 1.31 does not know the option; it is the default.
        Forward::Tunnel(Tunnel::Ipip) => Ok(()),
        Forward::Tunnel(tunnel) => write_tunnel(f, tunnel),
        _ => Ok(()),
    }
}
