//! Connection-sync daemons: requests about one, and what an answer tells.

mod attribute;

pub use attribute::DaemonAttribute;

use std::net::IpAddr;

use netlink_packet_core::DecodeError;

use super::wire::missing;
use super::{Attribute, Command, IpvsMessage};
use crate::{Daemon, DaemonRole};

const fn state_number(role: DaemonRole) -> u32 {
    match role {
        DaemonRole::Master => 1,
        DaemonRole::Backup => 2,
    }
}

fn request(command: Command, daemon: &Daemon) -> IpvsMessage {
    let mut nested = vec![
        DaemonAttribute::State(state_number(daemon.role)),
        DaemonAttribute::Interface(daemon.interface.clone()),
        DaemonAttribute::SyncId(daemon.sync_id),
    ];
    nested.extend(daemon.max_length.map(DaemonAttribute::MaxLength));
    nested.extend(daemon.port.map(DaemonAttribute::Port));
    nested.extend(daemon.ttl.map(DaemonAttribute::Ttl));
    nested.extend(daemon.group.map(|group| match group {
        IpAddr::V4(group) => DaemonAttribute::Group(group.octets()),
        IpAddr::V6(group) => DaemonAttribute::Group6(group.octets()),
    }));
    IpvsMessage {
        command,
        attributes: vec![Attribute::Daemon(nested)],
    }
}

/// Starts a daemon; what is not given is the kernel's choice.
pub fn start(daemon: &Daemon) -> IpvsMessage {
    request(Command::NewDaemon, daemon)
}

/// Stops a daemon; the kernel looks at the role only.
pub fn stop(role: DaemonRole, sync_id: u32) -> IpvsMessage {
    let interface = String::new();
    let daemon = Daemon {
        role,
        interface,
        sync_id,
        max_length: None,
        group: None,
        port: None,
        ttl: None,
    };
    request(Command::DelDaemon, &daemon)
}

/// Asks for the running daemons; a dump, the master first.
pub const fn list() -> IpvsMessage {
    IpvsMessage::bare(Command::GetDaemon)
}

/// What an answer tells of a daemon.
pub fn value(message: &IpvsMessage) -> Result<Daemon, DecodeError> {
    let nested = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            Attribute::Daemon(nested) => Some(nested),
            _ => None,
        });
    let mut role = None;
    let mut daemon = Daemon {
        role: DaemonRole::Master,
        interface: String::new(),
        sync_id: 0,
        max_length: None,
        group: None,
        port: None,
        ttl: None,
    };
    for attribute in nested.ok_or_else(|| missing("a daemon"))? {
        match attribute {
            DaemonAttribute::State(1) => role = Some(DaemonRole::Master),
            DaemonAttribute::State(2) => role = Some(DaemonRole::Backup),
            DaemonAttribute::State(_) => {}
            DaemonAttribute::Interface(name) => daemon.interface.clone_from(name),
            DaemonAttribute::SyncId(number) => daemon.sync_id = *number,
            DaemonAttribute::MaxLength(number) => daemon.max_length = Some(*number),
            DaemonAttribute::Group(bytes) => daemon.group = Some(IpAddr::from(*bytes)),
            DaemonAttribute::Group6(bytes) => daemon.group = Some(IpAddr::from(*bytes)),
            DaemonAttribute::Port(number) => daemon.port = Some(*number),
            DaemonAttribute::Ttl(number) => daemon.ttl = Some(*number),
            DaemonAttribute::Other(_) => {}
        }
    }
    daemon.role = role.ok_or_else(|| missing("the daemon's role"))?;
    Ok(daemon)
}
