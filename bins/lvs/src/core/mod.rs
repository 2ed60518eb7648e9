//! The decisions of lvs as one state machine: events and the time go in, actions come out.
//!
//! On every event the desired table follows anew from plan, verdicts and mode; there is no other path for
//! start, reload, repair or recovery. Performs nothing itself: no clock, no process, no file.

mod checkers;
mod counting;
mod draining;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ipvs::{ServiceId, Table};

use crate::connections::Connections;
use crate::desired::Mode;
use crate::drains::Drains;
use crate::health::{HealthMap, Key};
use crate::nanny::Spec;
use crate::plan::Plan;
use crate::report::Report;
use crate::time::Now;
use crate::tool::{Failure, Job, Outcome};

pub use checkers::Slot;
pub use table::{Audits, Batches, Trouble};

/// Pause between two signs of life to pulse, and twice the pause between looks for hung checkers.
const ALIVE: Duration = Duration::from_secs(5);
/// A longer gap between two looks means that lvs itself was stopped.
const STOPPED: Duration = Duration::from_secs(8);
/// How long lvs may take to be ready while the partner serves: a little less than that one waits.
const RELIEVING: Duration = Duration::from_millis(1500);
/// Exit status after an error.
pub const FAILED: u8 = 1;

/// Number of one started checker process; never used twice.
pub type ProcessId = u64;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A configuration was accepted; the first one, or a reload.
    Plan(Box<Plan>),
    /// The services are to be served here, or not.
    Mode(Mode),
    /// The partner serves until this lvs is ready: so it need not be ready for little.
    Relieving,
    /// A checker runs.
    Started(Key, ProcessId, i32),
    /// A checker could not be started.
    NotStarted(Key, ProcessId, String),
    /// A checker wrote a line.
    Reported(Key, ProcessId, Report),
    /// A checker ended, with how.
    Ended(Key, ProcessId, String),
    /// The tool answered the last [`Action::Tool`] after so long.
    Tool(Outcome, Duration),
    /// The answer to [`Action::Count`] after so long.
    Counted(Result<Connections, Failure>, Duration),
    /// A signal asks for the end.
    Terminate(i32),
}

/// Something to be done, in the order given.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// A line for the log.
    Log(Line),
    /// Write down what lvs owns.
    Own(BTreeSet<ServiceId>),
    /// Write down what people took out of service.
    Drains(Drains),
    /// Let the tool work; [`Event::Tool`] answers. Never two at a time.
    Tool(Job),
    /// Let the tool count connections, whatever else it does; [`Event::Counted`] answers.
    Count,
    /// Start a checker; [`Event::Started`] or [`Event::NotStarted`] answers.
    Start(Box<Start>),
    /// End a checker: SIGTERM, and a moment later SIGKILL. [`Event::Ended`] answers.
    Stop(ProcessId),
    /// End a hung checker at once.
    Kill(ProcessId),
    /// A message to pulse.
    Tell(Message),
    /// Everything that was asked for is in the table for the first time.
    Settled,
    /// The end, with a status and what went wrong.
    Exit(u8, Option<String>),
}

/// A checker to be started.
#[derive(Debug, PartialEq)]
pub struct Start {
    /// Its server.
    pub key: Key,
    /// The process's number.
    pub id: ProcessId,
    /// Program and arguments.
    pub spec: Arc<Spec>,
    /// What it is called in messages: `SERVICE/SERVER`.
    pub name: String,
    /// Weight of the server in the table, from which the checker goes on.
    pub weight: Option<i32>,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Service, or service and server with a slash between, that it is about; empty: none in particular.
    pub about: String,
    /// What is said.
    pub text: String,
}

impl Line {
    pub(crate) fn about(name: &str, text: String) -> Self {
        Self {
            about: name.to_owned(),
            text,
        }
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::about("", text)
    }
}

/// A line for pulse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The table can serve.
    Ready,
    /// The reload is in the table.
    Reloaded,
    /// A configuration or lvs's whole work is refused.
    Refused(usize, String),
    /// A sign of life.
    Alive,
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Reloaded => f.write_str("reloaded"),
            Self::Refused(line, text) => write!(f, "refused {line} {text}"),
            Self::Alive => f.write_str("alive"),
        }
    }
}

/// The end of lvs.
#[derive(Debug)]
struct Leaving {
    status: u8,
    /// The checkers still running.
    waiting: BTreeSet<ProcessId>,
    /// Some of them keep their entries themselves: the table is cleared after them.
    foreign: BTreeSet<ProcessId>,
    withdrawn: bool,
    attempts: u8,
}

