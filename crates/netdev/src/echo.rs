//! ICMP echo: whether a machine answers.
//!
//! Must not decide what follows from silence.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, connect, send, socket,
};
use pnet::packet::Packet;
use pnet::packet::icmp::echo_reply::EchoReplyPacket;
use pnet::packet::icmp::echo_request::MutableEchoRequestPacket;
use pnet::packet::icmp::{IcmpPacket, IcmpTypes, checksum};
use pnet::packet::ipv4::Ipv4Packet;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::{Error, Result, packet};

/// Header of an echo, without data.
const LENGTH: usize = 8;

/// A socket that asks one machine.
#[derive(Debug)]
pub struct Echo {
    address: Ipv4Addr,
    identifier: u16,
    socket: AsyncFd<OwnedFd>,
}

impl Echo {
    /// Opens it, in the calling thread's network namespace and within the event loop. `identifier`
    /// tells its questions from those of others. Needs root or `CAP_NET_RAW`.
    pub fn open(address: Ipv4Addr, identifier: u16) -> Result<Self> {
        let open = || -> io::Result<_> {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            let protocol = SockProtocol::Icmp;
            let socket = socket(AddressFamily::Inet, SockType::Raw, flags, protocol)?;
            // The kernel then drops what comes from others.
            let peer = SockaddrIn::from(SocketAddrV4::new(address, 0));
            connect(socket.as_raw_fd(), &peer)?;
            packet::readable(socket)
        };
        Ok(Self {
            address,
            identifier,
            socket: open().map_err(|source| Error::Echo { address, source })?,
        })
    }

    /// The machine.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Asks once.
    pub fn ask(&self, number: u16) -> Result<()> {
        let question = question(self.identifier, number);
        let descriptor = self.socket.get_ref().as_raw_fd();
        let sent = send(descriptor, &question, MsgFlags::MSG_DONTWAIT);
        sent.map(drop).map_err(|error| Error::Echo {
            address: self.address,
            source: error.into(),
        })
    }

    /// The number of the next question that is answered. Can be cancelled without losing one.
    pub async fn next(&self) -> Result<u16> {
        loop {
            let mut buffer = [0; 128];
            let read = self
                .socket
                .async_io(Interest::READABLE, |socket| {
                    nix::unistd::read(socket, &mut buffer).map_err(io::Error::from)
                })
                .await;
            let read = read.map_err(|source| Error::Echo {
                address: self.address,
                source,
            })?;
            let answer = answer(buffer.get(..read).unwrap_or_default());
            if let Some((_, number)) = answer.filter(|(id, _)| *id == self.identifier) {
                return Ok(number);
            }
        }
    }
}

fn question(identifier: u16, number: u16) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    if let Some(mut echo) = MutableEchoRequestPacket::new(&mut bytes) {
        echo.set_icmp_type(IcmpTypes::EchoRequest);
        echo.set_identifier(identifier);
        echo.set_sequence_number(number);
    }
    let sum = IcmpPacket::new(&bytes).map(|icmp| checksum(&icmp));
    if let (Some(mut echo), Some(sum)) = (MutableEchoRequestPacket::new(&mut bytes), sum) {
        echo.set_checksum(sum);
    }
    bytes
}

/// Identifier and number of an answer, with the IP header that a raw socket gives.
fn answer(datagram: &[u8]) -> Option<(u16, u16)> {
    let ip = Ipv4Packet::new(datagram)?;
    let header = usize::from(ip.get_header_length()) * 4;
    let echo = EchoReplyPacket::new(datagram.get(header..)?)?;
    (echo.packet().len() >= LENGTH && echo.get_icmp_type() == IcmpTypes::EchoReply)
        .then(|| (echo.get_identifier(), echo.get_sequence_number()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_a_right_checksum() {
        assert_eq!(question(0x1234, 5), [8, 0, 0xe5, 0xc6, 0x12, 0x34, 0, 5]);
    }

    #[test]
    fn only_whole_answers_count() {
        let mut datagram = vec![
            0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ];
        datagram.extend([0, 0, 0, 0, 0x12, 0x34, 0, 5]);
        assert_eq!(answer(&datagram), Some((0x1234, 5)));
        for length in 0..datagram.len() {
            assert_eq!(answer(&datagram[..length]), None, "{length} bytes");
        }
        datagram[20] = 3;
        assert_eq!(answer(&datagram), None, "unreachable");
    }
}
