//! When to start a dead lvs again, and when to give up and let the partner do it.
//!
//! Owns the record of deaths. Must not know how lvs is started.

use std::collections::VecDeque;
use std::time::Duration;

/// Deaths within [`WINDOW`] after which lvs counts as failing.
const DEATHS: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Default)]
pub(crate) struct LvsWatch {
    /// Times of deaths since lvs was last ready.
    deaths: VecDeque<Duration>,
    delay: Duration,
    restart_at: Option<Duration>,
}

impl LvsWatch {
    pub(crate) fn ready(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn died(&mut self, now: Duration) {
        if self
            .deaths
            .back()
            .is_some_and(|&death| now.saturating_sub(death) > WINDOW)
        {
            self.delay = Duration::ZERO;
        }
        self.deaths.push_back(now);
        while self
            .deaths
            .front()
            .is_some_and(|&death| now.saturating_sub(death) > WINDOW)
            || self.deaths.len() > DEATHS
        {
            self.deaths.pop_front();
        }
    }

    /// Whether it died so often that a healthy partner should take over.
    pub(crate) fn is_failing(&self) -> bool {
        self.deaths.len() >= DEATHS || !self.delay.is_zero()
    }

    /// Whether it did of late: later, it may work again, which only an attempt can tell.
    pub(crate) fn is_failing_at(&self, now: Duration) -> bool {
        let last = self.deaths.back();
        self.is_failing() && last.is_some_and(|&death| now.saturating_sub(death) <= WINDOW)
    }

    /// Plans the next start; gives the delay, zero for "at once".
    pub(crate) fn plan_restart(&mut self, now: Duration) -> Duration {
        self.delay = if self.is_failing() {
            (self.delay * 2).clamp(Duration::from_secs(1), LONGEST_DELAY)
        } else {
            Duration::ZERO
        };
        self.restart_at = Some(now + self.delay);
        self.delay
    }

    /// Whether the planned start is due; tells so once.
    pub(crate) fn take_due(&mut self, now: Duration) -> bool {
        self.restart_at.take_if(|at| now >= *at).is_some()
    }

    pub(crate) fn cancel(&mut self) {
        self.restart_at = None;
    }

    pub(crate) fn restart_at(&self) -> Option<Duration> {
        self.restart_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn four_deaths_restart_at_once_then_back_off_to_half_a_minute() {
        let mut watch = LvsWatch::default();
        let mut delays = Vec::new();
        let mut now = s(100);
        for _ in 0..11 {
            now += s(1);
            watch.died(now);
            let delay = watch.plan_restart(now);
            delays.push(delay.as_secs());
            now += delay;
            assert!(watch.take_due(now));
            assert!(!watch.take_due(now));
        }
        assert_eq!(delays, [0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn ready_and_time_forgive() {
        let mut watch = LvsWatch::default();
        for second in 0..4 {
            watch.died(s(second));
        }
        watch.died(s(61));
        assert!(!watch.is_failing(), "the first death is over a minute ago");
        watch.died(s(61));
        assert!(watch.is_failing());
        watch.ready();
        watch.died(s(62));
        assert!(!watch.is_failing());
    }
}
