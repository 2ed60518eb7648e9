//! The network devices of a router: addresses with label and lifetime, link state, ARP frames.
//!
//! Addresses and links go through rtnetlink on the caller's tokio event loop, ARP through packet
//! sockets that block. Must not decide when an address is held, and never sets an interface down.

pub mod address;
pub mod arp;
mod error;
mod events;
mod link;
mod netlink;
pub mod sysctl;

pub use address::{LocalAddress, VipAddress};
pub use error::Error;
pub use events::{Event, Events};
pub use link::Link;
pub use netlink::Netdev;
pub use pnet::datalink::MacAddr;

/// Shorthand for this crate's results.
pub type Result<T> = std::result::Result<T, Error>;

/// Longest interface name and address label that the kernel stores (`IFNAMSIZ` less the final zero).
pub const NAME_LIMIT: usize = 15;

/// The kernel's number of an interface in the calling thread's network namespace.
pub(crate) fn index_of(interface: &str) -> Result<u32> {
    let missing = || Error::NoInterface {
        interface: interface.to_owned(),
    };
    if interface.is_empty() || interface.len() > NAME_LIMIT || interface.contains('/') {
        return Err(missing());
    }
    nix::net::if_::if_nametoindex(interface).map_err(|_| missing())
}
