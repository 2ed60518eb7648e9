//! Many services taken over with what the standby knows already.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::super::report;
use super::super::ground::LIMIT;
use super::super::outage::Figures;
use super::{START, serving};
use crate::client::{self, QUICK};
use crate::configuration::{Configuration, Virtual};
use crate::error::{Error, Result};
use crate::network::{Method, Side};
use crate::pair::Pair;
use crate::wait;
use crate::wire::{What, Wire};

/// What lvs writes down of itself.
const LVS_STATUS: &str = "/run/piranha/lvs.json";
const SERVICES: u8 = 50;
const SERVERS: usize = 4;
/// Bar in milliseconds.
const SERVED: f64 = 4000.0;
/// Seconds between checks: 400 nannies leave that kernel little for anything else when each of them
/// connects every second.
const INTERVAL: u32 = 20;
/// For the answer on a connection that was made.
const ANSWER: Duration = Duration::from_secs(10);

/// A router with many services is cut off just after a heartbeat; the standby checks all the time, or
/// begins when it misses heartbeats.
pub(super) fn run(programs: &Path, rounds: u32) -> Result<bool> {
    let (first, last) = cuts(programs, rounds, true)?;
    let note = format!(
        "median {:.0} of {rounds}, 1 s / 3 s; the first of 50 max {:.0}, median {:.0}",
        last.median, first.longest, first.median
    );
    let name = "50 x 4: last of 50 served, ms, max";
    let good = report(name, last.longest, SERVED, &note);
    let (first, last) = cuts(programs, rounds, false)?;
    println!(
        "      the same without standby_checks: max {:.0} ms, median {:.0}; the first of 50 max {:.0}, median {:.0}",
        last.longest, last.median, first.longest, first.median
    );
    Ok(good)
}

fn many_services(standby_checks: bool) -> Configuration {
    let mut configuration = Configuration::new(Method::Nat, SERVERS);
    if standby_checks {
        configuration = configuration.with("standby_checks = 1");
    }
    configuration.virtuals.extend((1..SERVICES).map(|number| {
        let address = Ipv4Addr::new(198, 51, 100, 100 + number);
        let (name, device) = (format!("web{number}"), format!("eth0:{}", number + 1));
        Virtual::new(&name, address, &device, Method::Nat, SERVERS)
    }));
    configuration.each(|service| service.timeout = INTERVAL)
}

/// Times from the cut until the first and until the last service answered a client of its own.
fn cuts(programs: &Path, rounds: u32, standby_checks: bool) -> Result<(Figures, Figures)> {
    let configuration = many_services(standby_checks);
    let pair = serving(programs, &configuration, SERVERS)?;
    let wire = Wire::listen(&pair.network.switch)?;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let mut active = Side::A;
    for _ in 0..rounds {
        let round = (|| {
            if standby_checks {
                wait_checked(&pair, active.other())?;
            }
            // Neighbours and clients know where the services are.
            served(&pair, &configuration)?;
            wire.wait_next("heartbeat", LIMIT, |seen| {
                seen.from == active && !seen.public && matches!(seen.what, What::Heartbeat(_))
            })?;
            let cut = Instant::now();
            pair.network.set_connected(active, false)?;
            let times = served(&pair, &configuration)?;
            first.extend(times.iter().min().map(|at| *at - cut));
            last.extend(times.iter().max().map(|at| *at - cut));
            // Only now the tables are looked at: /proc/net/ip_vs leaves services out when it is
            // read in pieces while another namespace of the same kernel has many.
            pair.network.set_connected(active, true)?;
            active = active.other();
            pair.wait_settled(active, &configuration, START)
        })();
        pair.explained(round)?;
    }
    Ok((Figures::of(first), Figures::of(last)))
}

/// When each of the services first answered, all asked at once from now on.
fn served(pair: &Pair, configuration: &Configuration) -> Result<Vec<Instant>> {
    let targets: Vec<SocketAddr> = configuration
        .virtuals
        .iter()
        .map(|service| SocketAddr::from((service.address, service.port)))
        .collect();
    // Threads made on the machine stay in its namespaces.
    let clients = pair.network.client.run(move || {
        let ask = |target| std::thread::spawn(move || first_answer(target));
        targets.into_iter().map(ask).collect::<Vec<_>>()
    })?;
    let times = clients
        .into_iter()
        .map(|client| client.join().ok().flatten());
    times
        .collect::<Option<_>>()
        .ok_or_else(|| Error::unmet(format_args!("a service did not answer within {LIMIT:?}")))
}

/// Who gives up a connection that a busy kernel has made, and makes the next one, keeps it from answering
/// any: the longer it takes, the more patience there is, by a small part of what is measured.
fn first_answer(target: SocketAddr) -> Option<Instant> {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        let asked = Instant::now();
        let patience = QUICK.max(begun.elapsed() / 20);
        if client::request_within(target, patience, ANSWER).is_ok() {
            return Some(Instant::now());
        }
        // It may be refused at once.
        std::thread::sleep(patience.saturating_sub(asked.elapsed()));
    }
    None
}

/// Waits until the standby has a verdict on each server.
fn wait_checked(pair: &Pair, side: Side) -> Result<()> {
    let wanted = usize::from(SERVICES) * SERVERS;
    let mut known = 0;
    let checked = wait::for_it("", START, || {
        // It may be between two files, or before the first.
        let text = pair.router(side).read(LVS_STATUS).unwrap_or_default();
        let status: Value = serde_json::from_str(&text).unwrap_or_default();
        known = verdicts(&status, "up");
        Ok(known == wanted)
    });
    checked.map_err(|error| match error {
        Error::Unmet(_) => Error::unmet(format_args!(
            "{side} found {known} of {wanted} servers up within {START:?}"
        )),
        other => other,
    })
}

fn verdicts(status: &Value, verdict: &str) -> usize {
    let list = |value: &Value, name| value.get(name).and_then(Value::as_array).cloned();
    let services = list(status, "services").unwrap_or_default();
    let servers = services
        .iter()
        .flat_map(|service| list(service, "servers").unwrap_or_default());
    servers
        .filter(|server| server.get("verdict").and_then(Value::as_str) == Some(verdict))
        .count()
}
