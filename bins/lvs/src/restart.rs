//! When a checker that died is started again: at once, and with growing pauses when it keeps dying.
//!
//! Owns the arithmetic; starts nothing.

use std::collections::VecDeque;
use std::time::Duration;

/// Deaths within [`WINDOW`] from which on there are pauses.
const DEATHS: usize = 5;
/// The time in which deaths are counted, and the life that ends the pauses.
const WINDOW: Duration = Duration::from_secs(60);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// The deaths of one checker.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    deaths: VecDeque<Duration>,
    level: u32,
}

impl Backoff {
    /// Counts a death at `now` of a process started at `started`; the pause before the next start.
    pub fn died(&mut self, started: Duration, now: Duration) -> Duration {
        if now.saturating_sub(started) >= WINDOW {
            *self = Self::default();
        }
        self.deaths.push_back(now);
        while self
            .deaths
            .front()
            .is_some_and(|first| now.saturating_sub(*first) >= WINDOW)
        {
            self.deaths.pop_front();
        }
        if self.level > 0 || self.deaths.len() >= DEATHS {
            self.level = (self.level + 1).min(6);
        }
        match self.level {
            0 => Duration::ZERO,
            level => LONGEST.min(Duration::from_secs(1 << (level - 1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn four_deaths_cost_nothing_then_pauses_grow_to_thirty_seconds() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..11)
            .map(|n| backoff.died(seconds(n), seconds(n)).as_secs())
            .collect();
        assert_eq!(pauses, [0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn rare_deaths_never_pause() {
        let mut backoff = Backoff::default();
        for n in 0..100 {
            assert_eq!(
                backoff.died(seconds(n * 15), seconds(n * 15 + 14)),
                Duration::ZERO
            );
        }
    }

    #[test]
    fn a_minute_of_life_ends_the_pauses() {
        let mut backoff = Backoff::default();
        for n in 0..8 {
            backoff.died(seconds(n), seconds(n));
        }
        assert_eq!(backoff.died(seconds(100), seconds(160)), Duration::ZERO);
    }
}
