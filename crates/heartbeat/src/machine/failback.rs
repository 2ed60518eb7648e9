//! `failback`: the primary asks for the active role when it has been healthy for long enough.

use super::Machine;
use crate::{Action, Cause, Phase, Role};
use std::time::Duration;

impl Machine {
    /// Keeps account of how long this router could have been active instead of its partner.
    pub(super) fn watch_own_health(&mut self, now: Duration) {
        let healthy = self.settings.failback.is_some()
            && self.settings.role == Role::Primary
            && self.phase == Phase::Standby
            && self.partner_is(Phase::Active)
            && now < self.partner.dead_at(self.settings.deadtime)
            && self.is_able(now)
            && !self.lvs.is_failing();
        self.healthy_since = healthy.then(|| self.healthy_since.unwrap_or(now));
    }

    /// Whether heartbeats ask for the active role.
    pub(super) fn is_asking(&self, now: Duration) -> bool {
        let long_enough = |(since, failback)| now >= since + failback;
        self.healthy_since
            .zip(self.settings.failback)
            .is_some_and(long_enough)
    }

    /// A primary that asks gets what it asks for, without a gap in service.
    pub(super) fn hand_over_if_asked(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let asked = self
            .partner
            .extended()
            .is_some_and(|partner| partner.asking && partner.role == Role::Primary);
        if asked
            && self.settings.role == Role::Backup
            && self.phase == Phase::Active
            && now >= self.unasked_hand_over_at
            && self.partner_can_relieve(now)
        {
            self.hand_over_hitlessly(now, Cause::Failback, actions);
        }
    }
}
