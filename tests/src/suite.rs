//! `cargo lab test`: everything that must hold, one line each, and a count at the end.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

use crate::error::{Context, Error, Result};
use crate::kernel::{Job, Kernel};
use crate::scenario::{self, Outcome};
use crate::{browser, checks, interrupt, manuals, rules, setup, tree};

/// Limit for the kernel tests and for each group of end-to-end runs: for what hangs, not for what is slow.
const LIMIT: Duration = Duration::from_secs(2400);

/// A check that runs outside the kernel, or starts it itself.
struct Step {
    name: &'static str,
    shows: &'static str,
    /// What it does depends on whether the machine gives it its turns, as a scenario does.
    timing: bool,
    run: fn() -> Result<String>,
}

const STEPS: [Step; 7] = [
    Step {
        name: "format",
        shows: "cargo fmt --check",
        timing: false,
        run: checks::format,
    },
    Step {
        name: "lints",
        shows: "cargo clippy -D warnings",
        timing: false,
        run: checks::lints,
    },
    Step {
        name: "unit",
        shows: "unit tests",
        timing: false,
        run: checks::unit_tests,
    },
    Step {
        name: "unit-file",
        shows: "systemd-analyze security: pulse at most 2.5, the web tool 2.0",
        timing: false,
        run: checks::unit_files,
    },
    Step {
        name: "manuals",
        shows: "each manual page is drawn by groff without a warning",
        timing: false,
        run: manuals::run,
    },
    Step {
        name: "kernel",
        shows: "tests marked #[ignore], on a kernel with IPVS and on one without",
        timing: true,
        run: checks::kernel_tests,
    },
    Step {
        name: "browser",
        shows: "the web tool in Chromium, with a pair on a kernel with IPVS behind it",
        timing: true,
        run: browser::run,
    },
];

/// Behind what is not run with the others.
const BY_PACKAGE: &str = " (by cargo lab package)";
/// What `cargo lab package` looks at beside the packages.
const WITH_PACKAGES: [Step; 1] = [Step {
    name: "rules",
    shows: "alert rules and dashboard, by Prometheus' own tool; which alert fires when",
    timing: false,
    run: rules::run,
}];

/// Prints the names of everything.
pub fn list() {
    for step in &STEPS {
        println!("{:<24} {}", step.name, step.shows);
    }
    for step in &WITH_PACKAGES {
        println!("{:<24} {}{BY_PACKAGE}", step.name, step.shows);
    }
    for scenario in scenario::all() {
        let when = if scenario::by_package(scenario.name) {
            BY_PACKAGE
        } else {
            ""
        };
        println!("{:<24} {}{when}", scenario.name, scenario.shows);
    }
}

/// Upgrades a pair from the older package that was built, and goes back to it. True when it passed.
pub fn upgrade_from() -> Result<bool> {
    setup::require(setup::BASE)?;
    setup::require(setup::UML)?;
    let wanted = BTreeSet::from([scenario::OF_OLDER_PACKAGE]);
    setup::build()?;
    scenario::prepare(&wanted)?;
    let outcomes = scenarios(Kernel::choose(), true, &wanted)?;
    Ok(outcomes.iter().all(|outcome| outcome.passed))
}

/// Puts the packages that were built to the test. True when all passed.
pub fn packages() -> Result<bool> {
    setup::require(setup::BASE)?;
    setup::require(setup::UML)?;
    tree::make(&["rpm"])?;
    let mut outcomes = Vec::new();
    for step in &WITH_PACKAGES {
        outcomes.extend(attempts(step)?);
    }
    let wanted = BTreeSet::from([scenario::OF_PACKAGES]);
    outcomes.extend(scenarios(Kernel::choose(), true, &wanted)?);
    println!("{}", summary(&outcomes, &[]));
    Ok(outcomes.iter().all(|outcome| outcome.passed))
}

/// Runs what was asked for, or everything. True when all passed.
pub fn run(only: &[String]) -> Result<bool> {
    let wanted = select(only)?;
    setup::require(setup::BASE)?;
    setup::require(setup::UML)?;
    let mut outcomes = Vec::new();
    let mut not_run = Vec::new();
    for step in STEPS.iter().filter(|step| wanted.contains(step.name)) {
        match attempts(step)? {
            Some(outcome) => outcomes.push(outcome),
            None => not_run.push(step.name),
        }
    }
    if scenario::all()
        .iter()
        .any(|scenario| wanted.contains(scenario.name))
    {
        setup::require(&scenario::tools(&wanted))?;
        setup::build()?;
        scenario::prepare(&wanted)?;
        let chosen = Kernel::choose();
        outcomes.extend(scenarios(Kernel::Uml, false, &wanted)?);
        outcomes.extend(scenarios(chosen, true, &wanted)?);
    }
    println!("{}", summary(&outcomes, &not_run));
    Ok(outcomes.iter().all(|outcome| outcome.passed))
}

/// Runs a step, again when that can help, and prints a line for each time; nothing when this machine
/// cannot run it.
fn attempts(step: &Step) -> Result<Option<Outcome>> {
    let mut attempt = 1;
    loop {
        let started = Instant::now();
        let result = (step.run)();
        interrupt::check()?;
        let again = result.is_err() && step.timing && attempt < 2;
        let (word, text) = match &result {
            Ok(note) => ("PASS", note.clone()),
            Err(Error::NotRun(why)) => ("-", format!("not run: {why}")),
            Err(error) if again => ("AGAIN", error.to_string()),
            Err(error) => ("FAIL", error.to_string()),
        };
        println!(
            "{word:<5} {:<24} {:6.1} s  {text}",
            step.name,
            started.elapsed().as_secs_f64()
        );
        match result {
            Err(Error::NotRun(_)) => return Ok(None),
            Err(_) if again => attempt += 1,
            _ => {
                return Ok(Some(Outcome {
                    name: step.name.to_owned(),
                    passed: result.is_ok(),
                    attempts: attempt,
                }));
            }
        }
    }
}

