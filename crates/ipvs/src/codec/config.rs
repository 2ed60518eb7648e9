//! Timeouts of connections: the request to set them, and what an answer tells.

use super::{Attribute, Command, IpvsMessage};
use crate::Timeouts;

/// Sets all three timeouts; 0 leaves one as it is.
pub fn set(timeouts: &Timeouts) -> IpvsMessage {
    let attributes = vec![
        Attribute::TimeoutTcp(timeouts.tcp),
        Attribute::TimeoutTcpFin(timeouts.tcp_fin),
        Attribute::TimeoutUdp(timeouts.udp),
    ];
    IpvsMessage {
        command: Command::SetConfig,
        attributes,
    }
}

/// Asks for the timeouts.
pub const fn get() -> IpvsMessage {
    IpvsMessage::bare(Command::GetConfig)
}

/// What an answer tells of the timeouts.
pub fn value(message: &IpvsMessage) -> Timeouts {
    let mut timeouts = Timeouts {
        tcp: 0,
        tcp_fin: 0,
        udp: 0,
    };
    for attribute in &message.attributes {
        match attribute {
            Attribute::TimeoutTcp(seconds) => timeouts.tcp = *seconds,
            Attribute::TimeoutTcpFin(seconds) => timeouts.tcp_fin = *seconds,
            Attribute::TimeoutUdp(seconds) => timeouts.udp = *seconds,
            _ => {}
        }
    }
    timeouts
}
