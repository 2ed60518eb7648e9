//! The network devices of a router: addresses with label and lifetime, link state, ARP frames.
//!
//! Links are read and changes heard on the caller's tokio event loop, addresses changed in batches by
//! a thread beside it; send_arp's sockets block. Must not decide when an address is held, and never
//! sets an interface down.

pub mod address;
pub mod arp;
mod batch;
mod detour;
mod echo;
mod error;
mod events;
mod link;
mod netlink;
mod packet;
mod question;
pub mod sysctl;

pub use address::{LocalAddress, VipAddress};
pub use detour::Detour;
pub use echo::Echo;
pub use error::Error;
pub use events::{Event, Events};
pub use link::Link;
pub use netlink::Netdev;
pub use pnet::datalink::MacAddr;
pub use question::{Claim, Introductions, Questions};

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
