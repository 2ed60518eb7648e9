//! What the tests of time limits share.
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "shared by test programs, of which each uses a part"
)]

use std::time::{Duration, Instant};

/// A machine that stands still for a moment spoils one attempt, a fault of the check all of them.
const ATTEMPTS: u32 = 8;
/// Scheduling allowance of the design on a host.
const ALLOWANCE: Duration = Duration::from_millis(500);

/// Has `attempt` end with `good` results between its limit and `late` after it, in one attempt
/// of several; each is told its time limit, which grows, for a machine on which little happens
/// within the first one.
pub fn at_its_limit<T: std::fmt::Debug>(
    late: impl Fn(Duration) -> Duration,
    mut attempt: impl FnMut(Duration) -> T,
    good: impl Fn(&T) -> bool,
) {
    let mut limit = Duration::from_millis(200);
    let mut seen = Vec::new();
    for _ in 0..ATTEMPTS {
        let start = Instant::now();
        let result = attempt(limit);
        let taken = start.elapsed();
        if good(&result) && taken >= limit && taken <= limit + late(limit) + ALLOWANCE {
            return;
        }
        seen.push((limit, taken, result));
        limit = limit.mul_f64(1.6);
    }
    panic!("no attempt ended as it should: limit, time taken, result: {seen:#?}");
}
