//! The failover state machine: `(now, event) → actions`.
//!
//! Owns phase, timers and latches of one router (`piranha-daemons.md` 3.6, 3.7, with B15–B17,
//! B23, B60, B61). Must not perform anything: pulse does, and tells what came of it.
//! `now` is the time since any fixed origin, on a clock that never steps and counts suspension.

mod claims;
mod complaints;
mod deciding;
mod failback;
mod leaving;
mod links;
mod outcome;
mod pause;
mod proof;
mod vips;
mod witness;

use crate::auth::Rejected;
use crate::lvs_watch::LvsWatch;
use crate::partner::{Change, Claim, Partner};
use crate::{
    Action, Cause, Counters, Event, Extended, Heartbeat, Links, Macs, Notice, Path, PathStatus,
    Phase, Settings, Word,
};
use complaints::Complaints;
use leaving::Relay;
use proof::Candidate;
use std::time::Duration;
use vips::Vips;
use witness::Witness;

/// What happens after letting go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    StandBy,
    Listen,
    Finish,
}

/// Which word goes out while letting go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Leaving {
    afterwards: Afterwards,
    /// The partner is active already: "stopped" is kept until it is true, since it announces the
    /// addresses once more when it hears it.
    yielding: bool,
}

/// What distinguishes this run from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// A random number, another one in each run.
    pub boot: u64,
    /// The epoch that the last run stored ([`Action::StoreEpoch`]); 0 when there is none.
    pub epoch: u64,
}

/// One router.
#[derive(Debug, Clone)]
pub struct Machine {
    identity: Identity,
    counter: u64,
    /// The highest epoch heard of, own ones included.
    highest_epoch: u64,
    settings: Settings,
    phase: Phase,
    since: Duration,
    why: Option<Cause>,
    /// Why it became active, while it hands over.
    taken_over_because: Option<Cause>,
    leaving: Option<Leaving>,
    partner: Partner,
    lvs: LvsWatch,
    /// At least one heartbeat was sent: before, silence is part of listening.
    spoke: bool,
    last_turn: Duration,
    listen_until: Duration,
    next_send: Duration,
    /// The silence, by its beginning, for which lvs was asked to stand by.
    prepared_for: Option<Duration>,
    /// Leaving, but serving until the partner does, or until this time.
    relief_until: Option<Duration>,
    relay: Relay,
    /// The addresses are to be announced when the partner does not relay any more, or then.
    announce_by: Option<Duration>,
    /// The partner was asked to take over; until then its "stopped" is no reason to activate.
    latched_until: Option<Duration>,
    /// Activation was refused; not before this time again.
    retry_at: Option<Duration>,
    retry_delay: Duration,
    resend_at: Duration,
    resend_delay: Duration,
    resends_suppressed: u32,
    partner_lost: bool,
    links: Links,
    no_carrier_told: bool,
    /// Of the interfaces of the VIPs.
    macs: Macs,
    counters: Counters,
    /// What of the partner's self-description was already complained of.
    complaints: Complaints,
    unproven: Option<Candidate>,
    /// The first own heartbeat that proves something when it is repeated.
    proof_from: u64,
    stale_told: Option<Duration>,
    /// A partner that is back has until then to prove that it is there.
    proof_until: Duration,
    /// The silence, by its beginning, in which it was given that time.
    proof_given_for: Option<Duration>,
    vips: Vips,
    witness: Witness,
    /// Silence is not judged before.
    judge_from: Duration,
    /// Since when this router could be active instead of its partner.
    healthy_since: Option<Duration>,
    /// No hand-over that nobody asked for before this time.
    unasked_hand_over_at: Duration,
}

impl Machine {
    /// A router that has just started, inactive and listening.
    pub fn new(settings: Settings, identity: Identity, now: Duration) -> Self {
        Self {
            identity,
            counter: 0,
            highest_epoch: identity.epoch,
            settings,
            phase: Phase::Standby,
            since: now,
            why: None,
            taken_over_because: None,
            leaving: None,
            partner: Partner::new(&settings, now),
            lvs: LvsWatch::default(),
            spoke: false,
            last_turn: now,
            listen_until: now + settings.listening(),
            next_send: now + settings.listening(),
            prepared_for: None,
            relief_until: None,
            relay: Relay::Not,
            announce_by: None,
            latched_until: None,
            retry_at: None,
            retry_delay: Duration::ZERO,
            resend_at: now,
            resend_delay: claims::SHORTEST,
            resends_suppressed: 0,
            partner_lost: false,
            links: Links::default(),
            no_carrier_told: false,
            macs: Macs::NONE,
            counters: Counters::default(),
            complaints: Complaints::default(),
            unproven: None,
            proof_from: 1,
            stale_told: None,
            proof_until: now,
            proof_given_for: None,
            vips: Vips::default(),
            witness: Witness::default(),
            judge_from: now,
            healthy_since: None,
            unasked_hand_over_at: now,
        }
    }

