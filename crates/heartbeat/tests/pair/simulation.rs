//! Two machines, the network between them, the work they ask for, and the faults of one seed.

mod faults;

use super::network::{Network, PATHS};
use super::rng::Rng;
use heartbeat::{
    Action, Configuration, Event, Heartbeat, Identity, Machine, Phase, Role, Settings, Word,
};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::time::Duration;

/// A rule broken on purpose, to see that the invariants notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    None,
    NobodyYields,
    StandbyNeverTakesOver,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Activated,
    Deactivated,
    LvsReady,
    LvsDies,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Deliver {
        to: usize,
        path: usize,
        datagram: Vec<u8>,
    },
    /// `life` tells a router's lives apart: what an earlier one asked for is void.
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
    Resume {
        node: usize,
    },
    AddressExpires {
        node: usize,
        life: u32,
    },
}

struct Node {
    role: Role,
    machine: Option<Machine>,
    life: u32,
    /// Stored for the next run.
    epoch: u64,
    /// Activation and deactivation void each other's pending completion.
    job: u32,
    paused: bool,
    serving: bool,
    /// How often lvs will die before it becomes ready.
    lvs_deaths: u64,
    /// It died, and the next start that can succeed has not come yet.
    lvs_waits: bool,
}

impl Node {
    fn healthy(&self) -> bool {
        self.machine.is_some() && !self.paused
    }
}

pub(crate) struct Simulation {
    rng: Rng,
    now: Duration,
    settings: Settings,
    sabotage: Sabotage,
    /// Heartbeats have no extended part, as those of originals.
    plain: bool,
    /// They have tags, and must be of their moment.
    keyed: bool,
    network: Network,
    nodes: [Node; 2],
    queue: BinaryHeap<Reverse<(Duration, u64, Happening)>>,
    sequence: u64,
    /// Since when the world is as it is, apart from what the machines do.
    calm_since: Duration,
    both_since: Option<Duration>,
    none_since: Option<Duration>,
    pub(crate) activations: u64,
    pub(crate) faults: u64,
    pub(crate) trace: String,
    pub(crate) violation: Option<String>,
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Simulation {
    pub(crate) fn new(seed: u64, sabotage: Sabotage) -> Self {
        let mut rng = Rng::new(seed);
        let keepalive = [
            ms(1000),
            ms(2000),
            ms(500),
            ms(1000),
            ms(100),
            ms(1000),
            ms(100),
            ms(10),
        ][rng.below(8) as usize];
        let deadtime = keepalive * (2 + rng.below(5) as u32);
        let plain = rng.chance(30);
        let settings = Settings {
            role: Role::Primary,
            partner: true,
            second_path: rng.chance(80),
            keepalive,
            deadtime,
            vip_lifetime: None,
            witness: false,
            failback: None,
            configuration: Configuration {
                serial: 1,
                digest: 1,
            },
        };
        let node = |role| Node {
            role,
            machine: None,
            life: 0,
            epoch: 0,
            job: 0,
            paused: false,
            serving: false,
            lvs_deaths: 0,
            lvs_waits: false,
        };
        let mut simulation = Self {
            rng,
            now: Duration::from_secs(1000),
            settings,
            sabotage,
            plain,
            keyed: !plain && seed.is_multiple_of(3),
            network: Network::default(),
            nodes: [node(Role::Primary), node(Role::Backup)],
            queue: BinaryHeap::new(),
            sequence: 0,
            calm_since: Duration::ZERO,
            both_since: None,
            none_since: None,
            activations: 0,
            faults: 0,
            trace: format!("seed {seed} plain {plain} {settings:?}\n"),
            violation: None,
        };
        for node in 0..2 {
            let after = ms(simulation.rng.below(3000));
            simulation.schedule(after, Happening::Boot { node });
        }
        simulation
    }

    /// Runs through `faults` faults, then heals everything and waits for the pair to settle.
    pub(crate) fn run(&mut self, faults: u64) {
        for _ in 0..faults {
            let pause =
                self.settings.deadtime * self.rng.below(12) as u32 + ms(self.rng.below(500));
            self.advance(pause);
            self.fault();
        }
        self.advance(self.settings.deadtime * 20 + ms(35_000));
        self.heal();
        self.advance(self.settings.deadtime * 3 + ms(5_000));
        let serving = self.nodes.iter().filter(|node| node.serving).count();
        if self.violation.is_none() && serving != 1 {
            self.violation = Some(format!("{serving} active in the end"));
        }
    }

    fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while self.violation.is_none() {
            let happening = self.queue.peek().map(|Reverse((at, ..))| *at);
            let deadline = (0..2).filter_map(|node| self.deadline(node)).min();
            let next = [happening, deadline].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if happening == Some(next) {
                if let Some(Reverse((_, _, happening))) = self.queue.pop() {
                    self.happen(happening);
                }
            } else {
                for node in 0..2 {
                    if self.deadline(node).is_some_and(|at| at <= self.now) {
                        self.tell(node, Event::Timeout);
                    }
                }
            }
            self.check();
        }
        self.now = self.now.max(end);
        self.check();
    }

