//! Many changes of addresses in a few system calls.
//!
//! Owns a netlink socket that blocks and how its answers are matched to requests; everything here
//! is to run in a thread that may wait. Must not know lvs.cf.

use std::collections::HashMap;
use std::io::{self, ErrorKind};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;

use crate::{Error, NAME_LIMIT, VipAddress};

/// Requests in one datagram. Their answers must fit the socket's receive buffer together.
const AT_ONCE: usize = 64;
/// The kernel answers in microseconds; this is for one that does not.
const LIMIT: TimeVal = TimeVal::new(1, 0);
/// More than the kernel's longest answer, an interface with all its attributes.
const LONGEST: usize = 64 * 1024;

/// What became of one request: what the kernel told, if anything, or its refusal.
type Answer = io::Result<Option<RouteNetlinkMessage>>;

/// An open socket of the network namespace that the opening thread was in.
#[derive(Debug)]
pub(crate) struct Batch {
    socket: Socket,
    sequence: u32,
}

impl Batch {
    pub(crate) fn open() -> crate::Result<Self> {
        Ok(Self {
            socket: socket().map_err(Error::Open)?,
            sequence: 0,
        })
    }

    /// Adds or renews the addresses, in their order; the errors of those that failed.
    pub(crate) fn add(&mut self, vips: &[VipAddress]) -> Vec<Error> {
        let flags = NLM_F_CREATE | NLM_F_REPLACE;
        self.change(vips.iter(), |vip, index| {
            let message = RouteNetlinkMessage::NewAddress(vip.message(index));
            request(message, flags)
        })
        .into_iter()
        .filter_map(|(vip, failure)| {
            Some(failure?.unwrap_or_else(|source| Error::AddAddress {
                address: vip.address,
                prefix_len: vip.prefix_len,
                interface: vip.interface.clone(),
                source,
            }))
        })
        .collect()
    }

    /// Removes the addresses; one that is absent, or whose interface is, counts as removed. The last
    /// goes first: the kernel would otherwise make each next one of a network its first, which
    /// takes it time with the square of their number.
    pub(crate) fn remove(&mut self, vips: &[VipAddress]) -> Vec<Error> {
        self.change(vips.iter().rev(), |vip, index| {
            request(RouteNetlinkMessage::DelAddress(vip.identity(index)), 0)
        })
        .into_iter()
        .filter_map(|(vip, failure)| match failure? {
            Ok(Error::NoInterface { .. }) => None,
            Ok(error) => Some(error),
            Err(source) if is_absent(&source) => None,
            Err(source) => Some(Error::RemoveAddress {
                address: vip.address,
                prefix_len: vip.prefix_len,
                interface: vip.interface.clone(),
                source,
            }),
        })
        .collect()
    }

    /// Each address with its failure: an error of its own, or the kernel's refusal of the request.
    fn change<'a>(
        &mut self,
        vips: impl Iterator<Item = &'a VipAddress>,
        message: impl Fn(&VipAddress, u32) -> NetlinkMessage<RouteNetlinkMessage>,
    ) -> Vec<(&'a VipAddress, Option<Result<Error, io::Error>>)> {
        let mut indices = HashMap::new();
        let (mut outcome, mut requests, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for vip in vips {
            let index = *indices
                .entry(vip.interface.as_str())
                .or_insert_with(|| self.index_of(&vip.interface));
            match index {
                Some(index) => {
                    requests.push(message(vip, index));
                    asked.push(vip);
                }
                None => {
                    let interface = vip.interface.clone();
                    outcome.push((vip, Some(Ok(Error::NoInterface { interface }))));
                }
            }
        }
        let answers = self.exchange(requests);
        let failures = answers.into_iter().map(|answer| answer.err().map(Err));
        outcome.extend(asked.into_iter().zip(failures));
        outcome
    }

    /// By the socket that is open anyway, so that it works when descriptors are exhausted.
    fn index_of(&mut self, interface: &str) -> Option<u32> {
        if interface.is_empty() || interface.len() > NAME_LIMIT {
            return None;
        }
        let mut link = LinkMessage::default();
        let name = LinkAttribute::IfName(interface.to_owned());
        link.attributes.push(name);
        let mut answers = self.exchange(vec![request(RouteNetlinkMessage::GetLink(link), 0)]);
        match answers.pop()? {
            Ok(Some(RouteNetlinkMessage::NewLink(link))) => Some(link.header.index),
            _ => None,
        }
    }

    /// One answer for each request, in their order.
    fn exchange(&mut self, requests: Vec<NetlinkMessage<RouteNetlinkMessage>>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(requests.len());
        for chunk in requests.chunks(AT_ONCE) {
            let answered = self.exchange_some(chunk).or_else(|_| {
                // Nothing here does harm when it is done twice.
                self.socket = socket()?;
                self.exchange_some(chunk)
            });
            match answered {
                Ok(answered) => answers.extend(answered),
                Err(error) => {
                    let failed = || Err(copy(&error));
                    answers.extend(std::iter::repeat_with(failed).take(chunk.len()));
                }
            }
        }
        answers
    }

    fn exchange_some(
        &mut self,
        requests: &[NetlinkMessage<RouteNetlinkMessage>],
    ) -> io::Result<Vec<Answer>> {
        let first = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        for request in requests {
            let mut request = request.clone();
            self.sequence = self.sequence.wrapping_add(1);
            request.header.sequence_number = self.sequence;
            request.finalize();
            let start = bytes.len();
            bytes.resize(start + request.buffer_len(), 0);
            if let Some(place) = bytes.get_mut(start..) {
                request.serialize(place);
            }
        }
        repeated(|| self.socket.send(&bytes, 0))?;
        let mut told: Vec<Option<RouteNetlinkMessage>> = vec![None; requests.len()];
        let mut answers: Vec<Option<Answer>> = requests.iter().map(|_| None).collect();
        let mut buffer = Vec::with_capacity(LONGEST);
        while answers.iter().any(Option::is_none) {
            buffer.clear();
            repeated(|| self.socket.recv(&mut buffer, 0))?;
            for message in messages(&buffer) {
                let place = message.header.sequence_number.wrapping_sub(first) as usize;
                let Some(answer) = answers.get_mut(place) else {
                    continue;
                };
                match message.payload {
                    NetlinkPayload::Error(error) => {
                        let told = told.get_mut(place).and_then(Option::take);
                        *answer = Some(match error.code {
                            None => Ok(told),
                            Some(_) => Err(error.to_io()),
                        });
                    }
                    NetlinkPayload::InnerMessage(inner) => {
                        if let Some(told) = told.get_mut(place) {
                            *told = Some(inner);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }
}

fn socket() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // A refusal does not carry the request back.
    socket.set_cap_ack(true)?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &LIMIT)?;
    Ok(socket)
}

fn request(message: RouteNetlinkMessage, flags: u16) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message))
}

/// The messages of a datagram; what cannot be read ends it.
fn messages(mut bytes: &[u8]) -> Vec<NetlinkMessage<RouteNetlinkMessage>> {
    let mut messages = Vec::new();
    while let Ok(message) = NetlinkMessage::deserialize(bytes) {
        let length = (message.header.length as usize).next_multiple_of(4);
        messages.push(message);
        match bytes.get(length..) {
            Some(rest) if length > 0 && !rest.is_empty() => bytes = rest,
            _ => break,
        }
    }
    messages
}

fn repeated<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    "the kernel does not answer",
                ));
            }
            other => return other,
        }
    }
}

fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

pub(crate) fn is_absent(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(code, Some(Errno::EADDRNOTAVAIL | Errno::ENODEV))
}
