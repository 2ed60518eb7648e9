//! Addresses of services and servers (`ipvsadm.md` 1.6).

use std::net::IpAddr;

use ipvs::Protocol;

use super::value::{ipv6, lenient_ipv4, number};
use crate::system;

/// Reads an address with an optional port; names are looked up. The protocol is that of the service as
/// known so far: without it there are no service names.
pub(super) fn parse(text: &[u8], protocol: Option<Protocol>) -> Option<(IpAddr, Option<u16>)> {
    if text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (text, mut port) = match text.strip_prefix(b"[") {
        Some(inner) => {
            let end = inner.iter().position(|byte| *byte == b']')?;
            let port = inner.get(end + 1..)?.strip_prefix(b":")?;
            (inner.get(..end)?, Some(port))
        }
        None => (text, None),
    };
    let address = match ipv6(text) {
        Some(address) => IpAddr::V6(address),
        None => {
            // A port behind brackets is dropped here: they are for IPv6.
            let split = text.iter().rposition(|byte| *byte == b':');
            port = split.and_then(|at| text.get(at + 1..));
            let host = split.and_then(|at| text.get(..at)).unwrap_or(text);
            IpAddr::V4(lenient_ipv4(host).or_else(|| system::host_address(host))?)
        }
    };
    match port {
        Some(port) => Some((address, Some(port_number(port, protocol)?))),
        None => Some((address, None)),
    }
}

fn port_number(text: &[u8], protocol: Option<Protocol>) -> Option<u16> {
    match number(text, 0, 65535) {
        Some(port) => u16::try_from(port).ok(),
        None => system::service_port(text, protocol?),
    }
}
