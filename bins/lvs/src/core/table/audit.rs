//! Audits: the table is read again and again, and what others changed is put right.
//!
//! A difference counts when a second reading shows it too.

use std::sync::Arc;
use std::time::Duration;

use ipvs::Table;

use crate::core::Core;
use crate::desired::{Mode, restricted};

/// Pause before the second reading, in which somebody who is at it may finish.
const CONFIRM: Duration = Duration::from_millis(100);
/// Pause before another look at a table that others are changing.
const BUSY: Duration = Duration::from_secs(1);

impl Core {
    pub(super) fn audited(&mut self, now: Duration, table: Table, text: Arc<str>) {
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
            self.table.take(table, text);
        } else {
            self.table.first_reading = Some(found);
            self.table.confirm_at = now + CONFIRM;
        }
    }

    /// A second reading: what both show is real.
    pub(super) fn confirmed(&mut self, now: Duration, table: Table, text: Arc<str>) {
        let mode = self.mode.unwrap_or(Mode::Standby);
        let own = self.table.own(&self.plan, mode);
        let found = restricted(&table, &own);
        let first = self.table.first_reading.take();
        let known = restricted(&self.table.record, &own);
        if found == known {
            self.table.take(table, text);
            return;
        }
        if first.as_ref() != Some(&found) {
            // Somebody is still at it.
            self.table.audit_due = Some(now + BUSY);
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
        self.table.take(table, text);
        self.table.window.urgent(now);
        let shown = changes
            .iter()
            .take(5)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = if changes.len() > 5 { ", ..." } else { "" };
        self.log(format!(
            "others changed the table, repairing it: {shown}{more} (differences: {})",
            changes.len()
        ));
    }
}
