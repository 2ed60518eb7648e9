//! Spreads the checks of many servers that were started in the same moment (B67).
//! A pause is never longer than the interval, so that jitter delays no verdict.

use std::time::Duration;

/// Random pauses between checks, the same for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Pauses {
    state: u64,
    first: bool,
}

impl Pauses {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed,
            first: true,
        }
    }

    /// The pause after a check: the first one lies anywhere in the second half of the interval,
    /// which parts checkers that started together; later ones in its last twentieth, which keeps
    /// them apart.
    pub(crate) fn next(&mut self, interval: Duration) -> Duration {
        let parts = if std::mem::take(&mut self.first) {
            2
        } else {
            20
        };
        let room = interval / parts;
        interval - room.mul_f64(self.unit())
    }

    /// A number in 0.0..1.0 (splitmix64, public domain, Sebastiano Vigna).
    fn unit(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pauses_stay_within_the_interval(seed: u64, ms in 1u64..1_000_000) {
            let interval = Duration::from_millis(ms);
            let mut pauses = Pauses::new(seed);
            let first = pauses.next(interval);
            prop_assert!(first <= interval && first >= interval / 2);
            for _ in 0..20 {
                let pause = pauses.next(interval);
                prop_assert!(pause <= interval && pause >= interval.mul_f64(0.949));
            }
        }
    }

    #[test]
    fn B67_checkers_started_together_part() {
        let interval = Duration::from_secs(6);
        let mut firsts: Vec<_> = (0..1000)
            .map(|seed| Pauses::new(seed).next(interval))
            .collect();
        firsts.sort();
        // With 1,000 of them in 3 s no tenth of a second may hold more than three times its share.
        for window in firsts.windows(100) {
            assert!(window[99] - window[0] > Duration::from_millis(100));
        }
    }
}
