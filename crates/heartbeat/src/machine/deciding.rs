//! When to become active.

use super::Machine;
use crate::partner::Claim;
use crate::vip_watch::Verdict;
use crate::{Action, Cause, Notice, Phase, Role};
use std::time::Duration;

impl Machine {
    pub(super) fn activate_if_due(&mut self, now: Duration, actions: &mut Vec<Action>) {
        match self.reason_to_activate(now) {
            Some(_) if self.links_forbid() => self.report_no_carrier(actions),
            Some(cause) if self.witness_forbids(now, cause) => self.report_no_witness(actions),
            Some(cause) => self.activate(now, cause, actions),
            None => {}
        }
    }

    fn reason_to_activate(&self, now: Duration) -> Option<Cause> {
        let waiting = |until: Option<Duration>| until.is_some_and(|until| now < until);
        if self.phase != Phase::Standby || now < self.listen_until || waiting(self.retry_at) {
            return None;
        }
        if !self.settings.partner {
            return Some(Cause::Alone);
        }
        if self.partner_is_dead(now) {
            return Some(Cause::PartnerDead);
        }
        if now >= self.partner.dead_at(self.settings.deadtime)
            || waiting(self.latched_until)
            || waiting(self.backup_may_go_at())
        {
            return None;
        }
        match (self.partner.claim(), self.settings.role) {
            (Claim::Unknown | Claim::Running, _) => None,
            (Claim::Stopped { .. }, Role::Primary) => Some(Cause::BackupInactive),
            (Claim::Stopped { .. }, Role::Backup) => Some(Cause::PrimaryInactive),
        }
    }

    pub(super) fn activate(&mut self, now: Duration, cause: Cause, actions: &mut Vec<Action>) {
        if cause == Cause::PartnerDead && !self.partner.ever_heard() {
            actions.push(Action::Report(Notice::NeverHeard));
        }
        self.why = Some(cause);
        self.latched_until = None;
        self.retry_at = None;
        self.forget_vips(actions);
        self.highest_epoch = self.highest_epoch.saturating_add(1);
        self.identity.epoch = self.highest_epoch;
        actions.push(Action::StoreEpoch(self.identity.epoch));
        self.enter(now, Phase::Activating);
        self.send_own(now, actions);
        actions.push(Action::Activate(cause));
    }

    /// Neither its heartbeats nor its VIPs say that it is there.
    fn partner_is_dead(&self, now: Duration) -> bool {
        if now < self.judge_from {
            return false;
        }
        match self.vips_verdict(now) {
            Verdict::Open | Verdict::Serving => false,
            Verdict::Silent => {
                now >= self.partner.dead_at(self.settings.deadtime) && now >= self.proof_until
            }
            Verdict::Ended => true,
        }
    }

    /// When the backup stops waiting for the primary, both being inactive.
    pub(super) fn backup_may_go_at(&self) -> Option<Duration> {
        match (self.settings.role, self.partner.claim()) {
            (
                Role::Backup,
                Claim::Stopped {
                    since,
                    handed_over: false,
                },
            ) => Some(since.max(self.listen_until) + self.settings.primary_preferred()),
            _ => None,
        }
    }
}
