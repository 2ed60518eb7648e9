//! What the routers ask for, done as pulse and the kernel do it.

use super::*;
use crate::original::Act;
use heartbeat::{Action, Cause};

impl Simulation {
    pub(crate) fn tell(&mut self, node: usize, event: Event) {
        let router = &mut self.nodes[node];
        if router.sleep != Sleep::Awake || !self.mutant.passes(&event) {
            return;
        }
        if event == Event::LvsDied {
            router.lvs_died_at = Some(self.now);
        }
        let now = self.now - router.unnoticed;
        let Some(Pulse::Ours(machine)) = &mut router.pulse else {
            return;
        };
        let before = machine.phase();
        let actions = machine.handle(now, event);
        let after = machine.phase();
        self.renew_deadline(node);
        let timely = |at: Duration| at > self.now;
        if !self.nodes[node].due.is_some_and(timely) {
            self.violation = Some("a deadline in the past, or none".to_owned());
        }
        if self.trace.is_some()
            && (before != after
                || !matches!(
                    event,
                    Event::Timeout
                        | Event::Heartbeat { .. }
                        | Event::Keyed { .. }
                        | Event::VipAnswered { .. }
                        | Event::WitnessAnswered
                ))
        {
            let event = match event {
                Event::Settings(_) => "new settings".to_owned(),
                Event::Heartbeat { heartbeat, .. } | Event::Keyed { heartbeat, .. } => {
                    format!("heard {:?}", heartbeat.word)
                }
                event => format!("{event:?}"),
            };
            self.note(node, format_args!("{event}: {before} -> {after}"));
        }
        let lets_go = actions
            .iter()
            .any(|action| matches!(action, Action::Deactivate(_)));
        if after == Phase::Leaving && before == Phase::Active && !lets_go {
            self.nodes[node].handing_over = Some(self.now);
            if self.mutant == Mutant::HandOverWithoutWaiting {
                self.nodes[node].vip = Vip::Absent;
            }
        }
        if after != Phase::Leaving {
            self.nodes[node].handing_over = None;
        }
        if before == Phase::Leaving && after == Phase::Active {
            self.nodes[node].untaken_at = self.now;
        }
        for action in actions {
            if self.mutant.performs(&action) {
                self.perform(node, action);
            }
        }
        self.remove_leftovers(node);
    }

    fn perform(&mut self, node: usize, action: Action) {
        match action {
            Action::Send(heartbeat) => self.send(node, heartbeat),
            Action::StoreEpoch(epoch) => {
                if epoch <= self.nodes[node].epoch {
                    self.violation = Some(format!("epoch {epoch} used twice"));
                }
                self.nodes[node].epoch = epoch;
            }
            Action::Activate(cause) => {
                self.note(node, format_args!("{cause}"));
                self.check_activation(node, cause);
                self.nodes[node].job += 1;
                self.start_lvs(node, Work::Activated);
                if self.mutant == Mutant::ActiveTooEarly {
                    self.tell(node, Event::Activated);
                }
            }
            Action::Deactivate(cause) => {
                self.note(node, format_args!("{cause}"));
                self.check_letting_go(node, cause);
                let router = &mut self.nodes[node];
                router.held = false;
                router.job += 1;
                let after = ms(1 + self.rng.below(20));
                self.plan_work(node, after, Work::Deactivated);
            }
            Action::StartLvs => {
                let work = if self.nodes[node].held {
                    Work::LvsReady
                } else {
                    Work::Activated
                };
                self.start_lvs(node, work);
            }
            Action::Finish => {
                self.note(node, format_args!("ends"));
                self.nodes[node].pulse = None;
                self.nodes[node].life += 1;
                self.disturbed();
                let after = ms(self.rng.below(10_000));
                self.plan(after, Happening::Boot { node });
            }
            Action::Report(notice) => self.note(node, format_args!("{notice}")),
            Action::Announce | Action::Relay | Action::Prepare => {}
            Action::ProbeVips(macs) => {
                if macs.contains(self.nodes[1 - node].mac) {
                    self.ask_for_vip(node);
                }
            }
            Action::AskWitnesses => self.ask_witness(node),
            Action::Drain => self.nodes[node].inbox.clear(),
        }
    }

