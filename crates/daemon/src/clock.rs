//! The clock of heartbeats and deadlines: it goes on while the machine is suspended and is never
//! set, so a gap in it is a gap in the real world.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Time since boot, suspended time included (`CLOCK_BOOTTIME`).
pub fn boottime() -> Duration {
    // The call can only fail for a clock that the kernel lacks; CLOCK_BOOTTIME is in Linux since
    // 2.6.39, and CLOCK_MONOTONIC in every one.
    let time =
        clock_gettime(ClockId::CLOCK_BOOTTIME).or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
    time.map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::boottime;

    #[test]
    fn never_goes_back() {
        let first = boottime();
        assert!(!first.is_zero());
        assert!(boottime() >= first);
    }
}
