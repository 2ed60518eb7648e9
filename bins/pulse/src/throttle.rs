//! Log lines that somebody else can cause at will: one in ten seconds.

use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Throttle {
    last: Option<Duration>,
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
            .is_some_and(|last| now.saturating_sub(last) < PAUSE)
        {
            self.suppressed += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_ten_seconds_and_the_rest_counted() {
        let mut throttle = Throttle::default();
        let passed: Vec<_> = (0..25)
            .filter_map(|second| throttle.pass(Duration::from_secs(second)))
            .collect();
        assert_eq!(passed, [0, 9, 9]);
    }
}
