//! Texts of addresses and ports: numbers or names (`ipvsadm.md` 2.4).

use std::net::IpAddr;

use ipvs::Protocol;
use ipvs::text::numeric;

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
    /// The text of an address and a port; the protocol is that of the service.
    pub(crate) fn text(self, address: IpAddr, port: u16, protocol: Option<Protocol>) -> String {
        if self.numeric {
            // Never longer than that.
            return numeric(address, port, protocol);
        }
        let host = system::host_name(address).unwrap_or_else(|| address.to_string());
        let name = protocol.and_then(|protocol| system::service_name(port, protocol));
        let port = name.unwrap_or_else(|| port.to_string());
        let text = match address {
            IpAddr::V4(_) => format!("{host}:{port}"),
            IpAddr::V6(_) => format!("[{host}]:{port}"),
        };
        cut(text, LONGEST)
    }
}

/// A text cut to so many bytes.
pub(crate) fn cut(mut text: String, longest: usize) -> String {
    let end = (0..=longest.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text
}
