//! Which of the two routers this machine is, and where the other one is (`piranha-daemons.md` 3.3).
//!
//! Owns the addresses that heartbeats use. They never change while running.

use std::net::{Ipv4Addr, SocketAddrV4};

use heartbeat::Role;
use lvs_config::{Config, Host};

use crate::load::resolve;
use crate::refusal::Refusal;

/// One way for heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// Own address and port.
    pub(crate) own: SocketAddrV4,
    /// The partner's; `None` when no partner is defined.
    pub(crate) partner: Option<SocketAddrV4>,
}

/// Who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) role: Role,
    pub(crate) public: Route,
    /// Only when the private addresses differ from the public ones.
    pub(crate) private: Option<Route>,
}

impl Identity {
    /// Finds the role by all addresses of the machine, aliases included (B14).
    pub(crate) fn new(config: &Config, local: &[Ipv4Addr]) -> Result<Self, Refusal> {
        let address = |host: Option<Host>| host.map(|host| resolve(&host)).transpose();
        let fault = |text: String| Refusal::new(text);
        let primary = address(config.primary()).map_err(fault)?;
        let backup = address(config.backup()).map_err(fault)?;
        let primary_private = address(config.primary_private())
            .map_err(fault)?
            .or(primary);
        let backup_private = address(config.backup_private()).map_err(fault)?.or(backup);
        let is_local = |ip: &Ipv4Addr| local.contains(ip);
        let port = *config.global.heartbeat_port;
        let route = |own: Ipv4Addr, partner: Option<Ipv4Addr>| Route {
            own: SocketAddrV4::new(own, port),
            partner: partner.map(|ip| SocketAddrV4::new(ip, port)),
        };
        let (role, own, own_private, partner, partner_private) =
            match (primary.filter(is_local), backup.filter(is_local)) {
                (Some(own), _) => (Role::Primary, own, primary_private, backup, backup_private),
                (None, Some(own)) => (Role::Backup, own, backup_private, primary, primary_private),
                (None, None) => return Err(stranger(primary, backup)),
            };
        let private = own_private
            .filter(|_| primary != primary_private)
            .map(|own| route(own, partner_private));
        Ok(Self {
            role,
            public: route(own, partner),
            private,
        })
    }

    /// What is different in a way that only a restart can follow.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let mut names = Vec::new();
        if self.role != other.role || self.public != other.public {
            names.push("primary, backup or heartbeat_port");
        }
        if self.private != other.private {
            names.push("primary_private or backup_private");
        }
        names
    }
}

fn stranger(primary: Option<Ipv4Addr>, backup: Option<Ipv4Addr>) -> Refusal {
    let shown = |ip: Option<Ipv4Addr>| ip.map_or("undefined".to_owned(), |ip| ip.to_string());
    Refusal::new(format!(
        "neither primary ({}) nor backup ({}) is an address of this machine",
        shown(primary),
        shown(backup)
    ))
}

/// All IPv4 addresses of the machine.
pub(crate) fn local_addresses() -> Result<Vec<Ipv4Addr>, Refusal> {
    let interfaces = nix::ifaddrs::getifaddrs().map_err(|error| {
        Refusal::new(format!(
            "cannot read the addresses of this machine: {error}"
        ))
    })?;
    Ok(interfaces
        .filter_map(|interface| {
            interface
                .address?
                .as_sockaddr_in()
                .map(|address| address.ip())
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: &str = "primary = 10.0.0.1\nbackup = 10.0.0.2\nbackup_active = 1\n";

    fn identity(text: &str, local: &str) -> Result<Identity, Refusal> {
        let config = lvs_config::parse(text.as_bytes()).unwrap().config;
        Identity::new(
            &config,
            &["127.0.0.1".parse().unwrap(), local.parse().unwrap()],
        )
    }

    #[test]
    fn role_follows_from_any_local_address() {
        let primary = identity(PAIR, "10.0.0.1").unwrap();
        assert_eq!(primary.role, Role::Primary);
        assert_eq!(
            primary.public.partner,
            Some("10.0.0.2:539".parse().unwrap())
        );
        assert_eq!(primary.private, None);
        let backup = identity(PAIR, "10.0.0.2").unwrap();
        assert_eq!(backup.role, Role::Backup);
        assert_eq!(backup.public.own, "10.0.0.2:539".parse().unwrap());
    }

    #[test]
    fn b14_a_stranger_is_refused() {
        let refusal = identity(PAIR, "10.0.0.3").unwrap_err();
        assert_eq!(
            refusal.text,
            "neither primary (10.0.0.1) nor backup (10.0.0.2) is an address of this machine"
        );
    }

    #[test]
    fn b12_a_private_address_of_one_router_only() {
        let text = format!("{PAIR}primary_private = 10.9.0.1\nheartbeat_port = 1050\n");
        let primary = identity(&text, "10.0.0.1").unwrap();
        let private = primary.private.unwrap();
        assert_eq!(private.own, "10.9.0.1:1050".parse().unwrap());
        assert_eq!(private.partner, Some("10.0.0.2:1050".parse().unwrap()));
    }
}
