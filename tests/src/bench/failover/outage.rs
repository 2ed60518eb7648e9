//! Rows about the client's outage.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::super::{Options, report};
use super::ground::{Contender, Ground, LIMIT};
use super::{TENTH, Times};
use crate::error::Result;
use crate::network::VIP;
use crate::ping::time_of_day;
use crate::wait;

/// Bar of a planned stop, in milliseconds.
const STOP: f64 = 20.0;
/// Bar of a killed pulse.
const KILL: f64 = 150.0;

/// Median and maximum in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) median: f64,
    pub(super) longest: f64,
    pub(super) shortest: f64,
}

impl Figures {
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |index: usize| {
            let time = times.get(index).copied().unwrap_or_default();
            in_milliseconds(time)
        };
        Self {
            median: at(times.len() / 2),
            longest: at(times.len().saturating_sub(1)),
            shortest: at(0),
        }
    }
}

pub(super) fn in_milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A router is cut off on every path just after it sent a heartbeat.
pub(super) fn cut(options: &Options, times: Times, bar: f64) -> Result<bool> {
    let (ours, takeovers) = cuts(options, Contender::Pulse, times)?;
    let (theirs, _) = cuts(options, Contender::Keepalived, times)?;
    let bar = if times.deadtime == TENTH.deadtime {
        bar.min(theirs.longest)
    } else {
        bar
    };
    let deadtime = f64::from(times.deadtime);
    let early = takeovers.shortest < deadtime;
    if early {
        println!(
            "FAIL  announced {:.1} ms after the last heartbeat, before the deadtime of {deadtime} ms",
            takeovers.shortest
        );
    }
    let note = format!(
        "median {:.1}, first announcement {:.1} to {:.1} after the last heartbeat; keepalived {}",
        ours.median,
        takeovers.shortest,
        takeovers.longest,
        beside(theirs)
    );
    Ok(report("outage when cut off, ms, max", ours.longest, bar, &note) && !early)
}

fn beside(theirs: Figures) -> String {
    format!("max {:.1}, median {:.1}", theirs.longest, theirs.median)
}

/// Outages and times to the first announcement.
fn cuts(options: &Options, contender: Contender, times: Times) -> Result<(Figures, Figures)> {
    let ground = Ground::new(contender, times)?;
    let (mut outages, mut takeovers) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        let round = (|| {
            let active = ground.at_rest()?;
            let begun = time_of_day();
            let cut = ground.cut_after_heartbeat(active)?;
            takeovers.push(ground.takeover(active, cut)?);
            ground.ping.wait_steady(LIMIT)?;
            outages.push(ground.ping.outage(begun)?);
            ground.pair.network.set_connected(active, true)
        })();
        ground.pair.explained(round)?;
    }
    Ok((Figures::of(outages), Figures::of(takeovers)))
}

/// The active daemon is asked to end.
pub(super) fn stop(options: &Options, times: Times) -> Result<bool> {
    let ours = ends(options, Contender::Pulse, times, Signal::SIGTERM)?;
    let theirs = ends(options, Contender::Keepalived, times, Signal::SIGTERM)?;
    let note = format!("median {:.1}; keepalived {}", ours.median, beside(theirs));
    Ok(report(
        "outage at a planned stop, ms, max",
        ours.longest,
        STOP,
        &note,
    ))
}

/// The active pulse is killed; its router lives.
pub(super) fn kill(options: &Options, times: Times) -> Result<bool> {
    let ours = ends(options, Contender::Pulse, times, Signal::SIGKILL)?;
    let note = format!("median {:.1}", ours.median);
    Ok(report(
        "outage when pulse is killed, ms, max",
        ours.longest,
        KILL,
        &note,
    ))
}

fn ends(options: &Options, contender: Contender, times: Times, signal: Signal) -> Result<Figures> {
    let mut ground = Ground::new(contender, times)?;
    let mut outages = Vec::new();
    for _ in 0..options.rounds() {
        let round = (|| {
            let active = ground.at_rest()?;
            let begun = time_of_day();
            ground.signal(active, signal)?;
            let router = ground.pair.router(active.other());
            wait::for_it("the other router takes over", LIMIT, || router.owns(VIP))?;
            ground.pair.router_mut(active).wait_for_exit(LIMIT)?;
            let gone = || Ok(ground.pair.router(active).processes().is_empty());
            wait::for_it("everything ends on the first one", LIMIT, gone)?;
            ground.ping.wait_steady(LIMIT)?;
            outages.push(ground.ping.outage(begun)?);
            ground.start(active)
        })();
        ground.pair.explained(round)?;
    }
    Ok(Figures::of(outages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_middle_and_the_ends() {
        let times = [5, 1, 9].map(Duration::from_millis).to_vec();
        let figures = Figures::of(times);
        assert!((figures.median - 5.0).abs() < 1e-9);
        assert!((figures.longest - 9.0).abs() < 1e-9);
        assert!((figures.shortest - 1.0).abs() < 1e-9);
    }
}
