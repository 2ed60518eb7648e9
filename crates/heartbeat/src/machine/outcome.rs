//! What came of the work that was asked for: addresses up or refused, lvs dead.

use super::Machine;
use crate::{Action, Cause, Notice, Phase};
use std::time::Duration;

/// Shortest and longest wait before an activation that was refused is tried again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl Machine {
    pub(super) fn activated(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.phase == Phase::Activating {
            self.enter(now, Phase::Active);
            self.retry_delay = Duration::ZERO;
            self.announce_in_time(now, actions);
            // A leaving partner waits for this.
            self.send_own(now, actions);
        }
    }

    pub(super) fn refused(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.relief_until.is_some() {
            self.relieved(now, actions);
            return;
        }
        if !self.is_serving() {
            return;
        }
        self.retry_delay = (self.retry_delay * 2).clamp(RETRY.0, RETRY.1);
        self.retry_at = Some(now + self.retry_delay);
        self.hand_over(now, Cause::Refused, actions);
    }

    pub(super) fn lvs_died(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let handing_over = self.relief_until.is_some();
        if !self.is_serving() && !handing_over {
            return;
        }
        self.lvs.died(now);
        if self.lvs_is_for_the_partner(now) && !handing_over {
            self.hand_over(now, Cause::LvsFailing, actions);
        } else if self.phase == Phase::Activating && self.settings.partner && self.lvs.is_failing()
        {
            // Nobody is served yet, and a partner that is not heard may hear this one.
            self.retry_at = Some(now + self.lvs.plan_restart(now));
            self.hand_over(now, Cause::LvsFailing, actions);
        } else {
            let delay = self.lvs.plan_restart(now);
            actions.push(Action::Report(Notice::LvsRestart { delay }));
        }
    }

    pub(super) fn lvs_is_for_the_partner(&self, now: Duration) -> bool {
        self.lvs.is_failing() && self.settings.partner && self.partner_may_take_over(now)
    }
}
