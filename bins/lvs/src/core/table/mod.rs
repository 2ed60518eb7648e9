//! The way of the actual table to the desired one: reading, one batch at a time, audits, refusals.

mod answers;
mod audit;
mod pace;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ipvs::{Operation, ServerId, ServiceId, Table};

use pace::Pace;
use serde::Serialize;

use super::{Action, Core, FAILED, Message};
use crate::desired::{Mode, desired, restricted};
use crate::plan::Plan;
use crate::time::Now;
use crate::tool::{Job, Write};
use crate::window::Window;

/// A service, or a server of it.
pub(super) type Place = (ServiceId, Option<ServerId>);

/// The first and the longest pause before something refused is tried again.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_LONGEST: Duration = Duration::from_secs(30);
/// How often the entries are tried to be withdrawn at the end.
const WITHDRAWALS: u8 = 3;

/// A change that the tool refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The tool's words.
    pub message: String,
    retry_at: Duration,
    pause: Duration,
    /// Without the service its servers need not be tried.
    whole_service: bool,
}

/// The job that the tool is at.
#[derive(Debug)]
enum Busy {
    Read,
    Audit,
    Confirm,
    Write(Write),
}

/// Operations that may have been refused, with the words said about each; the next reading tells.
#[derive(Debug)]
struct Attempt {
    operations: Vec<(Operation, String)>,
    /// Services that the batch was to add.
    added: BTreeSet<ServiceId>,
    stopped: bool,
}

/// The audits so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audits {
    /// How many.
    pub count: u64,
    /// How long the last one took, from asking for the table to having compared it.
    pub last: Duration,
}

/// The batches written so far, those that failed included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Batches {
    /// How many.
    pub count: u64,
    /// Changes in them.
    pub operations: u64,
}

/// What is known of the actual table.
#[derive(Debug)]
pub(super) struct State {
    owned: BTreeSet<ServiceId>,
    record: Table,
    known: bool,
    trusted: bool,
    /// The text that the tool printed of the recorded table, while nothing was written since.
    text: Option<Arc<str>>,
    audits: Audits,
    batches: Batches,
    busy: Option<Busy>,
    pub(super) window: Window,
    /// A batch was written; whether it was all is to be seen.
    look_again: bool,
    cleared: bool,
    timeouts: [u32; 3],
    troubles: BTreeMap<Place, Trouble>,
    attempt: Option<Attempt>,
    /// Services whose changes go alone, because a batch with them stopped early.
    alone: VecDeque<ServiceId>,
    read_again: Duration,
    read_pause: Duration,
    complaint: Option<String>,
    audit_due: Option<Duration>,
    pace: Pace,
    first_reading: Option<Table>,
    confirm_at: Duration,
    settled: Option<Mode>,
    /// The tool has printed a table that lvs wrote.
    readable: bool,
    /// The tool cannot print its table: the record counts.
    by_record: bool,
}

impl State {
    pub(super) fn new(owned: BTreeSet<ServiceId>) -> Self {
        Self {
            owned,
            record: Table::new(),
            known: false,
            trusted: false,
            text: None,
            audits: Audits::default(),
            batches: Batches::default(),
            busy: None,
            window: Window::default(),
            look_again: false,
            cleared: false,
            timeouts: [0; 3],
            troubles: BTreeMap::new(),
            attempt: None,
            alone: VecDeque::new(),
            read_again: Duration::ZERO,
            read_pause: Duration::ZERO,
            complaint: None,
            audit_due: None,
            pace: Pace::default(),
            first_reading: None,
            confirm_at: Duration::ZERO,
            settled: None,
            readable: false,
            by_record: false,
        }
    }

    pub(super) const fn is_known(&self) -> bool {
        self.known
    }

    /// The tool has answered, however.
    pub(super) const fn was_asked(&self) -> bool {
        self.known || self.complaint.is_some()
    }

    pub(super) const fn record(&self) -> &Table {
        &self.record
    }

    pub(super) const fn audits(&self) -> Audits {
        self.audits
    }

    pub(super) const fn batches(&self) -> Batches {
        self.batches
    }

