//! The connection table (`ipvsadm.md` 2.5), which the kernel gives as a file.

use std::fmt::Write;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipvs::Protocol;

use crate::json::Json;
use crate::names::Names;

/// Where the kernel shows connections.
pub(crate) const FILE: &str = "/proc/net/ip_vs_conn";

/// Writes the connections that `file` holds, in its order. `false` when it does not even hold titles.
pub(crate) fn print(out: &mut String, file: impl Read, numeric: bool, persistent: bool) -> bool {
    let mut lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    if lines.next().is_none() {
        return false;
    }
    let title = "pro expire state       source             virtual            ";
    // Writing to a string does not fail; so everywhere below.
    let _ = write!(out, "IPVS connection entries\n{title}");
    let _ = if persistent {
        writeln!(out, "{:<18} {:<16} pe_data", "destination", "pe name")
    } else {
        writeln!(out, "destination")
    };
    for line in lines {
        let line = String::from_utf8_lossy(&line);
        if let Some(connection) = Connection::parse(&line) {
            connection.write(out, Names { numeric }, persistent);
        }
    }
    true
}

/// The connections that `file` holds as a JSON list. `None` when it does not even hold titles.
pub(crate) fn json(file: impl Read) -> Option<Json> {
    let mut lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    lines.next()?;
    let entries = lines.filter_map(|line| {
        let line = String::from_utf8_lossy(&line);
        Connection::parse(&line).map(|connection| connection.json())
    });
    Some(Json::List(entries.collect()))
}

/// One line of the file.
struct Connection<'a> {
    protocol: &'a str,
    ends: [(IpAddr, u16); 3],
    state: &'a str,
    seconds: u64,
    engine: Option<(&'a str, &'a str)>,
}

impl<'a> Connection<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let protocol = fields.next()?;
        let mut end = || -> Option<(IpAddr, u16)> {
            let address = address(fields.next()?)?;
            Some((address, u16::from_str_radix(fields.next()?, 16).ok()?))
        };
        let ends = [end()?, end()?, end()?];
        let state = fields.next()?;
        let seconds = fields.next()?.parse().ok()?;
        let engine = fields.next().zip(fields.next());
        Some(Self {
            protocol,
            ends,
            state,
            seconds,
            engine,
        })
    }

    fn json(&self) -> Json {
        let [source, service, destination] = self.ends.map(|(address, port)| {
            Json::object([
                ("address", Json::text(address)),
                ("port", Json::number(port)),
            ])
        });
        let engine = self.engine.map(|(name, data)| {
            Json::object([("name", Json::text(name)), ("data", Json::text(data))])
        });
        Json::object([
            ("protocol", Json::text(self.protocol)),
            ("expires", Json::number(self.seconds)),
            ("state", Json::text(self.state)),
            ("source", source),
            ("virtual", service),
            ("destination", destination),
            ("engine", engine.unwrap_or(Json::Null)),
        ])
    }

    fn write(&self, out: &mut String, names: Names, persistent: bool) {
        let protocol = match self.protocol {
            "TCP" => Some(Protocol::Tcp),
            "UDP" => Some(Protocol::Udp),
            "SCTP" => Some(Protocol::Sctp),
            _ => None,
        };
        let expire = format!("{:02}:{:02}", self.seconds / 60, self.seconds % 60);
        let [source, service, destination] = self.ends.map(|(address, port)| {
            let mut text = String::new();
            let _ = names.write(&mut text, address, port, protocol);
            text
        });
        let _ = write!(
            out,
            "{:<3} {expire:<6} {:<11} {source:<18} {service:<18} ",
            self.protocol, self.state
        );
        let _ = match self.engine.filter(|_| persistent) {
            Some((name, data)) => writeln!(out, "{destination:<16} {name:<18} {data}"),
            None => writeln!(out, "{destination}"),
        };
    }
}

/// An address as hexadecimal digits or in text form.
fn address(text: &str) -> Option<IpAddr> {
    if text.len() == 8
        && let Ok(number) = u32::from_str_radix(text, 16)
    {
        return Some(IpAddr::V4(Ipv4Addr::from(number)));
    }
    let version6 = text.parse::<Ipv6Addr>().map(IpAddr::V6);
    version6
        .or_else(|_| text.parse::<Ipv4Addr>().map(IpAddr::V4))
        .ok()
}
