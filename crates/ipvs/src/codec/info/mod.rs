//! The answer to `GET_INFO`: version of IPVS and size of the connection table.

mod attribute;

pub use attribute::InfoAttribute;

use netlink_packet_core::DecodeError;

use super::{Attribute, IpvsMessage, wire};
use crate::Info;

/// What the answer tells.
pub fn value(message: &IpvsMessage) -> Result<Info, DecodeError> {
    let (mut version, mut table_size) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            Attribute::Info(InfoAttribute::Version(number)) => version = Some(*number),
            Attribute::Info(InfoAttribute::TableSize(size)) => table_size = Some(*size),
            _ => {}
        }
    }
    Ok(Info {
        version: version.ok_or_else(|| wire::missing("the version of IPVS"))?,
        table_size: table_size.ok_or_else(|| wire::missing("the size of the connection table"))?,
    })
}
