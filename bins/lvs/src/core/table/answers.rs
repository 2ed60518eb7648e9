//! What the tool's answers mean: a table read, a batch done, a change refused.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ipvs::{Operation, ServiceId, Table};

use super::{Attempt, Busy, RETRY, RETRY_LONGEST, Trouble, place};
use crate::core::{Action, Core, FAILED, Line, Message};
use crate::desired::{Mode, desired, restricted};
use crate::identity;
use crate::time::Now;
use crate::tool::{Failure, Outcome, Reading, Tool, Write, Written};

impl Core {
    pub(in crate::core) fn tool_answered(&mut self, now: Now, outcome: Outcome, took: Duration) {
        let now = now.steady;
        self.changed = true;
        match (self.table.busy.take(), outcome) {
            (Some(Busy::Write(write)), Outcome::Written(written)) => {
                self.written(now, write, written);
            }
            (Some(busy), Outcome::Table(Ok(reading))) => {
                self.table.read_pause = Duration::ZERO;
                self.table.complaint = None;
                self.table.pace.read(took);
                self.plan_audit(now);
                if matches!(busy, Busy::Audit) {
                    self.table.audits.count += 1;
                    self.table.audits.last = took;
                }
                match (busy, reading) {
                    (_, Reading::Same) => self.table.first_reading = None,
                    (Busy::Audit, Reading::New(table, text)) => self.audited(now, table, text),
                    (Busy::Confirm, Reading::New(table, text)) => {
                        self.confirmed(now, table, text);
                    }
                    (Busy::Read | Busy::Write(_), Reading::New(table, text)) => {
                        self.was_read(now, table, text);
                    }
                }
            }
            (Some(busy), Outcome::Table(Err(failure))) => self.unread(now, &busy, failure),
            (None, _) | (_, Outcome::Written(_)) => {}
        }
    }

    fn was_read(&mut self, now: Duration, table: Table, text: Arc<str>) {
        let mode = self.table_mode().unwrap_or(Mode::Standby);
        let own = self.table.own(&self.plan, mode);
        let seen = table.keys().any(|id| own.contains(id));
        let expected = self.table.record.keys().any(|id| own.contains(id));
        self.table.readable |= seen;
        if self.is_foreign_tool() && !self.table.readable && expected {
            self.go_by_record("it prints nothing");
        } else {
            self.table.take(table, text);
        }
        self.known(now);
        if let Some(attempt) = self.table.attempt.take() {
            self.judge(now, mode, attempt);
        }
    }

    fn plan_audit(&mut self, now: Duration) {
        let interval = self.plan.audit;
        self.table.audit_due = interval.map(|interval| now + self.table.pace.pause(interval));
    }

    fn known(&mut self, now: Duration) {
        if !std::mem::replace(&mut self.table.known, true) {
            self.release_lines();
            self.depart_found(now);
        }
        self.table.trusted = true;
        self.table.window.urgent(now);
    }

    /// After a batch that did not go well: what is still missing was refused.
    fn judge(&mut self, now: Duration, mode: Mode, attempt: Attempt) {
        let own = self.table.own(&self.plan, mode);
        let wanted = desired(
            &self.plan,
            &self.health,
            &self.finishing,
            &self.table.record,
            mode,
        );
        let mut missing = ipvs::diff(&restricted(&self.table.record, &own), &wanted);
        // A service that somebody else removed meanwhile is no reason to blame its servers.
        let record = &self.table.record;
        let fits = |operation: &Operation| match operation {
            Operation::AddServer(id, _) => record.contains_key(id) || attempt.added.contains(id),
            _ => true,
        };
        missing.retain(fits);
        // `diff` orders its operations, so that each is found once.
        let missing: Vec<(Operation, String)> = attempt
            .operations
            .into_iter()
            .filter(|(operation, _)| missing.contains(operation))
            .collect();
        let services: BTreeSet<ServiceId> = missing
            .iter()
            .map(|(operation, _)| place(operation).0)
            .collect();
        if attempt.stopped && services.len() > 1 {
            self.table.alone = services.into_iter().collect();
            return;
        }
        for (operation, message) in missing {
            self.refused(now, &operation, &message);
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
            let text = format!("ipvsadm failed for virtual server {name}!");
            self.log(Line::about(&name, text));
        } else {
            self.log(format!("{} command failed!", self.plan.ipvsadm));
        }
        self.log(format!("{operation}: {message}"));
    }

    fn written(&mut self, now: Duration, write: Write, written: Written) {
        if let (Some([tcp, tcpfin, udp]), Some(message)) = (write.timeouts, written.timeouts_failed)
        {
            self.log(format!(
                "ipvsadm failed to set timeouts ({tcp} {tcpfin} {udp})"
            ));
            self.log(message);
        }
        if write.clear || !written.done.is_empty() {
            self.table.text = None;
        }
        if write.clear {
            self.table.record.clear();
            self.table.trusted &= !written.clear_failed;
        }
        for operation in &written.done {
            ipvs::apply(&mut self.table.record, operation);
        }
        self.table.look_again = true;
        self.table.batches.count += 1;
        self.table.batches.operations += write.operations.len() as u64;
        if write.operations.is_empty() {
            return;
        }
        for (operation, message) in &written.refused {
            self.refused(now, operation, message);
        }
        if !written.doubtful.is_empty() {
            let added = write
                .operations
                .iter()
                .filter_map(|operation| match operation {
                    Operation::AddService(service) => Some(service.id),
                    _ => None,
                });
            self.table.attempt = Some(Attempt {
                added: added.collect(),
                operations: written.doubtful,
                stopped: written.stopped,
            });
        }
        if !written.refused.is_empty() || self.table.attempt.is_some() {
            self.table.trusted = self.table.by_record;
        }
    }

    fn unread(&mut self, now: Duration, busy: &Busy, failure: Failure) {
        self.table.first_reading = None;
        self.plan_audit(now);
        let hopeless = matches!(
            failure,
            Failure::Unusable(_) | Failure::Start { missing: true, .. }
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
            self.known(now);
            return;
        }
        if self.leaving.is_some() {
            self.known(now);
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
        self.table.text = None;
    }
}
