//! The last part of a planned hand-over: connections that this router has come to their end here,
//! new ones go through it to the partner, which serves already. Only then do the addresses move, so
//! that nothing is on its way through a router that does not know it.

use std::net::Ipv4Addr;
use std::rc::Rc;

use heartbeat::Phase;
use netdev::Detour;

use super::{Happened, Router};
use crate::identity::Identity;
use crate::plan::Plan;
use crate::syncd::Daemons;

/// Whether lvs.cf describes a pair that can do so.
pub(super) fn is_possible(identity: &Identity, plan: &Plan) -> bool {
    let answers_can_follow = plan.nat_router.is_none() || identity.private.is_some();
    plan.has_backup && plan.stock_ipvsadm && !plan.lacks_nat_router && answers_can_follow
}

/// Where the kernel keeps what becomes of a connection whose server has left the table.
const EXPIRY: &str = "/proc/sys/net/ipv4/vs/expire_nodest_conn";

/// Whether entries of connections that were passed on do no harm here later: they outlive this router's
/// rest, and in the active role again, it would drop what a client sends from the same port.
fn entries_expire() -> bool {
    // Without that file the table is not the kernel's.
    std::fs::read_to_string(EXPIRY).map_or(true, |text| text.trim() != "0")
}

/// How packets reach the partner.
#[derive(Debug)]
struct Way {
    partner: Ipv4Addr,
    /// For what real servers answer to connections of the partner's, under NAT.
    answers: Option<Detour>,
}

impl Router {
    /// Without a way this router only serves on until the addresses move.
    pub(super) fn relay(&mut self) {
        let Some(way) = self.way_to_partner() else {
            return;
        };
        if !entries_expire() {
            tracing::warn!(
                "no connections are passed on to the partner: net.ipv4.vs.expire_nodest_conn should be 1"
            );
            return;
        }
        let (netdev, plan, turn) = (Rc::clone(&self.netdev), Rc::clone(&self.plan), self.turn);
        let sync_keeper = self.sync_keeper.clone();
        self.relaying = Some(self.start(async move {
            // To this kernel a connection that is passed on is one to the partner; told of that, the
            // partner's would forget the real server that it has chosen.
            if let Some(sync) = &plan.sync {
                sync_keeper.settle(sync, Daemons::NONE).await;
            }
            let opened = match &way.answers {
                Some(detour) => netdev.open_detour(detour).await,
                None => Ok(()),
            };
            let opened = opened.map_err(|error| error.to_string());
            Happened::WayOpened(turn, opened.map(|()| way.partner))
        }));
    }

    pub(super) fn way_opened(&self, turn: u64, opened: Result<Ipv4Addr, String>) {
        if turn != self.turn || self.machine.phase() != Phase::Leaving {
            return;
        }
        match (opened, &self.lvs) {
            (Ok(partner), Some(lvs)) => {
                tracing::info!("passing new connections on to the partner");
                lvs.say(&format!("relay {partner}"));
            }
            (Ok(_), None) => {}
            (Err(text), _) => tracing::info!("no connections are passed on to the partner: {text}"),
        }
    }

    fn way_to_partner(&self) -> Option<Way> {
        let (public, private) = self.links.own_interfaces();
        let is_public = |vip: &netdev::VipAddress| Some(&vip.interface) == public;
        // Packets must come in where the partner expects them.
        if !self.plan.vips.iter().all(is_public) {
            return None;
        }
        let answers = match &self.plan.nat_router {
            None => None,
            Some(router) if Some(&router.interface) == private => Some(Detour {
                interface: router.interface.clone(),
                router: *self.identity.private?.partner?.ip(),
            }),
            Some(_) => return None,
        };
        Some(Way {
            partner: *self.identity.public.partner?.ip(),
            answers,
        })
    }

    /// What an earlier run that was killed may have left.
    pub(super) fn close_leftover_way(&self) {
        let netdev = Rc::clone(&self.netdev);
        tokio::task::spawn_local(async move {
            if let Err(error) = netdev.close_detour().await {
                tracing::debug!("DEBUG -- {error}");
            }
        });
    }
}
