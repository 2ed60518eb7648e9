//! A pair of routers stepped through seeded faults.
//!
//! `PAIR_SEED=17 cargo test -p heartbeat --test pair -- --nocapture replay` prints one run;
//! `PAIR_SEEDS=0..1000000 cargo test --release -p heartbeat --test pair -- --nocapture every_seed`
//! is the long test.
#![allow(
    clippy::indexing_slicing,
    reason = "routers and paths are counted 0 and 1 here"
)]

mod config;
mod mutants;
mod network;
mod node;
mod original;
mod recorded;
mod rng;
mod rows;
mod simulation;

use mutants::Mutant;
use simulation::Simulation;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

const FAULTS: u64 = 20;
const SEEDS: u64 = 2000;

fn run(seed: u64, mutant: Mutant, traced: bool) -> Simulation {
    let mut simulation = Simulation::new(seed, mutant, traced);
    simulation.run(FAULTS);
    simulation
}

fn seeds() -> Range<u64> {
    let given = std::env::var("PAIR_SEEDS").ok();
    let given = given.as_deref().and_then(|text| text.split_once(".."));
    match given.map(|(from, to)| (from.parse(), to.parse())) {
        Some((Ok(from), Ok(to))) => from..to,
        _ => 0..SEEDS,
    }
}

/// Calls `each` for all seeds, on every processor, until it has given some answers.
fn search<T: Send>(
    seeds: Range<u64>,
    enough: usize,
    each: impl Fn(u64) -> Option<T> + Sync,
) -> Vec<T> {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            let mut answers = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end || answers.len() >= enough {
                    return answers;
                }
                if seed.is_multiple_of(10_000) && seed > seeds.start {
                    println!("seed {seed}");
                }
                answers.extend(each(seed));
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

#[test]
fn every_seed_keeps_the_invariants() {
    let (changes, faults) = (AtomicU64::new(0), AtomicU64::new(0));
    let seeds = seeds();
    let broken = search(seeds.clone(), 10, |seed| {
        let run = run(seed, Mutant::None, false);
        changes.fetch_add(run.activations, Ordering::Relaxed);
        faults.fetch_add(run.faults, Ordering::Relaxed);
        assert!(run.faults >= FAULTS || run.violation.is_some());
        run.violation.map(|violation| {
            println!("seed {seed}: {violation}");
            (seed, violation)
        })
    });
    if let Some((seed, violation)) = broken.iter().min() {
        panic!(
            "{}seed {seed}: {violation}",
            run(*seed, Mutant::None, true).trace()
        );
    }
    let (changes, runs) = (changes.into_inner(), seeds.end - seeds.start);
    let faults = faults.into_inner();
    println!("{runs} seeds, {faults} faults, {changes} times that a router became active");
    assert!(changes > runs, "nothing happened");
}

/// Runs that once ended badly, and what was wrong.
#[test]
fn seeds_that_failed_once() {
    for (seed, what) in [
        (
            77_424,
            "replays of what a suspended router had missed counted as signs of life",
        ),
        (
            112_205,
            "a computer that stood still for 57 ms in a long cut lost its role",
        ),
        (
            116_774,
            "the referee blamed a router for a VIP that its partner had all the time",
        ),
        (
            307_818,
            "numbers that stood still in a pause: a replay that repeated one proved an ended run",
        ),
        (
            321_418,
            "as 307818: the partner's real run was refused from then on",
        ),
        (409_965, "as 321418, with an active partner"),
        (730_356, "as 409965"),
        (
            332_932,
            "a router whose lvs died at each start put its deaf partner's take-over off",
        ),
        (
            526_740,
            "the referee counted answers that jitter made later than the deadtime",
        ),
        (
            507_577,
            "the referee counted a role twice when lvs died while its router became active",
        ),
        (840_926, "as 507577"),
    ] {
        let run = run(seed, Mutant::None, true);
        assert_eq!(run.violation, None, "{what}: {}", run.trace());
    }
}

#[test]
fn a_run_is_its_seed() {
    for seed in [3, 1414] {
        let traces = [(); 2].map(|()| run(seed, Mutant::None, true).trace().to_owned());
        assert_eq!(traces[0], traces[1]);
    }
}

#[test]
fn every_broken_rule_is_found() {
    for mutant in Mutant::ALL {
        let found = search(0..400, 1, |seed| {
            let run = run(seed, mutant, false);
            run.violation.map(|violation| (seed, violation))
        });
        println!("{mutant:?}: {:?}", found.iter().min());
        assert!(!found.is_empty(), "{mutant:?} was not found");
    }
}

#[test]
fn replay() {
    if let Ok(seed) = std::env::var("PAIR_SEED") {
        let run = run(seed.parse().expect("a number"), Mutant::None, true);
        println!("{}{:?}", run.trace(), run.violation);
    }
}
