//! The fields of one announcement, from arguments or from a line.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};

use netdev::arp::GratuitousArp;
use netdev::{MacAddr, NAME_LIMIT};

/// One announcement on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) device: String,
    pub(crate) arp: GratuitousArp,
}

impl Request {
    /// Command line: hosts may be names.
    pub(crate) fn resolve(fields: [&str; 5]) -> Result<Self, String> {
        Self::from_fields(fields, resolve)
    }

    /// Line of a batch. Hosts are addresses: a name server that does not answer would hold up the
    /// announcement of all the others.
    pub(crate) fn parse_line(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let fields: [&str; 5] = fields
            .try_into()
            .map_err(|_| "expected DEV SRC_IP SRC_HW TARGET_IP TARGET_HW".to_owned())?;
        Self::from_fields(fields, |host| {
            host.parse()
                .map_err(|_| format!("{host} is not an IPv4 address"))
        })
    }

    fn from_fields(
        [device, source_ip, source_hw, target_ip, target_hw]: [&str; 5],
        host: impl Fn(&str) -> Result<Ipv4Addr, String>,
    ) -> Result<Self, String> {
        if device.is_empty() || device.len() > NAME_LIMIT {
            return Err(format!(
                "send_arp: {device}: not the name of a network interface"
            ));
        }
        let source_ip = host(source_ip)?;
        // Not in the frame, but a mistake in it is still one.
        host(target_ip)?;
        let arp = GratuitousArp {
            source_ip,
            source_mac: hardware_address(source_hw)?,
            ethernet_destination: hardware_address(target_hw)?,
        };
        Ok(Self {
            device: device.to_owned(),
            arp,
        })
    }
}

fn resolve(host: &str) -> Result<Ipv4Addr, String> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let found = (host, 0).to_socket_addrs().ok().into_iter().flatten();
    found
        .filter_map(|address| match address {
            SocketAddr::V4(address) => Some(*address.ip()),
            SocketAddr::V6(_) => None,
        })
        .next()
        .ok_or_else(|| format!("send_arp: unknown host {host}"))
}

/// Six pairs of hexadecimal digits; a colon after a pair is skipped, what follows the sixth ignored.
fn hardware_address(text: &str) -> Result<MacAddr, String> {
    let invalid = || "Invalid hardware address".to_owned();
    let digit = |character: char| {
        character
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
            .ok_or_else(invalid)
    };
    let mut characters = text.chars().peekable();
    let mut octets = [0; 6];
    for octet in &mut octets {
        let high = digit(characters.next().ok_or_else(invalid)?)?;
        let low = digit(characters.next().ok_or_else(invalid)?)?;
        *octet = high << 4 | low;
        characters.next_if_eq(&':');
    }
    Ok(MacAddr::from(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_address_forms() {
        let address = MacAddr::new(0x00, 0x0c, 0x29, 0xab, 0xcd, 0xef);
        for text in [
            "000C29ABCDEF",
            "000c29abcdef",
            "00:0c:29:ab:cd:ef",
            "000c:29abcd:ef",
            "000c29abcdef:",
            "000c29abcdef and more",
        ] {
            assert_eq!(hardware_address(text), Ok(address), "{text}");
        }
        for text in [
            "",
            "000c29abcde",
            "000c29abcdeg",
            "0:00c29abcdef",
            ":000c29abcdef",
            "00::0c29abcdef",
        ] {
            assert_eq!(
                hardware_address(text).unwrap_err(),
                "Invalid hardware address",
                "{text}"
            );
        }
    }

    #[test]
    fn line_has_exactly_five_fields() {
        let line = "eth0 10.1.2.3 020000000001 10.1.2.255 ffffffffffff";
        let request = Request::parse_line(line).unwrap();
        assert_eq!(request.device, "eth0");
        assert_eq!(request.arp.source_ip, Ipv4Addr::new(10, 1, 2, 3));
        assert_eq!(request.arp.source_mac, MacAddr::new(2, 0, 0, 0, 0, 1));
        assert_eq!(request.arp.ethernet_destination, MacAddr::broadcast());
        for line in [
            "eth0",
            &format!("{line} more"),
            "eth0 host 020000000001 10.1.2.255 ffffffffffff",
        ] {
            assert!(Request::parse_line(line).is_err(), "{line}");
        }
    }

    #[test]
    fn host_names_are_resolved() {
        let fields = [
            "eth0",
            "localhost",
            "020000000001",
            "10.1.2.255",
            "ffffffffffff",
        ];
        assert_eq!(
            Request::resolve(fields).unwrap().arp.source_ip,
            Ipv4Addr::LOCALHOST
        );
    }

    #[test]
    fn overlong_device_is_refused() {
        let fields = [
            "interface1234567",
            "10.1.2.3",
            "020000000001",
            "10.1.2.255",
            "ffffffffffff",
        ];
        let text = Request::resolve(fields).unwrap_err();
        assert_eq!(
            text,
            "send_arp: interface1234567: not the name of a network interface"
        );
    }
}
