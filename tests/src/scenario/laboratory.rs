//! The laboratory itself: the network carries packets and its instruments see them.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Scenario;
use crate::client::{self, Client};
use crate::ensure;
use crate::error::Result;
use crate::network::{Method, NAT_ROUTER, Network, Side, server_address};
use crate::processes;
use crate::wait;
use crate::web::Web;
use crate::wire::{What, Wire};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "laboratory",
    shows: "the network carries packets, instruments see them, nothing is left behind",
    ipvs: true,
    run: laboratory,
}];

fn laboratory() -> Result<String> {
    let before = threads();
    networks()?;
    // Namespaces live as long as the threads in them.
    wait::for_it("all threads end", Duration::from_secs(2), || {
        Ok(threads() == before)
    })?;
    Ok(String::new())
}

/// Number of threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

fn networks() -> Result<()> {
    for method in [Method::Nat, Method::Direct, Method::Tunnel] {
        let network = Network::build(method, 2)?;
        // Under NAT the real servers are seen from the routers only.
        let asker = if method == Method::Nat {
            network.router(Side::A)
        } else {
            &network.client
        };
        let target = SocketAddr::from((server_address(method, 1), 80));
        let ask = |target| asker.run(move || client::request(target, client::QUICK).ok());
        ensure!(ask(target)?.is_none(), "an answer without a server");
        let node = network
            .servers
            .get(1)
            .ok_or_else(|| crate::error::Error::unmet("no server"))?;
        let mut web = Web::start(node, 80)?;
        ensure!(
            ask(target)?.as_deref() == Some("web2"),
            "no answer from the server under {method:?}"
        );
        web.stop();
        ensure!(ask(target)?.is_none(), "an answer from a stopped server");
        web.resume(node)?;
        ensure!(
            ask(target)?.as_deref() == Some("web2"),
            "no answer after the server came back"
        );
        if method == Method::Nat {
            cut(&network)?;
        }
    }
    Ok(())
}

/// A router that is cut off is silent at once, and its processes are found.
fn cut(network: &Network) -> Result<()> {
    let wire = Wire::listen(&network.switch)?;
    let router = network.router(Side::A);
    router.ip(&format!("addr add {NAT_ROUTER}/24 dev eth1\n"))?;
    // A neighbour lookup is an ARP request on the private side.
    let _ =
        router.run(|| client::request(SocketAddr::from((Side::B.private(), 9)), client::QUICK))?;
    wait::for_it("ARP of router A is seen", Duration::from_secs(2), || {
        Ok(wire.seen().iter().any(|seen| {
            seen.from == Side::A
                && !seen.public
                && matches!(&seen.what, What::Arp { target, .. } if *target == Side::B.private())
        }))
    })?;
    let web = Web::start(router, 80)?;
    let asking = Client::start(
        &network.client,
        SocketAddr::from((Side::A.public(), 80)),
        client::QUICK,
    )?;
    wait::for_it("answers", Duration::from_secs(2), || {
        Ok(asking.answered_since(wire_start()) > 5)
    })?;
    network.set_connected(Side::A, false)?;
    let cut = Instant::now();
    wait::for_it("failed requests", Duration::from_secs(2), || {
        Ok(asking.since(cut).len() > 3)
    })?;
    ensure!(
        asking.answered_since(cut + Duration::from_millis(20)) == 0,
        "answers through a cut cable"
    );
    network.set_connected(Side::A, true)?;
    wait::for_it("answers after the cut", Duration::from_secs(5), || {
        Ok(asking.answered_since(cut) > 5)
    })?;
    ensure!(
        asking.outage(cut)? > Duration::from_millis(150),
        "the outage was not noticed"
    );
    drop(web);

    let mut child = router
        .run(|| Command::new("sleep").arg("100").spawn())
        .map(|child| child.ok())?;
    let found = processes::in_namespace(router.inode());
    if let Some(child) = &mut child {
        let _ = child.kill();
        let _ = child.wait();
    }
    ensure!(
        found.len() == 1,
        "one process should be found on router A: {found:?}"
    );
    Ok(())
}

fn wire_start() -> Instant {
    Instant::now()
        .checked_sub(Duration::from_secs(60))
        .unwrap_or_else(Instant::now)
}
