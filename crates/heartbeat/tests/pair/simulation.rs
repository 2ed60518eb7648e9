//! Two routers, the networks between them, the work they ask for, and what goes wrong.
//!
//! Owns the order of happenings. What a router does with one is in `perform`, what is broken when
//! in `faults`, what must hold in `invariants`.

mod faults;
mod invariants;
mod perform;

use super::config::{Config, ms};
use super::mutants::Mutant;
use super::network::{Link, Network, PATHS};
use super::node::{Node, Pulse, Sleep, Vip};
use super::original::Original;
use super::rng::Rng;
use heartbeat::{Event, Heartbeat, Identity, Links, Mac, Machine, Phase, Role, Settings};
use invariants::Watch;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::{Arguments, Write as _};
use std::net::Ipv4Addr;
use std::time::Duration;

pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Activated,
    Deactivated,
    LvsReady,
    LvsDies,
    /// What only a broken rule asks for.
    HandOver,
}

/// What arrives at a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    Heartbeat(usize, Heartbeat),
    VipAnswer(Mac),
    WitnessAnswer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    Arrive {
        to: usize,
        arrival: Arrival,
    },
    /// `life` tells a router's runs apart: what an earlier one asked for is void.
    Done {
        node: usize,
        life: u32,
        job: u32,
        work: Work,
    },
    Heal,
    Boot {
        node: usize,
    },
    Wake {
        node: usize,
    },
    /// The carrier returns.
    Carrier {
        node: usize,
    },
    VipEnds {
        node: usize,
        expiry: u32,
    },
}

/// Ordered by time, then by the order in which they were planned.
struct Planned(Duration, u64, Happening);

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Planned {}
impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

pub(crate) struct Simulation {
    rng: Rng,
    pub(crate) now: Duration,
    config: Config,
    mutant: Mutant,
    pub(crate) network: Network,
    pub(crate) nodes: [Node; 2],
    queue: BinaryHeap<Reverse<Planned>>,
    sequence: u64,
    watch: Watch,
    /// Of late: with it, somebody may disturb the pair.
    overheard: Vec<(usize, usize, Heartbeat)>,
    /// How often a router became active.
    pub(crate) activations: u64,
    pub(crate) faults: u64,
    trace: Option<String>,
    pub(crate) violation: Option<String>,
}

impl Simulation {
    /// A seed's own pair.
    pub(crate) fn new(seed: u64, mutant: Mutant, traced: bool) -> Self {
        let mut rng = Rng::new(seed);
        let config = Config::draw(&mut rng);
        let mut simulation = Self::with(config, rng, mutant, traced);
        for node in 0..2 {
            let after = ms(simulation.rng.below(3000));
            simulation.plan(after, Happening::Boot { node });
        }
        simulation
    }

    /// Nothing runs yet.
    pub(crate) fn with(config: Config, rng: Rng, mutant: Mutant, traced: bool) -> Self {
        let node = |index, role| Node::new(role, config.original == Some(index));
        Self {
            rng,
            now: Duration::from_secs(1000),
            config,
            mutant,
            network: Network::default(),
            nodes: [node(0, Role::Primary), node(1, Role::Backup)],
            queue: BinaryHeap::new(),
            sequence: 0,
            watch: Watch::default(),
            overheard: Vec::new(),
            activations: 0,
            faults: 0,
            trace: traced.then(|| format!("{config:?}\n")),
            violation: None,
        }
    }

    /// Runs through faults for at least ten minutes, then heals everything and lets the pair
    /// settle.
    pub(crate) fn run(&mut self, faults: u64) {
        let end = self.now + Duration::from_secs(600);
        while self.violation.is_none() && (self.faults < faults || self.now < end) {
            let longest = if self.rng.chance(30) {
                self.config.settings.deadtime * 2
            } else {
                Duration::from_secs(55)
            };
            let pause = ms(self.rng.below(longest.as_millis() as u64));
            self.advance(pause);
            self.fault();
        }
        self.advance(self.config.settings.deadtime * 20 + ms(35_000));
        self.heal();
        self.advance(self.settling() + ms(5000));
        let active = self.nodes.iter().filter(|node| node.is_active()).count();
        if self.violation.is_none() && active != 1 {
            self.violation = Some(format!("{active} active in the end"));
        }
    }

