//! 500 VIPs taken over: when the last of them is announced for the first time, and whether the new
//! owner's own heartbeats stay in time meanwhile.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::super::{Options, report};
use super::ground::{Contender, Cut, Ground, LIMIT, is_heartbeat};
use super::outage::Figures;
use super::{TENTH, Times};
use crate::configuration::{Configuration, Virtual};
use crate::ensure;
use crate::error::Result;
use crate::network::{Method, Side, VIP};
use crate::wait;
use crate::wire::What;

const VIPS: usize = 500;
/// Bars in milliseconds.
const LAST_ANNOUNCED: f64 = 500.0;
const LATE: f64 = 20.0;

/// The VIP that the client asks, and as many more as belong to it; only the first has a server, so
/// that what is measured is pulse.
fn configuration(times: Times) -> Configuration {
    let mut configuration = times.given_to(Configuration::new(Method::Nat, 1));
    let more = (0_u8..=255)
        .flat_map(|third| (1_u8..=250).map(move |last| Ipv4Addr::new(198, 18, third, last)))
        .take(VIPS - 1)
        .enumerate();
    configuration.virtuals.extend(more.map(|(index, address)| {
        let (name, device) = (format!("more{index}"), format!("eth0:{}", index + 2));
        Virtual::new(&name, address, &device, Method::Nat, 0)
    }));
    configuration
}

pub(super) fn vips(options: &Options) -> Result<bool> {
    let ground = Ground::with(Contender::Pulse, TENTH, &configuration(TENTH))?;
    let (mut last, mut late) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        let round = (|| {
            let active = ground.at_rest()?;
            let mark = ground.pair.router(active.other()).journal.mark();
            let cut = ground.cut_after_heartbeat(active)?;
            let first = ground.takeover(active, cut)?;
            ensure!(
                first >= ground.times.deadtime(),
                "announced {first:?} after the last heartbeat, before the deadtime"
            );
            last.push(last_announced(&ground, active, cut)?);
            let journal = &ground.pair.router(active.other()).journal;
            journal.wait_from(mark, "gratuitous lvs arps finished", LIMIT)?;
            late.push(latest_heartbeat(&ground, active, cut));
            ground.ping.wait_steady(LIMIT)?;
            ground.pair.network.set_connected(active, true)
        })();
        ground.pair.explained(round)?;
    }
    let (last, late) = (Figures::of(last), Figures::of(late));
    let note = |figures: Figures| format!("median {:.1}", figures.median);
    let name = "last of 500 first ARPs, ms, max";
    let good = report(name, last.longest, LAST_ANNOUNCED, &note(last));
    Ok(report(
        "lateness of own heartbeats, ms, max",
        late.longest,
        LATE,
        &note(late),
    ) && good)
}

/// Time from the end of the deadtime to the first announcement of the VIP that came last.
fn last_announced(ground: &Ground, cut_off: Side, cut: Cut) -> Result<Duration> {
    let mut count = 0;
    let what = "every VIP is announced";
    let last = wait::until(what, LIMIT, || {
        let mut firsts: BTreeMap<Ipv4Addr, Duration> = BTreeMap::new();
        for seen in ground.wire.since(cut.heartbeat) {
            if let What::Arp { sender, .. } = seen.what
                && seen.from != cut_off
                && (sender == VIP || sender.octets().starts_with(&[198, 18]))
            {
                firsts.entry(sender).or_insert(seen.at);
            }
        }
        count = firsts.len();
        Ok(firsts.into_values().max().filter(|_| count == VIPS))
    });
    let last = last.map_err(|error| match error {
        crate::error::Error::Unmet(text) => {
            crate::error::Error::unmet(format_args!("{text}: {count} of {VIPS} were"))
        }
        other => other,
    })?;
    Ok(last.saturating_sub(cut.heartbeat + ground.times.deadtime()))
}

/// How much later than the keepalive after the one before it a heartbeat of the new owner came, from
/// the cut to the last of its announcements.
fn latest_heartbeat(ground: &Ground, cut_off: Side, cut: Cut) -> Duration {
    let times: Vec<Duration> = ground
        .wire
        .since(cut.heartbeat)
        .into_iter()
        .filter(|seen| seen.from != cut_off && seen.public && is_heartbeat(seen))
        .map(|seen| seen.at)
        .collect();
    let gaps = times.windows(2).filter_map(|pair| match pair {
        [one, next] => Some(next.saturating_sub(*one)),
        _ => None,
    });
    let longest = gaps.max().unwrap_or(LIMIT);
    longest.saturating_sub(ground.times.keepalive())
}
