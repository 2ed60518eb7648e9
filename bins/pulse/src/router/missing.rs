//! Addresses of ours that vanish while we hold them: found out and added again.

use std::rc::Rc;

use daemon::clock;
use heartbeat::Event;
use netdev::VipAddress;

use super::{Happened, Router};

/// A look at what is missing, until that has been added. There is one at a time: when 500 addresses
/// end together, each with a notification of its own, one look finds them all.
#[derive(Debug)]
pub(super) struct Search {
    turn: u64,
    /// Something was found, and is being added.
    adding: bool,
    /// Another address went meanwhile.
    again: bool,
}

impl Router {
    pub(super) fn device_changed(&mut self, event: &netdev::Event) {
        let concerns_us = match event {
            netdev::Event::AddressGone(gone) => self.plan.addresses().any(|vip| gone.is(vip)),
            netdev::Event::Missed => true,
            _ => false,
        };
        if !self.held || !concerns_us {
            return;
        }
        // A lifetime that ended tells of a pause; then this router is not to claim anything.
        self.handle(Event::Timeout);
        if self.held {
            self.search();
        }
    }

    fn search(&mut self) {
        let turn = self.turn;
        if let Some(search) = self.search.as_mut().filter(|it| it.turn == turn) {
            search.again = true;
            return;
        }
        self.search = Some(Search {
            turn,
            adding: false,
            again: false,
        });
        let (netdev, plan) = (Rc::clone(&self.netdev), Rc::clone(&self.plan));
        self.start(async move {
            let present = netdev.addresses().await.unwrap_or_default();
            let gone = |vip: &&VipAddress| !present.iter().any(|address| address.is(vip));
            Happened::Missing(turn, plan.addresses().filter(gone).cloned().collect())
        });
    }

    pub(super) fn missing(&mut self, turn: u64, vips: &[VipAddress]) {
        if turn != self.turn || !self.held {
            return;
        }
        for vip in vips {
            let (address, interface) = (vip.address, &vip.interface);
            self.tell(format_args!(
                "{address} has vanished from {interface}: adding it again"
            ));
        }
        if vips.is_empty() {
            self.end_search();
        } else {
            self.renew_at = Some(clock::boottime());
            if let Some(search) = &mut self.search {
                search.adding = true;
            }
        }
    }

    /// To be called when addresses were added or renewed.
    pub(super) fn search_renewed(&mut self) {
        if self.search.as_ref().is_some_and(|search| search.adding) {
            self.end_search();
        }
    }

    fn end_search(&mut self) {
        if self.search.take().is_some_and(|search| search.again) {
            self.search();
        }
    }
}
