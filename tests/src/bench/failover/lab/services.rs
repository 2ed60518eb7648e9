//! Many services taken over with what the standby knows already.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::super::report;
use super::super::ground::LIMIT;
use super::super::outage::{Figures, in_milliseconds};
use super::{START, serving};
use crate::client::{self, QUICK};
use crate::configuration::{Configuration, Virtual};
use crate::error::{Error, Result};
use crate::network::{Method, Side};
use crate::pair::Pair;
use crate::stall::Watch;
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
            let watch = Watch::start();
            let cut = Instant::now();
            pair.network.set_connected(active, false)?;
            let answers = served(&pair, &configuration)?;
            let slowest = answers.iter().max_by_key(|answer| answer.at);
            first.extend(answers.iter().map(|answer| answer.at - cut).min());
            last.extend(slowest.map(|answer| answer.at - cut));
            if let Some(slowest) = slowest
                && standby_checks
                && in_milliseconds(slowest.at - cut) > SERVED
            {
                println!("      a slow round: {}", slowest.story(cut, &watch));
            }
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

/// A service's first answer.
struct Answer {
    target: SocketAddrV4,
    at: Instant,
    /// When each attempt before it began, and how it ended.
    failures: Vec<(Instant, String)>,
}

impl Answer {
    /// What there is to say when it came late.
    fn story(&self, cut: Instant, watch: &Watch) -> String {
        let told = |(begun, error): &(Instant, String)| {
            format!("{:.0} ms: {error}", in_milliseconds(*begun - cut))
        };
        let failures: Vec<String> = self.failures.iter().rev().take(5).map(told).collect();
        format!(
            "{} was served after {:.0} ms, this kernel stood still for at most {:.0} ms; its last attempts: {}",
            self.target,
            in_milliseconds(self.at - cut),
            in_milliseconds(watch.longest()),
            failures.join("; ")
        )
    }
}

/// The first answers of all services, all asked at once from now on.
fn served(pair: &Pair, configuration: &Configuration) -> Result<Vec<Answer>> {
    let targets: Vec<SocketAddrV4> = configuration
        .virtuals
        .iter()
        .map(|service| SocketAddrV4::new(service.address, service.port))
        .collect();
    // Threads made on the machine stay in its namespaces.
    let clients = pair.network.client.run(move || {
        let ask = |target| std::thread::spawn(move || first_answer(target));
        targets.into_iter().map(ask).collect::<Vec<_>>()
    })?;
    let answers = clients
        .into_iter()
        .map(|client| client.join().ok().flatten());
    answers
        .collect::<Option<_>>()
        .ok_or_else(|| Error::unmet(format_args!("a service did not answer within {LIMIT:?}")))
}

/// Who gives up a connection that a busy kernel has made, and makes the next one, keeps it from answering
/// any: the longer it takes, the more patience there is, by a small part of what is measured.
fn first_answer(target: SocketAddrV4) -> Option<Answer> {
    let begun = Instant::now();
    let mut failures = Vec::new();
    while begun.elapsed() < LIMIT {
        let asked = Instant::now();
        let patience = QUICK.max(begun.elapsed() / 20);
        match client::request_from(port(), target, patience, ANSWER) {
            Ok(_) => {
                let at = Instant::now();
                return Some(Answer {
                    target,
                    at,
                    failures,
                });
            }
            Err(error) => failures.push((asked, error.to_string())),
        }
        // It may be refused at once.
        std::thread::sleep(patience.saturating_sub(asked.elapsed()));
    }
    None
}

/// A port for one connection, for no other one soon. All services have the same servers: to these, two
/// connections from one port of this client are one, and the second ends the first, which hangs.
fn port() -> u16 {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    1024 + COUNT.fetch_add(1, Ordering::Relaxed) % (u16::MAX - 1024)
}

/// Waits until the lvs that stands by has a verdict on each server. It may be that the one that was
/// active there has not ended yet.
fn wait_checked(pair: &Pair, side: Side) -> Result<()> {
    let wanted = usize::from(SERVICES) * SERVERS;
    let mut known = 0;
    let checked = wait::for_it("", START, || {
        // It may be between two files, or before the first.
        let text = pair.router(side).read(LVS_STATUS).unwrap_or_default();
        let status: Value = serde_json::from_str(&text).unwrap_or_default();
        known = verdicts(&status, "up");
        let stands_by = status.get("mode").and_then(Value::as_str) == Some("standby");
        Ok(stands_by && known == wanted)
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