    /// The table is what was read.
    fn take(&mut self, table: Table, text: Arc<str>) {
        self.record = table;
        self.text = Some(text);
    }

    pub(super) const fn troubles(&self) -> &BTreeMap<Place, Trouble> {
        &self.troubles
    }

    pub(super) fn settled_since_mode(&self, mode: Option<Mode>) -> bool {
        mode.is_some() && self.settled == mode
    }

    pub(super) fn plan_given(&mut self, old: &Plan, new: &Plan, reload: bool) {
        self.troubles.clear();
        let servers = new
            .services
            .values()
            .flat_map(|service| service.servers.values());
        if let Some(interval) = servers.map(|server| server.nanny.interval).min() {
            self.window.expect_storms_of(interval);
        }
        if reload && old.ipvsadm != new.ipvsadm {
            self.trusted = false;
            self.by_record = false;
            self.readable = false;
        }
    }

    /// The services that lvs may change.
    pub(super) fn own(&self, plan: &Plan, mode: Mode) -> BTreeSet<ServiceId> {
        let mut own = self.owned.clone();
        if mode.serves() {
            own.extend(plan.services.keys());
        }
        own
    }

    fn is_blocked(&self, operation: &Operation, now: Duration) -> bool {
        let place = place(operation);
        let waits = |trouble: &Trouble| trouble.retry_at > now;
        self.troubles.get(&place).is_some_and(waits)
            || self
                .troubles
                .get(&(place.0, None))
                .is_some_and(|trouble| trouble.whole_service && waits(trouble))
    }
}

/// What an operation is about.
const fn place(operation: &Operation) -> Place {
    match operation {
        Operation::AddService(service) | Operation::EditService(service) => (service.id, None),
        Operation::DeleteService(id) => (*id, None),
        Operation::AddServer(id, server) | Operation::EditServer(id, server) => {
            (*id, Some(server.id))
        }
        Operation::DeleteServer(id, server) => (*id, Some(*server)),
    }
}

impl Core {
    /// The mode that the table should follow now.
    fn table_mode(&self) -> Option<Mode> {
        if self.leaving.is_some() {
            // Without a role or a configuration there may still be leftovers.
            (self.mode.is_some() || !self.table.owned.is_empty()).then_some(Mode::Standby)
        } else {
            self.mode.filter(|_| self.configured)
        }
    }

    /// Gives the tool its next job, when there is one and it is free.
    pub(super) fn advance_table(&mut self, now: Now) {
        let now = now.steady;
        let Some(mode) = self.table_mode() else {
            if let Some(leaving) = &mut self.leaving {
                leaving.withdrawn = true;
            }
            return;
        };
        if self.table.busy.is_some() {
            return;
        }
        if !self.table.trusted {
            if now >= self.table.read_again {
                self.give(Busy::Read, Job::Read(None));
            }
            return;
        }
        if let Some(leaving) = &self.leaving {
            if leaving.foreign.is_empty() && !leaving.withdrawn {
                self.converge(now, mode, true);
            }
            return;
        }
        if self.table.first_reading.is_some() && now >= self.table.confirm_at {
            self.give(Busy::Confirm, Job::Read(self.table.text.clone()));
            return;
        }
        self.end_departures(now);
        let retry = self
            .table
            .troubles
            .values()
            .any(|trouble| trouble.retry_at <= now);
        let due = self.table.window.due().is_some_and(|due| due <= now);
        if due || retry || !self.table.alone.is_empty() {
            self.converge(now, mode, true);
        } else if std::mem::take(&mut self.table.look_again) {
            self.converge(now, mode, false);
        }
        if self.table.busy.is_none() && self.table.audit_due.is_some_and(|due| due <= now) {
            self.give(Busy::Audit, Job::Read(self.table.text.clone()));
        }
    }