/// The state of lvs.
#[derive(Debug)]
pub struct Core {
    plan: Plan,
    /// A plan was given.
    configured: bool,
    mode: Option<Mode>,
    health: HealthMap,
    slots: BTreeMap<Key, Slot>,
    next_process: ProcessId,
    /// Checkers to be started: when, in which order, which server.
    queue: BTreeSet<(Duration, u64, Key)>,
    queued: u64,
    table: table::State,
    drains: Drains,
    /// Inactive servers that still have connections, and since when they leave.
    departing: BTreeMap<Key, Duration>,
    /// Servers that take no new connections.
    finishing: BTreeSet<Key>,
    counting: counting::Counting,
    ready_by: Option<Duration>,
    relieving: bool,
    reloading: bool,
    settled_once: bool,
    leaving: Option<Leaving>,
    next_look: Duration,
    last_look: Duration,
    alive_due: Duration,
    actions: VecDeque<Action>,
    /// Lines that wait until it is known that lvs can work at all.
    held: Vec<Line>,
    /// Something that the status shows has changed.
    changed: bool,
}

impl Core {
    /// lvs without configuration, owning what an earlier run left.
    pub fn new(now: Now, owned: BTreeSet<ServiceId>) -> Self {
        Self {
            plan: Plan::default(),
            configured: false,
            mode: None,
            health: HealthMap::default(),
            slots: BTreeMap::new(),
            next_process: 0,
            queue: BTreeSet::new(),
            queued: 0,
            table: table::State::new(owned),
            drains: Drains::new(),
            departing: BTreeMap::new(),
            finishing: BTreeSet::new(),
            counting: counting::Counting::default(),
            ready_by: None,
            relieving: false,
            reloading: false,
            settled_once: false,
            leaving: None,
            next_look: now.steady,
            last_look: now.steady,
            // Whoever waits for the first one knows that signals are handled from then on.
            alive_due: now.steady,
            actions: VecDeque::new(),
            held: Vec::new(),
            changed: true,
        }
    }

    /// Takes an event in.
    pub fn handle(&mut self, now: Now, event: Event) {
        match event {
            Event::Plan(plan) => self.plan_given(now, *plan),
            Event::Mode(mode) => self.mode_given(now, mode),
            Event::Relieving => self.relieving = true,
            Event::Started(key, id, pid) => self.started(now, key, id, pid),
            Event::NotStarted(key, id, reason) => self.not_started(now, key, id, &reason),
            Event::Reported(key, id, report) => self.reported(now, key, id, report),
            Event::Ended(key, id, how) => self.ended(now, key, id, &how),
            Event::Tool(outcome, took) => self.tool_answered(now, outcome, took),
            Event::Counted(counted, took) => self.counted(now, counted, took),
            Event::Terminate(signal) => {
                self.log(format!("shutting down due to signal {signal}"));
                self.leave(0);
            }
        }
    }

    /// Decides what the time and the events so far ask for. To be called after events and at
    /// [`Self::wakeup`]; then [`Self::action`] until there is none.
    pub fn advance(&mut self, now: Now) {
        if now.steady >= self.next_look {
            self.look(now);
        }
        self.advance_table(now);
        self.advance_counts(now.steady);
        self.check_ready(now);
        self.check_left();
    }

