//! How many connections each server has, from what `ipvsadm -Ln` prints.
//!
//! Reads text only; every ipvsadm prints this form.

use std::collections::BTreeMap;

use ipvs::ServiceId;

use crate::health::Key;
use crate::identity::parse_service;

/// The connections of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Established ones.
    pub active: u64,
    /// Others that the kernel remembers.
    pub inactive: u64,
}

/// The connections of every server in the table.
pub type Connections = BTreeMap<Key, Count>;

/// Reads the listing; lines of another form, such as headings, are left out.
pub fn parse(text: &str) -> Connections {
    let mut connections = Connections::new();
    let mut service = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["->", server, _, _, active, inactive, ..] => {
                if let (Some(service), Ok(active), Ok(inactive)) =
                    (service, active.parse(), inactive.parse())
                    && let Some(key) = key(service, server)
                {
                    connections.insert(key, Count { active, inactive });
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
    Some((service, ipvs::ServerId { address, port }))
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
        let connections = parse(text);
        let found: Vec<_> = connections
            .iter()
            .map(|(key, count)| (key.1.port, count.active, count.inactive))
            .collect();
        assert_eq!(found.len(), 2);
        assert!(found.contains(&(80, 3, 7)) && found.contains(&(0, 0, 1)));
    }
}
