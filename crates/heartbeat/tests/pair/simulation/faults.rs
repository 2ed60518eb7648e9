//! What goes wrong in a run, and what people do.

use super::*;

impl Simulation {
    pub(super) fn fault(&mut self) {
        self.faults += 1;
        self.disturbed();
        let node = self.rng.below(2) as usize;
        let deadtime = self.config.settings.deadtime;
        let long = deadtime * self.rng.below(8) as u32 + ms(self.rng.below(3000));
        match self.rng.below(14) {
            0 => self.crash(node, long),
            1 => self.kill(node, long),
            2 => {
                let stall = ms(1 + self.rng.below(500));
                let span = if self.rng.chance(50) { stall } else { long };
                self.sleep(node, Sleep::Frozen, span);
            }
            3 => self.sleep(node, Sleep::Suspended, long),
            4 => self.terminate(node),
            5 => self.lvs_dies(node),
            6..9 => self.break_network(node, long),
            9 => self.lose_carrier(node, long),
            10 => self.tell(node, Event::HandOver),
            11 => self.reload(),
            12 if !self.nodes[node].is_original => {
                self.nodes[node].refusals = 1 + self.rng.below(2);
                self.note(node, format_args!("its next addresses will be refused"));
            }
            _ => self.disturb_from_outside(node),
        }
    }

    fn crash(&mut self, node: usize, down: Duration) {
        self.note(node, format_args!("crashes"));
        let router = &mut self.nodes[node];
        router.powered = false;
        router.vip = Vip::Absent;
        router.expiry += 1;
        router.sleep = Sleep::Awake;
        self.end_pulse(node);
        self.plan(down, Happening::Boot { node });
    }

    /// Of pulse alone: the kernel goes on.
    fn kill(&mut self, node: usize, down: Duration) {
        if self.nodes[node].sleep != Sleep::Awake || self.nodes[node].pulse.is_none() {
            return;
        }
        self.note(node, format_args!("its pulse is killed"));
        self.leave_vip(node);
        self.end_pulse(node);
        self.plan(down, Happening::Boot { node });
    }

    fn end_pulse(&mut self, node: usize) {
        let router = &mut self.nodes[node];
        router.pulse = None;
        router.held = false;
        router.handing_over = None;
        router.lvs_deaths = 0;
        router.lvs_waits = false;
        router.refusals = 0;
        router.refused_in_a_row = 0;
        router.life += 1;
    }

    fn sleep(&mut self, node: usize, sleep: Sleep, span: Duration) {
        if self.nodes[node].sleep != Sleep::Awake || self.nodes[node].pulse.is_none() {
            return;
        }
        self.note(node, format_args!("is {sleep:?}"));
        if sleep == Sleep::Frozen {
            self.leave_vip(node);
        }
        let machine = self.nodes[node].machine();
        self.nodes[node].slept_alone = machine.is_some_and(|it| it.partner_word().is_none());
        self.nodes[node].sleep = sleep;
        self.nodes[node].slept_at = self.now;
        self.plan(span, Happening::Wake { node });
    }

    fn terminate(&mut self, node: usize) {
        if self.nodes[node].is_original {
            // It says nothing and takes its addresses with it.
            self.note(node, format_args!("is stopped"));
            self.end_pulse(node);
            self.nodes[node].vip = Vip::Absent;
            let after = ms(self.rng.below(10_000));
            self.plan(after, Happening::Boot { node });
        } else {
            self.tell(node, Event::Terminate);
        }
    }

    fn lvs_dies(&mut self, node: usize) {
        if self.nodes[node].sleep != Sleep::Awake {
            return;
        }
        self.note(node, format_args!("lvs dies"));
        let now = self.now;
        match &mut self.nodes[node].pulse {
            Some(Pulse::Original(original))
                if original.blocked_until() <= now && original.active =>
            {
                let acts = original.lvs_died();
                self.act(node, acts, Duration::ZERO);
                self.renew_deadline(node);
            }
            Some(Pulse::Ours(machine))
                if matches!(machine.phase(), Phase::Active | Phase::Activating) =>
            {
                self.nodes[node].lvs_deaths = self.rng.below(8);
                self.tell(node, Event::LvsDied);
            }
            _ => {}
        }
    }

    fn break_network(&mut self, node: usize, span: Duration) {
        let path = self.rng.below(2) as usize;
        match self.rng.below(8) {
            0 => self.cut(&[path], &[0, 1]),
            1 => self.cut(&[0, 1], &[0, 1]),
            2 => self.cut(&[path], &[node]),
            3 => self.cut(&[0, 1], &[node]),
            4 => {
                self.cut(&[0], &[0, 1]);
                self.cut_service(node);
            }
            5 => {
                self.cut(&[0, 1], &[0, 1]);
                self.cut_service(node);
            }
            6 => {
                self.note(node, format_args!("the witness is gone"));
                self.network.witness_down = true;
            }
            _ => {
                let (loss, jitter) = (self.rng.below(40), self.rng.below(100));
                self.spoil(loss, jitter, 5);
                if self.rng.chance(50) {
                    self.spoil_service(loss, jitter);
                }
            }
        }
        self.watch.network_changed_at = self.now;
        self.plan(span, Happening::Heal);
    }

