//! Which links matter to this router and what the kernel says of them (`piranha-daemons.md` 3.11,
//! B38).
//!
//! Owns the choice of interfaces. What follows from a failed link is the state machine's.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use heartbeat::{Event, Links};
use netdev::{MacAddr, Netdev};

use super::{Happened, Router};

/// What is known of links.
#[derive(Debug, Default)]
pub(super) struct Known {
    holders: Holders,
    /// Interfaces that there are, and whether they can carry traffic.
    working: BTreeMap<String, bool>,
    /// Hardware addresses of those that have one.
    macs: BTreeMap<String, MacAddr>,
    /// Counts the changes that were told of: what was read before one may be older than it.
    changes: u64,
}

/// The interfaces of the own addresses. One that was known stays known when the address is gone:
/// it may have gone with its interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Holders {
    public: Option<String>,
    private: Option<String>,
}

/// Everything anew, as the kernel has it.
#[derive(Debug)]
pub(super) struct Read {
    holders: Holders,
    working: BTreeMap<String, bool>,
    macs: BTreeMap<String, MacAddr>,
    changes: u64,
}

/// Before the changes of addresses and links are listened for again, the first time and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl Known {
    /// Those of the own public and private address.
    pub(super) const fn own_interfaces(&self) -> (Option<&String>, Option<&String>) {
        (self.holders.public.as_ref(), self.holders.private.as_ref())
    }

    pub(super) fn mac(&self, interface: &str) -> Option<MacAddr> {
        self.macs.get(interface).copied()
    }

    /// Missing and down are the same to an own address.
    fn carries(&self, holder: Option<&String>) -> bool {
        holder.is_none_or(|name| self.working.get(name).copied().unwrap_or(false))
    }

    /// A VIP's interface that does not exist is told of when the VIP is to go there.
    fn carries_vips<'a>(&self, mut interfaces: impl Iterator<Item = &'a String>) -> bool {
        interfaces.all(|name| self.working.get(name).copied().unwrap_or(true))
    }
}

impl Router {
    /// Reads all that matters, beside the event loop.
    pub(super) fn read_links(&self) {
        let netdev = Rc::clone(&self.netdev);
        let own = (
            *self.identity.public.own.ip(),
            self.identity.private.map(|route| *route.own.ip()),
        );
        let (known, changes) = (self.links.holders.clone(), self.links.changes);
        let vips: Vec<String> = self
            .plan
            .addresses()
            .map(|vip| vip.interface.clone())
            .collect();
        self.start(async move { Happened::Links(read(&netdev, own, known, vips, changes).await) });
    }

    pub(super) fn links_read(&mut self, read: Result<Read, String>) {
        match read {
            Ok(read) if read.changes != self.links.changes => self.read_links(),
            Ok(Read {
                holders,
                working,
                macs,
                changes,
            }) => {
                self.links = Known {
                    holders,
                    working,
                    macs,
                    changes,
                };
                self.judge_links();
                self.watch_services();
            }
            Err(text) => tracing::info!("state of links: {text}"),
        }
    }

    pub(super) fn link_event(&mut self, event: &netdev::Event) {
        match event {
            netdev::Event::Link(link) => self.link_changed(link),
            netdev::Event::LinkGone(link) => {
                self.links.changes += 1;
                self.links.working.remove(&link.name);
                self.links.macs.remove(&link.name);
                self.judge_links();
            }
            netdev::Event::Address(address) | netdev::Event::AddressGone(address) => {
                let private = self.identity.private.map(|route| *route.own.ip());
                if address.address == *self.identity.public.own.ip()
                    || Some(address.address) == private
                {
                    self.read_links();
                }
            }
            netdev::Event::Missed => self.read_links(),
        }
    }

    /// A partner that is heard again on a path is not to wait for the answer until the kernel, which
    /// has asked for it in vain, asks again.
    pub(super) fn introduce(&mut self, heartbeat: &Event) {
        let (Event::Heartbeat { path, .. } | Event::Keyed { path, .. }) = heartbeat else {
            return;
        };
        if let Some((own, partner)) = self.sockets.heard(*path, self.plan.keepalive * 2) {
            self.introduce_on(*path, own, partner);
        }
    }

    /// After a cut that left the carrier alone both kernels may have asked in vain.
    pub(super) fn introduce_on_silent_paths(&mut self) {
        for (path, own, partner) in self.sockets.silent(self.plan.keepalive * 2) {
            self.introduce_on(path, own, partner);
        }
    }