/// The last lines: what failed, what passed late, and the counts.
fn summary(outcomes: &[Outcome], not_run: &[&str]) -> String {
    let names = |wanted: fn(&Outcome) -> bool| {
        let names = outcomes.iter().filter(|outcome| wanted(outcome));
        names
            .map(|outcome| outcome.name.as_str())
            .collect::<Vec<_>>()
    };
    let failed = names(|outcome| !outcome.passed);
    let late = names(|outcome| outcome.passed && outcome.attempts > 1);
    let mut text = String::new();
    if !failed.is_empty() {
        text.push_str(&format!("failed: {}\n", failed.join(" ")));
    }
    if !late.is_empty() {
        text.push_str(&format!("not at the first attempt: {}\n", late.join(" ")));
    }
    text.push_str(&format!(
        "{} passed, {} failed{}",
        outcomes.len() - failed.len(),
        failed.len(),
        left_out(not_run)
    ));
    text
}

/// How the last line tells what this machine could not run.
fn left_out(names: &[&str]) -> String {
    match names.len() {
        0 => String::new(),
        count => format!(", {count} not run: {}", names.join(" ")),
    }
}

/// The names asked for; a name that does not exist is an error, so that nothing passes by a typo.
fn select(only: &[String]) -> Result<BTreeSet<&'static str>> {
    let all: BTreeSet<&'static str> = STEPS
        .iter()
        .map(|step| step.name)
        .chain(scenario::all().iter().map(|scenario| scenario.name))
        .filter(|name| !scenario::by_package(name))
        .collect();
    if only.is_empty() {
        return Ok(all);
    }
    let mut wanted = BTreeSet::new();
    for asked in only {
        let found: Vec<&str> = all
            .iter()
            .copied()
            .filter(|name| matches(asked, name))
            .collect();
        if found.is_empty() {
            return Err(Error::Setup(format!(
                "nothing is called {asked}; see --list"
            )));
        }
        wanted.extend(found);
    }
    Ok(wanted)
}

/// A name, or its beginning followed by `*`.
fn matches(asked: &str, name: &str) -> bool {
    asked
        .strip_suffix('*')
        .map_or(asked == name, |beginning| name.starts_with(beginning))
}

/// Runs the scenarios of one kind in one kernel. When that kernel itself dies, which is no doing of the
/// programs, a new one goes on from there; a scenario during which it dies twice has failed.
fn scenarios(kernel: Kernel, ipvs: bool, wanted: &BTreeSet<&str>) -> Result<Vec<Outcome>> {
    let mut left: Vec<&str> = scenario::all()
        .iter()
        .filter(|scenario| scenario.ipvs == ipvs && wanted.contains(scenario.name))
        .map(|scenario| scenario.name)
        .collect();
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut died_during = None;
    while !left.is_empty() {
        let mut new = one_boot(kernel, ipvs, &left)?;
        for outcome in &mut new {
            outcome.attempts += u32::from(died_during == Some(outcome.name.as_str()));
        }
        outcomes.extend(new);
        left.retain(|name| outcomes.iter().all(|outcome| outcome.name != *name));
        let Some(next) = left.first() else { break };
        if died_during == Some(*next) {
            println!("FAIL  {next:<24}      - s  did not run to its end");
            outcomes.push(Outcome {
                name: (*next).to_owned(),
                passed: false,
                attempts: 2,
            });
            left.remove(0);
        } else {
            println!("the kernel ended during {next}; going on in a new one");
            died_during = Some(*next);
        }
    }
    Ok(outcomes)
}

/// The outcomes of those scenarios that one kernel ran to their end.
fn one_boot(kernel: Kernel, ipvs: bool, names: &[&str]) -> Result<Vec<Outcome>> {
    let folder = tempfile::tempdir().during("making a temporary folder")?;
    let results = folder.path().join("results.json");
    let mut words = vec![OsStr::new("__scenarios"), results.as_os_str()];
    words.extend(names.iter().map(OsStr::new));
    let job = Job {
        ipvs,
        ..Job::own(&words, LIMIT)?
    };
    match kernel.run(&job) {
        Ok(_) => {}
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => println!("{error}"),
    }
    let text = std::fs::read(&results).unwrap_or_default();
    Ok(serde_json::from_slice(&text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_selected_exactly_or_by_their_beginning() {
        let asked = ["format".to_owned(), "unit*".to_owned()];
        let names = select(&asked).unwrap();
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            ["format", "unit", "unit-file"]
        );
        assert!(select(&["formats".to_owned()]).is_err());
    }

    #[test]
    fn what_is_not_run_is_counted() {
        assert_eq!(left_out(&[]), "");
        assert_eq!(left_out(&["browser"]), ", 1 not run: browser");
    }

    #[test]
    fn the_last_lines_name_what_failed_and_what_passed_late() {
        let outcome = |name: &str, passed, attempts| Outcome {
            name: name.to_owned(),
            passed,
            attempts,
        };
        let outcomes = [
            outcome("unit", true, 1),
            outcome("freeze", true, 2),
            outcome("storm", false, 3),
        ];
        assert_eq!(
            summary(&outcomes, &["browser"]),
            "failed: storm\nnot at the first attempt: freeze\n2 passed, 1 failed, 1 not run: browser"
        );
        assert_eq!(summary(&[], &[]), "0 passed, 0 failed");
    }

    #[test]
    fn names_are_unique() {
        let names: Vec<_> = scenario::all()
            .iter()
            .map(|scenario| scenario.name)
            .collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), unique.len());
    }
}