    /// Where this router stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Since when it stands there.
    pub fn since(&self) -> Duration {
        self.since
    }

    /// Why it last became active or stopped being it.
    pub fn why(&self) -> Option<Cause> {
        self.why
    }

    /// The epoch of the last own activation.
    pub fn epoch(&self) -> u64 {
        self.identity.epoch
    }

    /// What the partner said last beyond an original's word; `None`: it is an original.
    pub fn partner_extended(&self) -> Option<&Extended> {
        self.partner.extended()
    }

    /// Heartbeats refused since the start.
    pub fn counters(&self) -> Counters {
        Counters {
            replayed: self.partner.replayed(),
            ..self.counters
        }
    }

    /// Takes note of a datagram that [`Guard::open`](crate::auth::Guard::open) refused.
    pub fn reject(&mut self, why: Rejected) {
        self.counters.count(why);
    }

    /// No heartbeat is heard, but the partner answers for the VIPs.
    pub fn partner_still_serves(&self) -> bool {
        self.vips_told()
    }

    /// Whether a witness answers; `None`: none is set.
    pub fn sees_witness(&self, now: Duration) -> Option<bool> {
        self.settings.witness.then(|| self.sees_witness_at(now))
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Links keep it from taking over, or should make it hand over.
    pub fn cannot_take_over(&self) -> bool {
        !self.links.vips || self.links.failed()
    }

    /// What heartbeats say at present.
    pub fn word(&self) -> Word {
        match (self.phase, self.leaving) {
            (Phase::Activating | Phase::Active, _)
            | (Phase::Leaving, Some(Leaving { yielding: true, .. })) => Word::Running,
            (Phase::Standby | Phase::Leaving, _) => Word::Stopped,
        }
    }

    /// What the partner said last, if it is not given up.
    pub fn partner_word(&self) -> Option<Word> {
        match self.partner.claim() {
            Claim::Unknown => None,
            Claim::Running => Some(Word::Running),
            Claim::Stopped { .. } => Some(Word::Stopped),
        }
    }

    /// State of the heartbeat paths; empty without a partner.
    pub fn paths(&self) -> impl Iterator<Item = PathStatus> + '_ {
        self.partner.paths().filter(|_| self.settings.partner)
    }

    /// When [`Event::Timeout`] is due; `None`: not before something else happens.
    pub fn deadline(&self) -> Option<Duration> {
        let settings = &self.settings;
        let partner = settings.partner.then(|| {
            let [public, private] = self.partner.path_deadlines(settings.keepalive);
            [
                Some(self.next_send),
                Some(self.last_turn + self.turn_interval()),
                Some(self.partner.dead_at(settings.deadtime)),
                Some(self.partner.dead_at(settings.deadtime / 2)),
                public,
                private,
                self.question_due(),
                self.witness_asked_at(),
            ]
        });
        let standby = (self.phase == Phase::Standby).then(|| {
            [
                Some(self.listen_until),
                Some(self.judge_from),
                Some(self.proof_until),
                self.latched_until,
                self.retry_at,
                self.backup_may_go_at(),
            ]
        });
        let leaving = [self.relief_until, self.relay_end(), self.announce_by];
        [self.lvs.restart_at()]
            .into_iter()
            .chain(leaving)
            .chain(partner.into_iter().flatten())
            .chain(standby.into_iter().flatten())
            .flatten()
            .filter(|time| *time > self.last_turn)
            .min()
    }

