//! The rows that need the kernel's table: a planned stop under traffic, and many services taken over
//! with what the standby knows already.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::super::report;
use super::ground::LIMIT;
use super::outage::Figures;
use crate::client::Session;
use crate::configuration::{Configuration, Virtual};
use crate::ensure;
use crate::error::{Error, Result};
use crate::network::{Method, Side, VIP};
use crate::pair::Pair;
use crate::wait;
use crate::wire::{What, Wire};

/// What lvs writes down of itself.
const LVS_STATUS: &str = "/run/piranha/lvs.json";
/// Planned stops.
const STOPS: u32 = 6;
/// Cuts of the pair with many services: with standby_checks, and without.
const CUTS: u32 = 3;
const SERVICES: u8 = 50;
const SERVERS: usize = 4;
/// Bars in milliseconds.
const STOP: f64 = 300.0;
const SERVED: f64 = 4000.0;
/// Time for as many checks to begin in a kernel that runs by ptrace.
const START: Duration = Duration::from_secs(180);
/// Seconds between checks: 400 nannies leave that kernel little for anything else when each of them
/// connects every second.
const INTERVAL: u32 = 20;

/// A row by its name.
type Row = (&'static str, fn(&Path) -> Result<bool>);

const ROWS: [Row; 2] = [("lab-stop", stop), ("lab-services", services)];

pub(super) fn run(programs: &Path, rows: &[String]) -> Result<bool> {
    let mut good = true;
    for (name, row) in ROWS {
        if !rows.iter().any(|wanted| wanted == name) {
            continue;
        }
        match row(programs) {
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
    let mut pair = Pair::build_with(programs, Method::Nat, servers)?;
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

/// The active pulse is asked to end while a client asks for pages and others stay connected.
fn stop(programs: &Path) -> Result<bool> {
    let configuration = Configuration::new(Method::Nat, 2)
        .with("syncdaemon = 1")
        .with("syncd_iface = eth1");
    let mut pair = serving(programs, &configuration, 2)?;
    let mut outages = Vec::new();
    let mut failures = Vec::new();
    let (mut lost, mut sessions, mut asked) = (0, 0, 0);
    let mut active = Side::A;
    for number in 1..=STOPS {
        let round = (|| {
            // Long enough for the standby to be known and for connections to be told to it.
            std::thread::sleep(Duration::from_secs(4));
            let mut session = Session::open(&pair.network.client, SocketAddr::from((VIP, 80)))?;
            for _ in 0..3 {
                session.exchange()?;
            }
            std::thread::sleep(Duration::from_secs(4));
            let (client, patient) = (pair.client()?, pair.patient_client()?);
            client.next(10)?;
            let begun = Instant::now();
            pair.router(active).signal(Signal::SIGTERM)?;
            let status = pair.router_mut(active).wait_for_exit(LIMIT)?;
            ensure!(status.success(), "pulse of {active} ended with {status}");
            pair.wait_settled(active.other(), &configuration, LIMIT)?;
            client.next(20)?;
            outages.push(client.outage(begun)?);
            let texts = patient.failures_since(begun).into_iter();
            failures.extend(texts.map(|text| format!("in round {number} {text}")));
            asked += patient.since(begun).len();
            sessions += 1;
            lost += usize::from(session.exchange().is_err());
            pair.router_mut(active).start()?;
            active = active.other();
            Ok(())
        })();
        pair.explained(round)?;
    }
    let outages = Figures::of(outages);
    let note = format!("median {:.0} of {STOPS}", outages.median);
    let name = "planned stop under traffic, ms, max";
    let mut good = report(name, outages.longest, STOP, &note);
    for failure in &failures {
        println!("      a request failed {failure}");
    }
    let note = format!("of {asked}");
    good &= report("new connections failed", failures.len() as f64, 0.0, &note);
    let note = format!("of {sessions}, syncdaemon = 1");
    Ok(report("established ones lost", lost as f64, 0.0, &note) && good)
}

/// A router with many services is cut off just after a heartbeat; the standby checks all the time, or
/// begins when it misses heartbeats.
fn services(programs: &Path) -> Result<bool> {
    let checked = cuts(programs, true)?;
    let note = format!("median {:.0} of {CUTS}, 1 s / 3 s", checked.median);
    let name = "50 x 4: first request served, ms, max";
    let good = report(name, checked.longest, SERVED, &note);
    let unchecked = cuts(programs, false)?;
    println!(
        "      the same without standby_checks: max {:.0} ms, median {:.0} of {CUTS}",
        unchecked.longest, unchecked.median
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

fn cuts(programs: &Path, standby_checks: bool) -> Result<Figures> {
    let configuration = many_services(standby_checks);
    let pair = serving(programs, &configuration, SERVERS)?;
    let wire = Wire::listen(&pair.network.switch)?;
    let client = pair.client()?;
    let mut outages = Vec::new();
    let mut active = Side::A;
    for _ in 0..CUTS {
        let round = (|| {
            if standby_checks {
                wait_checked(&pair, active.other())?;
            }
            client.wait_served(Instant::now(), LIMIT)?;
            client.next(10)?;
            wire.wait_next("heartbeat", LIMIT, |seen| {
                seen.from == active && !seen.public && matches!(seen.what, What::Heartbeat(_))
            })?;
            let cut = Instant::now();
            pair.network.set_connected(active, false)?;
            let other = pair.router(active.other());
            wait::for_it("the partner takes over", LIMIT, || other.owns(VIP))?;
            client.wait_served(Instant::now(), LIMIT)?;
            client.next(10)?;
            outages.push(client.outage(cut)?);
            // Only now the tables are looked at: /proc/net/ip_vs leaves services out when it is
            // read in pieces while another namespace of the same kernel has many.
            pair.network.set_connected(active, true)?;
            active = active.other();
            pair.wait_settled(active, &configuration, START)
        })();
        pair.explained(round)?;
    }
    Ok(Figures::of(outages))
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
