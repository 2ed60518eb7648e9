//! The VIP as a witness: a partner that answers for the VIPs serves, whatever became of its
//! heartbeats. A dead or frozen one loses them by their lifetime.

use super::Machine;
use super::complaints::PAUSE;
use crate::vip_watch::{SHORTEST, Verdict, VipWatch};
use crate::{Action, Mac, Notice, Phase, Settings};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Longest time between two questions.
const LONGEST_INTERVAL: Duration = Duration::from_millis(20);

/// VIPs that live on although their pulse cannot have died have to be silent for this long: a
/// computer may stand still for some tenths of a second.
const PATIENCE: Duration = Duration::from_millis(500);
/// How much later than their lifetime says the kernel may remove VIPs, with some time to spare.
const LATE_END: Duration = Duration::from_secs(2);

/// What was learned from the VIPs.
#[derive(Debug, Clone, Default)]
pub(super) struct Vips {
    /// The silence, by its beginning, to which the watch belongs.
    silence: Duration,
    watch: VipWatch,
    conflict_told: Option<Duration>,
}

impl Machine {
    /// Whether this router's partner does not take over as long as this one's VIPs answer, and
    /// the other way round: both have VIPs that end by themselves and know each other's MACs.
    pub(super) fn vips_are_heeded(&self) -> bool {
        self.settings.partner
            && self.settings.vip_lifetime.is_some()
            && self
                .partner
                .extended()
                .is_some_and(|partner| partner.expiring && !partner.macs.is_empty())
    }

    pub(super) fn question_interval(&self) -> Duration {
        (self.settings.keepalive / 4).min(LONGEST_INTERVAL)
    }

    /// When the VIPs are to be asked for next.
    pub(super) fn question_due(&self) -> Option<Duration> {
        if self.phase != Phase::Standby || !self.vips_are_heeded() {
            return None;
        }
        let from = self.partner.dead_at(self.asking_from());
        if self.vips.silence == self.partner.dead_at(Duration::ZERO) {
            Some(
                self.vips
                    .watch
                    .next_question(from, self.question_interval()),
            )
        } else {
            Some(from)
        }
    }

    /// After how much silence: half the deadtime, or before the VIPs of a partner that has died
    /// can have ended, so that their end is seen.
    fn asking_from(&self) -> Duration {
        let Settings {
            keepalive,
            deadtime,
            vip_lifetime,
            ..
        } = self.settings;
        let before_they_end = vip_lifetime.map_or(deadtime, |lifetime| {
            (lifetime * 2 / 3).saturating_sub(self.question_interval() * 10)
        });
        (deadtime / 2)
            .min(before_they_end)
            .max(keepalive + keepalive / 8)
    }

    /// In a silence that has lasted for long enough, asks; a silence that has ended is
    /// forgotten.
    pub(super) fn ask_for_vips(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let silence = self.partner.dead_at(Duration::ZERO);
        if self.vips.silence != silence {
            self.forget_vips(actions);
            self.vips.silence = silence;
        }
        if self.question_due().is_some_and(|due| now >= due)
            && let Some(partner) = self.partner.extended()
        {
            actions.push(Action::ProbeVips(partner.macs));
            self.vips.watch.ask(now);
        }
        if self.phase != Phase::Standby {
            return;
        }
        let dead = now >= self.partner.dead_at(self.settings.deadtime);
        if dead && !self.vips.watch.told && self.vips_verdict(now) == Verdict::Serving {
            self.vips.watch.told = true;
            actions.push(Action::Report(Notice::StillServing));
        }
    }

    /// What was answered so far counts no more.
    pub(super) fn forget_vips(&mut self, actions: &mut Vec<Action>) {
        if std::mem::take(&mut self.vips.watch).told {
            actions.push(Action::Report(Notice::StillServingEnded));
        }
    }

    /// The alarm that the partner still serves is on.
    pub(super) fn vips_told(&self) -> bool {
        self.vips.watch.told
    }

    /// What the VIPs say of a silent partner.
    pub(super) fn vips_verdict(&self, now: Duration) -> Verdict {
        if self.vips_are_heeded() {
            self.vips
                .watch
                .verdict(now, self.shortest_silence_of_vips())
        } else {
            Verdict::Silent
        }
    }

    /// VIPs of a pulse that died with its last heartbeat are waited for no longer than needed; those
    /// that were answered for later belong to one that lives and is only not heard.
    fn shortest_silence_of_vips(&self) -> Duration {
        let Settings {
            keepalive,
            deadtime,
            vip_lifetime,
            ..
        } = self.settings;
        let ends_at = vip_lifetime
            .map(|lifetime| self.partner.dead_at(Duration::ZERO) + keepalive + lifetime + LATE_END);
        if ends_at.is_some_and(|end| self.vips.watch.answered_after(end)) {
            deadtime.clamp(SHORTEST, PATIENCE)
        } else {
            SHORTEST
        }
    }

    pub(super) fn vip_answered(
        &mut self,
        now: Duration,
        address: Ipv4Addr,
        mac: Mac,
        actions: &mut Vec<Action>,
    ) {
        let partner = self.partner.extended().map(|partner| partner.macs);
        if self.macs.contains(mac) {
            return;
        }
        if partner.is_some_and(|macs| macs.contains(mac)) {
            self.vips.watch.answer(now);
            return;
        }
        // An original does not tell its hardware addresses.
        let known = partner.is_some_and(|macs| !macs.is_empty());
        let told = self.vips.conflict_told;
        if known && told.is_none_or(|told| now >= told + PAUSE) {
            self.vips.conflict_told = Some(now);
            actions.push(Action::Report(Notice::VipConflict { address, mac }));
        }
    }
}