    /// Takes note of what happened at `now` and says what is to be done.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        let paused = self.notice_pause(now, &mut actions);
        match event {
            // From before the pause, and about to be thrown away.
            Event::Heartbeat { .. } | Event::Keyed { .. } if paused => {}
            Event::Heartbeat { heartbeat, .. } | Event::Keyed { heartbeat, .. }
                if self.is_own(&heartbeat) =>
            {
                self.reflected(&mut actions);
            }
            Event::Heartbeat { path, heartbeat } => {
                self.heartbeat(now, path, &heartbeat, &mut actions);
            }
            Event::Keyed { path, heartbeat } => self.keyed(now, path, &heartbeat, &mut actions),
            Event::Timeout => {}
            Event::ForceActive => {
                if self.phase == Phase::Standby && !self.links_forbid() {
                    self.activate(now, Cause::Forced, &mut actions);
                }
            }
            Event::Activated => self.activated(now, &mut actions),
            Event::Refused => self.refused(now, &mut actions),
            Event::Deactivated => self.deactivated(now, &mut actions),
            Event::LvsReady => self.lvs.ready(),
            Event::LvsDied => self.lvs_died(now, &mut actions),
            Event::Settings(settings) => self.reconfigure(now, settings),
            Event::Links(links) => self.links_changed(now, links, &mut actions),
            Event::ServiceMacs(macs) => self.macs = macs,
            Event::VipAnswered { address, mac } => {
                self.vip_answered(now, address, mac, &mut actions);
            }
            Event::WitnessAnswered => self.witness_answered(now, &mut actions),
            Event::HandOver => self.asked_to_hand_over(now, &mut actions),
            Event::Terminate => self.terminate(now, &mut actions),
        }
        self.timers(now, &mut actions);
        actions
    }

    fn listen(&mut self, now: Duration) {
        self.listen_until = now + self.settings.listening();
    }

    fn heartbeat(
        &mut self,
        now: Duration,
        path: Path,
        heartbeat: &Heartbeat,
        actions: &mut Vec<Action>,
    ) {
        if !self.settings.partner {
            return;
        }
        let was_leaving = self.partner_is(Phase::Leaving);
        let change = self
            .partner
            .heard(now, path, heartbeat, self.settings.keepalive);
        self.compare(actions);
        if let Some(extended) = self.partner.extended() {
            self.highest_epoch = self.highest_epoch.max(extended.epoch);
            if extended.phase == Phase::Active {
                self.partner_serves(now, actions);
            }
        }
        // What does not count, as of a run that has ended, is no return.
        let there = now < self.partner.dead_at(self.settings.deadtime);
        if there && std::mem::take(&mut self.partner_lost) {
            actions.push(Action::Report(Notice::PartnerBack));
        }
        match (change, self.phase) {
            (Change::Running, Phase::Standby | Phase::Leaving) => self.latched_until = None,
            (Change::Running, Phase::Activating | Phase::Active) => {
                self.both_active(now, path, actions);
            }
            // It had claimed our addresses too: neighbours may have learned its hardware address.
            (Change::LetGo, Phase::Active) => actions.push(Action::Announce),
            (Change::None, Phase::Active) if was_leaving && self.partner_is(Phase::Standby) => {
                actions.push(Action::Announce);
            }
            (Change::LetGo | Change::None, _) => {}
        }
    }

    fn reconfigure(&mut self, now: Duration, settings: Settings) {
        let previous = self.settings;
        self.settings = Settings {
            role: previous.role,
            second_path: previous.second_path,
            ..settings
        };
        if !previous.partner && self.settings.partner {
            self.partner = Partner::new(&self.settings, now);
            self.ask_for_new_proof();
            self.listen(now);
            self.next_send = now;
        }
        if previous.deadtime != self.settings.deadtime {
            // Silence so far was measured by another rule.
            self.partner.expect_from(now);
        }
        let latest = now + self.patience();
        self.latched_until = self.latched_until.map(|until| until.min(latest));
        self.next_send = self.next_send.min(now + self.settings.keepalive);
    }

    fn enter(&mut self, now: Duration, phase: Phase) {
        if self.phase != phase {
            self.phase = phase;
            self.since = now;
        }
    }

    /// Everything that depends on time alone; run on each turn.
    fn timers(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.settings.partner {
            let notices = self.partner.judge_paths(now, self.settings.keepalive);
            actions.extend(notices.into_iter().flatten().map(Action::Report));
            self.judge_partner(now, actions);
        }
        if self.lvs.restart_at().is_some() && self.is_serving() && self.lvs_is_for_the_partner(now)
        {
            // The partner has come while lvs was waiting for its next start.
            self.hand_over(now, Cause::LvsFailing, actions);
        }
        self.hand_over_for_links(now, actions);
        self.hand_over_if_isolated(now, actions);
        self.hand_over_if_asked(now, actions);
        self.prepare(now, actions);
        self.ask_for_vips(now, actions);
        self.ask_witnesses(now, actions);
        self.watch_own_health(now);
        self.end_relay(now, actions);
        if self.relief_until.is_some_and(|until| now >= until) {
            self.not_relieved(now, actions);
        }
        self.announce_if_due(now, actions);
        if self.lvs.take_due(now) {
            actions.push(Action::StartLvs);
        }
        self.activate_if_due(now, actions);
        if self.settings.partner && now >= self.next_send {
            self.send_own(now, actions);
        }
    }

    /// Half the deadtime is enough for lvs to start and to check the servers.
    fn prepare(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let silence = self.partner.dead_at(Duration::ZERO);
        if self.settings.partner
            && self.phase == Phase::Standby
            && now >= silence + self.settings.deadtime / 2
            && self.prepared_for != Some(silence)
        {
            self.prepared_for = Some(silence);
            actions.push(Action::Prepare);
        }
    }

    fn judge_partner(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let dead = now >= self.partner.dead_at(self.settings.deadtime);
        if !dead {
            return;
        }
        self.partner.forget_claim();
        if self.phase == Phase::Active
            && self.partner.ever_heard()
            && !self.partner_lost
            && self.why_lost_is_news()
        {
            self.partner_lost = true;
            actions.push(Action::Report(Notice::PartnerLost));
        }
    }

    /// After "partner dead" nobody needs to be told again that it is silent.
    fn why_lost_is_news(&self) -> bool {
        self.why != Some(Cause::PartnerDead) || self.partner.dead_at(Duration::ZERO) > self.since
    }
}

#[cfg(test)]
mod tests;