    /// The next thing to do.
    pub fn action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Self::advance`] or [`Self::next_start`] has to be called even if nothing happens.
    pub fn wakeup(&self) -> Duration {
        let start = self
            .may_start()
            .then(|| self.queue.first().map(|(at, ..)| *at))
            .flatten();
        // Until the table is settled its answer is the event to wait for.
        let ready = self
            .ready_by
            .filter(|_| self.leaving.is_none() && self.table.settled_since_mode(self.mode));
        [start, self.table_wakeup(), self.counts_wakeup(), ready]
            .into_iter()
            .flatten()
            .fold(self.next_look, Duration::min)
    }

    fn log(&mut self, line: impl Into<Line>) {
        self.actions.push_back(Action::Log(line.into()));
    }

    /// A line for the log, later when nothing is known of the table yet: a refusal to work stands alone.
    pub fn announce(&mut self, line: impl Into<Line>) {
        if self.table.is_known() {
            self.log(line);
        } else {
            self.held.push(line.into());
        }
    }

    /// The table was read, or the record counts: lvs can work.
    fn release_lines(&mut self) {
        for line in std::mem::take(&mut self.held) {
            self.log(line);
        }
    }

    fn plan_given(&mut self, now: Now, plan: Plan) {
        if self.leaving.is_some() {
            return;
        }
        for note in &plan.notes {
            self.announce(note.clone());
        }
        let old = std::mem::replace(&mut self.plan, plan);
        for service in old.in_order() {
            if !self.plan.services.contains_key(&service.service.id) {
                let text = format!("shutting down virtual service {}", service.name);
                self.announce(Line::about(&service.name, text));
            }
        }
        let fresh: Vec<Line> = self
            .plan
            .in_order()
            .filter(|service| !old.services.contains_key(&service.service.id))
            .map(|service| {
                let text = format!(
                    "starting virtual service {} active: {}",
                    service.name, service.port
                );
                Line::about(&service.name, text)
            })
            .collect();
        fresh.into_iter().for_each(|line| self.announce(line));
        draining::reweight(&mut self.health, now, &old, &self.plan);
        self.depart(now, &old);
        self.table.plan_given(&old, &self.plan, self.configured);
        self.reloading |= self.configured;
        self.configured = true;
        self.arrange_checkers(now);
        let plan = &self.plan;
        self.health.retain(|key| plan.server_name(key).is_some());
        self.table.window.urgent(now.steady);
        self.changed = true;
    }

    fn mode_given(&mut self, now: Now, mode: Mode) {
        if self.leaving.is_some() {
            return;
        }
        self.mode = Some(mode);
        if mode == Mode::Standby {
            self.departing.clear();
            self.find_finishing();
        }
        self.unsettle();
        let within = if std::mem::take(&mut self.relieving) {
            RELIEVING
        } else {
            self.plan.ready_within
        };
        self.ready_by = (mode == Mode::Active).then(|| now.steady + within);
        self.table.window.urgent(now.steady);
        self.changed = true;
    }

    /// The periodic look: a sign of life to pulse, hung checkers.
    fn look(&mut self, now: Now) {
        let gap = now.steady.saturating_sub(self.last_look);
        if gap > STOPPED {
            // Nobody could be heard while lvs itself stood still.
            self.excuse_silence(now);
        }
        self.last_look = now.steady;
        self.next_look = now.steady + ALIVE / 2;
        if now.steady >= self.alive_due {
            self.actions.push_back(Action::Tell(Message::Alive));
            self.alive_due = now.steady + ALIVE;
        }
        self.kill_silent(now);
        self.end_drains(now);
    }

    /// `ready`: each service has a server in the table, or every first check is finished, or the time is up.
    fn check_ready(&mut self, now: Now) {
        let Some(by) = self.ready_by else { return };
        if self.leaving.is_some() || !self.table.settled_since_mode(self.mode) {
            return;
        }
        if now.steady >= by || crate::ready::ready(&self.plan, &self.health, self.table.record()) {
            self.ready_by = None;
            self.actions.push_back(Action::Tell(Message::Ready));
        }
    }

    /// Begins the end: checkers are stopped, own entries withdrawn.
    fn leave(&mut self, status: u8) {
        if self.leaving.is_some() {
            return;
        }
        let names: Vec<String> = self
            .plan
            .in_order()
            .map(|service| service.name.clone())
            .collect();
        if self.mode.is_some_and(Mode::serves) {
            for name in names {
                let text = format!("shutting down virtual service {name}");
                self.log(Line::about(&name, text));
            }
        }
        let mut leaving = Leaving {
            status,
            waiting: BTreeSet::new(),
            foreign: BTreeSet::new(),
            withdrawn: false,
            attempts: 0,
        };
        self.queue.clear();
        for slot in self.slots.values() {
            if let Some(id) = slot.process.id() {
                self.actions.push_back(Action::Stop(id));
                leaving.waiting.insert(id);
                if slot.is_foreign() {
                    leaving.foreign.insert(id);
                }
            }
        }
        self.leaving = Some(leaving);
        self.changed = true;
    }

    fn check_left(&mut self) {
        if let Some(leaving) = &self.leaving
            && leaving.withdrawn
            && leaving.waiting.is_empty()
        {
            let status = leaving.status;
            self.actions.push_back(Action::Exit(status, None));
        }
    }

    /// Whether the end has begun.
    pub const fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Whether something that the status shows has changed since the last call. Before the first look at the
    /// table there is nothing to show.
    pub fn take_changed(&mut self) -> bool {
        self.table.was_asked() && std::mem::take(&mut self.changed)
    }

    /// The plan in force.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The verdicts.
    pub const fn health(&self) -> &HealthMap {
        &self.health
    }

    /// The checker of a server.
    pub fn slot(&self, key: &Key) -> Option<&Slot> {
        self.slots.get(key)
    }

    /// The table as last read or written.
    pub const fn record(&self) -> &Table {
        self.table.record()
    }

    /// What the tool refuses for a service or server at present.
    pub fn troubles(&self) -> &BTreeMap<table::Place, Trouble> {
        self.table.troubles()
    }

    /// The audits of the table so far.
    pub const fn audits(&self) -> Audits {
        self.table.audits()
    }

    /// What was written into the table so far.
    pub const fn batches(&self) -> Batches {
        self.table.batches()
    }

    /// What was asked for last.
    pub const fn mode(&self) -> Option<Mode> {
        self.mode
    }
}
