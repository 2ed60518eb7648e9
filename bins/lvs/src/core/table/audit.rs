//! Audits: the table is read again and again, and what others changed is put right.
//!
//! A difference counts when a second reading shows it too.

use std::time::Duration;

use ipvs::{Operation, Table};

use super::RETRY;
use crate::core::Core;
use crate::desired::{Mode, restricted};

impl Core {
    pub(super) fn audited(&mut self, table: Table) {
        if self.table.by_record {
            self.table.audit_due = None;
            return;
        }
        let own = self
            .table
            .own(&self.plan, self.mode.unwrap_or(Mode::Standby));
        let (found, known) = (
            restricted(&table, &own),
            restricted(&self.table.record, &own),
        );
        if found == known {
            self.table.record = table;
        } else {
            self.table.first_reading = Some(found);
        }
    }

    /// A second reading: what both show is real.
    pub(super) fn confirmed(&mut self, now: Duration, table: Table) {
        let mode = self.mode.unwrap_or(Mode::Standby);
        let own = self.table.own(&self.plan, mode);
        let found = restricted(&table, &own);
        let first = self.table.first_reading.take();
        let known = restricted(&self.table.record, &own);
        if found == known {
            self.table.record = table;
            return;
        }
        if first.as_ref() != Some(&found) {
            // Somebody is still at it.
            self.table.audit_due = Some(now + RETRY);
            return;
        }
        if found.is_empty() && self.is_foreign_tool() && !self.table.readable {
            self.go_by_record("it prints nothing");
            return;
        }
        self.table.readable |= !found.is_empty();
        let changes: Vec<String> = ipvs::diff(&known, &found)
            .iter()
            .map(ToString::to_string)
            .collect();
        let local = self.find_local(&known, &found);
        self.table.record = table;
        let mut record = std::mem::take(&mut self.table.record);
        self.table.normalize(&self.plan, &mut record);
        self.table.record = record;
        self.table.window.urgent(now);
        if changes.len() > local {
            let shown = changes
                .iter()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            let more = if changes.len() > 5 { ", ..." } else { "" };
            self.log(format!(
                "the table differs from what was written, repairing it: {shown}{more} (differences: {})",
                changes.len()
            ));
        }
    }

    /// Servers whose forwarding method the kernel changes again after each repair: they are addresses of this
    /// machine, delivered locally, which a saved table shows as direct routing. How many were recognized.
    fn find_local(&mut self, known: &Table, found: &Table) -> usize {
        let mut recognized = 0;
        for operation in ipvs::diff(known, found) {
            let Operation::EditServer(id, server) = &operation else {
                continue;
            };
            let before = known
                .get(id)
                .and_then(|entry| entry.servers.get(&server.id));
            let only_forward = before.is_some_and(|before| {
                ipvs::Server {
                    forward: before.forward,
                    ..server.clone()
                } == *before
            });
            if !only_forward || server.forward != ipvs::Forward::DirectRoute {
                continue;
            }
            let key = (*id, server.id);
            if !self.table.suspected_local.insert(key) {
                self.table.local.insert(key);
                recognized += 1;
                let name = self.plan.server_name(&key).unwrap_or_default();
                self.log(format!(
                    "{name} is an address of this machine: the kernel delivers locally"
                ));
            }
        }
        recognized
    }
}
