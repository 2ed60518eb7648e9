//! The kernel's generic-netlink messages of the family `IPVS`.
//!
//! One folder per object: its attributes, and the way between them and values. Attributes that this
//! crate does not know are kept as they came. No sockets here. Facts: `ipvsadm.md` section 4.

mod attribute;
mod command;
mod message;
mod wire;

pub mod config;
pub mod daemon;
pub mod destination;
pub mod info;
pub mod service;
pub mod stats;

pub use attribute::Attribute;
pub use command::Command;
pub use message::{FAMILY_NAME, FAMILY_VERSION, IpvsMessage};

#[cfg(test)]
mod tests;
