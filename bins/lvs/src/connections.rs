//! How many connections and packets each service and server has, from what ipvsadm lists.
//!
//! Reads text only: JSON from the tool of this project, the table of `-Ln` from any other.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipvs::{Family, Protocol, ServerId, ServiceId};
use serde::{Deserialize, Serialize};

use crate::health::Key;
use crate::identity::parse_service;

/// What has passed since the entry was made, and how much at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub in_packets: u64,
    /// Packets to clients.
    pub out_packets: u64,
    /// Bytes from clients.
    pub in_bytes: u64,
    /// Bytes to clients.
    pub out_bytes: u64,
    /// Connections per second.
    pub connections_per_second: u64,
    /// Packets from clients per second.
    pub in_packets_per_second: u64,
    /// Packets to clients per second.
    pub out_packets_per_second: u64,
    /// Bytes from clients per second.
    pub in_bytes_per_second: u64,
    /// Bytes to clients per second.
    pub out_bytes_per_second: u64,
}

/// The connections of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Established ones.
    pub active: u64,
    /// Others that the kernel remembers.
    pub inactive: u64,
    /// Counters, where the tool tells them.
    pub counters: Option<Counters>,
}

/// What is counted, of everything in the table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connections {
    /// Services, where the tool tells their counters.
    pub services: BTreeMap<ServiceId, Counters>,
    /// Servers.
    pub servers: BTreeMap<Key, Count>,
}

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    services: Vec<ListedService<'a>>,
}

#[derive(Deserialize)]
struct ListedService<'a> {
    mark: Option<u32>,
    /// A number where it is none of the usual ones.
    #[serde(default)]
    protocol: serde_json::Value,
    address: Option<IpAddr>,
    port: Option<u16>,
    #[serde(borrow)]
    family: &'a str,
    counters: Counters,
    servers: Vec<ListedServer>,
}

#[derive(Deserialize)]
struct ListedServer {
    address: IpAddr,
    port: u16,
    active_connections: u64,
    inactive_connections: u64,
    counters: Counters,
}

impl ListedService<'_> {
    fn id(&self) -> Option<ServiceId> {
        if let Some(mark) = self.mark {
            let family = match self.family {
                "ipv6" => Family::V6,
                _ => Family::V4,
            };
            return Some(ServiceId::Mark { mark, family });
        }
        Some(ServiceId::Address {
            protocol: match self.protocol.as_str() {
                Some("tcp") => Protocol::Tcp,
                Some("udp") => Protocol::Udp,
                // No service of lvs.cf.
                _ => return None,
            },
            address: self.address?,
            port: self.port?,
        })
    }
}

/// Reads the listing of the tool of this project.
pub fn parse_json(text: &str) -> Result<Connections, serde_json::Error> {
    let listing: Listing<'_> = serde_json::from_str(text)?;
    let mut connections = Connections::default();
    for service in listing.services {
        let Some(id) = service.id() else { continue };
        connections.services.insert(id, service.counters);
        for server in service.servers {
            let (address, port) = (server.address, server.port);
            let count = Count {
                active: server.active_connections,
                inactive: server.inactive_connections,
                counters: Some(server.counters),
            };
            let key = (id, ServerId { address, port });
            connections.servers.insert(key, count);
        }
    }
    Ok(connections)
}

/// Reads the listing of any other tool; lines of another form, such as headings, are left out.
pub fn parse_table(text: &str) -> Connections {
    let mut connections = Connections::default();
    let mut service = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["->", server, _, _, active, inactive, ..] => {
                if let (Some(service), Ok(active), Ok(inactive)) =
                    (service, active.parse(), inactive.parse())
                    && let Some(key) = key(service, server)
                {
                    let counters = None;
                    let count = Count {
                        active,
                        inactive,
                        counters,
                    };
                    connections.servers.insert(key, count);
                }
            }
            [kind @ ("TCP" | "UDP" | "FWM"), name, ..] => {
                let flag = match *kind {
                    "TCP" => "-t",
                    "UDP" => "-u",
                    _ => "-f",
                };
                service = parse_service(&format!("{flag} {name}"));
            }
            _ => {}
        }
    }
    connections
}

fn key(service: ServiceId, server: &str) -> Option<Key> {
    let server: std::net::SocketAddr = server.parse().ok()?;
    let (address, port) = (server.ip(), server.port());
    Some((service, ServerId { address, port }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_of_addresses_and_marks() {
        let text = "IP Virtual Server version 1.2.1 (size=4096)\n\
            Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n\
            TCP  192.0.2.80:80 wlc persistent 60\n  -> 10.0.0.1:80                  Masq    10     3          7\n\
            FWM  8 rr\n  -> 10.0.0.2:0                   Route   0      0          1         \n";
        let connections = parse_table(text);
        let found: Vec<_> = connections
            .servers
            .iter()
            .map(|(key, count)| (key.1.port, count.active, count.inactive))
            .collect();
        assert_eq!(found.len(), 2);
        assert!(found.contains(&(80, 3, 7)) && found.contains(&(0, 0, 1)));
    }

    #[test]
    fn a_listing_as_json() {
        let counters = serde_json::to_value(Counters {
            connections: 5,
            in_bytes: u64::MAX,
            ..Counters::default()
        })
        .unwrap();
        let server = serde_json::json!({
            "address": "10.0.0.1", "port": 80, "forward": "route", "weight": 1, "active_connections": 3,
            "inactive_connections": 7, "counters": counters,
        });
        let text = serde_json::json!({"version": "1.2.1", "services": [
            {"protocol": "tcp", "address": "192.0.2.80", "port": 80, "family": "ipv4", "counters": counters,
             "servers": [server]},
            {"mark": 8, "family": "ipv4", "counters": counters, "servers": []},
            {"protocol": 7, "address": "192.0.2.80", "port": 80, "family": "ipv4", "counters": counters,
             "servers": [server]},
        ]})
        .to_string();
        let connections = parse_json(&text).unwrap();
        let service = parse_service("-t 192.0.2.80:80").unwrap();
        let mark = parse_service("-f 8").unwrap();
        assert_eq!(connections.services.len(), 2);
        assert_eq!(connections.services[&mark].in_bytes, u64::MAX);
        let (key, count) = connections.servers.first_key_value().unwrap();
        assert_eq!((key.0, connections.servers.len()), (service, 1));
        assert_eq!((count.active, count.inactive), (3, 7));
        assert_eq!(count.counters.unwrap().connections, 5);
        for rubbish in ["", "{", "[]", "{\"services\":[{}]}"] {
            assert!(parse_json(rubbish).is_err());
        }
    }
}
