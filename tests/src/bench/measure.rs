//! Time of one run of a program, and medians.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Context, Error, Result};

/// Runs of each program for one figure.
const RUNS: usize = 5;

/// A command line to measure, the same for both programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    /// Arguments.
    pub(super) arguments: &'a [&'a str],
    /// Standard input; none when absent.
    pub(super) input: Option<&'a Path>,
    /// How many runs one sample holds: short ones drown in the clock otherwise.
    pub(super) repeat: u32,
}

impl Work<'_> {
    /// Time of one sample: from before the start of a program to after its end was collected. The
    /// standard library starts it with posix_spawn, which copies nothing of this process.
    pub(super) fn time(&self, program: &Path) -> Result<Duration> {
        let mut total = Duration::ZERO;
        for _ in 0..self.repeat.max(1) {
            total += self.once(program)?;
        }
        Ok(total / self.repeat.max(1))
    }

    fn once(&self, program: &Path) -> Result<Duration> {
        let name = program.display();
        let input = match self.input {
            Some(path) => Stdio::from(File::open(path).during("opening the input")?),
            None => Stdio::null(),
        };
        let mut command = Command::new(program);
        command
            .args(self.arguments.iter().map(OsStr::new))
            .stdin(input)
            .stdout(Stdio::null());
        let started = Instant::now();
        let status = command.status().during(format_args!("running {name}"))?;
        let taken = started.elapsed();
        if status.success() {
            return Ok(taken);
        }
        Err(Error::Command {
            command: format!("{name} {}", self.arguments.join(" ")),
            outcome: status.to_string(),
        })
    }
}

/// Median times of two kinds of work, taken in turn; `before` prepares each sample.
pub(super) fn medians(
    mut first: impl FnMut() -> Result<Duration>,
    mut second: impl FnMut() -> Result<Duration>,
) -> Result<(Duration, Duration)> {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        one.push(first()?);
        other.push(second()?);
    }
    Ok((median(one), median(other)))
}

/// The middle one of several times.
pub(super) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let times = [9, 1, 5].map(Duration::from_secs).to_vec();
        assert_eq!(median(times), Duration::from_secs(5));
    }

    #[test]
    fn a_failing_program_is_no_figure() {
        let work = Work {
            arguments: &[],
            input: None,
            repeat: 1,
        };
        assert!(work.time(Path::new("/bin/true")).is_ok());
        assert!(work.time(Path::new("/bin/false")).is_err());
    }
}
