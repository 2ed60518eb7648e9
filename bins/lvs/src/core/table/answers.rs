//! What the tool's answers mean: a table read, a batch done, a change refused.

use std::collections::BTreeSet;
use std::time::Duration;

use ipvs::{Operation, ServiceId, Table};

use super::{AUDIT_SHARE, Attempt, Busy, RETRY, RETRY_LONGEST, Trouble, place};
use crate::core::{Action, Core, FAILED, Message};
use crate::desired::{Mode, desired, restricted};
use crate::identity;
use crate::time::Now;
use crate::tool::{Failure, Outcome, Tool, Write, Written};

impl Core {
    pub(in crate::core) fn tool_answered(&mut self, now: Now, outcome: Outcome, took: Duration) {
        let now = now.steady;
        self.changed = true;
        match (self.table.busy.take(), outcome) {
            (Some(Busy::Write(write)), Outcome::Written(written)) => {
                self.written(now, write, written);
            }
            (Some(busy), Outcome::Table(Ok(table))) => {
                self.table.read_pause = Duration::ZERO;
                self.table.complaint = None;
                let pause = self
                    .plan
                    .audit
                    .map(|interval| interval.max(took * AUDIT_SHARE));
                self.table.audit_due = pause.map(|pause| now + pause);
                match busy {
                    Busy::Audit => self.audited(table),
                    Busy::Confirm => self.confirmed(now, table),
                    Busy::Read | Busy::Write(_) => self.was_read(now, table),
                }
            }
            (Some(busy), Outcome::Table(Err(failure))) => self.unread(now, &busy, failure),
            (None, _) | (_, Outcome::Written(_)) => {}
        }
    }

    fn was_read(&mut self, now: Duration, table: Table) {
        let mode = self.table_mode().unwrap_or(Mode::Standby);
        let own = self.table.own(&self.plan, mode);
        let seen = table.keys().any(|id| own.contains(id));
        let expected = self.table.record.keys().any(|id| own.contains(id));
        self.table.readable |= seen;
        if self.is_foreign_tool() && !self.table.readable && expected {
            self.go_by_record("it prints nothing");
        } else {
            self.table.record = table;
        }
        self.table.known = true;
        self.table.trusted = true;
        self.table.window.urgent(now);
        if let Some(attempt) = self.table.attempt.take() {
            self.judge(now, mode, attempt);
        }
    }

    /// After a batch that did not go well: what is still missing was refused.
    fn judge(&mut self, now: Duration, mode: Mode, attempt: Attempt) {
        let own = self.table.own(&self.plan, mode);
        let wanted = desired(&self.plan, &self.health, &self.table.record, mode);
        let mut missing = ipvs::diff(&restricted(&self.table.record, &own), &wanted);
        let added = |id: &ServiceId| {
            attempt.operations.iter().any(
                |operation| matches!(operation, Operation::AddService(service) if service.id == *id),
            )
        };
        // A service that somebody else removed meanwhile is no reason to blame its servers.
        let record = &self.table.record;
        let fits = |operation: &Operation| match operation {
            Operation::AddServer(id, _) => record.contains_key(id) || added(id),
            _ => true,
        };
        missing.retain(|operation| attempt.operations.contains(operation) && fits(operation));
        let services: BTreeSet<ServiceId> =
            missing.iter().map(|operation| place(operation).0).collect();
        if attempt.stopped && services.len() > 1 {
            self.table.alone = services.into_iter().collect();
            return;
        }
        for operation in missing {
            self.refused(now, &operation, &attempt.message);
        }
    }

    fn refused(&mut self, now: Duration, operation: &Operation, message: &str) {
        let place = place(operation);
        let whole_service = matches!(operation, Operation::AddService(_));
        let old = self.table.troubles.get(&place);
        let pause = old.map_or(RETRY, |old| (old.pause * 2).min(RETRY_LONGEST));
        let told = old.is_some_and(|old| old.message == message);
        let message = message.to_owned();
        let inherits = !whole_service
            && self
                .table
                .troubles
                .get(&(place.0, None))
                .is_some_and(|service| service.whole_service);
        let trouble = Trouble {
            message: message.clone(),
            retry_at: now + pause,
            pause,
            whole_service,
        };
        self.table.troubles.insert(place, trouble);
        // Servers of a service that could not be added need no words of their own.
        if told || inherits {
            return;
        }
        if place.1.is_none() {
            let name = self
                .plan
                .services
                .get(&place.0)
                .map(|service| service.name.clone());
            let name = name.unwrap_or_else(|| identity::service_text(&place.0));
            self.log(format!("ipvsadm failed for virtual server {name}!"));
        } else {
            self.log(format!("{} command failed!", self.plan.ipvsadm));
        }
        self.log(format!("{operation}: {message}"));
    }

    fn written(&mut self, now: Duration, write: Write, written: Written) {
        let failed = written.unclear.as_ref().map(ToString::to_string);
        if let Some([tcp, tcpfin, udp]) = write.timeouts
            && (written.timeouts_failed || failed.is_some())
        {
            self.log(format!(
                "ipvsadm failed to set timeouts ({tcp} {tcpfin} {udp})"
            ));
            failed.iter().for_each(|message| self.log(message.clone()));
        }
        if write.clear {
            self.table.record.clear();
            self.table.trusted &= failed.is_none();
        }
        for operation in &written.done {
            ipvs::apply(&mut self.table.record, operation);
        }
        self.table.look_again = true;
        if write.operations.is_empty() {
            return;
        }
        for (operation, message) in &written.refused {
            self.refused(now, operation, message);
        }
        if let Some(message) = failed {
            let (operations, stopped) = (write.operations, written.stopped);
            self.table.attempt = Some(Attempt {
                operations,
                message,
                stopped,
            });
        }
        if !written.refused.is_empty() || self.table.attempt.is_some() {
            self.table.trusted = self.table.by_record;
        }
    }

    fn unread(&mut self, now: Duration, busy: &Busy, failure: Failure) {
        self.table.first_reading = None;
        self.table.audit_due = self.plan.audit.map(|interval| now + interval);
        let hopeless = matches!(
            failure,
            Failure::Unusable { .. } | Failure::Start { missing: true, .. }
        );
        let text = failure.to_string();
        if !self.table.known && hopeless && self.leaving.is_none() {
            self.actions
                .push_back(Action::Tell(Message::Refused(0, text.clone())));
            self.actions.push_back(Action::Exit(FAILED, Some(text)));
            return;
        }
        if self.is_foreign_tool() && !self.table.readable {
            self.go_by_record(&text);
            self.table.known = true;
            self.table.trusted = true;
            self.table.window.urgent(now);
            return;
        }
        if self.leaving.is_some() {
            self.table.trusted = true;
            self.table.known = true;
            self.log(text);
            self.may_try_again();
            return;
        }
        if self.table.complaint.as_ref() != Some(&text) {
            self.log(format!("cannot read the table: {text}"));
            self.table.complaint = Some(text);
        }
        if matches!(busy, Busy::Read) {
            let pause = (self.table.read_pause * 2).clamp(RETRY, RETRY_LONGEST);
            self.table.read_pause = pause;
            self.table.read_again = now + pause;
        }
    }

    pub(super) fn is_foreign_tool(&self) -> bool {
        matches!(Tool::choose(&self.plan.ipvsadm), Tool::Single(_))
    }

    pub(super) fn go_by_record(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.table.by_record, true) {
            self.log(format!(
                "{} -Sn does not show the table ({reason}): going by what was written",
                self.plan.ipvsadm
            ));
        }
        self.table.audit_due = None;
    }
}
