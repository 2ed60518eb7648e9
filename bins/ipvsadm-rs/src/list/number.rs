//! Counters in nine columns (`ipvsadm.md` 2.2).

/// A counter with the blank before it; shortened with a letter unless `exact`.
pub(super) fn counter(value: u64, exact: bool) -> String {
    const STEPS: [(u64, u64, &str); 4] = [
        (1_000_000_000, 1_000, "K"),
        (100_000_000_000, 1_000_000, "M"),
        (100_000_000_000_000, 1_000_000_000, "G"),
        (u64::MAX, 1_000_000_000_000, "T"),
    ];
    if exact {
        return format!(" {value:>8}");
    }
    if value < 100_000_000 {
        return format!("{value:>9}");
    }
    let step = STEPS
        .iter()
        .find(|(below, ..)| value < *below)
        .or(STEPS.last());
    let (_, divisor, letter) = step.copied().unwrap_or((0, 1, ""));
    format!("{:>8}{letter}", value / divisor)
}
