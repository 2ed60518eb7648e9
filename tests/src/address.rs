//! The IPv4 addresses of a machine with their labels, as the C library's `getifaddrs` gives them.

use std::net::Ipv4Addr;

use crate::error::{Context, Result};
use crate::node::Node;

/// An address on an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Label, as `eth0:1`; the interface's name where there is none.
    pub label: String,
    /// The address.
    pub address: Ipv4Addr,
    /// Its mask.
    pub mask: Option<Ipv4Addr>,
    /// Its broadcast address.
    pub broadcast: Option<Ipv4Addr>,
}

/// All IPv4 addresses of a machine.
pub fn list(node: &Node) -> Result<Vec<Address>> {
    node.run(list_here)?
}

fn list_here() -> Result<Vec<Address>> {
    let found = nix::ifaddrs::getifaddrs().during("asking for addresses")?;
    let ip = |address: Option<nix::sys::socket::SockaddrStorage>| {
        address.and_then(|address| Some(address.as_sockaddr_in()?.ip()))
    };
    Ok(found
        .filter_map(|entry| {
            Some(Address {
                label: entry.interface_name,
                address: ip(entry.address)?,
                mask: ip(entry.netmask),
                broadcast: ip(entry.broadcast),
            })
        })
        .collect())
}
