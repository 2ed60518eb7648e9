//! Asking by ARP who has an address, and hearing who claims which, on one interface and without
//! ever blocking.
//!
//! Must not decide what follows from an answer.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use nix::errno::Errno;
use nix::sys::socket::SockType;
use pnet::datalink::MacAddr;
use pnet::packet::arp::{ArpHardwareTypes, ArpOperations, ArpPacket, MutableArpPacket};
use pnet::packet::ethernet::EtherTypes;
use tokio::io::unix::AsyncFd;

use crate::{Error, Result, index_of, packet};

/// Length of an ARP packet without its frame.
const LENGTH: usize = 28;

/// Somebody said that an address is at a hardware address: by an answer, a question or an
/// announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The address.
    pub address: Ipv4Addr,
    /// Where it is said to be.
    pub mac: MacAddr,
    /// An answer or an announcement; else somebody asks for another address.
    pub reply: bool,
}

/// A socket for ARP on one interface.
#[derive(Debug)]
pub struct Questions {
    interface: String,
    index: u32,
    socket: AsyncFd<OwnedFd>,
}

impl Questions {
    /// Opens it, in the calling thread's network namespace and within the event loop. Needs root or
    /// `CAP_NET_RAW`.
    pub fn open(interface: &str) -> Result<Self> {
        let index = index_of(interface)?;
        let socket = packet::open(index)
            .and_then(packet::readable)
            .map_err(|source| Error::PacketSocket {
                interface: interface.to_owned(),
                source,
            })?;
        Ok(Self {
            interface: interface.to_owned(),
            index,
            socket,
        })
    }

    /// Its interface.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Whether it hears what arrives at the interface that has this name now: one that was removed and
    /// has come back is another, even under the same number.
    pub fn is_on(&self, interface: &str) -> bool {
        let bound = packet::bound_to(self.socket.get_ref()).ok();
        self.interface == interface && bound.is_some() && bound == index_of(interface).ok()
    }

    /// Asks the machine at `whom` alone whether it has `address`. The question names no address of the
    /// asker (RFC 5227), so nobody learns anything from it.
    pub fn ask(&self, address: Ipv4Addr, asker: MacAddr, whom: MacAddr) -> Result<()> {
        let question = question(address, asker, Ipv4Addr::UNSPECIFIED);
        let sent = packet::send(self.socket.get_ref(), self.index, whom, &question);
        sent.map_err(|source| Error::Send {
            interface: self.interface.clone(),
            source,
        })
    }

    /// The next claim. Nothing is lost when nobody comes for it.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Result<Claim>> {
        loop {
            let mut ready = match self.socket.poll_read_ready(context) {
                Poll::Ready(Ok(ready)) => ready,
                Poll::Ready(Err(source)) => return Poll::Ready(Err(self.deaf(source))),
                Poll::Pending => return Poll::Pending,
            };
            let mut buffer = [0; 64];
            match nix::unistd::read(self.socket.get_ref(), &mut buffer) {
                Ok(read) => {
                    if let Some(claim) = claim(buffer.get(..read).unwrap_or_default()) {
                        return Poll::Ready(Ok(claim));
                    }
                }
                Err(Errno::EAGAIN) => ready.clear_ready(),
                // Said once when the interface goes down; the socket works when it is up again.
                Err(Errno::EINTR | Errno::ENETDOWN) => {}
                Err(error) => return Poll::Ready(Err(self.deaf(error.into()))),
            }
        }
    }

    fn deaf(&self, source: io::Error) -> Error {
        Error::Receive {
            interface: self.interface.clone(),
            source,
        }
    }
}

/// A socket that tells other machines where this one is; for every interface.
///
/// It is kept, since to close a packet socket takes some tens of milliseconds: the kernel waits until
/// no processor uses it any more.
#[derive(Debug)]
pub struct Introductions(OwnedFd);

impl Introductions {
    /// Opens it, in the calling thread's network namespace. Needs root or `CAP_NET_RAW`.
    pub fn open() -> io::Result<Self> {
        packet::open_to_send(SockType::Datagram).map(Self)
    }

