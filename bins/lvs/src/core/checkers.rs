//! The checkers: which run, which are started again and when, which are hung.

use std::sync::Arc;
use std::time::Duration;

use super::{ALIVE, Action, Core, FAILED, Line, ProcessId, Start};
use crate::health::{Health, Key};
use crate::nanny::Spec;
use crate::report::Report;
use crate::restart::Backoff;
use crate::time::Now;

/// Missed signs of life after which a checker is hung.
const MISSED: u32 = 3;

/// A checker that replaces another follows it after this time: what changes in the table goes first.
const REPLACED: Duration = Duration::from_millis(50);

/// A program that needs its service in the table is looked at again after this time.
const SERVICE_WAIT: Duration = Duration::from_millis(100);

/// The checker of one server.
#[derive(Debug)]
pub struct Slot {
    /// How it is called.
    pub spec: Arc<Spec>,
    /// What it does.
    pub process: Process,
    backoff: Backoff,
    /// Whether any process of this call has greeted.
    greeted: bool,
    /// How long its last check took, where it told that.
    pub took: Option<Duration>,
}

impl Slot {
    /// A site's own program that has not greeted: it keeps its server's entry itself.
    pub fn is_foreign(&self) -> bool {
        self.spec.custom.is_some() && !self.greeted
    }
}

/// The process of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Process {
    /// None; the start is queued.
    None,
    /// Asked for.
    Starting(ProcessId),
    /// Runs.
    Running {
        /// Its number here.
        id: ProcessId,
        /// Its number for the system.
        pid: i32,
        /// When it was started.
        started: Duration,
        /// When it was heard last, or when listening began.
        heard: Duration,
    },
    /// Is being ended; the next one follows it.
    Ending(ProcessId),
}

impl Process {
    /// The number of the process, if there is one.
    pub const fn id(&self) -> Option<ProcessId> {
        match self {
            Self::None => None,
            Self::Starting(id) | Self::Running { id, .. } | Self::Ending(id) => Some(*id),
        }
    }

    /// The system's number of a running process.
    pub const fn pid(&self) -> Option<i32> {
        match self {
            Self::Running { pid, .. } => Some(*pid),
            _ => None,
        }
    }
}

impl Core {
    /// Makes the running checkers those of the plan: what is called as before goes on undisturbed.
    pub(super) fn arrange_checkers(&mut self, now: Now) {
        let gone: Vec<Key> = self
            .slots
            .keys()
            .filter(|key| self.plan.server_name(key).is_none())
            .copied()
            .collect();
        for key in gone {
            if let Some(slot) = self.slots.remove(&key)
                && let Some(id) = slot.process.id()
            {
                self.actions.push_back(Action::Stop(id));
            }
        }
        self.queue
            .retain(|(_, _, key)| self.slots.contains_key(key));
        let mut wanted: Vec<(usize, Key, Arc<Spec>)> = self
            .plan
            .in_order()
            .flat_map(|service| {
                let id = service.service.id;
                let servers = service.servers.iter().enumerate();
                servers.map(move |(place, (server, plan))| {
                    (place, (id, *server), Arc::clone(&plan.nanny))
                })
            })
            .collect();
        // To start hundreds takes seconds: every service is to have one server before any has them all.
        wanted.sort_by_key(|(place, ..)| *place);
        for (_, key, spec) in wanted {
            match self.slots.get_mut(&key) {
                Some(slot) if slot.spec == spec => {}
                Some(slot) => {
                    let waits = slot.is_foreign();
                    let same_program = slot.spec.custom == spec.custom;
                    slot.spec = spec;
                    slot.backoff = Backoff::default();
                    let Some(id) = slot.process.id() else {
                        continue;
                    };
                    self.actions.push_back(Action::Stop(id));
                    slot.greeted &= same_program;
                    if waits {
                        // It takes its entry out of the table when it ends; the next one adds it again.
                        slot.process = Process::Ending(id);
                    } else {
                        slot.process = Process::None;
                        self.enqueue(now.steady + REPLACED, key);
                    }
                }
                None => {
                    let slot = Slot {
                        spec,
                        process: Process::None,
                        backoff: Backoff::default(),
                        greeted: false,
                        took: None,
                    };
                    self.slots.insert(key, slot);
                    self.enqueue(now.steady, key);
                }
            }
        }
    }

    fn enqueue(&mut self, at: Duration, key: Key) {
        self.queued += 1;
        self.queue.insert((at, self.queued, key));
    }

    /// Checkers start when it is known which weights they go on from, and when they have a table to work
    /// for.
    pub(super) const fn may_start(&self) -> bool {
        self.mode.is_some() && self.table.is_known() && self.leaving.is_none()
    }

    /// A checker that is due to be started; one at a time, so that a thousand starts delay nothing else.
    pub fn next_start(&mut self, now: Now) -> Option<Action> {
        if !self.may_start() {
            return None;
        }
        let key = self.next_due(now.steady)?;
        let slot = self.slots.get_mut(&key)?;
        self.next_process += 1;
        slot.process = Process::Starting(self.next_process);
        let found = self
            .table
            .record()
            .get(&key.0)
            .and_then(|entry| entry.servers.get(&key.1));
        let weight = match self.health.get(&key) {
            Health::Up(weight) => Some(weight),
            Health::Unknown => found.map(|server| server.weight),
            Health::Down => None,
        };
        Some(Action::Start(Box::new(Start {
            key,
            id: self.next_process,
            spec: Arc::clone(&slot.spec),
            name: self.plan.server_name(&key).unwrap_or_default(),
            weight: weight.filter(|weight| *weight > 0),
        })))
    }