    /// Loss, jitter and duplicates on every heartbeat path.
    pub(crate) fn spoil(&mut self, loss: u64, jitter: u64, duplicates: u64) {
        self.note(0, format_args!("the network loses {loss} of 100"));
        for link in self.network.links.iter_mut().flatten() {
            (link.loss, link.jitter, link.duplicates) = (loss, jitter, duplicates);
        }
        self.watch.network_changed_at = self.now;
    }

    pub(crate) fn cut(&mut self, paths: &[usize], senders: &[usize]) {
        self.disturbed();
        self.note(
            0,
            format_args!("paths {paths:?} cut for packets of {senders:?}"),
        );
        for path in paths {
            for sender in senders {
                self.network.links[*path][*sender].cut = true;
            }
        }
    }

    fn cut_service(&mut self, node: usize) {
        self.note(node, format_args!("is cut off from the service network"));
        self.network.service[node].cut = true;
    }

    fn lose_carrier(&mut self, node: usize, span: Duration) {
        if self.nodes[node].is_original || !self.nodes[node].carrier {
            return;
        }
        self.note(node, format_args!("loses the carrier of its VIP"));
        self.nodes[node].carrier = false;
        self.tell_links(node);
        self.plan(span, Happening::Carrier { node });
    }

    /// Other times, the same on both.
    fn reload(&mut self) {
        let awake = self.nodes.iter().all(Node::is_awake);
        if !awake || self.config.original.is_some() {
            return;
        }
        self.config.settings.deadtime =
            self.config.settings.keepalive * (2 + self.rng.below(5) as u32);
        self.config.settings.configuration.serial += 1;
        for node in 0..2 {
            let settings = self.settings_of(node);
            self.tell(node, Event::Settings(settings));
        }
    }

    /// Somebody replays what was overheard, announces the VIP, or sets a clock.
    fn disturb_from_outside(&mut self, node: usize) {
        self.note(node, format_args!("somebody disturbs"));
        // Set back, it would stand still for as long (B15).
        let offset = self.nodes[node].wall_offset + ms(self.rng.below(20_000));
        self.nodes[node].wall_offset = offset;
        if let Some(Pulse::Original(original)) = &mut self.nodes[node].pulse {
            original.set_clock(offset);
            self.renew_deadline(node);
        }
        let stranger = Mac([6, 6, 6, 6, 6, 6]);
        self.arrive(node, Arrival::VipAnswer(stranger));
        let overheard = self.overheard.clone();
        if !overheard.is_empty() {
            for count in 0..50 {
                let chosen = self.rng.below(overheard.len() as u64) as usize;
                let (to, path, heartbeat) = overheard[chosen];
                let arrival = Arrival::Heartbeat(path, heartbeat);
                // Some back to where they came from.
                let to = if self.rng.chance(20) { 1 - to } else { to };
                self.plan(ms(count * 40), Happening::Arrive { to, arrival });
            }
        }
    }

    /// What somebody with ears has of late.
    pub(crate) fn overheard(&self) -> &[(usize, usize, Heartbeat)] {
        &self.overheard
    }

    /// Somebody sends it again after this time.
    pub(crate) fn replay(
        &mut self,
        after: Duration,
        (to, path, heartbeat): (usize, usize, Heartbeat),
    ) {
        let arrival = Arrival::Heartbeat(path, heartbeat);
        self.plan(after, Happening::Arrive { to, arrival });
    }

    pub(crate) fn heal(&mut self) {
        self.note(0, format_args!("the network heals"));
        self.network = Network::default();
        self.watch.network_changed_at = self.now;
        self.disturbed();
    }

    pub(crate) fn spoil_service(&mut self, loss: u64, jitter: u64) {
        for link in &mut self.network.service {
            (link.loss, link.jitter) = (loss, jitter);
        }
    }

    pub(crate) fn crash_for(&mut self, node: usize, down: Duration) {
        self.disturbed();
        self.crash(node, down);
    }

    pub(crate) fn kill_for(&mut self, node: usize, down: Duration) {
        self.disturbed();
        self.kill(node, down);
    }

    /// For tests of one fault.
    pub(crate) fn freeze(&mut self, node: usize, suspended: bool, span: Duration) {
        let sleep = if suspended {
            Sleep::Suspended
        } else {
            Sleep::Frozen
        };
        self.disturbed();
        self.sleep(node, sleep, span);
    }
}
