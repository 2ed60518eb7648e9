//! What happens to addresses and links, as the kernel tells it (`RTNLGRP_LINK`,
//! `RTNLGRP_IPV4_IFADDR`).
//!
//! Must not filter: renewals of one's own appear here too.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use rtnetlink::MulticastGroup;

use crate::link::Link;
use crate::netlink::name_of;
use crate::{Error, LocalAddress, Result};

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An interface appeared or changed.
    Link(Link),
    /// An interface disappeared.
    LinkGone(Link),
    /// An address was added or renewed.
    Address(LocalAddress),
    /// An address was removed or its lifetime ended.
    AddressGone(LocalAddress),
    /// The kernel had more to tell than was taken: read everything anew.
    Missed,
}

/// The stream of changes in the network namespace that the opening thread was in.
pub struct Events {
    messages: BoxStream<'static, NetlinkMessage<RouteNetlinkMessage>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    /// Subscribes. To be called within the event loop, before the state that the changes apply to
    /// is read.
    pub fn open() -> Result<Self> {
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr];
        let (connection, _handle, messages) =
            rtnetlink::new_multicast_connection(&groups).map_err(Error::Open)?;
        tokio::spawn(connection);
        Ok(Self {
            messages: messages.map(|(message, _)| message).boxed(),
        })
    }

    /// The next change. A broken connection is replaced and reported as [`Event::Missed`]. Can be
    /// cancelled without losing one.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            let Some(message) = self.messages.next().await else {
                *self = Self::open()?;
                return Ok(Event::Missed);
            };
            if let Some(event) = event(message.payload) {
                return Ok(event);
            }
        }
    }
}

fn event(payload: NetlinkPayload<RouteNetlinkMessage>) -> Option<Event> {
    let message = match payload {
        NetlinkPayload::InnerMessage(message) => message,
        NetlinkPayload::Overrun(_) => return Some(Event::Missed),
        _ => return None,
    };
    match message {
        RouteNetlinkMessage::NewLink(link) => Link::from_message(&link).map(Event::Link),
        RouteNetlinkMessage::DelLink(link) => Link::from_message(&link).map(Event::LinkGone),
        RouteNetlinkMessage::NewAddress(address) => {
            LocalAddress::from_message(&address, name_of).map(Event::Address)
        }
        RouteNetlinkMessage::DelAddress(address) => {
            LocalAddress::from_message(&address, name_of).map(Event::AddressGone)
        }
        _ => None,
    }
}
