//! lvs against a simulated kernel and simulated checkers: no process, no clock.

mod checking;
mod converging;
mod draining;
mod random;
mod reloading;

use std::collections::BTreeMap;
use std::time::Duration;

use ipvs::{Operation, Table};

use super::*;
use crate::connections::Connections;
use crate::health::Health;
use crate::identity::parse_service;
use crate::nanny;
use crate::tool::{Failure, Reading, Write, Written};

/// What the simulated kernel answers to an operation; `None`: it obeys.
type Refuse = fn(&Operation) -> Option<&'static str>;

/// A core with everything around it.
pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Duration,
    pub(super) kernel: Table,
    pub(super) log: Vec<String>,
    pub(super) told: Vec<Message>,
    /// When it showed that it lives.
    pub(super) alive: Vec<Duration>,
    /// Batches that changed the table.
    pub(super) batches: Vec<Vec<String>>,
    pub(super) reads: usize,
    pub(super) owned: BTreeSet<ServiceId>,
    pub(super) running: BTreeMap<ProcessId, Start>,
    pub(super) starts: Vec<Start>,
    pub(super) stopped: Vec<ProcessId>,
    pub(super) killed: Vec<ProcessId>,
    pub(super) exit: Option<(u8, Option<String>)>,
    pub(super) refuse: Refuse,
    /// A refused operation ends the run, as a refusal by the tool itself does.
    pub(super) stops_early: bool,
    pub(super) drains: Drains,
    pub(super) connections: Connections,
    pub(super) readable: bool,
    /// How long a reading takes.
    pub(super) reading: Duration,
    /// Operations that cannot be done are refused, as a kernel does when others change its table.
    pub(super) tolerant: bool,
}

pub(super) fn plan(text: &str) -> Plan {
    let config = lvs_config::parse(text.as_bytes())
        .expect("a correct lvs.cf")
        .config;
    Plan::new(&config, &|_| None, nanny::Options::default())
}

/// An lvs.cf with one service `web` on 192.0.2.80:80 and two servers, further lines added.
pub(super) fn web(global: &str, service: &str) -> String {
    format!(
        "deadtime = 1\n{global}\nvirtual web {{\nactive = 1\naddress = 192.0.2.80 eth0:1\n{service}\n\
         server a {{\naddress = 10.0.0.1\nactive = 1\nweight = 10\n}}\n\
         server b {{\naddress = 10.0.0.2\nactive = 1\nweight = 10\n}}\n}}\n"
    )
}

pub(super) fn table(text: &str) -> Table {
    ipvs::text::parse_table(text).expect("a saved table")
}

impl World {
    /// lvs on a kernel that holds `kernel`, owning `owned` from an earlier run.
    pub(super) fn new(kernel: &str, owned: &[&str]) -> Self {
        let owned: BTreeSet<_> = owned
            .iter()
            .filter_map(|text| parse_service(text))
            .collect();
        Self {
            core: Core::new(Now::default(), owned.clone()),
            now: Duration::ZERO,
            kernel: table(kernel),
            log: Vec::new(),
            told: Vec::new(),
            alive: Vec::new(),
            batches: Vec::new(),
            reads: 0,
            owned,
            running: BTreeMap::new(),
            starts: Vec::new(),
            stopped: Vec::new(),
            killed: Vec::new(),
            exit: None,
            refuse: |_| None,
            stops_early: false,
            drains: Drains::new(),
            connections: Connections::default(),
            readable: true,
            reading: Duration::from_millis(1),
            tolerant: false,
        }
    }

    /// The same, serving `config` from the start.
    pub(super) fn serving(kernel: &str, config: &str) -> Self {
        let mut world = Self::new(kernel, &[]);
        world.event(Event::Plan(Box::new(plan(config))));
        world.event(Event::Mode(Mode::Active));
        world
    }

    pub(super) fn time(&self) -> Now {
        Now {
            steady: self.now,
            wall: u64::try_from(self.now.as_millis()).unwrap(),
        }
    }

    /// Hands an event in and lets everything happen that needs no waiting.
    pub(super) fn event(&mut self, event: Event) {
        self.core.handle(self.time(), event);
        self.settle();
    }

    pub(super) fn settle(&mut self) {
        for _ in 0..100_000 {
            let now = self.time();
            self.core.advance(now);
            let mut idle = true;
            while let Some(action) = self.core.action().or_else(|| self.core.next_start(now)) {
                idle = false;
                self.perform(action);
            }
            if idle || self.exit.is_some() {
                let rests = self.core.wakeup() > self.now || self.exit.is_some();
                assert!(rests, "the loop would spin");
                return;
            }
        }
        panic!("never at rest");
    }

