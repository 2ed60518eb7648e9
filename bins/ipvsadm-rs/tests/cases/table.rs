//! The case table, and the rows on which this program differs on purpose.

use std::env;

/// What a command line does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) needs: String,
    pub(crate) setup: String,
    pub(crate) command: String,
    pub(crate) input: String,
    pub(crate) expected: Outcome,
    pub(crate) matching: String,
}

/// The reference's table.
const SHARED: &str = include_str!("../data/ipvsadm-cases.tsv");
/// Cases in which this program once differed from the original, and their neighbours; in the same form.
const OWN: &str = include_str!("../data/own-cases.tsv");

/// The cases that were asked for.
pub(crate) fn cases() -> Vec<Case> {
    let text = env::var("IPVSADM_CASES").map_or_else(
        |_| [SHARED, OWN].concat(),
        |path| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")),
    );
    let wanted = env::var("IPVSADM_ONLY").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').filter(|part| !part.is_empty()).collect();
    text.lines()
        .filter(|line| !line.starts_with("id\t"))
        .map(case)
        .filter(|case| {
            wanted.is_empty()
                || wanted.contains(&case.id.as_str())
                || wanted.contains(&case.group.as_str())
        })
        .collect()
}

fn case(line: &str) -> Case {
    let fields: Vec<String> = line.split('\t').map(unescape).collect();
    Case {
        id: fields[0].clone(),
        group: fields[1].clone(),
        needs: fields[2].clone(),
        setup: fields[3].clone(),
        command: fields[4].clone(),
        input: fields[5].clone(),
        expected: Outcome {
            status: fields[6].parse().unwrap(),
            stdout: fields[7].clone(),
            stderr: fields[8].clone(),
        },
        matching: fields[9].clone(),
    }
}

fn unescape(field: &str) -> String {
    let mut text = String::new();
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('\\') => text.push('\\'),
            other => panic!("unknown escape {other:?} in {field}"),
        }
    }
    text
}

const VERSION: &str = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n";

/// What this program is expected to do: what the original does, but for the four differences of
/// `docs/ipvsadm-differences.md`.
pub(crate) fn deliberate(case: &Case) -> Outcome {
    let mut expected = case.expected.clone();
    // Marks are unsigned.
    for (signed, unsigned) in [
        ("-2147483648", "2147483648"),
        ("-2147483647", "2147483649"),
        ("-2147483646", "2147483650"),
        ("-1", "4294967295"),
    ] {
        if case.matching == "refbug" {
            for prefix in ["-f ", "FWM  "] {
                let from = format!("{prefix}{signed}");
                expected.stdout = expected
                    .stdout
                    .replace(&from, &format!("{prefix}{unsigned}"));
            }
        }
    }
    // An empty list of scheduler flags is an error, not a crash.
    if expected.stdout == "139\n" {
        expected.stdout = "2\n".to_owned();
    }
    // Counters of servers are full 64-bit numbers.
    if case.group == "scale" && case.matching == "refbug" {
        expected.stdout = with_full_counters(case, &expected.stdout);
    }
    // Help, version and argument errors ask no kernel.
    if case.needs == "no-ipvs" || case.group == "perm" {
        without_kernel(case, &mut expected);
    }
    expected
}

/// The server's line with the numbers that the service's line shows. All counters of such a row are the
/// same; the first three rates of a server are never shortened.
fn with_full_counters(case: &Case, text: &str) -> String {
    const NAME: usize = 33;
    let directive = case.setup.lines().next().unwrap();
    let value: u64 = directive
        .strip_prefix("@counters ")
        .unwrap()
        .parse()
        .unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let service = lines
        .iter()
        .rposition(|line| line.starts_with("TCP"))
        .unwrap();
    let numbers = lines[service][NAME..].to_owned();
    let server = lines[service + 1][..NAME].to_owned();
    let numbers = if case.command.contains("--rate") && !case.command.contains("--exact") {
        let shortened = &numbers[numbers.len() - 18..];
        format!(" {value:>8} {value:>8} {value:>8}{shortened}")
    } else {
        numbers
    };
    lines[service + 1] = server + &numbers;
    lines.join("\n") + "\n"
}

fn without_kernel(case: &Case, expected: &mut Outcome) {
    let command = case.command.as_str();
    let answers: [(&str, i32, &str, &str); 3] = [
        ("ipvsadm -v", 0, VERSION, ""),
        (
            "ipvsadm --bogus",
            255,
            "",
            "Try `ipvsadm -h' or 'ipvsadm --help' for more information\\.\n",
        ),
        (
            "ipvsadm --set 1 2",
            2,
            "",
            "--set option requires 3 timeout values\n",
        ),
    ];
    for (ending, status, stdout, stderr) in answers {
        if command.ends_with(ending) {
            *expected = Outcome {
                status,
                stdout: regex_text(stdout),
                stderr: stderr.to_owned(),
            };
        }
    }
}

/// The text as an expression that matches it; these rows hold expressions.
fn regex_text(text: &str) -> String {
    text.replace('.', "\\.")
        .replace('(', "\\(")
        .replace(')', "\\)")
}
