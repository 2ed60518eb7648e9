//! The recorded cases of ipvsadm, run against this program or any other.
//!
//! `IPVSADM` names another program to test, `IPVSADM_CASES` another table, `IPVSADM_ONLY` a comma-separated
//! list of ids or groups. Rows that need IPVS are ignored unless asked for: they want root on a kernel that
//! has it, and run in private mount and network namespaces.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise, also in its helping functions"
)]

mod beyond;
mod inside;
mod kit;
mod matching;
mod memory;
mod table;
mod wire;

use std::env;
use std::path::PathBuf;

use kit::Kit;
use table::{Case, Outcome, cases};

/// What a case got wrong.
struct Failure {
    id: String,
    text: String,
}

/// The program under test.
fn program() -> PathBuf {
    env::var_os("IPVSADM").map_or_else(|| env!("CARGO_BIN_EXE_ipvsadm-rs").into(), PathBuf::from)
}

/// Whether the program under test is ours, for which deliberate differences hold.
fn ours() -> bool {
    env::var_os("IPVSADM").is_none()
}

/// Runs all cases of a kind and gives a report of those that fail.
fn run_all(kind: &str) {
    let kit = Kit::new(&program());
    let selected: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.needs == kind)
        .collect();
    assert!(!selected.is_empty(), "no case of the kind {kind}");
    if kind == "ipvs" {
        kit.enter();
    }
    let mut failures = Vec::new();
    for case in &selected {
        if let Some(failure) = run(case, |case| kit.run(case)) {
            println!("{}: {}", failure.id, failure.text);
            failures.push(failure);
        }
    }
    println!(
        "{} of {} cases pass",
        selected.len() - failures.len(),
        selected.len()
    );
    if kind == "ipvs" && ours() {
        // They want the names of the kit.
        run_inside("unit", |_| true, inside::run_formatter);
    }
    let ids: Vec<&str> = failures.iter().map(|failure| failure.id.as_str()).collect();
    assert!(failures.is_empty(), "{ids:?}");
}

fn run(case: &Case, carry_out: impl Fn(&Case) -> Result<Outcome, String>) -> Option<Failure> {
    let expected = if ours() {
        table::deliberate(case)
    } else {
        case.expected.clone()
    };
    let wrong = match carry_out(case) {
        Ok(found) => matching::difference(&case.matching, &expected, &found)?,
        Err(text) => text,
    };
    Some(Failure {
        id: case.id.clone(),
        text: format!("{}\n{wrong}", case.command),
    })
}

#[test]
#[ignore = "needs a kernel with IPVS"]
fn cases_that_need_ipvs() {
    run_all("ipvs");
}

#[test]
#[ignore = "needs a kernel without IPVS"]
fn cases_that_need_a_kernel_without_ipvs() {
    run_all("no-ipvs");
}

/// Help, version and argument errors ask no kernel: those rows hold everywhere.
#[test]
fn cases_that_ask_no_kernel() {
    let kit = Kit::new(&program());
    let groups = ["first", "parse", "multi", "matrix"];
    let refused = |case: &Case| {
        let status = case.expected.status;
        case.setup.is_empty()
            && !case.command.contains(['&', ';', '|'])
            && matches!(status, 2 | 255)
            && groups.contains(&case.group.as_str())
    };
    let selected: Vec<Case> = cases().into_iter().filter(refused).collect();
    assert!(
        env::var_os("IPVSADM_ONLY").is_some() || selected.len() > 150,
        "{}",
        selected.len()
    );
    let failures: Vec<_> = selected
        .iter()
        .filter_map(|case| run(case, |case| kit.run(case)))
        .collect();
    let texts: Vec<_> = failures
        .iter()
        .map(|it| format!("{}: {}", it.id, it.text))
        .collect();
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}

/// Runs rows of a kind inside this process.
fn run_inside(kind: &str, wanted: impl Fn(&Case) -> bool, carry_out: impl Fn(&Case) -> Outcome) {
    let all = cases();
    let selected = all.iter().filter(|case| case.needs == kind && wanted(case));
    let failures: Vec<_> = selected
        .filter_map(|case| run(case, |case| Ok(carry_out(case))))
        .collect();
    let texts: Vec<_> = failures
        .iter()
        .map(|it| format!("{}: {}", it.id, it.text))
        .collect();
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}

#[test]
fn cases_of_formats() {
    let numeric = |case: &Case| case.command.contains("-Lcn") || case.command.contains("-Ln");
    run_inside("unit", numeric, inside::run_formatter);
}

#[test]
fn cases_of_requests() {
    run_inside("wire", |_| true, inside::run_recorder);
}
