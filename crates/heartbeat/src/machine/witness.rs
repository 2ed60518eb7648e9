//! `witness`: addresses that answer as long as this router's public network works.

use super::Machine;
use crate::{Action, Cause, Notice, Path, PathHealth, Phase};
use std::time::Duration;

/// Before a hand-over that the partner did not act on is tried again without anybody asking.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of the witnesses.
#[derive(Debug, Clone, Default)]
pub(super) struct Witness {
    asked: Option<Duration>,
    answered: Option<Duration>,
    /// People were told that none answers while this router would take over.
    missing_told: bool,
    /// People were told that none answers while the public path is silent.
    silent_told: bool,
}

impl Machine {
    pub(super) fn witness_asked_at(&self) -> Option<Duration> {
        if !self.settings.witness || !self.settings.partner {
            return None;
        }
        let half = self.partner.dead_at(self.settings.deadtime / 2);
        let interval = if self.last_turn >= half {
            self.settings.keepalive.min(self.settings.deadtime / 8)
        } else {
            self.settings.keepalive
        };
        let next = self.witness.asked.map(|asked| asked + interval);
        // A silence that has lasted for half the deadtime is the moment to ask anew.
        let asked_before = self.witness.asked.is_some_and(|asked| asked < half);
        Some(match next {
            Some(next) if asked_before => next.min(half),
            Some(next) => next,
            None => self.since,
        })
    }

    pub(super) fn ask_witnesses(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.witness_asked_at().is_some_and(|at| now >= at) {
            self.witness.asked = Some(now);
            actions.push(Action::AskWitnesses);
        }
    }

    pub(super) fn witness_answered(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.witness.answered = Some(now);
        self.witness.missing_told = false;
        if std::mem::take(&mut self.witness.silent_told) {
            actions.push(Action::Report(Notice::WitnessBack));
        }
    }

    /// One has answered since `from`, and within the deadtime.
    fn witness_answered_since(&self, from: Duration, now: Duration) -> bool {
        let from = from.max(now.saturating_sub(self.settings.deadtime));
        self.witness.answered.is_some_and(|at| at >= from)
    }

    /// Whether the take-over has to wait for a witness. When the partner is silent, the answer
    /// must be from this silence: the network may have been lost with its beginning.
    pub(super) fn witness_forbids(&self, now: Duration, cause: Cause) -> bool {
        let from = match cause {
            Cause::PartnerDead => self.partner.dead_at(self.settings.deadtime / 2),
            _ => Duration::ZERO,
        };
        self.settings.witness && self.settings.partner && !self.witness_answered_since(from, now)
    }

    pub(super) fn sees_witness_at(&self, now: Duration) -> bool {
        self.settings.witness && self.witness_answered_since(Duration::ZERO, now)
    }

    pub(super) fn report_no_witness(&mut self, actions: &mut Vec<Action>) {
        if !std::mem::replace(&mut self.witness.missing_told, true) {
            actions.push(Action::Report(Notice::NoWitness));
        }
    }

    /// An active router that has lost the public network lets a partner serve that has not.
    pub(super) fn hand_over_if_isolated(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let lost = self.settings.witness
            && self.phase == Phase::Active
            && self
                .paths()
                .any(|path| path.path == Path::Public && path.health == PathHealth::Silent)
            && !self.sees_witness_at(now);
        if !lost {
            return;
        }
        if !std::mem::replace(&mut self.witness.silent_told, true) {
            actions.push(Action::Report(Notice::WitnessSilent));
        }
        let partner_sees = self
            .partner
            .extended()
            .is_some_and(|partner| partner.sees_witness);
        if partner_sees && now >= self.unasked_hand_over_at && self.partner_can_relieve(now) {
            self.hand_over_hitlessly(now, Cause::Isolated, actions);
        }
    }
}
