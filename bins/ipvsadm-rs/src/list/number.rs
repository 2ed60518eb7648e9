//! Columns of a listing (`ipvsadm.md` 2.1, 2.2).
//!
//! A large table has many of them: they are written without the machinery of formats.

use itoa::Integer;

/// Writes a number with the blank before it, to the left of so many columns.
pub(super) fn write_left(out: &mut String, value: impl Integer, width: usize) {
    out.push(' ');
    let start = out.len();
    out.push_str(itoa::Buffer::new().format(value));
    fill(out, start, width);
}

/// Writes a text with the blank before it, to the left of so many columns.
pub(super) fn write_text(out: &mut String, text: &str, width: usize) {
    out.push(' ');
    let start = out.len();
    out.push_str(text);
    fill(out, start, width);
}

/// Fills up what begins at `start` to so many columns.
pub(super) fn fill(out: &mut String, start: usize, width: usize) {
    let written = out.get(start..).map_or(0, |text| text.chars().count());
    blanks(out, width.saturating_sub(written));
}

fn blanks(out: &mut String, count: usize) {
    const BLANKS: &str = "                                ";
    match BLANKS.get(..count) {
        Some(blanks) => out.push_str(blanks),
        None => out.extend(std::iter::repeat_n(' ', count)),
    }
}

/// Writes a number with the blank before it, to the right of eight columns.
pub(super) fn write_right(out: &mut String, value: u64) {
    out.push(' ');
    write_to_the_right(out, value, 8);
}

fn write_to_the_right(out: &mut String, value: u64, width: usize) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(value);
    blanks(out, width.saturating_sub(digits.len()));
    out.push_str(digits);
}

/// Writes a counter with the blank before it; shortened with a letter unless `exact`.
pub(super) fn write_counter(out: &mut String, value: u64, exact: bool) {
    const STEPS: [(u64, u64, char); 4] = [
        (1_000_000_000, 1_000, 'K'),
        (100_000_000_000, 1_000_000, 'M'),
        (100_000_000_000_000, 1_000_000_000, 'G'),
        (u64::MAX, 1_000_000_000_000, 'T'),
    ];
    if exact {
        write_right(out, value);
    } else if value < 100_000_000 {
        write_to_the_right(out, value, 9);
    } else {
        let step = STEPS
            .iter()
            .find(|(below, ..)| value < *below)
            .or(STEPS.last());
        let (_, divisor, letter) = step.copied().unwrap_or((0, 1, ' '));
        write_to_the_right(out, value / divisor, 8);
        out.push(letter);
    }
}
