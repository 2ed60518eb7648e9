//! Comparing what was found with what a row expects.

use regex::Regex;

use super::table::Outcome;

/// How the outcome differs from what is expected; `None` when it matches.
pub(crate) fn difference(matching: &str, expected: &Outcome, found: &Outcome) -> Option<String> {
    let matches = match matching {
        "exact" | "refbug" => expected.stdout == found.stdout && expected.stderr == found.stderr,
        "unordered" => {
            sorted(&expected.stdout) == sorted(&found.stdout) && expected.stderr == found.stderr
        }
        "regex" => whole(&expected.stdout, &found.stdout) && whole(&expected.stderr, &found.stderr),
        "regex-unordered" => {
            one_line_each(&expected.stdout, &found.stdout) && expected.stderr == found.stderr
        }
        other => panic!("unknown kind of match: {other}"),
    };
    (!matches || expected.status != found.status)
        .then(|| format!("  expected {expected:?}\n  found    {found:?}"))
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

fn whole(expression: &str, text: &str) -> bool {
    Regex::new(&format!("^(?:{expression})$"))
        .unwrap()
        .is_match(text)
}

fn one_line_each(expressions: &str, text: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    expressions.lines().count() == lines.len()
        && expressions.lines().all(|expression| {
            // Titles stand there as plain text.
            let matches = |line: &&&str| **line == expression || whole(expression, line);
            lines.iter().filter(matches).count() == 1
        })
}
