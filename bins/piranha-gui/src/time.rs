//! Times and amounts for people. Arguments are references, as templates pass them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time of the Unix epoch in the machine's zone, as its logs have it.
pub(crate) fn seconds(at: &u64) -> String {
    let at = i64::try_from(*at)
        .ok()
        .and_then(|at| Timestamp::from_second(at).ok());
    at.map_or_else(String::new, |at| {
        at.to_zoned_datetime(TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string()
    })
}

/// The same of milliseconds.
pub(crate) fn millis(at: &u64) -> String {
    seconds(&(at / 1000))
}

/// `1.5 MiB`.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn bytes(count: &u64) -> String {
    let mut value = *count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            let digits = usize::from(value < 100.0 && unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let shown: Vec<String> = [0, 1023, 1536, 200 << 20, 5 << 40]
            .map(|count| bytes(&count))
            .into();
        assert_eq!(shown, ["0 B", "1023 B", "1.5 KiB", "200 MiB", "5.0 TiB"]);
    }

    #[test]
    fn impossible_times_are_nothing() {
        assert_eq!(seconds(&u64::MAX), "");
        assert_eq!(seconds(&0).len(), "1970-01-01 00:00:00".len());
    }
}
