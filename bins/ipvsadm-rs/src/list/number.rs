//! Counters in nine columns (`ipvsadm.md` 2.2).

use std::fmt::Write;

/// Writes a counter with the blank before it; shortened with a letter unless `exact`.
pub(super) fn write_counter(out: &mut String, value: u64, exact: bool) {
    const STEPS: [(u64, u64, &str); 4] = [
        (1_000_000_000, 1_000, "K"),
        (100_000_000_000, 1_000_000, "M"),
        (100_000_000_000_000, 1_000_000_000, "G"),
        (u64::MAX, 1_000_000_000_000, "T"),
    ];
    // Writing to a string does not fail.
    let _ = if exact {
        write!(out, " {value:>8}")
    } else if value < 100_000_000 {
        write!(out, "{value:>9}")
    } else {
        let step = STEPS
            .iter()
            .find(|(below, ..)| value < *below)
            .or(STEPS.last());
        let (_, divisor, letter) = step.copied().unwrap_or((0, 1, ""));
        write!(out, "{:>8}{letter}", value / divisor)
    };
}
