//! What is seen on the service network: answers for VIPs, `witness`es, and others that claim a VIP of
//! ours (F19).

use std::collections::BTreeMap;
use std::time::Duration;

use daemon::clock;
use heartbeat::{Event, Macs, Notice, Phase, Word};
use netdev::{Claim, MacAddr, VipAddress};

use super::asked::now_since_1970;
use super::{Happened, Router};
use crate::lookout::{Lookout, to_heartbeat};
use crate::status::Conflict;
use crate::throttle::Throttle;

/// Between two looks at who else has the VIPs that are ours.
const LOOK: Duration = Duration::from_secs(5);
/// What the partner, whom a hand-over is from, may still say of the VIPs.
const AFTER_TAKING_OVER: Duration = Duration::from_secs(5);
/// A claim of another is trouble for so long.
const FRESH: Duration = Duration::from_secs(30);

/// What this router knows by looking.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) lookout: Lookout,
    macs: BTreeMap<String, MacAddr>,
    /// Something that cannot be watched, told once.
    errors: Vec<String>,
    /// When to look for others that have our VIPs.
    pub(super) look_at: Option<Duration>,
    throttle: Throttle,
    pub(super) conflicts: u64,
    pub(super) last_conflict: Option<Conflict>,
    last_conflict_at: Option<Duration>,
}

impl Router {
    /// To be called when VIPs, their interfaces or the hardware addresses of these may have changed.
    pub(super) fn watch_services(&mut self) {
        let vips: Vec<VipAddress> = self.plan.addresses().cloned().collect();
        let macs: BTreeMap<String, MacAddr> = vips
            .iter()
            .filter_map(|vip| {
                let mac = self.links.mac(&vip.interface)?;
                Some((vip.interface.clone(), mac))
            })
            .collect();
        let errors = self.sight.lookout.watch(&vips, &macs);
        for error in errors.iter().filter(|it| !self.sight.errors.contains(it)) {
            tracing::info!("{error}: answers for VIPs are not heard");
        }
        self.sight.errors = errors;
        self.sight.lookout.rely_on(&self.plan.witnesses);
        let told: Macs = macs.values().copied().map(to_heartbeat).collect();
        self.sight.macs = macs;
        self.handle(Event::ServiceMacs(told));
    }

    pub(super) fn ask_witnesses(&mut self) {
        let happened = self.happened.clone();
        self.sight.lookout.ask_witnesses(move || {
            // Refused only when the router is ending.
            let _ = happened.send(Happened::WitnessAnswered);
        });
    }

    pub(super) fn claimed_by_another(&mut self, claim: Result<Claim, String>) {
        let claim = match claim {
            Ok(claim) => claim,
            Err(text) => return tracing::info!("{text}: answers for VIPs are not heard"),
        };
        match self.machine.phase() {
            Phase::Standby => self.handle(Event::VipAnswered {
                address: claim.address,
                mac: to_heartbeat(claim.mac),
            }),
            Phase::Active if self.held && !self.is_word_of_partner(&claim) => self.conflict(&claim),
            // One of the two takes over from the other: both may have them for a moment.
            Phase::Active | Phase::Activating | Phase::Leaving => {}
        }
    }

    /// When both claim to be active, heartbeats tell; and what it said before it let go is no claim.
    fn is_word_of_partner(&self, claim: &Claim) -> bool {
        let is_partner = self
            .machine
            .partner_extended()
            .is_some_and(|partner| partner.macs.contains(to_heartbeat(claim.mac)));
        let young = clock::boottime() < self.machine.since() + AFTER_TAKING_OVER;
        is_partner && (young || self.machine.partner_word() != Some(Word::Stopped))
    }

    fn conflict(&mut self, claim: &Claim) {
        let sight = &mut self.sight;
        sight.conflicts += 1;
        sight.last_conflict_at = Some(clock::boottime());
        sight.last_conflict = Some(Conflict {
            address: claim.address.to_string(),
            mac: claim.mac.to_string(),
            at: now_since_1970(),
        });
        let notice = Notice::VipConflict {
            address: claim.address,
            mac: to_heartbeat(claim.mac),
        };
        if let Some(text) = sight.throttle.text(&notice.to_string()) {
            self.tell(text);
        }
    }

    /// While it lasts.
    pub(super) fn conflict_trouble(&self) -> Option<String> {
        let fresh = self.sight.last_conflict_at? + FRESH > clock::boottime();
        let conflict = self.sight.last_conflict.as_ref().filter(|_| fresh)?;
        let Conflict { address, mac, .. } = conflict;
        Some(format!("{address} is also claimed by {mac}"))
    }

    /// Those that answer have a VIP of ours without having said so.
    pub(super) fn look_for_conflicts(&mut self) {
        let now = clock::boottime();
        if !self.held {
            self.sight.look_at = None;
        } else if self.sight.look_at.is_none_or(|at| now >= at) {
            self.sight.look_at = Some(now + LOOK);
            self.sight.lookout.ask_all();
        }
    }
}
