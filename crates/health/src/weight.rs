//! Weights: where a joining server starts, how it climbs, what load does to it.
//! Source: `piranha-daemons.md` 5.6, 5.7; B30, B48.

use crate::settings::Settings;

/// Weight with which a server joins: a thirty-second of the configured one, at least 1; all of it
/// without slow start; 0 stays 0 (B30).
pub(crate) fn start(settings: &Settings) -> u32 {
    if settings.weight == 0 || !settings.slow_start {
        settings.weight
    } else {
        (settings.weight >> 5).max(1)
    }
}

/// Weight with which a checker goes on that found `found` in the table: as it is, where the
/// settings could have led there, else the nearest that they allow.
pub(crate) fn resume(settings: &Settings, found: u32) -> u32 {
    let top = if settings.load_monitor {
        ceiling(settings)
    } else {
        settings.weight
    };
    let bottom = start(settings).min(top);
    found.clamp(bottom, top)
}

/// Next step of the climb after `last`; `None` when it has reached the configured weight.
pub(crate) fn climb(settings: &Settings, last: u32) -> Option<u32> {
    (last < settings.weight).then(|| last.max(1).saturating_mul(2).min(settings.weight))
}

/// Weight after a load average was read: an idle server gets more than configured, up to `scale`
/// times as much, a busy one less, but never below the configured weight (B48: kept). `None` when
/// nothing changes or the change is smaller than a quarter of the configured weight.
pub(crate) fn by_load(settings: &Settings, last: u32, load: f64) -> Option<u32> {
    if settings.weight == 0 || !load.is_finite() || load < 0.0 {
        return None;
    }
    let half = f64::from(settings.weight / 2);
    // cbrt keeps the sign, so one formula serves for loads below and above 1.
    let wanted = f64::from(last) + half * (1.0 - load).cbrt();
    // `as` cuts to an integer and saturates, as intended.
    let wanted = (wanted as u32).clamp(settings.weight, ceiling(settings));
    let change = wanted.abs_diff(last);
    (change != 0 && change >= settings.weight / 4).then_some(wanted)
}

fn ceiling(settings: &Settings) -> u32 {
    settings.weight.saturating_mul(settings.scale.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn settings(weight: u32) -> Settings {
        Settings::new(Duration::from_secs(6), weight)
    }

    #[test]
    fn the_ramp_of_the_reference() {
        let settings = settings(100);
        let mut seen = vec![start(&settings)];
        while let Some(next) = climb(&settings, seen[seen.len() - 1]) {
            seen.push(next);
        }
        assert_eq!(seen, [3, 6, 12, 24, 48, 96, 100]);
    }

    #[test]
    fn B30_weight_zero_stays_zero() {
        assert_eq!(start(&settings(0)), 0);
        assert_eq!(climb(&settings(0), 0), None);
        assert_eq!(by_load(&settings(0), 0, 0.0), None);
        assert_eq!(resume(&settings(0), 7), 0);
    }

    #[test]
    fn B48_idle_climbs_to_scale_times_weight_and_no_further() {
        let settings = settings(10);
        let mut last = 10;
        let mut steps = 0;
        while let Some(next) = by_load(&settings, last, 0.0) {
            assert_eq!(next, last + 5);
            last = next;
            steps += 1;
            assert!(steps < 100);
        }
        assert_eq!(last, 100);
    }

    #[test]
    fn load_lowers_but_not_below_the_configured_weight() {
        let settings = settings(100);
        assert_eq!(by_load(&settings, 400, 9.0), Some(300));
        assert_eq!(by_load(&settings, 130, 9.0), Some(100));
        assert_eq!(by_load(&settings, 100, 9.0), None);
        assert_eq!(by_load(&settings, 100, 1.0), None);
        // 50 × ∛0.05 = 18.4 is smaller than a quarter of 100.
        assert_eq!(by_load(&settings, 100, 0.95), None);
        assert_eq!(by_load(&settings, 100, f64::NAN), None);
    }

    #[test]
    fn resumes_where_the_table_stands() {
        assert_eq!(resume(&settings(100), 24), 24);
        assert_eq!(resume(&settings(100), 400), 100);
        let mut loaded = settings(100);
        loaded.load_monitor = true;
        assert_eq!(resume(&loaded, 400), 400);
        loaded.slow_start = false;
        assert_eq!(resume(&loaded, 24), 100);
    }
}
