//! A planned stop under traffic.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::super::super::report;
use super::super::Times;
use super::super::ground::LIMIT;
use super::super::outage::Figures;
use super::serving;
use crate::client::Session;
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::Result;
use crate::network::{Method, Side, VIP};

/// Bar in milliseconds.
const STOP: f64 = 300.0;

/// The active pulse is asked to end while a client asks for pages and others stay connected.
pub(super) fn run(programs: &Path, rounds: u32, method: Method, times: Times) -> Result<bool> {
    let configuration = Configuration::new(method, 2).with_sync("eth1");
    let configuration = times.given_to(configuration);
    let mut pair = serving(programs, &configuration, 2)?;
    let mut outages = Vec::new();
    let mut failures = Vec::new();
    let (mut lost, mut sessions, mut asked) = (0, 0, 0);
    let mut active = Side::A;
    for number in 1..=rounds {
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
    let note = format!("median {:.0} of {rounds}", outages.median);
    let name = "planned stop under traffic, ms, max";
    let mut good = report(name, outages.longest, STOP, &note);
    for failure in &failures {
        println!("      a request failed {failure}");
    }
    let note = format!("of {asked}");
    good &= report("new connections failed", failures.len() as f64, 0.0, &note);
    if method == Method::Tunnel {
        // Its kernel sends nothing on for connections that it knows from its partner alone.
        println!("      established ones lost: {lost} of {sessions}, syncdaemon = 1");
        return Ok(good);
    }
    let note = format!("of {sessions}, syncdaemon = 1");
    Ok(report("established ones lost", lost as f64, 0.0, &note) && good)
}