    /// Asks everybody on an interface for `address` and tells where `own` is, so that the kernels of
    /// both know each other at once: one that has asked in vain asks again a second later only.
    pub fn introduce(
        &self,
        interface: &str,
        own: (Ipv4Addr, MacAddr),
        address: Ipv4Addr,
    ) -> Result<()> {
        let index = index_of(interface)?;
        let question = question(address, own.1, own.0);
        let sent = packet::send(&self.0, index, MacAddr::broadcast(), &question);
        sent.map_err(|source| Error::Send {
            interface: interface.to_owned(),
            source,
        })
    }
}

fn question(address: Ipv4Addr, asker: MacAddr, own: Ipv4Addr) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    if let Some(mut arp) = MutableArpPacket::new(&mut bytes) {
        arp.set_hardware_type(ArpHardwareTypes::Ethernet);
        arp.set_protocol_type(EtherTypes::Ipv4);
        arp.set_hw_addr_len(6);
        arp.set_proto_addr_len(4);
        arp.set_operation(ArpOperations::Request);
        arp.set_sender_hw_addr(asker);
        arp.set_sender_proto_addr(own);
        arp.set_target_proto_addr(address);
    }
    bytes
}

/// `None` for what is not ARP of IPv4 over Ethernet, and for questions that claim nothing.
fn claim(payload: &[u8]) -> Option<Claim> {
    let arp = ArpPacket::new(payload)?;
    let is_ours = arp.get_hardware_type() == ArpHardwareTypes::Ethernet
        && arp.get_protocol_type() == EtherTypes::Ipv4
        && (arp.get_hw_addr_len(), arp.get_proto_addr_len()) == (6, 4);
    let address = arp.get_sender_proto_addr();
    (is_ours && !address.is_unspecified()).then(|| Claim {
        address,
        mac: arp.get_sender_hw_addr(),
        reply: arp.get_operation() == ArpOperations::Reply,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 1, 2, 3);
    const MAC: MacAddr = MacAddr(2, 0, 0, 0, 0, 7);

    #[test]
    fn a_question_claims_nothing() {
        let bytes = question(ADDRESS, MAC, Ipv4Addr::UNSPECIFIED);
        let expected: [u8; LENGTH] = [
            0, 1, 8, 0, 6, 4, 0, 1, // Ethernet, IPv4, lengths, request
            2, 0, 0, 0, 0, 7, 0, 0, 0, 0, // asker, without an address
            0, 0, 0, 0, 0, 0, 10, 1, 2, 3, // asked for
        ];
        assert_eq!(bytes, expected);
        assert_eq!(claim(&bytes), None);
    }

    #[test]
    fn answers_and_announcements_claim() {
        let mut bytes = question(Ipv4Addr::new(10, 1, 2, 4), MAC, Ipv4Addr::UNSPECIFIED);
        let mut arp = MutableArpPacket::new(&mut bytes).unwrap();
        arp.set_sender_proto_addr(ADDRESS);
        let mut expected = Claim {
            address: ADDRESS,
            mac: MAC,
            reply: false,
        };
        assert_eq!(claim(&bytes), Some(expected));
        MutableArpPacket::new(&mut bytes)
            .unwrap()
            .set_operation(ArpOperations::Reply);
        expected.reply = true;
        assert_eq!(claim(&bytes), Some(expected));
    }

    #[test]
    fn what_is_not_arp_of_ipv4_claims_nothing() {
        let mut bytes = question(ADDRESS, MAC, Ipv4Addr::UNSPECIFIED);
        MutableArpPacket::new(&mut bytes)
            .unwrap()
            .set_sender_proto_addr(ADDRESS);
        for length in 0..LENGTH {
            assert_eq!(claim(&bytes[..length]), None, "{length} bytes");
        }
        for (place, wrong) in [(1, 6), (2, 0x86), (4, 8), (5, 16)] {
            let mut other = bytes;
            other[place] = wrong;
            assert_eq!(claim(&other), None, "byte {place}");
        }
    }
}
