//! Letting go: for the partner's sake, because it has the better claim, or to end.

use super::witness::PATIENCE;
use super::{Afterwards, Leaving, Machine};
use crate::{Action, Cause, Notice, Phase};
use std::time::Duration;

/// How long a leaving router serves on while its partner takes over. A stop may take two and a
/// half seconds; lvs needs the rest to withdraw its table.
const RELIEF: Duration = Duration::from_millis(2000);
/// How long it passes new connections on to a partner that serves. Those that it had then come to
/// their end, or are old enough to be known to the partner's kernel.
const RELAY: Duration = Duration::from_millis(400);
/// For neighbours to hear the partner's announcement before the addresses go.
const GRACE: Duration = Duration::from_millis(50);

/// How far a leaving router is with passing new connections on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Relay {
    /// Nobody to pass them to yet.
    #[default]
    Not,
    Until(Duration),
    /// The partner is to announce the addresses.
    Over,
}

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
        self.relief_until = relief.then(|| now + RELIEF);
        if phase != Phase::Standby {
            // Before anything that takes time: the partner starts on hearing it.
            self.send_own(now, actions);
        }
        if !relief {
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
        self.relief_until = Some(now + RELIEF);
        self.send_own(now, actions);
    }

    /// The partner has not taken over in time. A router that is to end does so all the same; any
    /// other has served all the time and goes on.
    pub(super) fn not_relieved(&mut self, now: Duration, actions: &mut Vec<Action>) {
        match self.leaving {
            Some(Leaving {
                afterwards: Afterwards::StandBy,
                ..
            }) if self.relay == Relay::Not => {
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

    /// The partner serves. It gets the new connections first; the addresses follow when what was
    /// on its way through this router has arrived.
    pub(super) fn partner_serves(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Some(limit) = self.relief_until else {
            return;
        };
        if !self.settings.relays {
            self.relieved(now, actions);
        } else if self.relay == Relay::Not {
            let end = (now + RELAY).min(limit);
            self.relay = Relay::Until(end);
            self.relief_until = Some(end + GRACE);
            actions.push(Action::Relay);
        }
    }

    /// What its heartbeats tell the partner.
    pub(super) fn relays(&self) -> bool {
        self.settings.relays && self.relief_until.is_some() && self.relay != Relay::Over
    }

    pub(super) fn relay_end(&self) -> Option<Duration> {
        match self.relay {
            Relay::Until(end) => Some(end),
            Relay::Not | Relay::Over => None,
        }
    }

    pub(super) fn end_relay(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.relay_end().is_some_and(|end| now >= end) {
            self.relay = Relay::Over;
            self.send_own(now, actions);
        }
    }

    /// A partner that relays brings the connections here: neighbours that learned of this router
    /// meanwhile would cut off those which the partner still serves.
    pub(super) fn announce_in_time(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.partner_relays() {
            self.announce_by = Some(now + RELAY + GRACE);
        } else {
            actions.push(Action::Announce);
        }
    }

    pub(super) fn announce_if_due(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let partner_relays = self.partner_relays();
        let due = |by: &mut Duration| now >= *by || !partner_relays;
        if self.announce_by.take_if(due).is_some() && self.phase == Phase::Active {
            actions.push(Action::Announce);
        }
    }

    /// The partner leaves, but serves until this router does and a moment longer.
    pub fn partner_relays(&self) -> bool {
        self.partner
            .extended()
            .is_some_and(|partner| partner.relays && partner.phase == Phase::Leaving)
    }

    /// The partner serves, or it is not to be waited for any longer.
    pub(super) fn relieved(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.relay = Relay::Not;
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
