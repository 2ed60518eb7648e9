//! Heartbeats on UDP (`piranha-daemons.md` 3.4, 3.5): bound before the daemon detaches, then part
//! of the event loop.
//!
//! Owns who may send us a heartbeat. Must not know what follows from one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use heartbeat::auth::{Guard, Mode, Rejected};
use heartbeat::{Event, Heartbeat, Path};
use tokio::net::UdpSocket as AsyncSocket;

use crate::identity::{Identity, Route};
use crate::plan::Auth;
use crate::refusal::Refusal;
use crate::throttle::Throttle;

/// Of the datagrams that are read whole; ours are far shorter.
const LONGEST: usize = 2048;

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
            strangers: 0,
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

/// Everybody on the network hears them.
const BETWEEN_INTRODUCTIONS: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Way {
    socket: AsyncSocket,
    own: Ipv4Addr,
    partner: Option<SocketAddrV4>,
    path: Path,
    /// The last attempt to send failed, which was logged (B60).
    failing: bool,
    last_heard: Option<Duration>,
    /// When the kernels were last helped to find each other.
    introduced: Option<Duration>,
}

impl Way {
    fn new(socket: UdpSocket, route: Route, path: Path) -> io::Result<Self> {
        let socket = AsyncSocket::from_std(socket)?;
        Ok(Self {
            socket,
            own: *route.own.ip(),
            partner: route.partner,
            path,
            failing: false,
            last_heard: None,
            introduced: None,
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

    /// Own address and the partner's, when nothing was heard for this long, but not too often.
    fn find_again(&mut self, silence: Duration) -> Option<(Path, Ipv4Addr, Ipv4Addr)> {
        let now = daemon::clock::boottime();
        let over = |since: Option<Duration>, span| since.is_none_or(|at| now >= at + span);
        if !over(self.last_heard, silence) || !over(self.introduced, BETWEEN_INTRODUCTIONS) {
            return None;
        }
        let partner = *self.partner?.ip();
        self.introduced = Some(now);
        Some((self.path, self.own, partner))
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
    /// Packets from others than the partner.
    strangers: u64,
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

    /// Takes note of a heartbeat on a path. After a silence of this length: the own address there, and
    /// the partner's.
    pub(crate) fn heard(&mut self, path: Path, silence: Duration) -> Option<(Ipv4Addr, Ipv4Addr)> {
        let way = match (path, &mut self.private) {
            (Path::Private, Some(private)) => private,
            _ => &mut self.public,
        };
        let now = daemon::clock::boottime();
        let returned = way
            .last_heard
            .replace(now)
            .is_none_or(|at| now >= at + silence);
        Some((way.own, *way.partner?.ip())).filter(|_| returned)
    }

    /// Paths on which nothing was heard for this long and the kernels are to be helped to find each
    /// other: the own address there, and the partner's.
    pub(crate) fn silent(
        &mut self,
        silence: Duration,
    ) -> impl Iterator<Item = (Path, Ipv4Addr, Ipv4Addr)> + use<> {
        [
            self.public.find_again(silence),
            self.private
                .as_mut()
                .and_then(|way| way.find_again(silence)),
        ]
        .into_iter()
        .flatten()
    }

    /// Packets from others than the partner so far.
    pub(crate) fn strangers(&self) -> u64 {
        self.strangers
    }

    /// All kinds of what is refused together get one line in ten seconds, less often when they go on.
    pub(crate) fn log_refusal(&mut self, text: &str) {
        self.rubbish.log(text);
    }

    /// The next heartbeat; `rejected` is called with why others were none. Can be cancelled.
    pub(crate) async fn receive(&mut self, mut rejected: impl FnMut(Rejected)) -> Event {
        loop {
            let mut public_buffer = [0; LONGEST];
            let mut private_buffer = [0; LONGEST];
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
                    match self.judge(datagram, sender) {
                        Ok(Some((heartbeat, true))) => return Event::Keyed { path, heartbeat },
                        Ok(Some((heartbeat, false))) => {
                            return Event::Heartbeat { path, heartbeat };
                        }
                        Ok(None) => {}
                        Err(why) => rejected(why),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => self.rubbish.log(&format!("recvfrom() failed: {error}")),
            }
        }
    }

    /// Throws away what is waiting.
    pub(crate) fn drain(&mut self) {
        let mut buffer = [0; LONGEST];
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

    /// `None`: from somebody else.
    fn judge(
        &mut self,
        datagram: &[u8],
        sender: SocketAddr,
    ) -> Result<Option<(Heartbeat, bool)>, Rejected> {
        let ip = match sender.ip() {
            IpAddr::V4(ip) if self.partner.contains(&ip) => ip,
            other => {
                tracing::debug!("Unexpected heartbeat from {other}");
                self.strangers += 1;
                return Ok(None);
            }
        };
        let judged = self.guard.open(datagram);
        if let Err(why) = &judged {
            self.rubbish.log(&format!("{why} ({ip})"));
        }
        judged.map(Some)
    }
}
