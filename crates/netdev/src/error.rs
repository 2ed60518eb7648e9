//! What can go wrong with addresses, links and frames.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use thiserror::Error;

/// An error of this crate. Its text names the object and, where there is one, the remedy.
#[derive(Debug, Error)]
pub enum Error {
    /// No netlink socket.
    #[error("cannot open a netlink socket: {0}")]
    Open(io::Error),
    /// The netlink connection broke and could not be opened again.
    #[error("the netlink connection was lost")]
    Lost,
    /// An interface is missing.
    #[error("no network interface {interface}: create it or name another one")]
    NoInterface {
        /// Its name.
        interface: String,
    },
    /// An address could not be added or renewed.
    #[error("cannot add {address}/{prefix_len} to {interface}: {}", reason(source))]
    AddAddress {
        /// The address.
        address: Ipv4Addr,
        /// Its prefix length.
        prefix_len: u8,
        /// Where.
        interface: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// An address could not be removed.
    #[error(
        "cannot remove {address}/{prefix_len} from {interface}: {}",
        reason(source)
    )]
    RemoveAddress {
        /// The address.
        address: Ipv4Addr,
        /// Its prefix length.
        prefix_len: u8,
        /// Where.
        interface: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The addresses or links could not be read.
    #[error("cannot read {what} from the kernel: {}", reason(source))]
    Read {
        /// What was asked for.
        what: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// An interface without an Ethernet address cannot carry ARP (B36).
    #[error("interface {interface} has no Ethernet address, so ARP cannot be sent for it")]
    NoHardwareAddress {
        /// Its name.
        interface: String,
    },
    /// A mask whose ones are not all in front.
    #[error("{mask} is not a network mask")]
    Mask {
        /// The mask as written.
        mask: Ipv4Addr,
    },
    /// An address that no interface can have.
    #[error("{address} cannot be the address of an interface")]
    Address {
        /// The address.
        address: Ipv4Addr,
    },
    /// A kernel setting could not be changed.
    #[error("cannot write {}: {}", path.display(), reason(source))]
    Setting {
        /// Its file.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// No packet socket on an interface.
    #[error("cannot open a packet socket on {interface}: {}", reason(source))]
    PacketSocket {
        /// Its name.
        interface: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Frames cannot be received any more.
    #[error("cannot receive on {interface}: {}", reason(source))]
    Receive {
        /// Its name.
        interface: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A machine cannot be asked.
    #[error("cannot ping {address}: {}", reason(source))]
    Echo {
        /// The machine.
        address: Ipv4Addr,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Packets cannot be led to another router.
    #[error(
        "cannot lead what comes in by {interface} to {router}: {}",
        reason(source)
    )]
    Detour {
        /// Where they come in.
        interface: String,
        /// Who should get them.
        router: Ipv4Addr,
        /// The kernel's reason.
        source: io::Error,
    },
    /// What leads packets to another router could not be removed.
    #[error("cannot remove the routing rule 539: {}", reason(_0))]
    CloseDetour(io::Error),
    /// The thread that changes addresses failed.
    #[error("the change of addresses was broken off: {0}")]
    Broken(String),
    /// A frame was not sent.
    #[error("cannot send on {interface}: {}", reason(source))]
    Send {
        /// Its name.
        interface: String,
        /// The kernel's reason.
        source: io::Error,
    },
}

fn reason(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::PermissionDenied => format!("{source}; this needs root"),
        _ => source.to_string(),
    }
}