    /// When the table needs attention though nothing happens.
    pub(super) fn table_wakeup(&self) -> Option<Duration> {
        if self.table.busy.is_some() || self.table_mode().is_none() {
            return None;
        }
        if self
            .leaving
            .as_ref()
            .is_some_and(|leaving| leaving.withdrawn || !leaving.foreign.is_empty())
        {
            return None;
        }
        if !self.table.trusted {
            return Some(self.table.read_again);
        }
        let retry = self
            .table
            .troubles
            .values()
            .map(|trouble| trouble.retry_at)
            .min();
        let soon = (!self.table.alone.is_empty()).then_some(Duration::ZERO);
        let confirm = self
            .table
            .first_reading
            .as_ref()
            .map(|_| self.table.confirm_at);
        [
            self.table.window.due(),
            self.table.audit_due,
            retry,
            soon,
            confirm,
            self.departures_end(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn give(&mut self, busy: Busy, job: Job) {
        self.table.busy = Some(busy);
        self.actions.push_back(Action::Tool(job));
    }

    /// Sends the difference between the actual and the desired table, or finds that there is none.
    fn converge(&mut self, now: Duration, mode: Mode, may_write: bool) {
        if may_write && self.prepare(now, mode) {
            return;
        }
        let own = self.table.own(&self.plan, mode);
        let wanted = desired(
            &self.plan,
            &self.health,
            &self.finishing,
            &self.table.record,
            mode,
        );
        let mut operations = ipvs::diff(&restricted(&self.table.record, &own), &wanted);
        let needed: BTreeSet<Place> = operations.iter().map(place).collect();
        self.table
            .troubles
            .retain(|place, _| needed.contains(place));
        if self.leaving.is_none() {
            operations.retain(|operation| !self.table.is_blocked(operation, now));
        }
        if !may_write {
            if operations.is_empty() {
                self.settled(mode);
            }
            return;
        }
        self.table.window.taken(now, !operations.is_empty());
        if let Some(id) = self.table.alone.pop_front() {
            operations.retain(|operation| place(operation).0 == id);
            self.table.look_again = true;
        }
        if operations.is_empty() {
            self.settled(mode);
        } else if self.may_try_again() {
            self.table.owned.clone_from(&own);
            self.actions.push_back(Action::Own(own));
            let write = Write {
                operations,
                ..Write::default()
            };
            self.give(Busy::Write(write.clone()), Job::Write(write));
        }
    }

    /// `--set` and `-C`, before everything else as the original did it; whether there was any.
    fn prepare(&mut self, now: Duration, mode: Mode) -> bool {
        if mode != Mode::Active {
            return false;
        }
        let write = Write {
            timeouts: (self.plan.timeouts != self.table.timeouts && self.plan.timeouts != [0; 3])
                .then_some(self.plan.timeouts),
            clear: self.plan.clear_table && !self.table.cleared,
            operations: Vec::new(),
        };
        self.table.timeouts = self.plan.timeouts;
        self.table.cleared = true;
        if write == Write::default() {
            return false;
        }
        self.table.window.urgent(now);
        self.give(Busy::Write(write.clone()), Job::Write(write));
        true
    }

    /// At the end the tries are counted.
    fn may_try_again(&mut self) -> bool {
        let Some(leaving) = &mut self.leaving else {
            return true;
        };
        leaving.attempts += 1;
        if leaving.attempts <= WITHDRAWALS {
            return true;
        }
        leaving.withdrawn = true;
        leaving.status = FAILED;
        self.log("entries of lvs stay in the table".to_owned());
        false
    }

    /// Actual and desired table agree, except for what is refused.
    fn settled(&mut self, mode: Mode) {
        if let Some(leaving) = &mut self.leaving {
            leaving.withdrawn = true;
        } else {
            self.table.settled = Some(mode);
        }
        let plan = &self.plan;
        let record = &self.table.record;
        let own: BTreeSet<ServiceId> = self
            .table
            .own(plan, mode)
            .into_iter()
            .filter(|id| record.contains_key(id) || mode.serves() && plan.services.contains_key(id))
            .collect();
        if own != self.table.owned {
            self.table.owned.clone_from(&own);
            self.actions.push_back(Action::Own(own));
        }
        if std::mem::take(&mut self.reloading) {
            self.actions.push_back(Action::Tell(Message::Reloaded));
        }
        if !std::mem::replace(&mut self.settled_once, true) {
            self.actions.push_back(Action::Settled);
        }
    }

    /// A new role: what was settled for the old one says nothing.
    pub(super) fn unsettle(&mut self) {
        self.table.settled = None;
    }
}
