//! Receiving: two datagrams in one system call.
//!
//! Owns the one system call for which nix has no fitting wrapper, and says why its use is sound.
#![allow(unsafe_code)]

use std::io::{self, ErrorKind};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;

use crate::Error;

/// The datagrams of a socket, one after the other.
///
/// Two are received in one system call: the end of a listing is a datagram of its own, which the
/// kernel makes as soon as the one before has been taken.
#[derive(Debug, Default)]
pub struct Datagrams {
    /// A datagram that came with the one before.
    second: Vec<u8>,
    /// What became of it; `None` when there is none.
    waiting: Option<Received>,
}

/// A received datagram.
#[derive(Debug, Clone, Copy)]
struct Received {
    length: usize,
    truncated: bool,
}

impl Received {
    const fn length(self) -> Result<usize, Error> {
        if self.truncated {
            Err(Error::Truncated)
        } else {
            Ok(self.length)
        }
    }
}

impl Datagrams {
    /// Gives the next datagram of the socket as [`Link::receive`](super::Link::receive) does.
    pub fn receive(&mut self, socket: impl AsFd, buffer: &mut [u8]) -> Result<usize, Error> {
        if let Some(received) = self.waiting.take() {
            let datagram = self.second.get(..received.length()?);
            let datagram = datagram.ok_or(Error::Truncated)?;
            let room = buffer.get_mut(..datagram.len());
            room.ok_or(Error::Truncated)?.copy_from_slice(datagram);
            return Ok(datagram.len());
        }
        loop {
            match self.receive_two(socket.as_fd(), buffer) {
                Ok(first) => return first.length(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(Error::Lost),
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    return Err(Error::Lost);
                }
                Err(error) => return Err(Error::Receive(error)),
            }
        }
    }

    /// Waits for one datagram and takes a second one when it is there.
    fn receive_two(&mut self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
        if self.second.len() != buffer.len() {
            // Memory that is zero already is not touched by this.
            self.second = vec![0; buffer.len()];
        }
        let mut parts = [part(buffer), part(&mut self.second)];
        let mut headers = parts.each_mut().map(header);
        // SAFETY: each header points to one part and each part to a buffer with its length; all of them
        // outlive the call, and nothing else looks at them meanwhile.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                2,
                libc::MSG_WAITFORONE,
                ptr::null_mut(),
            )
        };
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        let [first, second] = headers.map(|header| Received {
            length: header.msg_len as usize,
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        });
        self.waiting = (count == 2).then_some(second);
        Ok(first)
    }
}

fn part(buffer: &mut [u8]) -> libc::iovec {
    libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    }
}

fn header(part: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: a plain C structure; all zeros is a header without address, parts and control data.
    let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
    header.msg_hdr.msg_iov = part;
    header.msg_hdr.msg_iovlen = 1;
    header
}
