//! Reading and checking a large lvs.cf: time, memory, and that the time grows with the size only.

use std::time::Duration;

use super::measure::median;
use super::report;
use crate::error::{Context, Error, Result};
use crate::setup;

/// Servers in the file.
const SERVERS: &str = "40000";
/// Runs for each size.
const RUNS: usize = 5;

/// What one run of the example printed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    bytes: f64,
    seconds: f64,
    peak: f64,
}

pub(super) fn run() -> Result<bool> {
    let (time, cost) = measured("10")?;
    let (double, _) = measured("20")?;
    let mut good = report("lvs.cf 10 MB: seconds", time, 1.0, "");
    good &= report(
        "lvs.cf 10 MB: memory / size",
        cost.peak / cost.bytes,
        10.0,
        "",
    );
    // Twice the size may take twice the time and a quarter more, for what a busy machine adds.
    good &= report("lvs.cf 20 MB: time / that of 10 MB", double / time, 2.5, "");
    Ok(good)
}

/// Median time and the costs of the last run.
fn measured(megabytes: &str) -> Result<(f64, Cost)> {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..RUNS {
        let cost = once(megabytes)?;
        times.push(Duration::from_secs_f64(cost.seconds));
        last = Some(cost);
    }
    let last = last.ok_or_else(|| Error::unmet("no run"))?;
    Ok((median(times).as_secs_f64(), last))
}

fn once(megabytes: &str) -> Result<Cost> {
    let arguments = ["run", "--release", "--quiet", "--package", "lvs-config"];
    let output = setup::cargo(&arguments)
        .args(["--example", "large", "--", megabytes, SERVERS, "check"])
        .output()
        .during("running cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    match cost(&text) {
        Some(cost) if output.status.success() => Ok(cost),
        _ => Err(Error::Command {
            command: "the example large of lvs-config".into(),
            outcome: format!(
                "{}\n{text}{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            ),
        }),
    }
}

/// Reads `bytes=… servers=… seconds=… peak_bytes=…`.
fn cost(line: &str) -> Option<Cost> {
    let number = |name: &str| {
        line.split_whitespace()
            .filter_map(|word| word.split_once('='))
            .find(|(found, _)| *found == name)
            .and_then(|(_, value)| value.parse().ok())
    };
    Some(Cost {
        bytes: number("bytes")?,
        seconds: number("seconds")?,
        peak: number("peak_bytes")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_read() {
        let expected = Cost {
            bytes: 10.0,
            seconds: 0.25,
            peak: 30.0,
        };
        let line = "bytes=10 servers=4 seconds=0.250 peak_bytes=30\n";
        assert_eq!(cost(line), Some(expected));
        assert_eq!(cost("bytes=10"), None);
    }
}
