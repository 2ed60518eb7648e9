//! The kernel's IPVS table as `/proc/net/ip_vs` shows it: a second opinion on what the programs
//! say, and cheap enough to be asked often.

use std::net::Ipv4Addr;

use crate::error::{Context, Result};
use crate::node::Node;

/// A virtual service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `TCP 198.51.100.80:80` or `FWM 5`.
    pub name: String,
    /// Scheduler.
    pub scheduler: String,
    /// Its real servers.
    pub servers: Vec<Real>,
}

/// A real server of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    /// Address.
    pub address: Ipv4Addr,
    /// Port.
    pub port: u16,
    /// `Masq`, `Route` or `Tunnel`.
    pub forwarding: String,
    /// Weight.
    pub weight: u32,
    /// Connections that carry data.
    pub active: u64,
}

/// Reads the table of a machine. A kernel without IPVS gives an error.
pub fn read(node: &Node) -> Result<Vec<Service>> {
    let text = node
        .run(|| std::fs::read_to_string("/proc/thread-self/net/ip_vs"))?
        .during("reading /proc/net/ip_vs")?;
    Ok(parse(&text))
}

fn parse(text: &str) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["->", address, forwarding, weight, active, _inactive] => {
                let real = (|| {
                    let (address, port) = parse_address(address)?;
                    let (weight, active) = (weight.parse().ok()?, active.parse().ok()?);
                    Some(Real {
                        address,
                        port,
                        forwarding: forwarding.to_owned(),
                        weight,
                        active,
                    })
                })();
                if let (Some(service), Some(real)) = (services.last_mut(), real) {
                    service.servers.push(real);
                }
            }
            [kind @ ("TCP" | "UDP" | "SCTP"), address, scheduler, ..] => {
                if let Some((address, port)) = parse_address(address) {
                    services.push(Service {
                        name: format!("{kind} {address}:{port}"),
                        scheduler: scheduler.to_owned(),
                        servers: Vec::new(),
                    });
                }
            }
            ["FWM", mark, scheduler, ..] => {
                let mark = u32::from_str_radix(mark, 16).unwrap_or_default();
                services.push(Service {
                    name: format!("FWM {mark}"),
                    scheduler: scheduler.to_owned(),
                    servers: Vec::new(),
                });
            }
            _ => {}
        }
    }
    sort(&mut services);
    services
}

/// Puts a table in the order that `read` gives; the kernel's own follows its hashes.
pub fn sort(table: &mut [Service]) {
    for service in &mut *table {
        service
            .servers
            .sort_by_key(|real| (real.address, real.port));
    }
    table.sort_by(|a, b| a.name.cmp(&b.name));
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}:", self.name, self.scheduler)?;
        for real in &self.servers {
            write!(
                f,
                " {}:{} {} weight {};",
                real.address, real.port, real.forwarding, real.weight
            )?;
        }
        Ok(())
    }
}

/// `C6336450:0050`.
fn parse_address(text: &str) -> Option<(Ipv4Addr, u16)> {
    let (address, port) = text.split_once(':')?;
    let address = u32::from_str_radix(address, 16).ok()?;
    Some((Ipv4Addr::from(address), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C6336450:0050 rr  persistent 300 FFFFFFFF
  -> 0A140066:0050      Masq    1      0          2
  -> 0A140065:1F90      Masq    3      7          0
FWM  0000000A wlc
";

    #[test]
    fn the_kernels_text_is_read() {
        let table = parse(TEXT);
        assert_eq!(table.len(), 2);
        assert_eq!(table[0].name, "FWM 10");
        assert_eq!(table[1].name, "TCP 198.51.100.80:80");
        assert_eq!(table[1].scheduler, "rr");
        let real = &table[1].servers[0];
        assert_eq!(
            (real.address, real.port),
            (Ipv4Addr::new(10, 20, 0, 101), 8080)
        );
        assert_eq!(
            (real.forwarding.as_str(), real.weight, real.active),
            ("Masq", 3, 7)
        );
        assert_eq!(table[1].servers.len(), 2);
    }
}
