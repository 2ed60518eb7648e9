//! The way to the kernel: one netlink socket with a time limit on answers.

use std::io::{self, ErrorKind};

use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;

use super::Datagrams;
use crate::Error;

/// The kernel answers while the request is being sent; whatever has not come after this never will.
const TIME_LIMIT: TimeVal = TimeVal::new(2, 0);

/// What the client needs of a socket.
pub trait Link {
    /// Sends one datagram with any number of requests.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Receives one datagram and gives its length. [`Error::Lost`] when none comes in time or one was
    /// dropped, [`Error::Truncated`] when the buffer is too small for it.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// Forgets everything under way.
    fn reopen(&mut self) -> io::Result<()>;
}

/// A netlink socket to the kernel.
#[derive(Debug)]
pub struct KernelLink {
    socket: Socket,
    datagrams: Datagrams,
}

impl KernelLink {
    /// Opens the socket. It takes messages from the kernel only.
    pub fn open() -> io::Result<Self> {
        let socket = Socket::new(NETLINK_GENERIC)?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // A refusal does not carry the request back.
        socket.set_cap_ack(true)?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TIME_LIMIT)?;
        Ok(Self {
            socket,
            datagrams: Datagrams::default(),
        })
    }
}

impl Link for KernelLink {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send(bytes, 0) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => return other.map(|_| ()),
            }
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.datagrams.receive(&self.socket, buffer)
    }

    fn reopen(&mut self) -> io::Result<()> {
        *self = Self::open()?;
        Ok(())
    }
}
