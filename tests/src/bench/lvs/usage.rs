//! What processes use, as `/proc` shows it.

use std::time::Duration;

use crate::error::{Context, Error, Result};

/// Proportional set size in kilobytes.
pub(super) fn proportional_set(pid: i32) -> Result<f64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).during(format_args!("reading {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| Error::unmet(format_args!("no Pss in {path}")))
}

/// Time on a processor so far, exact where the kernel keeps it so.
pub(in crate::bench) fn processor(pid: i32) -> Result<Duration> {
    let path = format!("/proc/{pid}/schedstat");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let first = text.split(' ').next().and_then(|word| word.parse().ok());
        if let Some(nanoseconds @ 1..) = first {
            return Ok(Duration::from_nanos(nanoseconds));
        }
    }
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).during(format_args!("reading {path}"))?;
    ticks(&text).ok_or_else(|| Error::unmet(format_args!("no times in {path}")))
}

/// User and system time of `/proc/PID/stat`, in hundredths of a second.
fn ticks(stat: &str) -> Option<Duration> {
    let (_, tail) = stat.rsplit_once(") ")?;
    let mut fields = tail.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(10 * (user + system)))
}

/// Open descriptors.
pub(super) fn descriptors(pid: i32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_process_has_memory_time_and_descriptors() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(proportional_set(own).unwrap() > 100.0);
        assert!(descriptors(own) >= 3);
        assert!(processor(own).is_ok());
    }

    #[test]
    fn ticks_are_hundredths() {
        let stat = "7 (a b) S 1 7 7 0 -1 0 0 0 0 0 3 4 0 0 20 0";
        assert_eq!(ticks(stat), Some(Duration::from_millis(70)));
    }
}
