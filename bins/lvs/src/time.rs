//! The time of an event, as the decisions see it.
//!
//! Decisions use only the steady clock; the wall clock is for people who read the status.

use std::time::Duration;

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Steady clock that counts suspended time too.
    pub steady: Duration,
    /// Milliseconds of the Unix epoch.
    pub wall: u64,
}

impl Now {
    /// A time by its steady seconds, for tests.
    #[cfg(test)]
    pub(crate) const fn at(seconds: u64) -> Self {
        Self {
            steady: Duration::from_secs(seconds),
            wall: seconds * 1000,
        }
    }
}
