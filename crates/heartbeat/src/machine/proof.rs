//! Keyed heartbeats must be of this moment: they repeat the number of this run and of a heartbeat
//! that it sent just now, which nobody could have known before. A heartbeat from before a pause of
//! this router is none of them, since numbers stand still meanwhile; and of two runs of the partner
//! that both prove themselves, the one that repeats the newer number is the later.
//!
//! A genuine one without that proof, from the known run, newer than all before and numbered as is
//! due by now, is no replay but comes from a router that does not hear this one: a sign of life, if
//! it serves, and no more.

use super::Machine;
use super::complaints::PAUSE;
use crate::{Action, Extended, Heartbeat, Notice, Path, Phase};
use std::time::Duration;

/// Heartbeats sent out of turn that may lie between a question and its echo.
const OUT_OF_TURN: u64 = 4;

/// A heartbeat whose sender has yet to prove that it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    extended: Extended,
    at: Duration,
}

impl Machine {
    pub(super) fn keyed(
        &mut self,
        now: Duration,
        path: Path,
        heartbeat: &Heartbeat,
        actions: &mut Vec<Action>,
    ) {
        let Some(extended) = heartbeat.extended.filter(|_| self.settings.partner) else {
            return;
        };
        if self.proves_freshness(&extended) {
            self.unproven = None;
            self.partner.is_no_past_run(extended.boot);
            self.heartbeat(now, path, heartbeat, actions);
        } else {
            self.stale(now, extended, actions);
        }
    }

    fn proves_freshness(&self, extended: &Extended) -> bool {
        let (boot, counter) = extended.echo;
        let keepalive = self.settings.keepalive.as_millis().max(1);
        let in_a_deadtime = self.settings.deadtime.as_millis().div_ceil(keepalive);
        let longest = u64::try_from(in_a_deadtime).unwrap_or(u64::MAX);
        boot == self.identity.boot
            && counter >= self.proof_from
            && self
                .counter
                .checked_sub(counter)
                .is_some_and(|age| age <= longest.saturating_add(OUT_OF_TURN))
            && self.is_no_earlier_run(extended)
    }

    /// An earlier run of the partner cannot have heard what a later one repeated already.
    fn is_no_earlier_run(&self, extended: &Extended) -> bool {
        self.partner.extended().is_none_or(|known| {
            known.boot == extended.boot
                || known.echo.0 != self.identity.boot
                || known.echo.1 < extended.echo.1
        })
    }

    /// What this router sent so far proves nothing any more when it is repeated.
    pub(super) fn ask_for_new_proof(&mut self) {
        self.proof_from = self.counter + 1;
    }

    fn stale(&mut self, now: Duration, extended: Extended, actions: &mut Vec<Action>) {
        self.counters.stale = self.counters.stale.saturating_add(1);
        let dead = now >= self.partner.dead_at(self.settings.deadtime);
        let known = self.partner.extended().map(|known| known.boot);
        let advances = self.partner.advances(&extended);
        if advances {
            // Nothing older than that is to be echoed.
            self.unproven = None;
        } else if known.is_none() || dead && known != Some(extended.boot) {
            // To be echoed, so that a partner of another run can prove that it is there; one that
            // did of late is not to be disturbed by a replay.
            if self.is_candidate(now, &extended) {
                let at = now;
                self.unproven = Some(Candidate { extended, at });
            }
            self.grant_time_for_proof(now);
        }
        let keepalive = self.settings.keepalive;
        let starting = now < self.listen_until + keepalive * 2;
        if advances && self.partner.keeps_time(now, extended.counter, keepalive) {
            // One that does not serve is no reason not to take over, and replays of it do no more
            // than silence does.
            if extended.phase == Phase::Standby {
                self.partner.seems_not_to_serve();
            } else {
                self.partner.seems_to_serve(now);
            }
        } else if !starting && self.stale_told.is_none_or(|told| now >= told + PAUSE) {
            self.stale_told = Some(now);
            actions.push(Action::Report(Notice::StaleHeartbeat));
        }
    }

    /// Whether it is to be echoed rather than the one that is. A replay does not take the place of
    /// what came after it: epochs of a router grow from run to run, unless it has lost its state.
    fn is_candidate(&self, now: Duration, new: &Extended) -> bool {
        self.unproven.is_none_or(|Candidate { extended, at }| {
            let later = if new.boot == extended.boot {
                new.counter > extended.counter
            } else {
                new.epoch >= extended.epoch
            };
            later || now >= at + self.settings.keepalive * 2
        })
    }

    /// Once in a silence: a replay must not hold up a take-over for longer.
    fn grant_time_for_proof(&mut self, now: Duration) {
        let silence = self.partner.dead_at(Duration::ZERO);
        if self.proof_given_for != Some(silence) {
            self.proof_given_for = Some(silence);
            // While it listens, this router says nothing that could be echoed.
            self.proof_until = now.max(self.listen_until) + self.settings.keepalive * 2;
        }
    }

    /// What this router's heartbeats repeat of the partner's.
    pub(super) fn echo(&self) -> (u64, u64) {
        let candidate = self.unproven.map(|it| it.extended);
        candidate
            .or(self.partner.extended().copied())
            .map(|heard| (heard.boot, heard.counter))
            .unwrap_or_default()
    }
}
