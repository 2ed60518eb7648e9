//! Rows about faults whose criterion is a time: a split pair that is healed, a lost carrier, a log
//! that nobody takes.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::super::{Options, report};
use super::ground::{Contender, Ground, LIMIT, is_heartbeat};
use super::outage::Figures;
use super::{HUNDREDTH, SECOND, Times};
use crate::configuration::Configuration;
use crate::error::{Context, Result};
use crate::network::{Method, Side, VIP};
use crate::ping::time_of_day;
use crate::wait;
use crate::wire::{Seen, What};

/// Bars in milliseconds: the winner's announcement after the resolution, the resolution beyond a
/// keepalive, a hand-over after the carrier was lost, and anything that waits for a log.
const ANNOUNCED: f64 = 200.0;
const RESOLVED: f64 = 500.0;
const HANDED_OVER: f64 = 200.0;
const LATE: f64 = 10.0;
/// How originals say "stopped"; one of ours says it when its addresses are gone.
const STOPPED: [u8; 4] = 0xADBD_DABD_u32.to_le_bytes();

fn configuration(times: Times, more: &str) -> Configuration {
    times
        .given_to(Configuration::new(Method::Nat, 1))
        .with(more)
}

fn announces(seen: &Seen, side: Side) -> bool {
    seen.from == side && matches!(seen.what, What::Arp { sender, .. } if sender == VIP)
}

/// The active router's cables lead nowhere, though it has carrier, until both are active; then they
/// are put back. Nothing but the healing makes the winner announce: the regular announcements have
/// ended by then.
pub(super) fn split(options: &Options, times: Times) -> Result<bool> {
    let configuration = configuration(times, "arp_interval = 0");
    let ground = Ground::with(Contender::Pulse, times, &configuration)?;
    let (mut resolved, mut announced, mut outages) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        let round = (|| {
            let loser = ground.at_rest()?;
            let winner = loser.other();
            let router = ground.pair.router(winner);
            let mark = router.journal.mark();
            attach(&ground, loser, false)?;
            wait::for_it("both are active", LIMIT, || {
                Ok(router.owns(VIP)? && ground.pair.router(loser).owns(VIP)?)
            })?;
            let finished = "gratuitous lvs arps finished";
            router.journal.wait_from(mark, finished, LIMIT)?;
            ground.ping.wait_steady(LIMIT)?;
            let healed = time_of_day();
            attach(&ground, loser, true)?;
            let stopped = first(&ground, healed, "the cut-off router stops", |seen| {
                seen.from == loser
                    && matches!(&seen.what, What::Heartbeat(bytes) if bytes.starts_with(&STOPPED))
            })?;
            let told = first(&ground, stopped, "the winner announces", |seen| {
                announces(seen, winner)
            })?;
            resolved.push(stopped.saturating_sub(healed));
            announced.push(told.saturating_sub(stopped));
            ground.ping.wait_steady(LIMIT)?;
            outages.push(ground.ping.outage(healed)?);
            Ok(())
        })();
        ground.pair.explained(round)?;
    }
    let (resolved, announced) = (Figures::of(resolved), Figures::of(announced));
    let outages = Figures::of(outages);
    let note = format!("median {:.1}", resolved.median);
    let bar = f64::from(times.keepalive) + RESOLVED;
    let mut good = report("one of two yields, ms, max", resolved.longest, bar, &note);
    let note = format!("median {:.1}", announced.median);
    let name = "winner's ARP after that, ms, max";
    good &= report(name, announced.longest, ANNOUNCED, &note);
    println!(
        "      outage when healed: max {:.1} ms, median {:.1}",
        outages.longest, outages.median
    );
    Ok(good)
}

/// Puts both cables of a router into the switch, or pulls them out there.
fn attach(ground: &Ground, side: Side, attached: bool) -> Result<()> {
    let [public, private] = side.ports();
    ground.pair.network.switch.ip(&if attached {
        format!("link set {public} master public\nlink set {private} master private\n")
    } else {
        format!("link set {public} nomaster\nlink set {private} nomaster\n")
    })
}

/// The time of the first packet of this kind from a moment on.
fn first(
    ground: &Ground,
    from: Duration,
    what: &str,
    wanted: impl Fn(&Seen) -> bool,
) -> Result<Duration> {
    wait::until(what, LIMIT, || {
        let seen = ground.wire.since(from).into_iter().find(&wanted);
        Ok(seen.map(|seen| seen.at))
    })
}

/// The active router's public interface loses its carrier; the private path stays.
pub(super) fn carrier(options: &Options) -> Result<bool> {
    let configuration = configuration(SECOND, "monitor_links = 1");
    let ground = Ground::with(Contender::Pulse, SECOND, &configuration)?;
    let (mut announced, mut outages) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        let round = (|| {
            let active = ground.at_rest()?;
            let [public, _] = active.ports();
            let lost = time_of_day();
            ground.pair.network.switch.set_link(&[public], false)?;
            let told = first(&ground, lost, "the partner announces", |seen| {
                announces(seen, active.other())
            })?;
            announced.push(told.saturating_sub(lost));
            // What is steady may still be of the time before.
            wait::until("the VIP answers again", LIMIT, || {
                Ok(ground.ping.outage(told).ok())
            })?;
            ground.ping.wait_steady(LIMIT)?;
            outages.push(ground.ping.outage(lost)?);
            ground.pair.network.switch.set_link(&[public], true)
        })();
        ground.pair.explained(round)?;
    }
    let (announced, outages) = (Figures::of(announced), Figures::of(outages));
    let note = format!(
        "median {:.1}; outage max {:.1}, median {:.1}",
        announced.median, outages.longest, outages.median
    );
    Ok(report(
        "carrier lost to first ARP, ms, max",
        announced.longest,
        HANDED_OVER,
        &note,
    ))
}

