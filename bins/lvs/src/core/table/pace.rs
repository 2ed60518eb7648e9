//! When the table is read again: in time to repair within the interval, rarely where reading is dear.
//!
//! Owns the arithmetic; reads nothing.

use std::collections::VecDeque;
use std::time::Duration;

/// Audits take at most this part of the time, as far as [`LATEST`] allows it.
const SHARE: u32 = 100;
/// What others change is repaired within this time (fault F18), unless a reading alone takes longer than
/// [`DEAR`].
const LATEST: Duration = Duration::from_secs(10);
/// A table that takes so long to read is read as rarely as [`SHARE`] demands.
const DEAR: Duration = Duration::from_secs(1);
/// Readings that count: a busy machine makes some of them slow, and the table may grow.
const READINGS: usize = 8;
/// Calls of the tool between an audit that is due and the repair: audit, confirmation, repair, and one more
/// for a change just after the last reading began.
const CALLS: u32 = 4;

/// How long the last readings took.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    took: VecDeque<Duration>,
}

impl Pace {
    /// A reading was done.
    pub(super) fn read(&mut self, took: Duration) {
        self.took.push_back(took);
        if self.took.len() > READINGS {
            self.took.pop_front();
        }
    }

    /// The pause before the next audit where `audit_interval` is `interval`.
    pub(super) fn pause(&self, interval: Duration) -> Duration {
        let best = self.took.iter().min().copied().unwrap_or_default();
        let slow = self.took.iter().max().copied().unwrap_or_default();
        let early = |limit: Duration| {
            let calls = slow.min(DEAR) * CALLS;
            limit.saturating_sub(calls.max(limit / 10)).max(limit / 2)
        };
        let share = best * SHARE;
        let share = if best > DEAR {
            share
        } else {
            share.min(early(LATEST))
        };
        early(interval).max(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn pause(interval: u64, took: &[u64]) -> u128 {
        let mut pace = Pace::default();
        took.iter().for_each(|took| pace.read(millis(*took)));
        pace.pause(millis(interval)).as_millis()
    }

    #[test]
    fn a_repair_ends_within_the_interval_however_slow_up_to_a_second() {
        for took in [1, 50, 150, 500, 1_000] {
            let pause = pause(10_000, &[took]);
            assert!(pause + 4 * u128::from(took) <= 10_000, "{took}: {pause}");
            assert!(pause >= 5_000);
        }
        assert_eq!(pause(10_000, &[5]), 9_000);
    }

    #[test]
    fn audits_take_at_most_a_hundredth_where_the_limit_allows_it() {
        assert_eq!(pause(1_000, &[5]), 900);
        assert_eq!(pause(1_000, &[20]), 2_000);
        assert_eq!(pause(1_000, &[80]), 8_000);
        assert_eq!(pause(1_000, &[150]), 9_000);
        assert_eq!(pause(10_000, &[1_500]), 150_000);
        assert_eq!(pause(60_000, &[80]), 54_000);
    }

    #[test]
    fn a_slow_reading_among_others_stretches_nothing() {
        assert_eq!(pause(10_000, &[20, 20, 150]), 9_000);
        assert_eq!(pause(10_000, &[3_000, 50]), 6_000);
        // Old readings are forgotten.
        let grown: Vec<u64> = [5].into_iter().chain([2_000; READINGS]).collect();
        assert_eq!(pause(10_000, &grown), 200_000);
    }
}
