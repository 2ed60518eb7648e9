//! Packet sockets for ARP.
//!
//! Owns the link-layer address of a socket, for which nix has no safe constructor, and says why its
//! use is sound.
#![allow(unsafe_code, reason = "nix makes no link-layer address without it")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, SockaddrStorage, bind,
    getsockname, sendto, socket,
};
use pnet::datalink::MacAddr;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// `ETH_P_ARP`
const ARP: u16 = 0x0806;

/// Opens a socket that never blocks, gets the payload of the ARP frames that arrive at the interface
/// with this number, and not of those that this machine sends.
pub(crate) fn open(index: u32) -> io::Result<OwnedFd> {
    let socket = open_to_send(SockType::Datagram)?;
    bind(socket.as_raw_fd(), &address(index, None)?)?;
    Ok(socket)
}

/// Number of the interface that a socket hears; what is no number of an interface when that is gone.
pub(crate) fn bound_to(socket: &OwnedFd) -> io::Result<u32> {
    // Not asked for as a link-layer address: the kernel's is shorter than nix takes for one.
    let address: SockaddrStorage = getsockname(socket.as_raw_fd())?;
    let index = address.as_link_addr().map(LinkAddr::ifindex);
    Ok(index
        .and_then(|it| u32::try_from(it).ok())
        .unwrap_or_default())
}

/// Opens a socket that receives nothing as long as it is not bound, since its protocol is 0. One that
/// receives already is bound only after the kernel has waited for all processors.
pub(crate) fn open_to_send(kind: SockType) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(socket(AddressFamily::Packet, kind, flags, None)?)
}

/// Sends an ARP payload in a frame from the interface's own address.
pub(crate) fn send(
    socket: &OwnedFd,
    index: u32,
    destination: MacAddr,
    payload: &[u8],
) -> io::Result<()> {
    let to = address(index, Some(destination))?;
    sendto(socket.as_raw_fd(), payload, &to, MsgFlags::MSG_DONTWAIT)?;
    Ok(())
}

fn address(index: u32, mac: Option<MacAddr>) -> io::Result<LinkAddr> {
    let mut bytes = [0; 8];
    if let Some(MacAddr(a, b, c, d, e, f)) = mac {
        bytes = [a, b, c, d, e, f, 0, 0];
    }
    let raw = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: ARP.to_be(),
        sll_ifindex: index.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: if mac.is_some() { 6 } else { 0 },
        sll_addr: bytes,
    };
    let length = libc::socklen_t::try_from(size_of_val(&raw)).ok();
    // SAFETY: points to a complete address of the family that it names, and is copied.
    let address = unsafe { LinkAddr::from_raw((&raw const raw).cast(), length) };
    address.ok_or_else(|| io::Error::other("no link-layer address"))
}

/// Waits for the socket in the event loop of the caller.
pub(crate) fn readable(socket: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by what is registered, so it stays open and the same.
    Ok(unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE)? })
}
