//! A process that did not run: what may have happened meanwhile, and what it does about it.

use super::{Afterwards, Leaving, Machine};
use crate::{Action, Cause, Notice, Phase};
use std::time::Duration;

/// The socket buffers of a standing-by router hold what arrives in this time; it is no older than
/// what a slow network delivers.
const SHORT: Duration = Duration::from_secs(1);

impl Machine {
    /// Gives whether what waits in the sockets is from before a pause that was too long.
    pub(super) fn notice_pause(&mut self, now: Duration, actions: &mut Vec<Action>) -> bool {
        let gap = now.saturating_sub(self.last_turn);
        let late = self
            .deadline()
            .is_some_and(|due| now > due + self.question_interval());
        self.last_turn = self.last_turn.max(now);
        if !self.settings.partner {
            return false;
        }
        if gap <= self.longest_gap(now.saturating_sub(gap)) {
            self.put_off_judgement(now, late);
            return false;
        }
        actions.extend([Action::Report(Notice::Gap(gap)), Action::Drain]);
        self.partner.restart(now);
        self.ask_for_new_proof();
        match self.phase {
            Phase::Standby => self.listen(now),
            Phase::Activating | Phase::Active => {
                let leaving = Leaving {
                    afterwards: Afterwards::Listen,
                    yielding: false,
                };
                self.let_go(now, Cause::Gap, leaving, actions);
            }
            Phase::Leaving => self.relieved(now, actions),
        }
        true
    }

    /// A turn at least so often, by which a pause can be told from having nothing to do.
    pub(super) fn turn_interval(&self) -> Duration {
        let renewal = self.settings.vip_lifetime.map(|lifetime| lifetime / 3);
        renewal.map_or(self.settings.keepalive, |renewal| {
            renewal.min(self.settings.keepalive)
        })
    }

    /// The longest time between two turns, the first of them at `before`, that changes nothing.
    ///
    /// A standing-by router has nothing to lose but the freshness of what waits in its sockets. An
    /// active one must not have lost its addresses, which were renewed not longer ago than a
    /// third of their lifetime, nor its partner have taken over: one that heeds the VIPs does not
    /// as long as they are there; any other may when it has missed a heartbeat before. Without a
    /// lifetime never below one and a half keepalives, since turns may be a keepalive apart.
    fn longest_gap(&self, before: Duration) -> Duration {
        let settings = &self.settings;
        let unheeded = settings
            .deadtime
            .saturating_sub(settings.keepalive)
            .max(settings.keepalive * 3 / 2)
            // One that was not there has to listen first.
            .max(settings.listening());
        match (self.phase, settings.vip_lifetime) {
            (Phase::Standby, _) => unheeded.max(SHORT),
            (_, Some(lifetime)) if self.vips_are_heeded() && !self.macs.is_empty() => {
                lifetime * 2 / 3
            }
            // Nobody was there who could have noticed that they ended.
            _ if before >= self.partner.dead_at(settings.deadtime) => unheeded,
            (_, Some(lifetime)) => unheeded.min(lifetime * 2 / 3),
            (_, None) => unheeded,
        }
    }

    /// After a late turn, silence is judged when what waits in the sockets had its turn; not put
    /// off again and again where every turn is a little late.
    fn put_off_judgement(&mut self, now: Duration, late: bool) {
        let again = now > self.judge_from + self.settings.deadtime / 2;
        if late && again {
            self.judge_from = now + self.question_interval();
        }
    }
}
