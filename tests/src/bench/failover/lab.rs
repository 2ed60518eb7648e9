//! The rows that need the kernel's table: planned stops under traffic, and many services taken over
//! with what the standby knows already.

mod services;
mod stop;

use std::path::Path;
use std::time::Duration;

use super::{HUNDREDTH, SECOND, TENTH};
use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::network::{Method, Side};
use crate::pair::Pair;

/// Time for hundreds of checks to begin in a kernel that runs by ptrace.
const START: Duration = Duration::from_secs(180);

/// A row by its name, for the programs in a folder and a number of rounds.
type Row = (&'static str, fn(&Path, u32) -> Result<bool>);

const ROWS: [Row; 6] = [
    ("lab-stop-1s", |programs, rounds| {
        stop::run(programs, rounds, Method::Nat, SECOND)
    }),
    ("lab-stop-100ms", |programs, rounds| {
        stop::run(programs, rounds, Method::Nat, TENTH)
    }),
    ("lab-stop-10ms", |programs, rounds| {
        stop::run(programs, rounds, Method::Nat, HUNDREDTH)
    }),
    ("lab-stop-direct", |programs, rounds| {
        stop::run(programs, rounds, Method::Direct, SECOND)
    }),
    ("lab-stop-tunnel", |programs, rounds| {
        stop::run(programs, rounds, Method::Tunnel, SECOND)
    }),
    ("lab-services", services::run),
];

pub(super) fn run(programs: &Path, rounds: u32, rows: &[String]) -> Result<bool> {
    let mut good = true;
    for (name, row) in ROWS {
        if !rows.iter().any(|wanted| wanted == name) {
            continue;
        }
        match row(programs, rounds) {
            Ok(met) => good &= met,
            Err(error) => {
                println!("FAIL  {name}: {error}");
                if let Error::Explained { report, .. } = &error {
                    println!("{report}");
                }
                good = false;
            }
        }
    }
    Ok(good)
}

fn serving(programs: &Path, configuration: &Configuration, servers: usize) -> Result<Pair> {
    let mut pair = Pair::build_with(programs, configuration.method, servers)?;
    let begun = (|| {
        pair.configure(configuration)?;
        // One after the other: two routers that start hundreds of checkers starve their own pulses.
        pair.router_mut(Side::A).start()?;
        pair.wait_serving(Side::A, configuration, START)?;
        pair.router_mut(Side::B).start()?;
        pair.wait_settled(Side::A, configuration, START)
    })();
    pair.explained(begun)?;
    Ok(pair)
}