    /// Lets time pass, waking the core when it asks for it.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.exit.is_none() && self.core.wakeup() <= end {
            self.now = self.now.max(self.core.wakeup());
            self.settle();
            // A wake-up that is not consumed would never end.
            self.now += Duration::from_millis(1);
        }
        self.now = end.max(self.now);
        self.settle();
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Log(line) => self.log.push(line.text),
            Action::Own(owned) => self.owned = owned,
            Action::Drains(drains) => self.drains = drains,
            Action::Tool(job) => {
                let outcome = self.work(job);
                self.now += self.reading - Duration::from_millis(1);
                self.core
                    .handle(self.time(), Event::Tool(outcome, self.reading));
            }
            Action::Count => {
                let counted = Ok(self.connections.clone());
                let event = Event::Counted(counted, Duration::from_millis(1));
                self.core.handle(self.time(), event);
            }
            Action::Start(start) => {
                let (key, id) = (start.key, start.id);
                self.starts.push(Start {
                    spec: Arc::clone(&start.spec),
                    name: start.name.clone(),
                    ..*start
                });
                self.running.insert(id, *start);
                let pid = i32::try_from(id).unwrap();
                self.core.handle(self.time(), Event::Started(key, id, pid));
            }
            Action::Stop(id) => {
                self.stopped.push(id);
                self.die(id);
            }
            Action::Kill(id) => {
                self.killed.push(id);
                self.die(id);
            }
            Action::Tell(Message::Alive) => self.alive.push(self.now),
            Action::Tell(message) => self.told.push(message),
            Action::Settled => {}
            Action::Exit(status, text) => self.exit = Some((status, text)),
        }
    }

    /// A checker ends.
    pub(super) fn die(&mut self, id: ProcessId) {
        if let Some(start) = self.running.remove(&id) {
            self.core
                .handle(self.time(), Event::Ended(start.key, id, "killed".into()));
        }
    }

    fn work(&mut self, job: Job) -> Outcome {
        match job {
            Job::Read(known) => {
                self.reads += 1;
                let text: Arc<str> = ipvs::text::print_table(&self.kernel).into();
                Outcome::Table(if !self.readable {
                    Err(Failure::Unusable("no IPVS".into()))
                } else if known.as_ref() == Some(&text) {
                    Ok(Reading::Same)
                } else {
                    Ok(Reading::New(self.kernel.clone(), text))
                })
            }
            Job::Write(write) => Outcome::Written(self.write(write)),
        }
    }

    fn write(&mut self, write: Write) -> Written {
        self.batches.push(write.lines());
        if write.clear {
            self.kernel.clear();
        }
        let mut written = Written::default();
        for operation in write.operations {
            let refusal = (self.refuse)(&operation).filter(|_| !written.stopped);
            if written.stopped {
                written.doubtful.push((operation, "killed".to_owned()));
            } else if let Some(text) = refusal {
                written.stopped = self.stops_early;
                written
                    .doubtful
                    .push((operation, format!("ipvsadm-rs: {text}")));
            } else if ipvs::apply(&mut self.kernel, &operation) {
                written.done.push(operation);
            } else {
                assert!(self.tolerant, "impossible: {operation}");
                let text = "Service not defined".to_owned();
                written.doubtful.push((operation, text));
            }
        }
        written
    }

    /// The process that checks ADDRESS:PORT.
    pub(super) fn checker(&self, server: &str) -> (ProcessId, Key) {
        self.running
            .iter()
            .rev()
            .map(|(id, start)| (*id, start.key))
            .find(|(_, key)| crate::identity::server_text(&key.1) == server)
            .expect("a checker of that server")
    }

    /// A verdict of the checker of ADDRESS:PORT.
    pub(super) fn verdict(&mut self, server: &str, health: Health) {
        let (id, key) = self.checker(server);
        self.event(Event::Reported(key, id, Report::Greeting));
        self.event(Event::Reported(
            key,
            id,
            Report::Verdict(health, "refused".into()),
        ));
    }

    /// A verdict, and the time for it to be written.
    pub(super) fn report(&mut self, server: &str, health: Health) {
        self.verdict(server, health);
        self.pass(Duration::from_millis(300));
    }

    /// Passes time in which all checkers show that they live.
    pub(super) fn pass_alive(&mut self, seconds: u64) {
        for _ in 0..seconds / 5 {
            let running: Vec<_> = self
                .running
                .iter()
                .map(|(id, start)| (*id, start.key))
                .collect();
            for (id, key) in running {
                self.event(Event::Reported(key, id, Report::Alive(None)));
            }
            self.pass(Duration::from_secs(5));
        }
    }

    pub(super) fn reload(&mut self, config: &str) {
        self.event(Event::Plan(Box::new(plan(config))));
        // Checkers that replace others follow.
        self.pass(Duration::from_millis(60));
    }

    pub(super) fn saved(&self) -> String {
        ipvs::text::print_table(&self.kernel)
    }

    pub(super) fn logged(&self, text: &str) -> bool {
        self.log.iter().any(|line| line.contains(text))
    }
}