    /// An original's.
    pub(super) fn act(&mut self, node: usize, acts: Vec<Act>, activation: Duration) {
        for act in acts {
            match act {
                Act::Send(word) => self.send(
                    node,
                    Heartbeat {
                        word,
                        extended: None,
                    },
                ),
                Act::Activate => {
                    self.note(node, format_args!("(original) activates"));
                    self.nodes[node].job += 1;
                    self.plan_work(node, activation, Work::Activated);
                }
                Act::Deactivate => {
                    self.note(node, format_args!("(original) deactivates"));
                    self.nodes[node].held = false;
                    self.nodes[node].job += 1;
                    let after = ms(1 + self.rng.below(20));
                    self.plan_work(node, after, Work::Deactivated);
                }
            }
        }
    }

    fn plan_work(&mut self, node: usize, after: Duration, work: Work) {
        let (life, job) = (self.nodes[node].life, self.nodes[node].job);
        self.plan(
            after,
            Happening::Done {
                node,
                life,
                job,
                work,
            },
        );
    }

    fn start_lvs(&mut self, node: usize, when_ready: Work) {
        let router = &mut self.nodes[node];
        if router.lvs_deaths == 0 && std::mem::take(&mut router.lvs_waits) {
            self.disturbed();
        }
        let work = if self.nodes[node].lvs_deaths > 0 {
            Work::LvsDies
        } else {
            when_ready
        };
        let after = ms(5 + self.rng.below(60));
        self.plan_work(node, after, work);
    }

    pub(super) fn done(&mut self, node: usize, life: u32, job: u32, work: Work) {
        let router = &mut self.nodes[node];
        if router.life != life || router.job != job {
            return;
        }
        if router.sleep != Sleep::Awake {
            self.plan_work(node, ms(10), work);
            return;
        }
        match work {
            Work::LvsDies if router.lvs_deaths > 0 => {
                router.lvs_deaths -= 1;
                router.lvs_waits = true;
                self.tell(node, Event::LvsDied);
            }
            Work::HandOver => self.tell(node, Event::HandOver),
            Work::LvsDies | Work::LvsReady => self.tell(node, Event::LvsReady),
            Work::Activated if router.refusals > 0 => {
                router.refusals -= 1;
                router.refused_in_a_row += 1;
                let wait = (1 << (router.refused_in_a_row - 1)).min(30);
                router.refused_until = self.now + ms(wait * 1000 + 500);
                self.disturbed();
                self.tell(node, Event::Refused);
            }
            Work::Activated => {
                router.refused_in_a_row = 0;
                // It may have its addresses before an lvs that was started anew is ready.
                let has_become_active = !router.held;
                router.held = true;
                router.vip = Vip::Held;
                router.vip_since = self.now;
                self.activations += 1;
                if !router.is_original && has_become_active {
                    self.watch.role_changes += 1;
                }
                self.note(node, format_args!("serves"));
                self.tell(node, Event::LvsReady);
                if self.mutant != Mutant::ActiveTooEarly {
                    self.tell(node, Event::Activated);
                }
                if self.mutant == Mutant::Flapping && self.watch.role_changes < 4 {
                    self.plan_work(node, ms(500), Work::HandOver);
                }
            }
            Work::Deactivated => {
                router.vip = Vip::Absent;
                self.note(node, format_args!("has let go"));
                self.tell(node, Event::Deactivated);
            }
        }
    }

    fn send(&mut self, node: usize, heartbeat: Heartbeat) {
        let heartbeat = self.mutant.sent(heartbeat);
        let to = 1 - node;
        for path in 0..self.paths() {
            let link = self.network.links[path][node];
            for _ in 0..link.copies(&mut self.rng) {
                if !link.passes(&mut self.rng) {
                    continue;
                }
                let arrival = Arrival::Heartbeat(path, heartbeat);
                let after = link.delay(&mut self.rng);
                self.plan(after, Happening::Arrive { to, arrival });
            }
        }
        if self.config.keyed {
            if self.overheard.len() >= 300 {
                self.overheard.drain(..150);
            }
            self.overheard.push((to, 0, heartbeat));
        }
    }

