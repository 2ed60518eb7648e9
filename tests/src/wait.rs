//! Waiting for something that only looking can show.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Looks again and again until there is something, at most for the given time.
pub fn until<T>(
    what: impl std::fmt::Display,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if started.elapsed() > limit {
            return Err(Error::unmet(format_args!(
                "{what}: not within {:.1} s",
                limit.as_secs_f64()
            )));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The same for a condition.
pub fn for_it(
    what: impl std::fmt::Display,
    limit: Duration,
    mut holds: impl FnMut() -> Result<bool>,
) -> Result<()> {
    until(what, limit, || Ok(holds()?.then_some(())))
}
