//! The whole story for each forwarding method: balancing, a server's death and return, the active
//! router's death, its return.

use std::time::{Duration, Instant};

use super::{DEADTIME, KEEPALIVE, SETTLE, SLACK, Scenario, with_pair};
use crate::client::{Client, Sample, shares};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::Result;
use crate::network::{Method, Side};
use crate::pair::Pair;
use crate::wait;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "story-nat",
        shows: "NAT: balancing, server out and in, fail-over, the router's return",
        ipvs: true,
        run: || story(Method::Nat),
    },
    Scenario {
        name: "story-direct",
        shows: "direct routing: the same",
        ipvs: true,
        run: || story(Method::Direct),
    },
    Scenario {
        name: "story-tunnel",
        shows: "tunnelling: the same",
        ipvs: true,
        run: || story(Method::Tunnel),
    },
];

fn story(method: Method) -> Result<String> {
    let configuration = Configuration::new(method, 2);
    with_pair(&configuration, 2, |pair| {
        let client = pair.client()?;
        balanced(&client)?;
        let (out, back) = server_out_and_in(pair, &client)?;
        pair.wait_settled(Side::A, &configuration, SETTLE)?;
        balanced(&client)?;

        pair.network.set_connected(Side::A, false)?;
        let cut = Instant::now();
        let limit = DEADTIME + Duration::from_millis(500);
        client.wait_served(cut + Duration::from_millis(200), limit + SETTLE)?;
        let outage = client.outage(cut)?;
        ensure!(
            outage <= limit,
            "outage {outage:?}, at most {limit:?} is allowed"
        );
        pair.wait_serving(Side::B, &configuration, SETTLE)?;
        balanced(&client)?;

        // Both think that they are active; one of them yields.
        let returned = Instant::now();
        pair.network.set_connected(Side::A, true)?;
        let active = pair.wait_one_active(&configuration, KEEPALIVE + SLACK)?;
        client.wait_served(Instant::now(), SETTLE)?;
        balanced(&client)?;
        let disturbed = client.outage(returned)?;
        Ok(format!(
            "server out after {} ms, in after {} ms; outage {} ms, at the return {} ms, then {active} serves",
            out.as_millis(),
            back.as_millis(),
            outage.as_millis(),
            disturbed.as_millis()
        ))
    })
}

/// Round robin: of 40 requests each of two servers gets 20, give or take one.
fn balanced(client: &Client) -> Result<()> {
    let samples = client.next(40)?;
    let shares = shares(&samples);
    let counts: Vec<usize> = shares.values().copied().collect();
    let failed = samples.len() - counts.iter().sum::<usize>();
    ensure!(
        failed == 0,
        "{failed} of {} requests failed: {shares:?}",
        samples.len()
    );
    ensure!(
        counts.len() == 2
            && counts
                .iter()
                .all(|count| count.abs_diff(samples.len() / 2) <= 1),
        "the shares are {shares:?}: {}",
        sequence(&samples)
    );
    Ok(())
}

/// The answers in their order, one character each.
fn sequence(samples: &[Sample]) -> String {
    let last = |name: &String| name.chars().last().unwrap_or('?');
    samples
        .iter()
        .map(|sample| sample.server.as_ref().map_or('-', last))
        .collect()
}

/// Stops the second server and starts it again; how long each took to reach the table.
fn server_out_and_in(pair: &mut Pair, client: &Client) -> Result<(Duration, Duration)> {
    // Interval and time limit are 1 s each; the connection is refused at once.
    let limit = Duration::from_millis(2500);
    let stopped = Instant::now();
    pair.web_mut(1)?.0.stop();
    wait_for_servers(pair, 1, limit)?;
    let out = stopped.elapsed();
    client.next(1)?;
    let samples = client.next(20)?;
    ensure!(
        samples
            .iter()
            .all(|sample| sample.server.as_deref() == Some("web1")),
        "with one server out, the answers are {:?}",
        shares(&samples)
    );

    // Re-entry after 2 s of good checks, one each second.
    let started = Instant::now();
    let (web, node) = pair.web_mut(1)?;
    web.resume(node)?;
    wait_for_servers(pair, 2, Duration::from_secs(5))?;
    let back = started.elapsed();
    ensure!(
        back > Duration::from_millis(900),
        "back after {back:?}: before its re-entry time"
    );
    Ok((out, back))
}

fn wait_for_servers(pair: &Pair, count: usize, limit: Duration) -> Result<()> {
    wait::for_it(
        format_args!("{count} server(s) in the table"),
        limit,
        || {
            let table = pair.router(Side::A).table()?;
            Ok(table
                .iter()
                .map(|service| service.servers.len())
                .sum::<usize>()
                == count)
        },
    )
}
