//! Reading of a saved table.
//!
//! Takes what `ipvsadm -Sn` prints, and thresholds. It is not the command line of ipvsadm: names,
//! bundled options and defaults are the program's business.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::{FromStr, SplitAsciiWhitespace};

use super::{TextError, TextErrorKind};
use crate::{
    Checksum, Entry, Family, Forward, Persistence, Protocol, Server, ServerId, Service, ServiceId,
    Table, Tunnel,
};

/// Reads a table in the form that `ipvsadm -Sn` prints; blank lines are skipped.
pub fn parse_table(text: &str) -> Result<Table, TextError> {
    let mut table = Table::new();
    for (index, line) in text.lines().enumerate() {
        parse_line(&mut table, line).map_err(|kind| TextError {
            line: index + 1,
            kind,
        })?;
    }
    Ok(table)
}

/// Reads the words that name a service: `-t 192.0.2.80:80`, `-f 7`.
pub fn parse_service(text: &str) -> Result<ServiceId, TextErrorKind> {
    Options::read(text.split_ascii_whitespace())?.service_id()
}

fn parse_line(table: &mut Table, line: &str) -> Result<(), TextErrorKind> {
    let mut words = line.split_ascii_whitespace();
    let Some(command) = words.next() else {
        return Ok(());
    };
    if !matches!(command, "-A" | "-a") {
        return Err(TextErrorKind::Command(command.to_owned()));
    }
    let options = Options::read(words)?;
    let id = options.service_id()?;
    if command == "-A" {
        let entry = Entry {
            service: options.service(id),
            servers: Default::default(),
        };
        match table.insert(id, entry) {
            None => Ok(()),
            Some(_) => Err(TextErrorKind::ServiceExists),
        }
    } else {
        let server = options.server()?;
        let entry = table.get_mut(&id).ok_or(TextErrorKind::ServiceNotDefined)?;
        match entry.servers.insert(server.id, server) {
            None => Ok(()),
            Some(_) => Err(TextErrorKind::ServerExists),
        }
    }
}

/// The options of one line as written.
#[derive(Default)]
struct Options {
    address: Option<(Protocol, IpAddr, u16)>,
    mark: Option<u32>,
    version6: bool,
    scheduler: Option<String>,
    flags: u32,
    one_packet: bool,
    timeout: Option<u32>,
    netmask: Option<String>,
    engine: Option<String>,
    server: Option<ServerId>,
    forward: Option<char>,
    weight: Option<i32>,
    upper: u32,
    lower: u32,
    tunnel: Option<String>,
    tunnel_port: Option<u16>,
    checksum: Option<Checksum>,
}