    fn introduce_on(&self, path: heartbeat::Path, own: Ipv4Addr, partner: Ipv4Addr) {
        let holder = match path {
            heartbeat::Path::Public => &self.links.holders.public,
            heartbeat::Path::Private => &self.links.holders.private,
        };
        if let Some(interface) = holder
            && let Some(mac) = self.links.mac(interface)
            && let Some(introductions) = &self.introductions
            && let Err(error) = introductions.introduce(interface, (own, mac), partner)
        {
            tracing::debug!("DEBUG -- {error}");
        }
    }

    fn link_changed(&mut self, link: &netdev::Link) {
        let (name, working) = (&link.name, link.is_working());
        self.links.changes += 1;
        let before = self.links.working.insert(name.clone(), working);
        if before != Some(working) {
            self.judge_links();
        }
        let mac_before = match link.mac {
            Some(mac) => self.links.macs.insert(name.clone(), mac),
            None => self.links.macs.remove(name),
        };
        if !self.plan.addresses().any(|vip| vip.interface == *name) {
            return;
        }
        if before.is_none() || mac_before != link.mac {
            self.watch_services();
        }
        // Whoever is behind it may not have heard (B51).
        if before == Some(false) && working {
            self.announce();
        }
    }

    /// Subscribes to the changes of addresses and links, and reads how they are.
    pub(super) fn see_devices(&mut self) {
        match self.netdev.events() {
            Ok(devices) => {
                self.devices = Some(devices);
                if self.blind_for.take().is_some() {
                    self.tell("changes of addresses and links are seen again");
                }
                self.read_links();
                self.device_changed(&netdev::Event::Missed);
            }
            Err(error) => self.see_nothing(&error),
        }
    }

    /// Tries again later; a router without sight goes on.
    pub(super) fn see_nothing(&mut self, error: &netdev::Error) {
        self.devices = None;
        let pause = match self.blind_for {
            None => {
                self.tell(format_args!(
                    "changes of addresses and links are not seen: {error}"
                ));
                RETRY.0
            }
            Some(pause) => (pause * 2).min(RETRY.1),
        };
        self.blind_for = Some(pause);
        self.start(async move {
            tokio::time::sleep(pause).await;
            Happened::TryToSee
        });
    }

    fn judge_links(&mut self) {
        let known = &self.links;
        let links = Links {
            monitored: self.plan.monitor_links,
            public: known.carries(known.holders.public.as_ref()),
            private: known.carries(known.holders.private.as_ref()),
            vips: known.carries_vips(self.plan.addresses().map(|vip| &vip.interface)),
        };
        self.handle(Event::Links(links));
    }
}

async fn read(
    netdev: &Netdev,
    (public, private): (Ipv4Addr, Option<Ipv4Addr>),
    known: Holders,
    vips: Vec<String>,
    changes: u64,
) -> Result<Read, String> {
    let addresses = netdev.addresses().await.map_err(|e| e.to_string())?;
    let holder = |ip: Ipv4Addr, known: Option<String>| {
        let found = addresses.iter().find(|it| it.address == ip);
        if found.is_none() {
            tracing::info!("no interface holds {ip}");
        }
        found.map(|it| it.interface.clone()).or(known)
    };
    let holders = Holders {
        public: holder(public, known.public),
        private: private.and_then(|ip| holder(ip, known.private)),
    };
    let names = vips.into_iter().chain(holders.public.clone());
    let (mut working, mut macs) = (BTreeMap::new(), BTreeMap::new());
    for name in names.chain(holders.private.clone()) {
        if !working.contains_key(&name)
            && let Ok(link) = netdev.link(&name).await
        {
            macs.extend(link.mac.map(|mac| (name.clone(), mac)));
            working.insert(name, link.is_working());
        }
    }
    Ok(Read {
        holders,
        working,
        macs,
        changes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interface_fails_an_own_address_but_not_a_vip() {
        let known = Known {
            working: [("eth0".to_owned(), true), ("eth1".to_owned(), false)].into(),
            ..Known::default()
        };
        let name = |name: &str| name.to_owned();
        assert!(known.carries(Some(&name("eth0"))));
        assert!(!known.carries(Some(&name("eth1"))));
        assert!(!known.carries(Some(&name("eth9"))));
        assert!(known.carries(None), "as with the original");
        assert!(known.carries_vips([name("eth0"), name("eth9")].iter()));
        assert!(!known.carries_vips([name("eth0"), name("eth1")].iter()));
    }
}