    /// The partner's kernel answers, whatever pulse does there.
    fn ask_for_vip(&mut self, node: usize) {
        let other = &self.nodes[1 - node];
        let reachable = other.carrier && self.nodes[node].carrier;
        let holds = other.has_vip() || self.mutant == Mutant::VipsNeverEnd;
        let mac = other.mac;
        let [there, back] = self.network.service;
        if holds && reachable && there.passes(&mut self.rng) && back.passes(&mut self.rng) {
            let after = there.delay(&mut self.rng) + back.delay(&mut self.rng);
            let arrival = Arrival::VipAnswer(mac);
            self.plan(after, Happening::Arrive { to: node, arrival });
        }
    }

    fn ask_witness(&mut self, node: usize) {
        let link = self.network.service[node];
        let reachable = self.nodes[node].carrier && !self.network.witness_down;
        let answers = reachable && link.passes(&mut self.rng) && link.passes(&mut self.rng);
        if answers {
            self.nodes[node].witness_at = Some(self.now);
        }
        if answers || self.mutant == Mutant::BlindWitness {
            let after = link.delay(&mut self.rng) * 2;
            let arrival = Arrival::WitnessAnswer;
            self.plan(after, Happening::Arrive { to: node, arrival });
        }
    }

    /// Once the partner has said that it is active (B18).
    fn remove_leftovers(&mut self, node: usize) {
        let router = &mut self.nodes[node];
        let removes = router.vip == Vip::Left
            && router.machine().is_some_and(|machine| {
                machine.phase() == Phase::Standby
                    && machine.partner_word() == Some(heartbeat::Word::Running)
            });
        if removes {
            router.vip = Vip::Absent;
            self.note(node, format_args!("removes a leftover VIP"));
        }
    }

    /// A pulse that runs again and still means to hold the VIP renews it.
    pub(super) fn hold_again(&mut self, node: usize) {
        let router = &self.nodes[node];
        if !router.held {
            return;
        }
        let other = &self.nodes[1 - node];
        // One that had it all the time took nothing over: two were active before already, because
        // the network between them was cut.
        // One that heard nobody keeps its addresses; who came back during its pause could not see
        // them, and both are active until one yields.
        let took_over =
            other.is_active() && other.vip_since > router.slept_at && !router.slept_alone;
        if router.vip == Vip::Absent && took_over && !router.is_original {
            self.violation = Some("woken, it claims what its partner has".to_owned());
        }
        let router = &mut self.nodes[node];
        router.expiry += 1;
        router.vip = Vip::Held;
    }

    /// Nobody renews the VIP from now on.
    pub(super) fn leave_vip(&mut self, node: usize) {
        let router = &mut self.nodes[node];
        if router.vip != Vip::Held {
            return;
        }
        router.vip = Vip::Left;
        router.expiry += 1;
        let expiry = router.expiry;
        let Some(lifetime) = self
            .config
            .settings
            .vip_lifetime
            .filter(|_| !router.is_original)
        else {
            return;
        };
        // Renewed at a third of the lifetime; the kernel takes up to a second longer.
        let millis = lifetime.as_millis() as u64;
        let rest = ms(millis - self.rng.below(millis / 3) + self.rng.below(1000));
        self.plan(rest, Happening::VipEnds { node, expiry });
    }

    pub(super) fn check_letting_go(&mut self, node: usize, cause: Cause) {
        let hitless = matches!(cause, Cause::HandOver | Cause::Failback | Cause::Isolated);
        let calm = self.nodes[node]
            .handing_over
            .is_some_and(|begun| self.calm_since() <= begun);
        if hitless && calm && !self.nodes[1 - node].has_vip() {
            self.violation = Some("it lets go before its partner serves".to_owned());
        }
    }
}
