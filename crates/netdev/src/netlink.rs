//! Requests to the kernel about addresses and links.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, TryStreamExt};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use rtnetlink::Handle;

use crate::batch::{Batch, is_absent};
use crate::events::Events;
use crate::link::Link;
use crate::{Error, LocalAddress, Result, VipAddress, index_of};

/// A netlink connection of the network namespace that the opening thread was in. All calls take
/// `&self` and may run at the same time.
#[derive(Debug)]
pub struct Netdev {
    state: Mutex<State>,
    batch: Arc<tokio::sync::Mutex<Batch>>,
    /// The kernel refuses a second listing on a connection while one is being read (EBUSY).
    listing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    handle: Handle,
    /// Labels that were already reported as too long: renewals would repeat it for ever.
    overlong: HashSet<String>,
}

impl Netdev {
    /// Opens the connection and has the event loop serve it. To be called within the event loop.
    pub fn open() -> Result<Self> {
        let state = State {
            handle: connect()?,
            overlong: HashSet::new(),
        };
        Ok(Self {
            state: Mutex::new(state),
            batch: Arc::new(tokio::sync::Mutex::new(Batch::open()?)),
            listing: tokio::sync::Mutex::new(()),
        })
    }

    /// Adds the addresses, or renews the lifetime of those that are there; the errors of those that
    /// failed. A label that is too long is left out, with a warning.
    pub async fn add(&self, vips: &[VipAddress]) -> Vec<Error> {
        self.replace(&[], vips).await
    }

    /// Removes the addresses; one that is absent, or whose interface is, counts as removed. The
    /// errors of those that failed.
    pub async fn remove(&self, vips: &[VipAddress]) -> Vec<Error> {
        self.replace(vips, &[]).await
    }

    /// Removes the one and adds the other addresses, with no other change between. What was asked for
    /// first is done first: a renewal must not bring back what is being let go of.
    pub async fn replace(&self, remove: &[VipAddress], add: &[VipAddress]) -> Vec<Error> {
        if remove.is_empty() && add.is_empty() {
            return Vec::new();
        }
        for vip in add {
            self.warn_of_label(vip);
        }
        // Whoever waits gets its turn in order, threads do not.
        let mut batch = Arc::clone(&self.batch).lock_owned().await;
        let (remove, add) = (remove.to_vec(), add.to_vec());
        let work = move || {
            let mut errors = batch.remove(&remove);
            errors.extend(batch.add(&add));
            errors
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| vec![Error::Broken(error.to_string())])
    }

    /// All IPv4 addresses.
    pub async fn addresses(&self) -> Result<Vec<LocalAddress>> {
        let _turn = self.listing.lock().await;
        let result = self
            .retried(async |handle| {
                let mut request = handle.address().get();
                request.message_mut().header.family = AddressFamily::Inet;
                request.execute().try_collect::<Vec<AddressMessage>>().await
            })
            .await?;
        let messages = result.map_err(|source| Error::Read {
            what: "the addresses".to_owned(),
            source,
        })?;
        let names: HashMap<u32, Option<String>> = messages
            .iter()
            .map(|message| message.header.index)
            .map(|i| (i, name_of(i)))
            .collect();
        let name = |index| names.get(&index).cloned().flatten();
        Ok(messages
            .iter()
            .filter_map(|it| LocalAddress::from_message(it, name))
            .collect())
    }

    /// One interface.
    pub async fn link(&self, name: &str) -> Result<Link> {
        let index = index_of(name)?;
        let result = self
            .retried(async |handle| {
                let mut links = Box::pin(handle.link().get().match_index(index).execute());
                links.next().await.transpose()
            })
            .await?;
        match result {
            Ok(message) => message
                .as_ref()
                .and_then(Link::from_message)
                .ok_or_else(|| Error::NoInterface {
                    interface: name.to_owned(),
                }),
            Err(source) if is_absent(&source) => Err(Error::NoInterface {
                interface: name.to_owned(),
            }),
            Err(source) => Err(Error::Read {
                what: format!("interface {name}"),
                source,
            }),
        }
    }

    /// All interfaces.
    pub async fn links(&self) -> Result<Vec<Link>> {
        let _turn = self.listing.lock().await;
        let result = self
            .retried(async |handle| {
                handle
                    .link()
                    .get()
                    .execute()
                    .try_collect::<Vec<LinkMessage>>()
                    .await
            })
            .await?;
        let messages = result.map_err(|source| Error::Read {
            what: "the interfaces".to_owned(),
            source,
        })?;
        Ok(messages.iter().filter_map(Link::from_message).collect())
    }

    /// Changes of addresses and links from now on.
    pub fn events(&self) -> Result<Events> {
        Events::open()
    }

    /// Carries a request out, on a new connection when the old one is broken.
    pub(crate) async fn retried<T>(
        &self,
        request: impl AsyncFn(Handle) -> std::result::Result<T, rtnetlink::Error>,
    ) -> Result<io::Result<T>> {
        let handle = self.state().handle.clone();
        let mut result = request(handle).await;
        if matches!(result, Err(rtnetlink::Error::RequestFailed)) {
            let handle = connect()?;
            self.state().handle = handle.clone();
            result = request(handle).await;
        }
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(rtnetlink::Error::RequestFailed) => Err(Error::Lost),
            Err(rtnetlink::Error::NetlinkError(message)) => Ok(Err(message.to_io())),
            Err(other) => Ok(Err(io::Error::other(other.to_string()))),
        }
    }

    fn warn_of_label(&self, vip: &VipAddress) {
        let Some(label) = vip.label.as_ref().filter(|_| vip.usable_label().is_none()) else {
            return;
        };
        if self.state().overlong.insert(label.clone()) {
            tracing::warn!(
                "{label} is longer than 15 characters: {} is added to {} without that label",
                vip.address,
                vip.interface
            );
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect() -> Result<Handle> {
    let (connection, handle, _unsolicited) = rtnetlink::new_connection().map_err(Error::Open)?;
    tokio::spawn(connection);
    Ok(handle)
}

pub(crate) fn name_of(index: u32) -> Option<String> {
    nix::net::if_::if_indextoname(index)
        .ok()?
        .into_string()
        .ok()
}
