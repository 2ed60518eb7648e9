//! The lines a checker writes on its report pipe.
//!
//! The original's status words stand first; more may follow them in later versions.

use std::time::Duration;

use crate::health::Health;

/// One line of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The greeting: from here on lvs keeps this server's entry.
    Greeting,
    /// The whole state of the server, and why.
    Verdict(Health, String),
    /// A sign of life, and how long the last check took, where that is told.
    Alive(Option<Duration>),
}

/// Reads one line without its newline; `None` for a line that says nothing to lvs.
pub fn parse(line: &str) -> Option<Report> {
    if line == "alive" {
        return Some(Report::Alive(None));
    }
    if let Some(rest) = line.strip_prefix("alive ") {
        return Some(Report::Alive(check(rest)));
    }
    if let Some(version) = line.strip_prefix("nanny ") {
        return version
            .starts_with(|c: char| c.is_ascii_digit())
            .then_some(Report::Greeting);
    }
    if let Some(rest) = line.strip_prefix("[ active ]") {
        let weight = rest
            .split_whitespace()
            .find_map(|word| word.strip_prefix("weight="))?;
        let weight = weight.parse().ok().filter(|weight: &i32| *weight >= 0)?;
        return Some(Report::Verdict(Health::Up(weight), reason(rest)));
    }
    let rest = line.strip_prefix("[inactive]")?;
    Some(Report::Verdict(Health::Down, reason(rest)))
}

/// The milliseconds after `check=`.
fn check(rest: &str) -> Option<Duration> {
    let mut words = rest.split_whitespace();
    let took: f64 = words
        .find_map(|word| word.strip_prefix("check="))?
        .parse()
        .ok()?;
    Duration::try_from_secs_f64(took / 1e3).ok()
}

/// What follows `reason=` up to the end of the line.
fn reason(rest: &str) -> String {
    rest.split_once("reason=")
        .map(|(_, text)| text.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_a_checker() {
        assert_eq!(parse("nanny 1"), Some(Report::Greeting));
        assert_eq!(parse("alive"), Some(Report::Alive(None)));
        let took = Some(Duration::from_micros(1250));
        assert_eq!(parse("alive check=1.250"), Some(Report::Alive(took)));
        for unknown in ["alive well", "alive check=-1", "alive check=NaN"] {
            assert_eq!(parse(unknown), Some(Report::Alive(None)), "{unknown}");
        }
        assert_eq!(
            parse("[ active ] making 10.0.0.1:80 available weight=3"),
            Some(Report::Verdict(Health::Up(3), String::new()))
        );
        let down = "[inactive] shutting down 10.0.0.1:80 due to connection failure \
                    reason=got \"x weight=1\" instead of \"HTTP\"";
        let reason = "got \"x weight=1\" instead of \"HTTP\"";
        assert_eq!(
            parse(down),
            Some(Report::Verdict(Health::Down, reason.into()))
        );
    }

    #[test]
    fn what_is_not_a_report_is_ignored() {
        for line in [
            "",
            "hello",
            "nannyish",
            "[ active ] making 1.2.3.4:1 available",
            "nanny x",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
        assert_eq!(
            parse("[ active ] making 1.2.3.4:1 available weight=-1"),
            None
        );
    }

    proptest! {
        #[test]
        fn any_line_is_survived(line in ".*") {
            parse(&line);
        }
    }
}
