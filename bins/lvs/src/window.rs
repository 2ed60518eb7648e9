//! How long verdicts are collected before they are written as one batch.
//!
//! A lone change goes out almost at once. In a storm of changes the batches get rarer, so that their number
//! stays small; the last change of a storm does not wait for more.

use std::time::Duration;

/// The pause before a change that comes alone.
const SHORTEST: Duration = Duration::from_millis(4);
/// The longest pause while changes keep coming, at least and at most.
const LONGEST: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// A storm has ended when no change came for this time.
const LULL: Duration = Duration::from_millis(100);
/// After this time without a batch the next change counts as alone.
const QUIET: Duration = Duration::from_secs(1);
/// While all servers change once within their interval, full windows make this many batches.
const BATCHES: u32 = 6;

/// The pause before the next batch.
#[derive(Debug, Clone)]
pub struct Window {
    longest: Duration,
    length: Duration,
    last_batch: Option<Duration>,
    /// When the window ends whatever comes, and when it ends if nothing more comes.
    end: Option<(Duration, Duration)>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            longest: LONGEST.0,
            length: SHORTEST,
            last_batch: None,
            end: None,
        }
    }
}

impl Window {
    /// Servers are checked every `interval`: a storm of their verdicts lasts that long.
    pub fn expect_storms_of(&mut self, interval: Duration) {
        self.longest = (interval / BATCHES).clamp(LONGEST.0, LONGEST.1);
    }

    /// A change came; the first of a window sets its end.
    pub fn changed(&mut self, now: Duration) {
        let end = match self.end {
            Some((end, _)) => end,
            None => {
                let storm = self
                    .last_batch
                    .is_some_and(|last| now.saturating_sub(last) < QUIET);
                self.length = if storm { self.length * 2 } else { SHORTEST };
                self.length = self.length.min(self.longest);
                now + self.length
            }
        };
        self.end = Some((end, now + LULL));
    }

    /// A change came that waits for nothing more.
    pub fn urgent(&mut self, now: Duration) {
        self.end = Some((now, now));
    }

    /// When the next batch is due.
    pub fn due(&self) -> Option<Duration> {
        self.end.map(|(end, lull)| end.min(lull))
    }

    /// The changes so far are on their way; `wrote`: they made a batch.
    pub fn taken(&mut self, now: Duration, wrote: bool) {
        self.end = None;
        if wrote {
            self.last_batch = Some(now);
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
        window.expect_storms_of(millis(10_000));
        for start in [0, 5_000, 20_000] {
            window.changed(millis(start));
            assert_eq!(window.due(), Some(millis(start + 4)));
            window.taken(millis(start + 4), true);
        }
    }

    /// A thousand servers die, each is found dead within the interval, a batch takes 30 ms.
    #[test]
    fn f23_a_storm_makes_few_batches_and_its_last_change_is_not_late() {
        for interval in [1_000, 2_000, 5_000, 10_000] {
            let mut window = Window::default();
            window.expect_storms_of(millis(interval));
            let (mut batches, mut busy_until, mut last) = (0, 0, 0);
            for now in 0..interval + 1_000 {
                if now < interval && now % (interval / 1_000) == 0 {
                    window.changed(millis(now));
                }
                let due = window.due().is_some_and(|due| due <= millis(now));
                if now >= busy_until && due {
                    window.taken(millis(now), true);
                    batches += 1;
                    last = now;
                    busy_until = now + 30;
                }
            }
            assert_eq!(window.due(), None);
            assert!(batches <= 16, "{batches} batches in {interval} ms");
            assert!(last <= interval + 150, "{last} of {interval} ms");
        }
    }
}
