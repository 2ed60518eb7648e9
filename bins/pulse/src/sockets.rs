//! Heartbeats on UDP (`piranha-daemons.md` 3.4, 3.5): bound before the daemon detaches, then part
//! of the event loop.
//!
//! Owns who may send us a heartbeat. Must not know what follows from one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use heartbeat::auth::{Guard, Mode};
use heartbeat::{Event, Heartbeat, Path};
use tokio::net::UdpSocket as AsyncSocket;

use crate::identity::{Identity, Route};
use crate::plan::Auth;
use crate::refusal::Refusal;
use crate::throttle::Throttle;

/// Bound, not yet in the event loop.
#[derive(Debug)]
pub(crate) struct Bound {
    public: UdpSocket,
    private: Option<UdpSocket>,
}

impl Bound {
    pub(crate) fn new(identity: &Identity) -> Result<Self, Refusal> {
        let private = identity.private.as_ref();
        Ok(Self {
            public: bind(identity.public.own)?,
            private: private.map(|route| bind(route.own)).transpose()?,
        })
    }

    /// To be called within the event loop.
    pub(crate) fn open(self, identity: &Identity, auth: Option<&Auth>) -> io::Result<Sockets> {
        let partner = [Some(identity.public), identity.private]
            .into_iter()
            .flatten()
            .filter_map(|route: Route| Some(*route.partner?.ip()))
            .collect();
        let private = match (self.private, identity.private) {
            (Some(socket), Some(route)) => Some(Way::new(socket, route, Path::Private)?),
            _ => None,
        };
        Ok(Sockets {
            public: Way::new(self.public, identity.public, Path::Public)?,
            private,
            partner,
            guard: Guard {
                keys: auth.map(|auth| auth.keys.clone()),
                mode: auth.map_or(Mode::Send, |auth| auth.mode),
                role: identity.role,
            },
            rubbish: Throttle::default(),
        })
    }
}

fn bind(address: SocketAddrV4) -> Result<UdpSocket, Refusal> {
    let bound = UdpSocket::bind(address).and_then(|socket| {
        socket.set_nonblocking(true)?;
        Ok(socket)
    });
    bound.map_err(|error| {
        Refusal::new(format!(
            "cannot create heartbeat socket. running as root? ({address}: {error})"
        ))
        .logged(format!(
            "failed to bind to heartbeat address: {error} ({address})"
        ))
    })
}

#[derive(Debug)]
struct Way {
    socket: AsyncSocket,
    partner: Option<SocketAddrV4>,
    path: Path,
    /// The last attempt to send failed, which was logged (B60).
    failing: bool,
}

impl Way {
    fn new(socket: UdpSocket, route: Route, path: Path) -> io::Result<Self> {
        let socket = AsyncSocket::from_std(socket)?;
        Ok(Self {
            socket,
            partner: route.partner,
            path,
            failing: false,
        })
    }

    fn send(&mut self, datagram: &[u8]) {
        let Some(partner) = self.partner else { return };
        match self.socket.try_send_to(datagram, SocketAddr::V4(partner)) {
            Ok(_) if self.failing => {
                self.failing = false;
                tracing::info!("heartbeats can be sent again ({} if)", self.path);
            }
            // The partner's machine is there without a pulse: nothing failed here.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) if !self.failing => {
                self.failing = true;
                let path = self.path;
                tracing::info!("Warning -- failed to send heartbeat ({path} if): {error}");
            }
            _ => {}
        }
    }

    /// The next datagram with its sender.
    async fn receive(&self, buffer: &mut [u8]) -> (io::Result<(usize, SocketAddr)>, Path) {
        (self.socket.recv_from(buffer).await, self.path)
    }
}

/// Both paths.
#[derive(Debug)]
pub(crate) struct Sockets {
    public: Way,
    private: Option<Way>,
    /// The partner's addresses; both are accepted on both sockets.
    partner: Vec<Ipv4Addr>,
    guard: Guard,
    rubbish: Throttle,
}

impl Sockets {
    /// After a reload.
    pub(crate) fn follow(&mut self, auth: Option<&Auth>) {
        self.guard.keys = auth.map(|auth| auth.keys.clone());
        self.guard.mode = auth.map_or(Mode::Send, |auth| auth.mode);
    }

    /// Sends on every path.
    pub(crate) fn send(&mut self, heartbeat: &Heartbeat) {
        let datagram = self.guard.seal(heartbeat);
        for way in [Some(&mut self.public), self.private.as_mut()]
            .into_iter()
            .flatten()
        {
            way.send(&datagram);
        }
    }

    /// The next datagram as an event, if it is a heartbeat (else `None`). Can be cancelled.
    pub(crate) async fn receive(&mut self) -> Option<Event> {
        let mut public_buffer = [0; 2048];
        let mut private_buffer = [0; 2048];
        let (result, path, buffer) = match &self.private {
            None => {
                let (result, path) = self.public.receive(&mut public_buffer).await;
                (result, path, public_buffer)
            }
            Some(private) => tokio::select! {
                (result, path) = self.public.receive(&mut public_buffer) => {
                    (result, path, public_buffer)
                }
                (result, path) = private.receive(&mut private_buffer) => {
                    (result, path, private_buffer)
                }
            },
        };
        match result {
            Ok((length, sender)) => {
                let datagram = buffer.get(..length).unwrap_or_default();
                let (heartbeat, keyed) = self.judge(datagram, sender)?;
                Some(if keyed {
                    Event::Keyed { path, heartbeat }
                } else {
                    Event::Heartbeat { path, heartbeat }
                })
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::ConnectionRefused {
                    self.rubbish.log(&format!("recvfrom() failed: {error}"));
                }
                None
            }
        }
    }

    /// Throws away what is waiting.
    pub(crate) fn drain(&mut self) {
        let mut buffer = [0; 2048];
        for way in [Some(&self.public), self.private.as_ref()]
            .into_iter()
            .flatten()
        {
            // Bounded: somebody may send faster than this reads.
            for _ in 0..10_000 {
                if way.socket.try_recv_from(&mut buffer).is_err() {
                    break;
                }
            }
        }
    }

    fn judge(&mut self, datagram: &[u8], sender: SocketAddr) -> Option<(Heartbeat, bool)> {
        let ip = match sender.ip() {
            IpAddr::V4(ip) => ip,
            IpAddr::V6(_) => return None,
        };
        if !self.partner.contains(&ip) {
            tracing::debug!("Unexpected heartbeat from {ip}");
            return None;
        }
        match self.guard.open(datagram) {
            Ok(accepted) => Some(accepted),
            Err(error) => {
                self.rubbish.log(&format!("{error} ({ip})"));
                None
            }
        }
    }
}