/// Nobody takes what both routers log, while they read their files anew, stop and take over.
pub(super) fn log(options: &Options) -> Result<bool> {
    let configuration = configuration(HUNDREDTH, "arp_interval = 0");
    let good = configuration.to_string();
    let mut ground = Ground::with(Contender::Pulse, HUNDREDTH, &configuration)?;
    let active = ground.at_rest()?;
    let mut logs = Vec::new();
    for side in [active.other(), active] {
        logs.push(ground.pair.router(side).node.run(full_log)??);
        restart(&mut ground, side)?;
    }
    let (mut late, mut outages) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        let round = (|| {
            let active = ground.at_rest()?;
            for text in ["keepalive = often\n", good.as_str()] {
                let begun = time_of_day();
                for side in [Side::A, Side::B] {
                    ground.pair.router(side).configure(text)?;
                    ground.signal(side, Signal::SIGHUP)?;
                }
                late.push(latest(&ground, begun, active)?);
                late.push(latest(&ground, begun, active.other())?);
            }
            let begun = time_of_day();
            ground.signal(active, Signal::SIGTERM)?;
            ground.pair.router_mut(active).wait_for_exit(LIMIT)?;
            ground.ping.wait_steady(LIMIT)?;
            outages.push(ground.ping.outage(begun)?);
            late.push(latest(&ground, begun, active.other())?);
            ground.start(active)
        })();
        ground.pair.explained(round)?;
    }
    ground.at_rest()?;
    for log in &logs {
        drain(log);
    }
    for side in [Side::A, Side::B] {
        ground.signal(side, Signal::SIGTERM)?;
    }
    for log in &logs {
        let lost = ground.pair.explained(lost(log))?;
        println!("      {}", lost.trim());
    }
    let (late, outages) = (Figures::of(late), Figures::of(outages));
    let note = format!(
        "median {:.1}; outage at a planned stop max {:.1}, median {:.1}",
        late.median, outages.longest, outages.median
    );
    Ok(report(
        "heartbeats late, ms, max",
        late.longest,
        LATE,
        &note,
    ))
}

/// A log socket whose queue is full; to be made on the router.
fn full_log() -> Result<UnixDatagram> {
    let act = "making a log socket that nobody reads";
    let path = "/dev/log";
    std::fs::remove_file(path).during(act)?;
    let log = UnixDatagram::bind(path).during(act)?;
    log.set_nonblocking(true).during(act)?;
    let sender = UnixDatagram::unbound().during(act)?;
    sender.set_nonblocking(true).during(act)?;
    while sender.send_to(b"<30>lab: full", path).is_ok() {}
    Ok(log)
}

/// Ends a pulse and starts another.
fn restart(ground: &mut Ground, side: Side) -> Result<()> {
    ground.signal(side, Signal::SIGTERM)?;
    ground.pair.router_mut(side).wait_for_exit(LIMIT)?;
    ground.start(side)?;
    ground.at_rest().map(drop)
}

/// How much later than the keepalive after the one before it a heartbeat of this router came, among
/// the many after a moment.
fn latest(ground: &Ground, begun: Duration, side: Side) -> Result<Duration> {
    const MANY: usize = 50;
    let keepalive = ground.times.keepalive();
    let times = wait::until("many heartbeats", LIMIT, || {
        let seen = ground.wire.since(begun.saturating_sub(keepalive * 2));
        let own = |seen: &Seen| seen.from == side && seen.public && is_heartbeat(seen);
        let times: Vec<Duration> = seen
            .iter()
            .filter(|seen| own(seen))
            .map(|seen| seen.at)
            .collect();
        Ok((times.len() >= MANY).then_some(times))
    })?;
    let gaps = times.windows(2).filter_map(|pair| match pair {
        [one, next] => Some(next.saturating_sub(*one)),
        _ => None,
    });
    Ok(gaps.max().unwrap_or(LIMIT).saturating_sub(keepalive))
}

fn drain(log: &UnixDatagram) -> Vec<String> {
    let mut buffer = [0; 4096];
    let mut texts = Vec::new();
    while let Ok(length) = log.recv(&mut buffer) {
        let bytes = buffer.get(..length).unwrap_or_default();
        texts.push(String::from_utf8_lossy(bytes).into_owned());
    }
    texts
}

/// What pulse says of the messages that were lost, now that they are taken: the log was full all the
/// time.
fn lost(log: &UnixDatagram) -> Result<String> {
    wait::until("what was lost is told", LIMIT, || {
        let told = |text: &String| text.contains("pulse") && text.contains("messages were lost");
        Ok(drain(log).into_iter().find(told))
    })
}
