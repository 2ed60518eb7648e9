//! A pair of routers stepped through seeded faults.
//!
//! `PAIR_SEED=17 cargo test -p heartbeat --test pair -- --nocapture replay` prints one run;
//! `PAIR_SEEDS=1000000` makes the long test (with `--release`).
#![allow(
    clippy::indexing_slicing,
    reason = "routers and paths are counted 0 and 1 here"
)]

mod network;
mod rng;
mod simulation;

use simulation::{Sabotage, Simulation};

const FAULTS: u64 = 20;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn run(seed: u64, sabotage: Sabotage) -> Simulation {
    let mut simulation = Simulation::new(seed, sabotage);
    simulation.run(FAULTS);
    simulation
}

#[test]
fn invariants_hold_for_every_seed() {
    let seeds = number("PAIR_SEEDS").unwrap_or(if cfg!(debug_assertions) { 100 } else { 2000 });
    let mut activations = 0;
    for seed in 0..seeds {
        let run = run(seed, Sabotage::None);
        assert!(
            run.violation.is_none(),
            "{}{}",
            run.trace,
            run.violation.unwrap_or_default()
        );
        activations += run.activations;
    }
    assert!(activations >= seeds, "nothing happened");
}

#[test]
fn a_run_is_its_seed() {
    for seed in [3, 1414] {
        assert_eq!(
            run(seed, Sabotage::None).trace,
            run(seed, Sabotage::None).trace
        );
    }
}

#[test]
fn broken_rules_are_found() {
    for sabotage in [Sabotage::NobodyYields, Sabotage::StandbyNeverTakesOver] {
        let found = (0..200).any(|seed| run(seed, sabotage).violation.is_some());
        assert!(found, "{sabotage:?}");
    }
}

#[test]
fn replay() {
    if let Some(seed) = number("PAIR_SEED") {
        let run = run(seed, Sabotage::None);
        println!("{}{:?}", run.trace, run.violation);
    }
}
