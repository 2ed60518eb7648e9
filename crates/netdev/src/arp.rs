//! Gratuitous ARP: the frame that moves a VIP to another machine in everybody's tables, and the
//! packet socket that sends it.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::IntoRawFd;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::socket::SockType;
use pnet::datalink::{self, Channel, Config, DataLinkSender, MacAddr, NetworkInterface};
use pnet::packet::arp::{ArpHardwareTypes, ArpOperations, MutableArpPacket};
use pnet::packet::ethernet::{EtherTypes, MutableEthernetPacket};

use crate::{Error, Result, index_of, packet};

/// Length of a frame: the shortest that Ethernet allows, without checksum.
pub const FRAME_LENGTH: usize = 60;

/// Times that a frame is offered to a full send queue.
const ATTEMPTS: u32 = 5;
/// Pause between them.
const PAUSE: Duration = Duration::from_millis(2);

/// An announcement that `source_ip` is at `source_mac`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GratuitousArp {
    /// The address announced.
    pub source_ip: Ipv4Addr,
    /// Where it is now.
    pub source_mac: MacAddr,
    /// Who gets the frame; usually everybody, `ff:ff:ff:ff:ff:ff`.
    pub ethernet_destination: MacAddr,
}

impl GratuitousArp {
    /// The frame of `piranha-daemons.md` section 6, G8: an ARP reply whose sender and target are
    /// both the announced address, padded with zeros.
    pub fn frame(&self) -> [u8; FRAME_LENGTH] {
        let mut frame = [0; FRAME_LENGTH];
        let (header, payload) = frame.split_at_mut(MutableEthernetPacket::minimum_packet_size());
        if let Some(mut ethernet) = MutableEthernetPacket::new(header) {
            ethernet.set_destination(self.ethernet_destination);
            ethernet.set_source(self.source_mac);
            ethernet.set_ethertype(EtherTypes::Arp);
        }
        if let Some(mut arp) = MutableArpPacket::new(payload) {
            arp.set_hardware_type(ArpHardwareTypes::Ethernet);
            arp.set_protocol_type(EtherTypes::Ipv4);
            arp.set_hw_addr_len(6);
            arp.set_proto_addr_len(4);
            arp.set_operation(ArpOperations::Reply);
            arp.set_sender_hw_addr(self.source_mac);
            arp.set_sender_proto_addr(self.source_ip);
            arp.set_target_hw_addr(self.source_mac);
            arp.set_target_proto_addr(self.source_ip);
        }
        frame
    }
}

/// A packet socket on one interface.
pub struct Sender {
    interface: String,
    channel: Box<dyn DataLinkSender>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("interface", &self.interface)
            .finish()
    }
}

impl Sender {
    /// Opens it, in the calling thread's network namespace. Needs root or `CAP_NET_RAW`.
    pub fn open(interface: &str) -> Result<Self> {
        // Only name and number matter for the socket; a search through all interfaces and their
        // hundreds of VIPs is not needed.
        let target = NetworkInterface {
            name: interface.to_owned(),
            description: String::new(),
            index: index_of(interface)?,
            mac: None,
            ips: Vec::new(),
            flags: 0,
        };
        let failed = |source| Error::PacketSocket {
            interface: interface.to_owned(),
            source,
        };
        let socket = packet::open_to_send(SockType::Raw).map_err(failed)?;
        let settings = Config {
            socket_fd: Some(socket.into_raw_fd()),
            promiscuous: false,
            write_timeout: Some(Duration::from_secs(1)),
            ..Config::default()
        };
        match datalink::channel(&target, settings).map_err(failed)? {
            Channel::Ethernet(channel, _) => Ok(Self {
                interface: interface.to_owned(),
                channel,
            }),
            _ => Err(failed(io::Error::other("no Ethernet channel"))),
        }
    }

    /// Sends one frame as it is. Waits a moment when the interface's queue is full.
    pub fn send(&mut self, frame: &[u8]) -> Result<()> {
        let mut attempt = 1;
        loop {
            match self.channel.send_to(frame, None) {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) if attempt < ATTEMPTS && is_congestion(&error) => {
                    attempt += 1;
                    sleep(PAUSE);
                }
                Some(Err(source)) => return Err(self.failed(source)),
                None => return Err(self.failed(io::Error::other("the frame is too long"))),
            }
        }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Send {
            interface: self.interface.clone(),
            source,
        }
    }
}

fn is_congestion(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(nix::errno::Errno::from_raw);
    matches!(
        code,
        Some(nix::errno::Errno::ENOBUFS | nix::errno::Errno::EAGAIN)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 6 of the reference, offset by offset, column G8.
    #[test]
    fn frame_is_the_originals() {
        let arp = GratuitousArp {
            source_ip: Ipv4Addr::new(192, 168, 76, 10),
            source_mac: MacAddr::new(0x00, 0x0c, 0x29, 0xab, 0xcd, 0xef),
            ethernet_destination: MacAddr::broadcast(),
        };
        let expected: [u8; 60] = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // destination
            0x00, 0x0c, 0x29, 0xab, 0xcd, 0xef, // source
            0x08, 0x06, // ARP
            0x00, 0x01, 0x08, 0x00, 6, 4, // Ethernet, IPv4, lengths
            0x00, 0x02, // reply
            0x00, 0x0c, 0x29, 0xab, 0xcd, 0xef, 192, 168, 76, 10, // sender
            0x00, 0x0c, 0x29, 0xab, 0xcd, 0xef, 192, 168, 76, 10, // target
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // padding
        ];
        assert_eq!(arp.frame(), expected);
    }

    #[test]
    fn missing_interface_is_named() {
        for name in [
            "nosuchdevice0",
            "",
            "a-device-name-that-is-too-long",
            "../all",
        ] {
            let error = Sender::open(name).unwrap_err();
            assert!(matches!(error, Error::NoInterface { .. }), "{error}");
        }
    }
}
