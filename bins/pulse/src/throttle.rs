//! Log lines that somebody else can cause at will: one in ten seconds, less often when they go on.

use std::time::Duration;

/// Shortest and longest time between two lines.
const PAUSE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

#[derive(Debug, Default)]
pub(crate) struct Throttle {
    last: Option<Duration>,
    pause: Duration,
    suppressed: u64,
}

impl Throttle {
    pub(crate) fn log(&mut self, text: &str) {
        if let Some(text) = self.text(text) {
            tracing::info!("{text}");
        }
    }

    /// What is to be said now, if anything.
    pub(crate) fn text(&mut self, text: &str) -> Option<String> {
        Some(match self.pass(daemon::clock::boottime())? {
            0 => text.to_owned(),
            more => format!("{text} (and {more} such lines were left out before)"),
        })
    }

    /// How many were held back since the last one that passed; `None`: this one is.
    fn pass(&mut self, now: Duration) -> Option<u64> {
        if self
            .last
            .is_some_and(|last| now.saturating_sub(last) < self.pause)
        {
            self.suppressed += 1;
            return None;
        }
        self.pause = match self.suppressed {
            0 => PAUSE.0,
            _ => (self.pause * 2).min(PAUSE.1),
        };
        self.last = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_ten_seconds_then_less_often_until_it_is_calm_and_the_rest_counted() {
        let mut throttle = Throttle::default();
        let passed: Vec<_> = (0..200)
            .chain([260, 320, 325, 330])
            .filter_map(|second| Some((second, throttle.pass(Duration::from_secs(second))?)))
            .collect();
        let storm = [(0, 0), (10, 9), (30, 19), (70, 39), (130, 59), (190, 59)];
        let calm = [(260, 9), (320, 0), (330, 1)];
        assert_eq!(passed, [storm.as_slice(), &calm].concat());
    }
}
