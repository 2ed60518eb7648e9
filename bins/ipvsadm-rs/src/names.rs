//! Texts of addresses and ports: numbers or names (`ipvsadm.md` 2.4).

use std::fmt::{self, Write};
use std::net::IpAddr;

use ipvs::Protocol;
use ipvs::text::{write_ipv6, write_numeric};

use crate::system;

/// The longest text of address and port together, in bytes.
const LONGEST: usize = 59;

/// Gives addresses and ports their text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// Numbers only; nothing is looked up.
    pub(crate) numeric: bool,
}

impl Names {
    /// Writes the text of an address and a port; the protocol is that of the service.
    pub(crate) fn write(
        self,
        out: &mut String,
        address: IpAddr,
        port: u16,
        protocol: Option<Protocol>,
    ) -> fmt::Result {
        if self.numeric {
            // Never longer than that.
            return write_numeric(out, address, port, protocol);
        }
        let start = out.len();
        match (system::host_name(address), address) {
            (Some(host), IpAddr::V4(_)) => write!(out, "{host}:")?,
            (Some(host), IpAddr::V6(_)) => write!(out, "[{host}]:")?,
            (None, IpAddr::V4(address)) => write!(out, "{address}:")?,
            (None, IpAddr::V6(address)) => {
                out.push('[');
                write_ipv6(out, address)?;
                out.push_str("]:");
            }
        }
        match protocol.and_then(|protocol| system::service_name(port, protocol)) {
            Some(name) => out.push_str(&name),
            None => write!(out, "{port}")?,
        }
        cut(out, start, LONGEST);
        Ok(())
    }
}

/// Cuts what follows the first `start` bytes of a text to so many bytes.
pub(crate) fn cut(text: &mut String, start: usize, longest: usize) {
    let mut end = text.len().min(start + longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}