    /// Takes the next server whose checker can be started now from the queue.
    fn next_due(&mut self, now: Duration) -> Option<Key> {
        while let Some((at, _, key)) = self.queue.first().copied() {
            if at > now {
                return None;
            }
            self.queue.pop_first();
            let foreign = self.slots.get(&key)?.spec.custom.is_some();
            if !foreign || self.table.record().contains_key(&key.0) {
                return Some(key);
            }
            // It adds its server itself and needs the service for that.
            self.enqueue(now + SERVICE_WAIT, key);
        }
        None
    }

    /// The slot whose present process is `id`.
    fn slot_of(&mut self, key: &Key, id: ProcessId) -> Option<&mut Slot> {
        self.slots
            .get_mut(key)
            .filter(|slot| slot.process.id() == Some(id))
    }

    pub(super) fn started(&mut self, now: Now, key: Key, id: ProcessId, pid: i32) {
        let Some(slot) = self.slot_of(&key, id) else {
            return;
        };
        let (started, heard) = (now.steady, now.steady);
        slot.process = Process::Running {
            id,
            pid,
            started,
            heard,
        };
        let name = self.plan.server_name(&key).unwrap_or_default();
        let text = format!("create_monitor for {name} running as pid {pid}");
        self.log(Line::about(&name, text));
        self.changed = true;
    }

    pub(super) fn not_started(&mut self, now: Now, key: Key, id: ProcessId, reason: &str) {
        self.died(now, key, id, now.steady, reason);
    }

    pub(super) fn ended(&mut self, now: Now, key: Key, id: ProcessId, how: &str) {
        if let Some(leaving) = &mut self.leaving {
            leaving.waiting.remove(&id);
            leaving.foreign.remove(&id);
            return;
        }
        let Some(slot) = self.slot_of(&key, id) else {
            return;
        };
        match slot.process {
            Process::Ending(_) => {
                slot.process = Process::None;
                self.enqueue(now.steady, key);
            }
            Process::Running { started, .. } => self.died(now, key, id, started, how),
            Process::Starting(_) | Process::None => self.died(now, key, id, now.steady, how),
        }
    }

    /// A checker's death changes nothing in the table: its last verdict stands until the next one speaks.
    fn died(&mut self, now: Now, key: Key, id: ProcessId, started: Duration, how: &str) {
        let Some(slot) = self.slot_of(&key, id) else {
            return;
        };
        slot.process = Process::None;
        let pause = slot.backoff.died(started, now.steady);
        let name = self.plan.server_name(&key).unwrap_or_default();
        self.changed = true;
        if self.plan.hard_shutdown {
            let text = format!("nanny for child {name} died! shutting down lvs ({how})");
            self.log(Line::about(&name, text));
            self.leave(FAILED);
            return;
        }
        let when = match pause.as_secs() {
            0 => "now".to_owned(),
            seconds => format!("in {seconds} s"),
        };
        let text = format!("nanny for child {name} died! starting it again {when} ({how})");
        self.log(Line::about(&name, text));
        self.enqueue(now.steady + pause, key);
    }

    pub(super) fn reported(&mut self, now: Now, key: Key, id: ProcessId, report: Report) {
        let Some(slot) = self.slot_of(&key, id) else {
            return;
        };
        if let Process::Running { heard, .. } = &mut slot.process {
            *heard = now.steady;
        }
        if report == Report::Greeting {
            slot.greeted = true;
        }
        if let Report::Alive(Some(took)) = report {
            slot.took = Some(took);
        }
        if let Report::Verdict(health, reason) = report {
            // Without a greeting the program does not know this channel; its entry is its own.
            let ours = slot.greeted && !matches!(slot.process, Process::Ending(_));
            if ours && self.health.report(now, key, health, reason) {
                self.table.window.changed(now.steady);
            }
            self.changed = true;
        }
    }

    pub(super) fn excuse_silence(&mut self, now: Now) {
        for slot in self.slots.values_mut() {
            if let Process::Running { heard, .. } = &mut slot.process {
                *heard = now.steady;
            }
        }
    }

    /// Kills checkers of which nothing was heard for three of their signs of life.
    pub(super) fn kill_silent(&mut self, now: Now) {
        let mut silent = Vec::new();
        for (key, slot) in &mut self.slots {
            if let Process::Running { id, heard, .. } = &mut slot.process
                && (slot.greeted || slot.spec.custom.is_none())
                && now.steady.saturating_sub(*heard) > slot.spec.interval.max(ALIVE) * MISSED
            {
                silent.push((*key, *id));
                // Once is enough; its end is an event of its own.
                *heard = now.steady;
            }
        }
        for (key, id) in silent {
            let name = self.plan.server_name(&key).unwrap_or_default();
            let text = format!("nanny for child {name} is silent: killing it");
            self.log(Line::about(&name, text));
            self.actions.push_back(Action::Kill(id));
        }
    }
}
