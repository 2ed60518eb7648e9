//! How long verdicts are collected before they are written as one batch.
//!
//! A lone change goes out almost at once; in a storm of changes the batches get rarer, so that their
//! number stays small and none waits longer than [`LONGEST`].

use std::time::Duration;

/// The pause before a change that comes alone.
const SHORTEST: Duration = Duration::from_millis(4);
/// The longest pause.
const LONGEST: Duration = Duration::from_millis(200);
/// After this time without a batch the next change counts as alone.
const QUIET: Duration = Duration::from_secs(1);

/// The pause before the next batch.
#[derive(Debug, Clone)]
pub struct Window {
    length: Duration,
    last: Option<Duration>,
    due: Option<Duration>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            length: SHORTEST,
            last: None,
            due: None,
        }
    }
}

impl Window {
    /// A change came; the first of a window sets its end.
    pub fn changed(&mut self, now: Duration) {
        if self.due.is_none() {
            let storm = self
                .last
                .is_some_and(|last| now.saturating_sub(last) < QUIET);
            self.length = if storm {
                (self.length * 2).min(LONGEST)
            } else {
                SHORTEST
            };
            self.due = Some(now + self.length);
        }
    }

    /// A change came that waits for nothing more.
    pub fn urgent(&mut self, now: Duration) {
        self.due = Some(now);
    }

    /// When the next batch is due.
    pub const fn due(&self) -> Option<Duration> {
        self.due
    }

    /// The changes so far are on their way; `wrote`: they made a batch.
    pub fn taken(&mut self, now: Duration, wrote: bool) {
        self.due = None;
        if wrote {
            self.last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_lone_change_waits_a_few_milliseconds() {
        let mut window = Window::default();
        for start in [0, 5_000, 20_000] {
            window.changed(millis(start));
            assert_eq!(window.due(), Some(millis(start + 4)));
            window.taken(millis(start + 4), true);
        }
    }

    /// A thousand servers die within two seconds, a batch takes 30 ms.
    #[test]
    fn a_storm_makes_few_batches_and_none_is_late() {
        let mut window = Window::default();
        let (mut batches, mut busy_until) = (0, 0);
        let mut waiting: Option<u64> = None;
        for now in 0..2_500 {
            if now < 2_000 && now % 2 == 0 {
                window.changed(millis(now));
                waiting.get_or_insert(now);
            }
            if now >= busy_until && window.due().is_some_and(|due| due <= millis(now)) {
                assert!(now - waiting.take().unwrap() <= 230, "late at {now}");
                window.taken(millis(now), true);
                batches += 1;
                busy_until = now + 30;
            }
        }
        assert!(waiting.is_none());
        assert!(batches <= 16, "{batches} batches");
    }
}
