//! What identifies a service and a server in the table, derived from lvs.cf, and the text of both.
//!
//! Two blocks with one identity are one service for the kernel, whatever their names (B43).

use std::net::{IpAddr, Ipv4Addr};

use ipvs::{Family, Forward, Protocol, ServerId, ServiceId, Tunnel};
use lvs_config::{Network, Virtual};

/// The identity of a virtual block: its firewall mark, else VIP, protocol and port.
pub fn service_id(block: &Virtual, vip: Ipv4Addr) -> ServiceId {
    match *block.fwmark {
        0 => ServiceId::Address {
            protocol: match *block.protocol {
                lvs_config::Protocol::Tcp => Protocol::Tcp,
                lvs_config::Protocol::Udp => Protocol::Udp,
            },
            address: IpAddr::V4(vip),
            port: *block.port,
        },
        mark => ServiceId::Mark {
            mark,
            family: Family::V4,
        },
    }
}

/// The identity of a server in the table. Direct routing and tunnelling cannot change the port, so
/// the virtual port stands there and the server's own port is only checked (B29).
pub fn server_id(
    network: Network,
    virtual_port: u16,
    server_port: u16,
    address: Ipv4Addr,
) -> ServerId {
    let port = match network {
        Network::Nat => server_port,
        Network::Direct | Network::Tunnel => virtual_port,
    };
    ServerId {
        address: IpAddr::V4(address),
        port,
    }
}

/// The forwarding method of `network`.
pub const fn forward(network: Network) -> Forward {
    match network {
        Network::Nat => Forward::Masquerade,
        Network::Direct => Forward::DirectRoute,
        Network::Tunnel => Forward::Tunnel(Tunnel::Ipip),
    }
}

/// The text of an identity as ipvsadm's words: `-t 192.0.2.80:80`, `-f 7`.
pub fn service_text(id: &ServiceId) -> String {
    // A deletion names the service and nothing else.
    let line = ipvs::Operation::DeleteService(*id).to_string();
    line.strip_prefix("-D ").unwrap_or(&line).to_owned()
}

/// Reads what [`service_text`] wrote.
pub fn parse_service(text: &str) -> Option<ServiceId> {
    ipvs::text::parse_service(text).ok()
}

/// `ADDRESS:PORT` of a server.
pub fn server_text(id: &ServerId) -> String {
    ipvs::text::numeric(id.address, id.port, None)
}

#[cfg(test)]
mod tests {
    use lvs_config::Setting;
    use proptest::prelude::*;

    use super::*;

    fn block(mark: u32, port: u16) -> Virtual {
        Virtual {
            fwmark: Setting::unwritten(mark),
            port: Setting::unwritten(port),
            ..Virtual::default()
        }
    }

    #[test]
    fn a_mark_replaces_address_protocol_and_port() {
        let vip = Ipv4Addr::new(192, 0, 2, 80);
        assert_eq!(
            service_text(&service_id(&block(0, 80), vip)),
            "-t 192.0.2.80:80"
        );
        assert_eq!(service_text(&service_id(&block(7, 80), vip)), "-f 7");
        assert_eq!(
            service_id(&block(7, 80), vip),
            service_id(&block(7, 443), vip)
        );
    }

    #[test]
    fn b29_only_nat_keeps_the_port_of_the_server() {
        let real = Ipv4Addr::new(10, 0, 0, 1);
        assert_eq!(server_id(Network::Nat, 80, 8080, real).port, 8080);
        assert_eq!(server_id(Network::Direct, 80, 8080, real).port, 80);
        assert_eq!(server_id(Network::Tunnel, 80, 8080, real).port, 80);
    }

    proptest! {
        #[test]
        fn service_text_is_read_back(address: u32, port: u16, udp: bool, mark: u32) {
            let protocol = if udp { Protocol::Udp } else { Protocol::Tcp };
            let id = match mark % 2 {
                0 => ServiceId::Address { protocol, address: IpAddr::V4(address.into()), port },
                _ => ServiceId::Mark { mark, family: Family::V4 },
            };
            prop_assert_eq!(parse_service(&service_text(&id)), Some(id));
        }
    }
}
