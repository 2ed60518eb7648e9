//! What a checker was told about its server, checked once so that the decisions need not.

use std::fmt;
use std::time::Duration;

/// How one real server is judged. Make it with the fields, then let [`Settings::check`] see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Pause between two checks; greater than zero (B27).
    pub interval: Duration,
    /// How long a failed server must answer before it is used again.
    pub reentry: Duration,
    /// Failed checks in a row that take a server out, at least 1.
    pub retries: u32,
    /// Configured weight; 0 = in the table, no new connections (B30).
    pub weight: u32,
    /// Load never raises the weight above `scale` times the configured one.
    pub scale: u32,
    /// A failed server keeps its entry with weight 0.
    pub quiesce: bool,
    /// Start with a part of the weight and double it about every 20 s; otherwise start with all.
    pub slow_start: bool,
    /// A load monitor is there: ask it, and let load change the weight.
    pub load_monitor: bool,
    /// Weight that the entry already has in the table, when this checker replaces one that died.
    pub found_weight: Option<u32>,
    /// Start of the random numbers that spread the checks of many servers.
    pub seed: u64,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsError {
    /// The pause between checks is zero.
    ZeroInterval,
    /// Not even one failed check would be needed.
    ZeroRetries,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroInterval => "the interval between checks must be greater than 0",
            Self::ZeroRetries => "at least 1 failed check takes a server out",
        })
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Settings with the defaults of `piranha-daemons.md` 2.2 for a server of this weight.
    pub fn new(interval: Duration, weight: u32) -> Self {
        Self {
            interval,
            reentry: Duration::from_secs(180),
            retries: 1,
            weight,
            scale: 10,
            quiesce: false,
            slow_start: true,
            load_monitor: false,
            found_weight: None,
            seed: 0,
        }
    }

    /// Refuses what would divide by zero or never take a server out.
    pub fn check(self) -> Result<Self, SettingsError> {
        if self.interval.is_zero() {
            return Err(SettingsError::ZeroInterval);
        }
        if self.retries == 0 {
            return Err(SettingsError::ZeroRetries);
        }
        Ok(self)
    }

    /// Successes in a row that bring a failed server back: re-entry time ÷ interval, cut to a
    /// whole number.
    pub fn threshold(&self) -> u64 {
        whole(self.reentry, self.interval)
    }

    /// Successful checks between two weight steps, so that they are about 20 s apart.
    pub(crate) fn checks_per_step(&self) -> u64 {
        whole(Duration::from_secs(20), self.interval).max(1)
    }
}

fn whole(time: Duration, part: Duration) -> u64 {
    let checks = time.as_nanos().checked_div(part.as_nanos()).unwrap_or(0);
    u64::try_from(checks).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn B27_no_division_by_zero() {
        let settings = Settings::new(Duration::ZERO, 1);
        assert_eq!(settings.threshold(), 0);
        assert_eq!(settings.check(), Err(SettingsError::ZeroInterval));
    }

    #[test]
    fn threshold_is_cut_to_whole_checks() {
        let mut settings = Settings::new(Duration::from_secs(6), 1);
        settings.reentry = Duration::from_secs(15);
        assert_eq!(settings.threshold(), 2);
        assert_eq!(settings.checks_per_step(), 3);
        settings.interval = Duration::from_secs(21);
        assert_eq!(settings.checks_per_step(), 1);
    }
}
