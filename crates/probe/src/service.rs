//! TCP and UDP: connect, send, read until the answer is decided (`piranha-daemons.md` 5.3).
//! B34: reads go on until enough has come; B35: UDP without send or expect; B50: no ICMP.

use crate::check::Outcome;
use crate::expect::{Expect, MOST};
use crate::reason::{Reason, Step};
use crate::wait::{Bounds, Waited};
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn, connect, getsockopt, recv, send,
    socket, sockopt,
};
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, OwnedFd};

/// Transport of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// A check over the network.
#[derive(Debug, Clone)]
pub struct Service {
    /// Transport.
    pub protocol: Protocol,
    /// What to send. Without it a TCP check sends nothing, a UDP check an empty datagram.
    pub send: Option<Vec<u8>>,
    /// What must come back. Without it a TCP connection is enough, and over UDP any datagram.
    pub expect: Option<Expect>,
}

enum Stop {
    Unavailable(Reason),
    Interrupted,
}

impl Service {
    pub(crate) fn check(&self, real: SocketAddrV4, bounds: &Bounds<'_>) -> Outcome {
        let result = match self.protocol {
            Protocol::Tcp => self.stream(real, bounds),
            Protocol::Udp => self.datagram(real, bounds),
        };
        match result {
            Ok(()) => Outcome::Available,
            Err(Stop::Unavailable(reason)) => Outcome::Unavailable(reason),
            Err(Stop::Interrupted) => Outcome::Interrupted { killed: None },
        }
    }

    fn stream(&self, real: SocketAddrV4, bounds: &Bounds<'_>) -> Result<(), Stop> {
        let stream = open(SockType::Stream)?;
        match connect(stream.as_raw_fd(), &SockaddrIn::from(real)) {
            Ok(()) => {}
            Err(Errno::EINPROGRESS | Errno::EINTR) => {
                // Asked for an error only when there is one: a call less for each good check.
                if wait(&stream, PollFlags::POLLOUT, Step::Connecting, bounds)? {
                    let errno = getsockopt(&stream, sockopt::SocketError).unwrap_or_default();
                    if errno != 0 {
                        return Err(failed(Step::Connecting, Errno::from_raw(errno)));
                    }
                }
            }
            Err(errno) => return Err(failed(Step::Connecting, errno)),
        }
        let mut rest = self.send.as_deref().unwrap_or_default();
        while !rest.is_empty() {
            let sent = transmit(&stream, rest, bounds)?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        match &self.expect {
            None => Ok(()),
            Some(expect) => read(&stream, expect, bounds),
        }
    }

    fn datagram(&self, real: SocketAddrV4, bounds: &Bounds<'_>) -> Result<(), Stop> {
        let datagram = open(SockType::Datagram)?;
        connect(datagram.as_raw_fd(), &SockaddrIn::from(real))
            .map_err(|errno| failed(Step::Connecting, errno))?;
        transmit(&datagram, self.send.as_deref().unwrap_or_default(), bounds)?;
        let expect = self.expect.as_ref().unwrap_or(&Expect::Anything);
        let mut answer = expect.begin();
        let mut buffer = vec![0; answer.room().clamp(64, MOST)];
        let count = receive(&datagram, &mut buffer, bounds, &[])?;
        // One datagram is the whole answer.
        let got = buffer.get(..count).unwrap_or_default();
        let decided = answer.take(got).or_else(|| answer.take(&[]));
        decided.unwrap_or(Ok(())).map_err(Stop::Unavailable)
    }
}

fn open(kind: SockType) -> Result<OwnedFd, Stop> {
    socket(
        AddressFamily::Inet,
        kind,
        SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
        None,
    )
    .map_err(|errno| failed(Step::Opening, errno))
}

fn failed(step: Step, errno: Errno) -> Stop {
    Stop::Unavailable(match errno {
        // Also on reading: that is how a datagram socket tells of an ICMP refusal.
        Errno::ECONNREFUSED => Reason::Refused,
        _ => Reason::Failed { step, errno },
    })
}

/// True when the socket has an error to tell.
fn wait(fd: &OwnedFd, events: PollFlags, step: Step, bounds: &Bounds<'_>) -> Result<bool, Stop> {
    match bounds.wait(fd, events) {
        Waited::Ready { broken } => Ok(broken),
        Waited::TimedOut => Err(timed_out(step, bounds, &[])),
        Waited::Interrupted => Err(Stop::Interrupted),
        Waited::Failed(errno) => Err(failed(step, errno)),
    }
}

fn timed_out(step: Step, bounds: &Bounds<'_>, got: &[u8]) -> Stop {
    Stop::Unavailable(Reason::TimedOut {
        step,
        limit: bounds.limit,
        got: got.to_vec(),
    })
}

fn transmit(fd: &OwnedFd, bytes: &[u8], bounds: &Bounds<'_>) -> Result<usize, Stop> {
    loop {
        match send(fd.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
            Ok(count) => return Ok(count),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                wait(fd, PollFlags::POLLOUT, Step::Writing, bounds)?;
            }
            Err(errno) => return Err(failed(Step::Writing, errno)),
        }
    }
}

/// Reads until the answer is decided. `got` goes into the reason when the limit passes.
fn read(stream: &OwnedFd, expect: &Expect, bounds: &Bounds<'_>) -> Result<(), Stop> {
    let mut answer = expect.begin();
    let mut buffer = [0; 1024];
    loop {
        let room = answer.room().min(buffer.len());
        let slice = buffer.get_mut(..room).unwrap_or_default();
        let count = receive(stream, slice, bounds, &answer.got)?;
        let got = buffer.get(..count).unwrap_or_default();
        if let Some(decided) = answer.take(got) {
            return decided.map_err(Stop::Unavailable);
        }
    }
}

/// Waits before each read: a server that sends faster than we look cannot keep us from seeing the
/// limit or an interruption.
fn receive(
    fd: &OwnedFd,
    buffer: &mut [u8],
    bounds: &Bounds<'_>,
    got: &[u8],
) -> Result<usize, Stop> {
    loop {
        match bounds.wait(fd, PollFlags::POLLIN) {
            Waited::Ready { .. } => {}
            Waited::TimedOut => return Err(timed_out(Step::Reading, bounds, got)),
            Waited::Interrupted => return Err(Stop::Interrupted),
            Waited::Failed(errno) => return Err(failed(Step::Reading, errno)),
        }
        match recv(fd.as_raw_fd(), buffer, MsgFlags::empty()) {
            Ok(count) => return Ok(count),
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(errno) => return Err(failed(Step::Reading, errno)),
        }
    }
}