    fn deadline(&self, node: usize) -> Option<Duration> {
        let node = &self.nodes[node];
        node.machine
            .as_ref()
            .filter(|_| !node.paused)
            .and_then(Machine::deadline)
    }

    fn schedule(&mut self, after: Duration, happening: Happening) {
        self.sequence += 1;
        self.queue
            .push(Reverse((self.now + after, self.sequence, happening)));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Deliver { to, path, datagram } => {
                let Ok(heartbeat) = Heartbeat::decode(&datagram) else {
                    return;
                };
                if !self.sabotaged(to, heartbeat.word) {
                    let path = PATHS[path];
                    self.tell(
                        to,
                        if self.keyed {
                            Event::Keyed { path, heartbeat }
                        } else {
                            Event::Heartbeat { path, heartbeat }
                        },
                    );
                }
            }
            Happening::Done {
                node,
                life,
                job,
                work,
            } => self.done(node, life, job, work),
            Happening::Heal => self.heal(),
            Happening::Boot { node } => self.boot(node),
            Happening::Resume { node } => {
                self.note(node, "resumes");
                self.nodes[node].paused = false;
                self.calm_since = self.now;
                self.tell(node, Event::Timeout);
            }
            Happening::AddressExpires { node, life } => {
                if self.nodes[node].paused && self.nodes[node].life == life {
                    self.note(node, "addresses expire");
                    self.nodes[node].serving = false;
                }
            }
        }
    }

    fn sabotaged(&self, to: usize, word: Word) -> bool {
        let phase = self.nodes[to].machine.as_ref().map(Machine::phase);
        self.sabotage == Sabotage::NobodyYields
            && word == Word::Running
            && phase != Some(Phase::Standby)
    }

    fn done(&mut self, node: usize, life: u32, job: u32, work: Work) {
        let router = &mut self.nodes[node];
        if router.life != life || router.job != job {
            return;
        }
        if router.paused {
            self.schedule(
                ms(10),
                Happening::Done {
                    node,
                    life,
                    job,
                    work,
                },
            );
            return;
        }
        match work {
            Work::LvsDies if router.lvs_deaths > 0 => {
                router.lvs_deaths -= 1;
                router.lvs_waits = true;
                self.tell(node, Event::LvsDied);
            }
            Work::LvsDies | Work::LvsReady => self.tell(node, Event::LvsReady),
            Work::Activated => {
                router.serving = true;
                self.note(node, "serves");
                self.tell(node, Event::LvsReady);
                self.tell(node, Event::Activated);
            }
            Work::Deactivated => {
                router.serving = false;
                self.note(node, "has let go");
                self.tell(node, Event::Deactivated);
            }
        }
    }

    fn boot(&mut self, node: usize) {
        if self.nodes[node].machine.is_none() {
            self.note(node, "boots");
            let settings = Settings {
                role: self.nodes[node].role,
                ..self.settings
            };
            let router = &mut self.nodes[node];
            router.life += 1;
            let boot = u64::from(router.life) * 2 + node as u64;
            let identity = Identity {
                boot,
                epoch: router.epoch,
            };
            router.paused = false;
            router.serving = false;
            router.machine = Some(Machine::new(settings, identity, self.now));
            self.calm_since = self.now;
        }
    }

    fn tell(&mut self, node: usize, event: Event) {
        let now = self.now;
        let router = &mut self.nodes[node];
        if router.paused {
            return;
        }
        let Some(machine) = &mut router.machine else {
            return;
        };
        let before = machine.phase();
        let actions = machine.handle(now, event);
        let after = machine.phase();
        assert!(
            machine.deadline().is_none_or(|at| at > now),
            "a deadline in the past"
        );
        if event != Event::Timeout
            && !matches!(event, Event::Heartbeat { .. } | Event::Keyed { .. })
            || before != after
        {
            self.note(node, &format!("{event:?}: {before} -> {after}"));
        }
        for action in actions {
            self.perform(node, action);
        }
    }

    fn perform(&mut self, node: usize, action: Action) {
        let life = self.nodes[node].life;
        match action {
            Action::Send(heartbeat) => self.send(node, heartbeat),
            Action::StoreEpoch(epoch) => self.nodes[node].epoch = epoch,
            Action::Activate(cause) => {
                self.note(node, &cause.to_string());
                self.activations += 1;
                self.nodes[node].job += 1;
                self.start_lvs(node, Work::Activated);
            }
            Action::Deactivate(cause) => {
                self.note(node, &cause.to_string());
                self.nodes[node].job += 1;
                let job = self.nodes[node].job;
                let after = ms(1 + self.rng.below(20));
                let work = Work::Deactivated;
                self.schedule(
                    after,
                    Happening::Done {
                        node,
                        life,
                        job,
                        work,
                    },
                );
            }
            Action::StartLvs => {
                let serving = self.nodes[node].serving;
                self.start_lvs(
                    node,
                    if serving {
                        Work::LvsReady
                    } else {
                        Work::Activated
                    },
                );
            }
            Action::Finish => {
                self.note(node, "ends");
                self.nodes[node].machine = None;
                self.nodes[node].life += 1;
                self.calm_since = self.now;
                let after = ms(self.rng.below(10_000));
                self.schedule(after, Happening::Boot { node });
            }
            Action::Report(notice) => self.note(node, &notice.to_string()),
            Action::Announce | Action::Prepare => {}
            Action::ProbeVips(_) | Action::AskWitnesses => {}
            Action::Drain => {
                let queue = std::mem::take(&mut self.queue);
                self.queue = queue
                    .into_iter()
                    .filter(|Reverse((at, _, happening))| {
                        *at > self.now
                            || !matches!(happening, Happening::Deliver { to, .. } if *to == node)
                    })
                    .collect();
            }
        }
    }

    fn start_lvs(&mut self, node: usize, when_ready: Work) {
        if self.nodes[node].lvs_deaths == 0 && std::mem::take(&mut self.nodes[node].lvs_waits) {
            self.calm_since = self.now;
        }
        let (life, job) = (self.nodes[node].life, self.nodes[node].job);
        let work = if self.nodes[node].lvs_deaths > 0 {
            Work::LvsDies
        } else {
            when_ready
        };
        let after = ms(5 + self.rng.below(60));
        self.schedule(
            after,
            Happening::Done {
                node,
                life,
                job,
                work,
            },
        );
    }

    fn paths(&self) -> usize {
        if self.settings.second_path { 2 } else { 1 }
    }

    fn send(&mut self, node: usize, mut heartbeat: Heartbeat) {
        if self.sabotage == Sabotage::StandbyNeverTakesOver {
            heartbeat.word = Word::Running;
        }
        if self.plain {
            heartbeat.extended = None;
        }
        let to = 1 - node;
        for path in 0..self.paths() {
            for after in self.network.links[path][node].deliveries(&mut self.rng) {
                let datagram = heartbeat.encode();
                self.schedule(after, Happening::Deliver { to, path, datagram });
            }
        }
    }

    fn note(&mut self, node: usize, text: &str) {
        let at = self.now.as_secs_f64() - 1000.0;
        let _ = writeln!(
            self.trace,
            "{at:10.4} {:7} {text}",
            self.nodes[node].role.to_string()
        );
    }

    /// The invariants. Both count from the last change of the world outside.
    fn check(&mut self) {
        let settings = self.settings;
        let slack = ms(600);
        let serving = self.nodes.iter().filter(|node| node.serving).count();
        let awake = self.nodes.iter().all(|node| !node.paused);
        let connected = self.network.connects(self.paths());
        let both = serving == 2 && awake && connected;
        let able = |node: &Node| node.healthy() && node.lvs_deaths == 0 && !node.lvs_waits;
        // While all paths are cut or bad the partner may honestly be believed to serve.
        let none = serving == 0 && self.nodes.iter().any(able) && connected && awake;
        self.both_since = both.then(|| self.both_since.unwrap_or(self.now));
        self.none_since = none.then(|| self.none_since.unwrap_or(self.now));
        let lasted = |since: Option<Duration>| {
            since.map_or(Duration::ZERO, |since| {
                self.now - since.max(self.calm_since)
            })
        };
        let (both, none) = (lasted(self.both_since), lasted(self.none_since));
        if both > settings.deadtime + settings.keepalive + slack {
            self.violation = Some(format!("both active for {both:?}"));
        } else if none > settings.deadtime + settings.keepalive * 2 + slack {
            self.violation = Some(format!("none active for {none:?}"));
        }
    }
}