    pub(crate) fn boot_both(&mut self, apart: Duration) {
        self.boot(0);
        self.plan(apart, Happening::Boot { node: 1 });
    }

    pub(crate) fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while self.violation.is_none() {
            let planned = self.queue.peek().map(|Reverse(planned)| planned.0);
            let deadlines = [self.deadline(0), self.deadline(1)];
            let next = [planned, deadlines[0], deadlines[1]];
            let Some(next) = next.into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if planned == Some(next) {
                if let Some(Reverse(Planned(_, _, happening))) = self.queue.pop() {
                    self.happen(happening);
                }
            } else {
                for node in 0..2 {
                    if self.deadline(node).is_some_and(|at| at <= self.now) {
                        self.timeout(node);
                    }
                }
            }
            self.check();
        }
        self.now = self.now.max(end);
        self.check();
    }

    fn deadline(&self, node: usize) -> Option<Duration> {
        let router = &self.nodes[node];
        router.due.filter(|_| router.is_awake())
    }

    /// After anything that its pulse was told.
    fn renew_deadline(&mut self, node: usize) {
        let late = self.mutant.lateness(&self.config.settings);
        let router = &mut self.nodes[node];
        router.due = match &router.pulse {
            Some(Pulse::Ours(machine)) => {
                machine.deadline().map(|due| due + router.unnoticed + late)
            }
            Some(Pulse::Original(original)) => Some(original.deadline()),
            None => None,
        };
    }

    fn plan(&mut self, after: Duration, happening: Happening) {
        self.sequence += 1;
        let planned = Planned(self.now + after, self.sequence, happening);
        self.queue.push(Reverse(planned));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive { to, arrival } => self.arrive(to, arrival),
            Happening::Done {
                node,
                life,
                job,
                work,
            } => self.done(node, life, job, work),
            Happening::Heal => self.heal(),
            Happening::Boot { node } => self.boot(node),
            Happening::Wake { node } => self.wake(node),
            Happening::Carrier { node } => {
                self.note(node, format_args!("has carrier"));
                self.nodes[node].carrier = true;
                self.nodes[node].carrier_since = self.now;
                self.disturbed();
                self.tell_links(node);
            }
            Happening::VipEnds { node, expiry } => {
                let router = &mut self.nodes[node];
                if router.expiry == expiry && router.vip == Vip::Left {
                    router.vip = Vip::Absent;
                    self.note(node, format_args!("its VIP ends"));
                    self.disturbed();
                }
            }
        }
    }

    fn calm_since(&self) -> Duration {
        self.watch.calm_since
    }

    fn boot(&mut self, node: usize) {
        if self.nodes[node].pulse.is_some() {
            return;
        }
        self.note(node, format_args!("boots"));
        let settings = self.settings_of(node);
        let now = self.now;
        let router = &mut self.nodes[node];
        router.powered = true;
        router.life += 1;
        router.sleep = Sleep::Awake;
        router.unnoticed = Duration::ZERO;
        router.inbox.clear();
        router.held = false;
        if router.is_original {
            let times = (settings.keepalive, settings.deadtime);
            let original = Original::new(router.role, times, now, router.wall_offset);
            router.pulse = Some(Pulse::Original(Box::new(original)));
            self.renew_deadline(node);
        } else {
            let run = match self.mutant {
                Mutant::SameBoot => 1,
                _ => u64::from(router.life),
            };
            let identity = Identity {
                boot: run * 2 + node as u64,
                epoch: router.epoch,
            };
            router.pulse = Some(Pulse::Ours(Box::new(Machine::new(settings, identity, now))));
            let macs = [router.mac].into_iter().collect();
            self.tell(node, Event::ServiceMacs(macs));
            self.tell_links(node);
        }
        self.disturbed();
    }

    fn settings_of(&self, node: usize) -> Settings {
        self.mutant.settings(Settings {
            role: self.nodes[node].role,
            ..self.config.settings
        })
    }

    fn tell_links(&mut self, node: usize) {
        if self.nodes[node].is_awake() {
            self.nodes[node].carrier_told = self.nodes[node].carrier;
        }
        let links = Links {
            monitored: self.config.monitored,
            vips: self.nodes[node].carrier,
            ..Links::default()
        };
        self.tell(node, Event::Links(links));
    }

    fn arrive(&mut self, to: usize, arrival: Arrival) {
        let now = self.now;
        let router = &mut self.nodes[to];
        match (&router.pulse, router.sleep) {
            (None, _) | (_, Sleep::Suspended) => {}
            (_, Sleep::Frozen) => {
                if router.inbox.len() < 200 {
                    router.inbox.push_back(arrival);
                }
            }
            (Some(Pulse::Original(original)), _) if original.blocked_until() > now => {
                let after = original.blocked_until() - now;
                self.plan(after, Happening::Arrive { to, arrival });
            }
            _ => self.receive(to, arrival),
        }
    }

    fn receive(&mut self, to: usize, arrival: Arrival) {
        match arrival {
            Arrival::Heartbeat(path, heartbeat) => self.hear(to, path, heartbeat),
            Arrival::VipAnswer(mac) => {
                if mac == self.nodes[1 - to].mac {
                    self.nodes[to].answered_at = Some(self.now);
                }
                self.tell(to, Event::VipAnswered { address: VIP, mac });
            }
            Arrival::WitnessAnswer => self.tell(to, Event::WitnessAnswered),
        }
    }

    fn hear(&mut self, to: usize, path: usize, heartbeat: Heartbeat) {
        if self.nodes[to].is_original {
            let activation = self.original_activation();
            let now = self.now;
            if let Some(Pulse::Original(original)) = &mut self.nodes[to].pulse {
                let acts = original.heard(now, heartbeat.word, activation);
                self.act(to, acts, activation);
            }
            self.renew_deadline(to);
            return;
        }
        let phase = self.nodes[to]
            .machine()
            .map_or(Phase::Standby, Machine::phase);
        let Some(heartbeat) = self.mutant.heard(path, heartbeat, phase) else {
            return;
        };
        let path = PATHS[path];
        let keyed = self.config.keyed && self.mutant != Mutant::ReplaysBelieved;
        self.tell(
            to,
            if keyed {
                Event::Keyed { path, heartbeat }
            } else {
                Event::Heartbeat { path, heartbeat }
            },
        );
    }

    fn wake(&mut self, node: usize) {
        if self.nodes[node].sleep == Sleep::Awake || self.nodes[node].pulse.is_none() {
            return;
        }
        self.note(node, format_args!("runs again"));
        let slept = self.now - self.nodes[node].slept_at;
        if self.nodes[node].sleep == Sleep::Suspended {
            self.nodes[node].stood_still = (slept, self.now);
        }
        self.nodes[node].sleep = Sleep::Awake;
        if self.mutant == Mutant::PausesUnnoticed {
            self.nodes[node].unnoticed += slept;
        }
        self.disturbed();
        if self.rng.chance(50) {
            self.timeout(node);
        }
        while let Some(arrival) = self.nodes[node].inbox.pop_front() {
            self.arrive(node, arrival);
        }
        self.tell_links(node);
        self.timeout(node);
        self.hold_again(node);
    }

    fn timeout(&mut self, node: usize) {
        match &mut self.nodes[node].pulse {
            Some(Pulse::Ours(_)) => self.tell(node, Event::Timeout),
            Some(Pulse::Original(original)) if original.blocked_until() <= self.now => {
                let activation = original_activation(&mut self.rng);
                let acts = original.timeout(self.now, activation);
                self.act(node, acts, activation);
                self.renew_deadline(node);
            }
            _ => {}
        }
    }

    fn original_activation(&mut self) -> Duration {
        original_activation(&mut self.rng)
    }

    pub(crate) fn paths(&self) -> usize {
        if self.config.settings.second_path {
            2
        } else {
            1
        }
    }

    fn note(&mut self, node: usize, text: Arguments<'_>) {
        if let Some(trace) = &mut self.trace {
            let at = self.now.as_secs_f64() - 1000.0;
            let role = self.nodes[node].role.to_string();
            let _ = writeln!(trace, "{at:10.4} {role:7} {text}");
        }
    }

    pub(crate) fn trace(&self) -> &str {
        self.trace.as_deref().unwrap_or_default()
    }
}

/// It waits for lvsd, at most ten seconds.
fn original_activation(rng: &mut Rng) -> Duration {
    if rng.chance(5) {
        ms(rng.below(10_000))
    } else {
        ms(20 + rng.below(200))
    }
}
