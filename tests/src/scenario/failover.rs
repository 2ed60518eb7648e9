//! The death of a whole router, several times over, at the worst and at random moments.

use std::time::{Duration, Instant};

use super::{DEADTIME, KEEPALIVE, SETTLE, SLACK, Scenario, figures, with_pair};
use crate::client::Client;
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Error, Result};
use crate::network::{Method, Side, VIP};
use crate::pair::Pair;
use crate::wait;
use crate::wire::{What, Wire};

/// Cuts in each scenario.
const ROUNDS: u32 = 4;
/// The largest outage that a router's death may cost the client.
const OUTAGE: Duration = DEADTIME.saturating_add(Duration::from_millis(500));

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "cut-after-heartbeat",
        shows: "router cut off just after a heartbeat: outage at most deadtime + 0.5 s, not before deadtime",
        ipvs: true,
        run: || rounds(Moment::AfterHeartbeat),
    },
    Scenario {
        name: "cut-at-random",
        shows: "router cut off at any moment: the same",
        ipvs: true,
        run: || rounds(Moment::Spread),
    },
    Scenario {
        name: "standby-returns",
        shows: "the standby cut off and back: no change of roles, no request fails",
        ipvs: true,
        run: standby_returns,
    },
    Scenario {
        name: "freeze",
        shows: "SIGSTOP of the active pulse: its VIP expires, the partner takes over, woken it yields",
        ipvs: true,
        run: freeze,
    },
];

/// When the router is cut off.
#[derive(Debug, Clone, Copy)]
enum Moment {
    AfterHeartbeat,
    /// At another phase between two heartbeats in each round.
    Spread,
}

fn rounds(moment: Moment) -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let wire = Wire::listen(&pair.network.switch)?;
        let client = pair.client()?;
        let (mut outages, mut takeovers) = (Vec::new(), Vec::new());
        let mut active = Side::A;
        for round in 0..ROUNDS {
            client.next(10)?;
            let (outage, takeover) = cut(pair, &wire, &client, active, moment, round)?;
            outages.push(outage);
            takeovers.push(takeover);
            pair.network.set_connected(active, true)?;
            active = pair.wait_one_active(&configuration, KEEPALIVE + SLACK)?;
            client.wait_served(Instant::now(), SETTLE)?;
        }
        Ok(format!(
            "outage {}; VIP announced after {}",
            figures(&mut outages),
            figures(&mut takeovers)
        ))
    })
}

/// Cuts the active router off; gives the client's outage and the time from the last heartbeat
/// that the partner heard to its first announcement of the VIP.
fn cut(
    pair: &Pair,
    wire: &Wire,
    client: &Client,
    active: Side,
    moment: Moment,
    round: u32,
) -> Result<(Duration, Duration)> {
    let other = active.other();
    wire.wait_next("heartbeat", KEEPALIVE * 2, |seen| {
        seen.from == active && !seen.public && matches!(seen.what, What::Heartbeat(_))
    })?;
    if matches!(moment, Moment::Spread) {
        std::thread::sleep(KEEPALIVE * (2 * round + 1) / (2 * ROUNDS));
    }
    let cut = Instant::now();
    pair.network.set_connected(active, false)?;
    let done = now();
    wait::for_it(format_args!("{other} takes over"), OUTAGE + SETTLE, || {
        pair.router(other).owns(VIP)
    })?;
    client.wait_served(Instant::now(), SETTLE)?;
    client.next(5)?;
    let outage = client.outage(cut)?;
    ensure!(
        outage <= OUTAGE,
        "round {round}: outage {outage:?}, at most {OUTAGE:?} is allowed"
    );

    let seen = wire.seen();
    let last = seen
        .iter()
        .rev()
        .find(|seen| {
            seen.from == active && seen.at <= done && matches!(seen.what, What::Heartbeat(_))
        })
        .ok_or_else(|| Error::unmet("no heartbeat before the cut"))?;
    let announced = seen
        .iter()
        .find(|seen| {
            seen.from == other
                && seen.at > last.at
                && matches!(seen.what, What::Arp { sender, .. } if sender == VIP)
        })
        .ok_or_else(|| Error::unmet(format_args!("{other} did not announce the VIP")))?;
    let takeover = announced.at - last.at;
    ensure!(
        takeover >= DEADTIME,
        "round {round}: {other} announced the VIP {takeover:?} after the last heartbeat, before the dead time"
    );
    Ok((outage, takeover))
}

/// The time of day, as the packets have it.
fn now() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

fn standby_returns() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let client = pair.patient_client()?;
        let begun = Instant::now();
        pair.network.set_connected(Side::B, false)?;
        // Cut off completely, it must not even try: nobody takes over without carrier.
        while begun.elapsed() < DEADTIME + KEEPALIVE * 2 {
            ensure!(
                !pair.router(Side::B).owns(VIP)?,
                "router B took over without carrier"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        pair.network.set_connected(Side::B, true)?;
        let returned = Instant::now();
        while returned.elapsed() < KEEPALIVE * 3 {
            ensure!(
                !pair.router(Side::B).owns(VIP)?,
                "router B took over at its return"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        pair.wait_settled(Side::A, &configuration, SLACK)?;
        client.none_failed_since(begun)?;
        Ok(String::new())
    })
}

fn freeze() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let client = pair.client()?;
        client.next(10)?;
        let frozen = Instant::now();
        pair.router(Side::A)
            .signal(nix::sys::signal::Signal::SIGSTOP)?;
        let limit = DEADTIME.max(super::LIFETIME + Duration::from_secs(1)) + KEEPALIVE + SLACK;
        wait::for_it("router B takes over", limit, || {
            pair.router(Side::B).owns(VIP)
        })?;
        ensure!(!pair.router(Side::A).owns(VIP)?, "both routers own the VIP");
        client.wait_served(Instant::now(), SETTLE)?;
        client.next(20)?;
        let outage = client.outage(frozen)?;

        let client = pair.patient_client()?;
        let woken = Instant::now();
        pair.router(Side::A)
            .signal(nix::sys::signal::Signal::SIGCONT)?;
        // The woken router may never claim the VIP, not even for a moment.
        while woken.elapsed() < KEEPALIVE * 2 {
            ensure!(
                !pair.router(Side::A).owns(VIP)?,
                "the woken router claims the VIP"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        pair.wait_settled(Side::B, &configuration, SLACK)?;
        client.none_failed_since(woken)?;
        Ok(format!("outage {} ms", outage.as_millis()))
    })
}
