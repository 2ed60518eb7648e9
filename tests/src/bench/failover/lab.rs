//! The rows that need the kernel's table: a planned stop under traffic, and many services taken over
//! with what the standby knows already.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

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

/// Planned stops.
const STOPS: u32 = 6;
/// Cuts of the pair with many services.
const CUTS: u32 = 2;
const SERVICES: u8 = 50;
const SERVERS: usize = 4;
/// Bars in milliseconds.
const STOP: f64 = 300.0;
const SERVED: f64 = 4000.0;
/// Time for as many checks to begin in a kernel that runs by ptrace.
const START: Duration = Duration::from_secs(180);

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
        pair.router_mut(Side::A).start()?;
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

/// A router with many services is cut off just after a heartbeat; the standby checks all the time.
fn services(programs: &Path) -> Result<bool> {
    let mut configuration = Configuration::new(Method::Nat, SERVERS).with("standby_checks = 1");
    configuration.virtuals.extend((1..SERVICES).map(|number| {
        let address = Ipv4Addr::new(198, 51, 100, 100 + number);
        let (name, device) = (format!("web{number}"), format!("eth0:{}", number + 1));
        Virtual::new(&name, address, &device, Method::Nat, SERVERS)
    }));
    let pair = serving(programs, &configuration, SERVERS)?;
    let wire = Wire::listen(&pair.network.switch)?;
    let client = pair.client()?;
    let mut outages = Vec::new();
    let mut active = Side::A;
    for _ in 0..CUTS {
        let round = (|| {
            wait_checked(&pair, active.other())?;
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
            pair.network.set_connected(active, true)?;
            active = active.other();
            pair.wait_settled(active, &configuration, START)
        })();
        pair.explained(round)?;
    }
    let outages = Figures::of(outages);
    let note = format!("median {:.0} of {CUTS}, 1 s / 3 s", outages.median);
    let name = "50 x 4: first request served, ms, max";
    Ok(report(name, outages.longest, SERVED, &note))
}

/// Waits until the standby has a checker for each server.
fn wait_checked(pair: &Pair, side: Side) -> Result<()> {
    let wanted = usize::from(SERVICES) * SERVERS;
    let what = format!("{side} checks {wanted} servers");
    wait::for_it(what, START, || {
        Ok(pair.router(side).running("nanny").len() == wanted)
    })?;
    // Each of them once.
    std::thread::sleep(Duration::from_secs(5));
    Ok(())
}
