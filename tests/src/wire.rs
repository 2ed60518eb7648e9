//! What the routers say on the wire, seen from the switch: heartbeats and ARP, with the kernel's
//! time of each packet.

use std::io::IoSliceMut;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType,
    recvmsg, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::error::{Context, Error, Result};
use crate::network::Side;
use crate::node::Node;
use crate::ping;

/// A packet that came from a router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Time of day at which the switch's kernel had it.
    pub at: Duration,
    /// From which router.
    pub from: Side,
    /// On its public path; else on its private one.
    pub public: bool,
    /// What it is.
    pub what: What,
}

/// The packets of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A heartbeat with its payload.
    Heartbeat(Vec<u8>),
    /// What keepalived sends instead.
    Advertisement,
    /// An ARP packet.
    Arp {
        /// Address that is announced or that asks.
        sender: Ipv4Addr,
        /// Hardware address beside it.
        hardware: [u8; 6],
        /// Address that is asked for.
        target: Ipv4Addr,
        /// Operation: 1 request, 2 reply.
        operation: u16,
    },
}

/// The packets so far.
type Record = Arc<(Mutex<Vec<Seen>>, Condvar)>;

/// A running listener.
#[derive(Debug)]
pub struct Wire {
    record: Record,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Wire {
    /// Starts listening on the switch.
    pub fn listen(switch: &Node) -> Result<Self> {
        let listener = switch.run(Listener::open)??;
        let record = Record::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (written, stopped) = (Arc::clone(&record), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            ping::go_first();
            while !stopped.load(Ordering::Relaxed) {
                if let Some(seen) = listener.next() {
                    written
                        .0
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(seen);
                    written.1.notify_all();
                }
            }
        });
        Ok(Self {
            record,
            stop,
            thread: Some(thread),
        })
    }

    /// Everything so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.record
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Everything from a moment on.
    pub fn since(&self, moment: Duration) -> Vec<Seen> {
        let seen = self.record.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = seen.partition_point(|packet| packet.at < moment);
        seen.get(first..).unwrap_or_default().to_vec()
    }

    /// Waits for the next packet of the wanted kind.
    pub fn wait_next(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Seen) -> bool,
    ) -> Result<Seen> {
        let (seen, grown) = &*self.record;
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = seen.len();
        let find = |seen: &Vec<Seen>| {
            seen.get(mark..)
                .unwrap_or_default()
                .iter()
                .find(|packet| wanted(packet))
                .cloned()
        };
        let (seen, _) = grown
            .wait_timeout_while(seen, limit, |seen| find(seen).is_none())
            .unwrap_or_else(PoisonError::into_inner);
        find(&seen).ok_or_else(|| Error::unmet(format_args!("no {what} within {limit:?}")))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Bytes of packets that may wait for the listener.
const BUFFER: usize = 8 << 20;

/// A router's port on the switch: interface number, router, public.
type Ports = Vec<(usize, Side, bool)>;

/// An open packet socket on the switch.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    ports: Ports,
}

impl Listener {
    /// Opens it; to be called on the switch.
    pub fn open() -> Result<Self> {
        let (socket, ports) = open()?;
        Ok(Self { socket, ports })
    }

    /// The next packet, if one comes within a tenth of a second and it is of interest.
    pub fn next(&self) -> Option<Seen> {
        receive(&self.socket, &self.ports)
    }
}

fn open() -> Result<(OwnedFd, Ports)> {
    let fd = socket(
        AddressFamily::Packet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::EthAll,
    )
    .during("opening a packet socket")?;
    setsockopt(&fd, sockopt::ReceiveTimestampns, &true).during("asking for packet times")?;
    setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::milliseconds(100))
        .during("setting a limit")?;
    // 500 announcements come at once.
    setsockopt(&fd, sockopt::RcvBufForce, &BUFFER).during("enlarging the receive buffer")?;
    let mut ports = Ports::new();
    for side in [Side::A, Side::B] {
        for (port, public) in side.ports().into_iter().zip([true, false]) {
            let index =
                nix::net::if_::if_nametoindex(port).during(format_args!("finding {port}"))?;
            ports.push((index as usize, side, public));
        }
    }
    Ok((fd, ports))
}

fn receive(socket: &OwnedFd, ports: &Ports) -> Option<Seen> {
    /// `PACKET_OUTGOING`: what the switch itself sends out of a port.
    const OUTGOING: u8 = 4;
    let mut buffer = [0; 512];
    let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let mut parts = [IoSliceMut::new(&mut buffer)];
    let message = recvmsg::<LinkAddr>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut control),
        MsgFlags::empty(),
    )
    .ok()?;
    let address = message.address?;
    let &(_, from, public) = ports
        .iter()
        .find(|(index, _, _)| *index == address.ifindex())?;
    if address.pkttype() == OUTGOING {
        return None;
    }
    let at = message.cmsgs().ok()?.find_map(|part| match part {
        ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
        _ => None,
    })?;
    let length = message.bytes;
    let what = dissect(buffer.get(..length)?)?;
    Some(Seen {
        at,
        from,
        public,
        what,
    })
}

/// The protocol of keepalived's advertisements.
const VRRP: u8 = 112;

/// Picks a heartbeat or an ARP packet out of an Ethernet frame.
fn dissect(frame: &[u8]) -> Option<What> {
    match frame.get(12..14)? {
        [0x08, 0x06] => {
            let arp = frame.get(14..42)?;
            Some(What::Arp {
                operation: u16::from_be_bytes(arp.get(6..8)?.try_into().ok()?),
                hardware: arp.get(8..14)?.try_into().ok()?,
                sender: address(arp.get(14..18)?)?,
                target: address(arp.get(24..28)?)?,
            })
        }
        [0x08, 0x00] => {
            let packet = frame.get(14..)?;
            let header = usize::from(packet.first()? & 0x0f) * 4;
            let udp = packet.get(header..)?;
            if *packet.get(9)? == VRRP {
                return Some(What::Advertisement);
            }
            if *packet.get(9)? != 17 || udp.get(2..4)? != 539_u16.to_be_bytes() {
                return None;
            }
            let length = usize::from(u16::from_be_bytes(udp.get(4..6)?.try_into().ok()?));
            Some(What::Heartbeat(udp.get(8..length)?.to_vec()))
        }
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_is_found() {
        let mut frame = vec![0; 12];
        frame.extend([
            0x08, 0x00, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
        ]);
        frame.extend([
            0x02, 0x1b, 0x02, 0x1b, 0, 12, 0, 0, 0x44, 0x33, 0x22, 0x11, 0, 0,
        ]);
        assert_eq!(
            dissect(&frame),
            Some(What::Heartbeat(vec![0x44, 0x33, 0x22, 0x11]))
        );
        frame[37] = 80;
        assert_eq!(dissect(&frame), None);
    }

    #[test]
    fn an_announcement_is_found() {
        let mut frame = vec![0xff; 12];
        frame.extend([
            0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 1,
        ]);
        frame.extend([0, 0, 0, 0, 0, 0, 10, 0, 0, 1]);
        let expected = What::Arp {
            sender: Ipv4Addr::new(10, 0, 0, 1),
            hardware: [2, 0, 0, 0, 0, 9],
            target: Ipv4Addr::new(10, 0, 0, 1),
            operation: 1,
        };
        assert_eq!(dissect(&frame), Some(expected));
        assert_eq!(dissect(&frame[..30]), None);
    }
}
