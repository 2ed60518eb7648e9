//! Letting go: for the partner's sake, because it has the better claim, or to end.

use super::witness::PATIENCE;
use super::{Afterwards, Leaving, Machine};
use crate::{Action, Cause, Notice, Phase};
use std::time::Duration;

/// How long a leaving router serves on while its partner takes over. A stop may take two and a
/// half seconds; lvs needs the rest to withdraw its table.
const RELIEF: Duration = Duration::from_millis(1500);

impl Machine {
    /// Lets go for the partner's sake, and gives it time to act on it.
    pub(super) fn hand_over(&mut self, now: Duration, cause: Cause, actions: &mut Vec<Action>) {
        // One that says that it cannot need not be waited for.
        self.latched_until = (!self.partner_is_unable()).then(|| now + self.patience());
        let leaving = Leaving {
            afterwards: Afterwards::StandBy,
            yielding: false,
        };
        self.let_go(now, cause, leaving, actions);
        self.send_own(now, actions);
    }

    /// How long the partner may need to take over when it is asked to.
    pub(super) fn patience(&self) -> Duration {
        self.settings.deadtime + self.settings.keepalive * 2
    }

    pub(super) fn terminate(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let leaving = Leaving {
            afterwards: Afterwards::Finish,
            yielding: false,
        };
        let phase = self.phase;
        if phase == Phase::Leaving {
            self.leaving = Some(leaving);
            self.why = Some(Cause::Terminating);
            self.relieved(now, actions);
            return;
        }
        let relief = phase == Phase::Active && self.partner_can_relieve(now);
        self.leaving = Some(leaving);
        self.why = Some(Cause::Terminating);
        self.lvs.cancel();
        self.enter(now, Phase::Leaving);
        if phase != Phase::Standby {
            // Before anything that takes time: the partner starts on hearing it.
            self.send_own(now, actions);
        }
        if relief {
            self.relief_until = Some(now + RELIEF);
        } else {
            self.let_go(now, Cause::Terminating, leaving, actions);
        }
    }

    /// Only when the partner can take over: people who ask for it do not want an outage.
    pub(super) fn asked_to_hand_over(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let ready = self.settings.partner && self.partner_may_take_over(now);
        if self.phase != Phase::Active || !ready {
            actions.push(Action::Report(Notice::NobodyToHandOverTo));
        } else if self.partner_can_relieve(now) {
            self.hand_over_hitlessly(now, Cause::HandOver, actions);
        } else {
            self.hand_over(now, Cause::HandOver, actions);
        }
    }

    /// Goes on serving until the partner does.
    pub(super) fn hand_over_hitlessly(
        &mut self,
        now: Duration,
        cause: Cause,
        actions: &mut Vec<Action>,
    ) {
        self.latched_until = Some(now + RELIEF + self.patience());
        self.leaving = Some(Leaving {
            afterwards: Afterwards::StandBy,
            yielding: false,
        });
        self.taken_over_because = self.why.replace(cause);
        self.enter(now, Phase::Leaving);
        self.send_own(now, actions);
        self.relief_until = Some(now + RELIEF);
    }

    /// The partner has not taken over in time. A router that is to end does so all the same; any
    /// other has served all the time and goes on.
    pub(super) fn not_relieved(&mut self, now: Duration, actions: &mut Vec<Action>) {
        match self.leaving {
            Some(Leaving {
                afterwards: Afterwards::StandBy,
                ..
            }) => {
                self.relief_until = None;
                self.leaving = None;
                self.latched_until = None;
                self.unasked_hand_over_at = now + PATIENCE;
                self.why = self.taken_over_because;
                self.enter(now, Phase::Active);
                actions.push(Action::Report(Notice::HandOverNotTaken));
                self.send_own(now, actions);
            }
            _ => self.relieved(now, actions),
        }
    }

    pub(super) fn partner_is(&self, phase: Phase) -> bool {
        self.partner
            .extended()
            .is_some_and(|partner| partner.phase == phase)
    }

    /// Whether the partner would take over at once and say when it has. An original does not say.
    pub(super) fn partner_can_relieve(&self, now: Duration) -> bool {
        self.settings.partner && self.partner_is(Phase::Standby) && self.partner_may_take_over(now)
    }

    /// The partner serves, or it is not to be waited for any longer.
    pub(super) fn relieved(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if let (Some(_), Some(leaving)) = (self.relief_until.take(), self.leaving) {
            let cause = self.why.unwrap_or(Cause::Terminating);
            self.let_go(now, cause, leaving, actions);
        }
    }

    pub(super) fn let_go(
        &mut self,
        now: Duration,
        cause: Cause,
        leaving: Leaving,
        actions: &mut Vec<Action>,
    ) {
        self.leaving = Some(leaving);
        self.why = Some(cause);
        self.lvs.cancel();
        self.enter(now, Phase::Leaving);
        actions.push(Action::Deactivate(cause));
    }

    pub(super) fn deactivated(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Some(leaving) = self.leaving.take() else {
            return;
        };
        self.enter(now, Phase::Standby);
        if self.spoke {
            self.send_own(now, actions);
        }
        match leaving.afterwards {
            Afterwards::StandBy => {}
            Afterwards::Listen => self.listen(now),
            Afterwards::Finish => {
                // Nothing more is decided: the daemon ends on this.
                self.enter(now, Phase::Leaving);
                actions.push(Action::Finish);
            }
        }
    }
}