impl Options {
    fn read(mut words: SplitAsciiWhitespace<'_>) -> Result<Self, TextErrorKind> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            options.take(word, &mut words)?;
        }
        Ok(options)
    }

    fn take(
        &mut self,
        option: &str,
        words: &mut SplitAsciiWhitespace<'_>,
    ) -> Result<(), TextErrorKind> {
        match option {
            "-6" => self.version6 = true,
            "-o" => self.one_packet = true,
            "-m" | "-g" | "-i" => self.forward = option.chars().nth(1),
            "--tun-nocsum" => self.checksum = Some(Checksum::None),
            "--tun-csum" => self.checksum = Some(Checksum::Plain),
            "--tun-remcsum" => self.checksum = Some(Checksum::Remote),
            _ => {
                let known = [
                    "-t",
                    "-u",
                    "--sctp-service",
                    "-f",
                    "-s",
                    "-p",
                    "-M",
                    "-b",
                    "--pe",
                    "-r",
                    "-w",
                    "-x",
                    "-y",
                    "--tun-type",
                    "--tun-port",
                ];
                if !known.contains(&option) {
                    return Err(TextErrorKind::Option(option.to_owned()));
                }
                let value = words
                    .next()
                    .ok_or_else(|| TextErrorKind::MissingValue(option.to_owned()))?;
                self.take_value(option, value)?;
            }
        }
        Ok(())
    }

    fn take_value(&mut self, option: &str, value: &str) -> Result<(), TextErrorKind> {
        match option {
            "-t" => self.address = Some(service_address(Protocol::Tcp, option, value)?),
            "-u" => self.address = Some(service_address(Protocol::Udp, option, value)?),
            "--sctp-service" => {
                self.address = Some(service_address(Protocol::Sctp, option, value)?);
            }
            "-f" => match number(option, value)? {
                0 => return Err(invalid(option, value)),
                mark => self.mark = Some(mark),
            },
            "-s" => self.scheduler = Some(value.to_owned()),
            "-p" => self.timeout = Some(number(option, value)?),
            "-M" => self.netmask = Some(value.to_owned()),
            "-b" => self.flags = scheduler_flags(option, value)?,
            "--pe" => self.engine = Some(value.to_owned()),
            "-r" => {
                let (address, port) = socket_address(option, value)?;
                self.server = Some(ServerId { address, port });
            }
            "-w" => self.weight = Some(number(option, value)?),
            "-x" => self.upper = number(option, value)?,
            "-y" => self.lower = number(option, value)?,
            "--tun-type" => match value {
                "ipip" | "gue" | "gre" => self.tunnel = Some(value.to_owned()),
                _ => return Err(invalid(option, value)),
            },
            "--tun-port" => match number(option, value)? {
                0 => return Err(invalid(option, value)),
                port => self.tunnel_port = Some(port),
            },
            _ => return Err(TextErrorKind::Option(option.to_owned())),
        }
        Ok(())
    }

    /// The service's identity; also checks the mask, whose form depends on the family.
    fn service_id(&self) -> Result<ServiceId, TextErrorKind> {
        let id = match (self.address, self.mark) {
            (Some((protocol, address, port)), None) => ServiceId::Address {
                protocol,
                address,
                port,
            },
            (None, Some(mark)) => {
                let family = if self.version6 {
                    Family::V6
                } else {
                    Family::V4
                };
                ServiceId::Mark { mark, family }
            }
            _ => return Err(TextErrorKind::NoService),
        };
        if let Some(text) = &self.netmask {
            netmask(id.family(), text).ok_or_else(|| invalid("-M", text))?;
        }
        Ok(id)
    }

    fn service(self, id: ServiceId) -> Service {
        let family = id.family();
        let written = self.netmask.and_then(|text| netmask(family, &text));
        Service {
            id,
            scheduler: self.scheduler.unwrap_or_else(|| "wlc".to_owned()),
            scheduler_flags: self.flags,
            one_packet: self.one_packet,
            persistence: self.timeout.map(|timeout| Persistence {
                timeout,
                netmask: written.unwrap_or(family.full_netmask()),
            }),
            engine: self.engine,
        }
    }

    fn server(self) -> Result<Server, TextErrorKind> {
        let id = self.server.ok_or(TextErrorKind::NoServer)?;
        let forward = match self.forward {
            Some('i') => Forward::Tunnel(self.tunnel()?),
            _ if self.tunnel.is_some() => return Err(TextErrorKind::Tunnel),
            Some('m') => Forward::Masquerade,
            _ => Forward::DirectRoute,
        };
        Ok(Server {
            id,
            forward,
            weight: self.weight.unwrap_or(1),
            upper_threshold: self.upper,
            lower_threshold: self.lower,
        })
    }

    fn tunnel(&self) -> Result<Tunnel, TextErrorKind> {
        let checksum = self.checksum.unwrap_or_default();
        match (self.tunnel.as_deref().unwrap_or("ipip"), self.tunnel_port) {
            ("gue", Some(port)) => Ok(Tunnel::Gue { port, checksum }),
            ("gre", None) => Ok(Tunnel::Gre { checksum }),
            ("ipip", None) if self.checksum.is_none() => Ok(Tunnel::Ipip),
            _ => Err(TextErrorKind::Tunnel),
        }
    }
}

fn invalid(option: &str, value: &str) -> TextErrorKind {
    TextErrorKind::Value {
        option: option.to_owned(),
        value: value.to_owned(),
    }
}

fn number<N: FromStr>(option: &str, value: &str) -> Result<N, TextErrorKind> {
    value.parse().map_err(|_| invalid(option, value))
}

fn service_address(
    protocol: Protocol,
    option: &str,
    value: &str,
) -> Result<(Protocol, IpAddr, u16), TextErrorKind> {
    let (address, port) = socket_address(option, value)?;
    Ok((protocol, address, port))
}

fn socket_address(option: &str, value: &str) -> Result<(IpAddr, u16), TextErrorKind> {
    let parsed = value.rsplit_once(':').and_then(|(address, port)| {
        let address = match address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(inner) => IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?),
            None => IpAddr::V4(address.parse::<Ipv4Addr>().ok()?),
        };
        Some((address, port.parse().ok()?))
    });
    parsed.ok_or_else(|| invalid(option, value))
}

fn netmask(family: Family, text: &str) -> Option<u32> {
    match family {
        Family::V4 => text.parse::<Ipv4Addr>().ok().map(u32::from),
        Family::V6 => text.parse().ok().filter(|bits| (1..=128).contains(bits)),
    }
}

fn scheduler_flags(option: &str, value: &str) -> Result<u32, TextErrorKind> {
    let mut flags = 0;
    for name in value.split(',').filter(|name| !name.is_empty()) {
        flags |= match name {
            "flag-1" | "sh-fallback" | "mh-fallback" => 0x08,
            "flag-2" | "sh-port" | "mh-port" => 0x10,
            "flag-3" => 0x20,
            _ => return Err(invalid(option, value)),
        };
    }
    Ok(flags)
}
