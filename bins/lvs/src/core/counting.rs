//! Counts of connections and packets: taken again and again while lvs serves, beside all other work.
//!
//! For people, and for inactive servers that leave when their connections are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Action, Core};
use crate::connections::Connections;
use crate::desired::Mode;
use crate::health::Key;
use crate::time::Now;
use crate::tool::Failure;

/// Pause between two counts ...
const PAUSE: Duration = Duration::from_secs(2);
/// ... that take at most this part of the time.
const SHARE: u32 = 50;
/// Pause after one that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// The last count and the next one.
#[derive(Debug, Default)]
pub(super) struct Counting {
    last: Option<Connections>,
    due: Duration,
    /// A count is being taken; these servers took no new connections when it began.
    running: Option<BTreeSet<Key>>,
    failed: bool,
}

impl Core {
    /// The connections as last counted.
    pub const fn connections(&self) -> Option<&Connections> {
        self.counting.last.as_ref()
    }

    fn counts(&self) -> bool {
        self.mode == Some(Mode::Active) && self.table.is_known() && self.leaving.is_none()
    }

    pub(super) fn advance_counts(&mut self, now: Duration) {
        if !self.counts() {
            self.counting.last = None;
            return;
        }
        if self.counting.running.is_some() || self.counting.due > now {
            return;
        }
        let record = self.table.record();
        let weight = |key: &Key| Some(record.get(&key.0)?.servers.get(&key.1)?.weight);
        let quiet = |key: &&Key| weight(key).is_none_or(|weight| weight == 0);
        let quiet = self.departing.keys().filter(quiet).copied().collect();
        self.counting.running = Some(quiet);
        self.actions.push_back(Action::Count);
    }

    /// When the next count is due.
    pub(super) fn counts_wakeup(&self) -> Option<Duration> {
        (self.counts() && self.counting.running.is_none()).then_some(self.counting.due)
    }

    /// Servers that leave are counted soon.
    pub(super) fn count_soon(&mut self, now: Duration) {
        self.counting.due = self.counting.due.min(now + PAUSE);
    }

    pub(super) fn counted(
        &mut self,
        now: Now,
        counted: Result<Connections, Failure>,
        took: Duration,
    ) {
        let now = now.steady;
        let quiet = self.counting.running.take().unwrap_or_default();
        match counted {
            Ok(connections) => {
                self.counting.failed = false;
                self.counting.due = now + PAUSE.max(took * SHARE);
                self.end_quiet(now, &quiet, &connections);
                self.changed |= self.counting.last.as_ref() != Some(&connections);
                self.counting.last = Some(connections).filter(|_| self.counts());
            }
            Err(failure) => {
                self.counting.due = now + AFTER_FAILURE;
                self.changed |= self.counting.last.take().is_some();
                // The time limit of those that leave stands.
                if !std::mem::replace(&mut self.counting.failed, true) {
                    self.log(format!("cannot count connections: {failure}"));
                }
            }
        }
    }
}
