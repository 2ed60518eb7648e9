//! The end-to-end runs. Each is a function that builds what it needs, fails with a reason, and
//! leaves nothing behind. Criteria are those of the design; none is loosened to pass.

mod addresses;
mod balance;
mod book;
mod checkers;
mod clock;
mod commands;
mod deaths;
mod failover;
mod installed;
mod laboratory;
mod modes;
mod original;
mod refusals;
mod reload;
mod services;
mod upgrade;
mod watch;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::configuration::Configuration;
use crate::error::{Context, Error, Result};
use crate::pair::Pair;
use crate::setup::{self, Tool};
use crate::stall;

/// Time between heartbeats in the laboratory's lvs.cf.
const KEEPALIVE: Duration = Duration::from_secs(1);
/// Silence after which the partner is dead.
const DEADTIME: Duration = Duration::from_secs(3);
/// The VIPs' lifetime that follows: deadtime less keepalive.
const LIFETIME: Duration = Duration::from_secs(2);
/// Scheduling allowance of the laboratory's kernel, which runs its processes by ptrace.
const SLACK: Duration = Duration::from_secs(2);
/// Time for a pair to come to rest after a change of roles.
const SETTLE: Duration = Duration::from_secs(8);

/// One end-to-end run.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    /// Needs a kernel with IPVS; the others need one without.
    pub ipvs: bool,
    /// The run; what it gives is printed beside the name.
    pub run: fn() -> Result<String>,
}

/// All of them, in the order in which they are run.
pub fn all() -> Vec<Scenario> {
    [
        laboratory::SCENARIOS,
        balance::SCENARIOS,
        book::SCENARIOS,
        failover::SCENARIOS,
        clock::SCENARIOS,
        deaths::SCENARIOS,
        checkers::SCENARIOS,
        commands::SCENARIOS,
        reload::SCENARIOS,
        services::SCENARIOS,
        addresses::SCENARIOS,
        modes::SCENARIOS,
        refusals::SCENARIOS,
        original::SCENARIOS,
        upgrade::SCENARIOS,
        installed::SCENARIOS,
        watch::SCENARIOS,
    ]
    .concat()
}

/// The one that needs both packages, and the one that needs an older package.
pub use installed::{OF_OLDER_PACKAGE, OF_PACKAGES};

/// Whether it is one of those two, which are not run with the others.
pub fn by_package(name: &str) -> bool {
    [OF_PACKAGES, OF_OLDER_PACKAGE].contains(&name)
}

/// The pages of the book whose commands scenarios run.
pub fn pages() -> Vec<&'static str> {
    [book::PAGES, installed::PAGES].concat()
}

/// What must be installed for the scenarios with these names, beside what every run needs.
pub fn tools(names: &BTreeSet<&str>) -> Vec<Tool> {
    let original = original::SCENARIOS
        .iter()
        .any(|scenario| names.contains(scenario.name));
    let clients = installed::SCENARIOS.iter().chain(book::SCENARIOS);
    let by_hand = clients
        .into_iter()
        .any(|scenario| names.contains(scenario.name));
    let original = if original { setup::ON_IPVSADM } else { &[] };
    let clients = if by_hand { setup::CURL } else { &[] };
    [original, clients].concat()
}

/// Makes what the scenarios with these names need beside the programs.
pub fn prepare(names: &BTreeSet<&str>) -> Result<()> {
    let installed = installed::SCENARIOS
        .iter()
        .any(|scenario| names.contains(scenario.name));
    if installed {
        installed::prepare()
    } else {
        Ok(())
    }
}

/// How one run ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Name of the scenario.
    pub name: String,
    /// Whether it passed, at last.
    pub passed: bool,
    /// How often it was begun.
    pub attempts: u32,
}

/// A scenario that failed is run once more, and once more again when the machine stood still during the
/// second run: on a machine that others use too, one that missed its turn does not stop a change. It is not
/// hidden either: the reason is printed, and the last lines name it.
const ATTEMPTS: u32 = 3;

/// Runs the scenarios with these names, one line for each, and leaves the outcomes in a file.
pub fn run(names: &[String], results: &Path) -> Result<bool> {
    let mut outcomes = Vec::new();
    for scenario in all()
        .iter()
        .filter(|scenario| names.iter().any(|name| name == scenario.name))
    {
        outcomes.extend((1..=ATTEMPTS).find_map(|attempt| once(scenario, attempt)));
        let text = serde_json::to_vec(&outcomes).map_err(std::io::Error::from);
        std::fs::write(results, text.during("writing the outcomes")?)
            .during("writing the outcomes")?;
    }
    Ok(outcomes.iter().all(|outcome| outcome.passed))
}

/// One attempt, and its line; nothing when another is to follow. The last counts as it is.
fn once(scenario: &Scenario, attempt: u32) -> Option<Outcome> {
    let watch = stall::Watch::start();
    let started = Instant::now();
    let result = (scenario.run)();
    let seconds = started.elapsed().as_secs_f64();
    let again = result.is_err() && (attempt == 1 || watch.stood_still() && attempt < ATTEMPTS);
    let (word, mut text) = match &result {
        Ok(note) => ("PASS", note.clone()),
        Err(error) if again => ("AGAIN", error.to_string()),
        Err(error) => ("FAIL", error.to_string()),
    };
    if watch.stood_still() {
        let pause = watch.longest().as_millis();
        text.push_str(&format!(" (the machine stood still for {pause} ms)"));
    }
    println!("{word:<5} {:<24} {seconds:6.1} s  {text}", scenario.name);
    if let Err(Error::Explained { report, .. }) = &result {
        println!("{report}");
    }
    (!again).then(|| Outcome {
        name: scenario.name.to_owned(),
        passed: result.is_ok(),
        attempts: attempt,
    })
}

/// Brings up a pair, does the run, and adds both routers' logs when it fails.
fn with_pair(
    configuration: &Configuration,
    servers: usize,
    act: impl FnOnce(&mut Pair) -> Result<String>,
) -> Result<String> {
    let mut pair = Pair::serving(configuration, servers)?;
    let result = act(&mut pair);
    pair.explained(result)
}

/// Maximum and median of several times.
fn figures(times: &mut [Duration]) -> String {
    times.sort();
    let longest = times.last().copied().unwrap_or_default();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    format!(
        "max {} ms, median {} ms of {}",
        longest.as_millis(),
        median.as_millis(),
        times.len()
    )
}
