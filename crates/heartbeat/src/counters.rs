//! How many heartbeats were refused, and why.

use crate::WireError;
use crate::auth::Rejected;

/// Since the start. What was refused changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Too short for a heartbeat.
    pub short: u64,
    /// No heartbeat of this mode.
    pub incompatible: u64,
    /// Without a tag, where one is asked for.
    pub untagged: u64,
    /// With a wrong tag.
    pub forged: u64,
    /// This router's own.
    pub reflected: u64,
    /// Older than what was known of the same run, or of a run before it.
    pub replayed: u64,
    /// With a good tag, but no proof of being of this moment.
    pub stale: u64,
}

impl Counters {
    /// Takes note of what [`Guard::open`](crate::auth::Guard::open) refused.
    pub(crate) fn count(&mut self, why: Rejected) {
        let counter = match why {
            Rejected::Wire(WireError::Short { .. }) => &mut self.short,
            Rejected::Wire(WireError::Incompatible { .. }) => &mut self.incompatible,
            Rejected::Untagged => &mut self.untagged,
            Rejected::Forged => &mut self.forged,
        };
        *counter = counter.saturating_add(1);
    }
}
