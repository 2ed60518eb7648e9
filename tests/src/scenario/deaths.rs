//! The sudden death of each part on the active router, and its orderly stop.

use std::net::{SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{DEADTIME, KEEPALIVE, LIFETIME, SETTLE, SLACK, Scenario, figures, upgrade, with_pair};
use crate::client::{self, Session};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Context, Result};
use crate::network::{Method, Side, VIP};
use crate::pair::Pair;
use crate::router::Router;
use crate::wait;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "kill-nanny",
        shows: "SIGKILL of each nanny: restarted, no server leaves the table, no request fails",
        ipvs: true,
        run: kill_nanny,
    },
    Scenario {
        name: "kill-lvs",
        shows: "SIGKILL of lvs: restarted, adopts the table, no request or session fails",
        ipvs: true,
        run: kill_lvs,
    },
    Scenario {
        name: "kill-pulse",
        shows: "SIGKILL of pulse: the partner takes over, no orphan, leftovers removed at restart",
        ipvs: true,
        run: kill_pulse,
    },
    Scenario {
        name: "kill-pulse-alone",
        shows: "SIGKILL of pulse without partner: the new one adopts the table, sessions go on",
        ipvs: true,
        run: kill_pulse_alone,
    },
    Scenario {
        name: "term-pulse",
        shows: "TERM of the active pulse: exit 0, outage at most 1 s, nothing left",
        ipvs: true,
        run: term_pulse,
    },
    Scenario {
        name: "ports-reused",
        shows: "ports of a client whose connections were passed on serve it again after two hand-overs",
        ipvs: true,
        run: ports_reused,
    },
    Scenario {
        name: "ports-reused-tunnel",
        shows: "ports of a client that one router served serve it again at the other one, with tunnels and syncdaemon",
        ipvs: true,
        run: ports_reused_by_tunnel,
    },
];

/// Outside the range that the kernel gives to clients.
const PORTS: std::ops::Range<u16> = 20_000..20_020;

fn kill_nanny() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let client = pair.patient_client()?;
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        for nanny in pair.router(Side::A).running("nanny") {
            let router = pair.router(Side::A);
            let killed = Instant::now();
            nanny.signal(Signal::SIGKILL)?;
            wait::for_it("the nanny is replaced", Duration::from_secs(1), || {
                ensure_settled(pair, &configuration)?;
                let now = router.running("nanny");
                Ok(now.len() == 2 && now.iter().all(|other| other.pid != nanny.pid))
            })?;
            slowest = slowest.max(killed.elapsed());
            // Long enough for the new one's first verdicts.
            let checked = Instant::now();
            while checked.elapsed() < Duration::from_secs(3) {
                ensure_settled(pair, &configuration)?;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        client.none_failed_since(begun)?;
        no_zombie(pair.router(Side::A))?;
        Ok(format!("replaced within {} ms", slowest.as_millis()))
    })
}

fn ensure_settled(pair: &Pair, configuration: &Configuration) -> Result<()> {
    match pair.unsettled(Side::A, configuration)? {
        None => Ok(()),
        Some(what) => Err(crate::error::Error::unmet(what)),
    }
}

fn kill_lvs() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let client = pair.patient_client()?;
        let mut session = Session::open(&pair.network.client, SocketAddr::from((VIP, 80)))?;
        let router = pair.router(Side::A);
        let before = router.one("lvs")?;
        let old_nannies: Vec<i32> = router
            .running("nanny")
            .iter()
            .map(|nanny| nanny.pid)
            .collect();
        let killed = Instant::now();
        before.signal(Signal::SIGKILL)?;
        wait::for_it("lvs is replaced", Duration::from_secs(1), || {
            Ok(router.one("lvs").is_ok_and(|lvs| lvs.pid != before.pid))
        })?;
        let replaced = killed.elapsed();
        family(router, 2, &old_nannies, Duration::from_secs(2))?;
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(2))?;
        client.next(50)?;
        ensure_settled(pair, &configuration)?;
        client.none_failed_since(killed)?;
        session.exchange()?;
        no_zombie(router)?;
        Ok(format!("replaced within {} ms", replaced.as_millis()))
    })
}

/// One pulse, its lvs, and lvs's nannies, none of them from before; everything else is a child of
/// one of them.
fn family(router: &Router, nannies: usize, old: &[i32], limit: Duration) -> Result<()> {
    wait::for_it(
        "one pulse, its lvs, its nannies and no orphan",
        limit,
        || {
            let (Ok(pulse), Ok(lvs)) = (router.one("pulse"), router.one("lvs")) else {
                return Ok(false);
            };
            let all = router.processes();
            let children = router.running("nanny");
            Ok(lvs.parent == pulse.pid
                && children.len() == nannies
                && children
                    .iter()
                    .all(|nanny| nanny.parent == lvs.pid && !old.contains(&nanny.pid))
                && all.iter().all(|process| {
                    process.pid == pulse.pid || all.iter().any(|other| other.pid == process.parent)
                }))
        },
    )
}

fn kill_pulse() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let client = pair.client()?;
        client.next(5)?;
        let killed = Instant::now();
        pair.router(Side::A).signal(Signal::SIGKILL)?;
        let router = pair.router(Side::A);
        wait::for_it("no orphan on router A", Duration::from_secs(1), || {
            Ok(router.running("lvs").is_empty() && router.running("nanny").is_empty())
        })?;
        let expiry = LIFETIME + Duration::from_secs(1);
        wait::for_it("the VIP of a dead pulse expires", expiry + SLACK, || {
            Ok(!router.owns(VIP)?)
        })?;
        let expired = killed.elapsed();
        let limit = DEADTIME.max(expiry) + KEEPALIVE + SLACK;
        let serves = |pair: &Pair| pair.router(Side::B).owns(VIP);
        wait::for_it("router B takes over", limit.saturating_sub(expired), || {
            serves(pair)
        })?;
        client.wait_served(Instant::now(), SETTLE)?;
        client.next(20)?;
        let outage = client.outage(killed)?;
        let allowed = DEADTIME + Duration::from_millis(500);
        ensure!(
            outage <= allowed,
            "outage {outage:?}, at most {allowed:?} is allowed"
        );
        ensure!(
            router.processes().is_empty(),
            "left on router A: {:?}",
            router.processes()
        );

        let client = pair.patient_client()?;
        let restarted = Instant::now();
        pair.router_mut(Side::A).start()?;
        pair.wait_settled(Side::B, &configuration, KEEPALIVE + SLACK)?;
        let gave_up = restarted.elapsed();
        client.next(100)?;
        client.none_failed_since(restarted)?;
        Ok(format!(
            "VIP gone after {} ms, outage {} ms, leftovers removed {} ms after the restart",
            expired.as_millis(),
            outage.as_millis(),
            gave_up.as_millis()
        ))
    })
}

fn kill_pulse_alone() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        pair.router(Side::B).signal(Signal::SIGTERM)?;
        let stopped = pair
            .router_mut(Side::B)
            .wait_for_exit(Duration::from_secs(3))?;
        ensure!(
            stopped.success(),
            "the standby's pulse ended with {stopped}"
        );
        let client = pair.client()?;
        let mut session = Session::open(&pair.network.client, SocketAddr::from((VIP, 80)))?;
        client.next(5)?;
        let table = pair.router(Side::A).table()?;
        let killed = Instant::now();
        pair.router(Side::A).signal(Signal::SIGKILL)?;
        wait::for_it("no orphan on router A", Duration::from_secs(1), || {
            Ok(pair
                .router(Side::A)
                .processes()
                .iter()
                .all(|process| process.program == "pulse"))
        })?;
        let left = pair.router(Side::A).table()?;
        ensure!(
            left.len() == table.len(),
            "a dead pulse should leave the table: {left:?}"
        );
        pair.router_mut(Side::A).start()?;
        // Alone it listens for the dead time, then activates.
        let limit = DEADTIME + KEEPALIVE + SLACK;
        family(pair.router(Side::A), 2, &[], limit)?;
        pair.wait_settled(Side::A, &configuration, SLACK)?;
        client.wait_served(Instant::now(), SETTLE)?;
        session.exchange()?;
        let outage = client.outage(killed)?;
        Ok(format!(
            "outage {} ms, the open session went on",
            outage.as_millis()
        ))
    })
}

fn term_pulse() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let client = pair.client()?;
        let mut outages = Vec::new();
        let mut active = Side::A;
        for _ in 0..4 {
            client.next(10)?;
            let stopped = Instant::now();
            pair.router(active).signal(Signal::SIGTERM)?;
            let status = pair
                .router_mut(active)
                .wait_for_exit(Duration::from_millis(2500) + SLACK)?;
            ensure!(status.success(), "pulse of {active} ended with {status}");
            pair.wait_settled(active.other(), &configuration, SETTLE)?;
            let left = pair.router(active).processes();
            ensure!(left.is_empty(), "left on {active}: {left:?}");
            client.next(20)?;
            let outage = client.outage(stopped)?;
            ensure!(
                outage <= Duration::from_secs(1),
                "outage {outage:?}, at most 1 s is allowed"
            );
            outages.push(outage);
            let patient = pair.patient_client()?;
            let begun = Instant::now();
            pair.router_mut(active).start()?;
            patient.next(100)?;
            pair.wait_settled(active.other(), &configuration, SETTLE)?;
            patient.none_failed_since(begun)?;
            active = active.other();
        }
        Ok(format!("outage {}", figures(&mut outages)))
    })
}

/// Entries of connections that were passed on stay in the leaving router's kernel for a quarter of an
/// hour; back in the active role, it must not send later connections from the same port that way.
fn ports_reused() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let limit = Duration::from_millis(2500) + SLACK;
        let mark = pair.router(Side::A).journal.mark();
        pair.router(Side::A).signal(Signal::SIGTERM)?;
        let mut passed_on = 0;
        while pair.router(Side::A).one("pulse").is_ok() {
            for port in PORTS {
                passed_on += usize::from(ask(pair, port)?.is_ok());
            }
        }
        pair.router_mut(Side::A).wait_for_exit(limit)?;
        let journal = &pair.router(Side::A).journal;
        journal.wait_from(mark, "passing new connections on", SLACK)?;
        pair.wait_settled(Side::B, &configuration, SETTLE)?;
        pair.router_mut(Side::A).start()?;
        pair.wait_settled(Side::B, &configuration, SETTLE)?;
        pair.router(Side::B).signal(Signal::SIGTERM)?;
        pair.router_mut(Side::B).wait_for_exit(limit)?;
        pair.wait_settled(Side::A, &configuration, SETTLE)?;
        for port in PORTS {
            let answer = ask(pair, port)?;
            answer.during(format_args!("asking from port {port} after two hand-overs"))?;
        }
        Ok(format!("{passed_on} connections during the first one"))
    })
}

/// With tunnels a kernel that knows a connection only from its partner sends nothing on for it, and takes
/// a new one from the same port for it unless `conn_reuse_mode` is 3.
fn ports_reused_by_tunnel() -> Result<String> {
    let configuration = Configuration::new(Method::Tunnel, 2).with_sync("eth1");
    with_pair(&configuration, 2, |pair| {
        wait_told(pair)?;
        pair.router(Side::A).signal(Signal::SIGTERM)?;
        let limit = Duration::from_millis(2500) + SLACK;
        pair.router_mut(Side::A).wait_for_exit(limit)?;
        pair.wait_settled(Side::B, &configuration, SETTLE)?;
        let known = pair.router(Side::B).read(upgrade::CONNECTIONS)?;
        for port in PORTS {
            let answer = ask(pair, port)?;
            answer.during(format_args!(
                "asking the other router from port {port}; its kernel knew\n{known}"
            ))?;
        }
        Ok(format!("{} ports", PORTS.len()))
    })
}

/// Waits until the standby's kernel knows of a connection from each port that it has ended.
fn wait_told(pair: &Pair) -> Result<()> {
    let has_ended = |known: &str, port: u16| {
        let port = format!(" {port:04X} ");
        let mut lines = known.lines().filter(|line| line.contains(&port));
        lines.next().is_some_and(|line| line.contains("FIN_WAIT"))
    };
    let connect = |port: u16| {
        let answer = ask(pair, port)?;
        answer.during(format_args!("asking from port {port}"))?;
        Ok(())
    };
    let what = "the standby's kernel knows of connections that have ended";
    upgrade::wait_told_again(
        || PORTS.into_iter().try_for_each(connect),
        |limit| {
            wait::for_it(what, limit, || {
                let known = pair.router(Side::B).read(upgrade::CONNECTIONS)?;
                Ok(PORTS.into_iter().all(|port| has_ended(&known, port)))
            })
        },
    )
}

fn ask(pair: &Pair, port: u16) -> Result<std::io::Result<String>> {
    let target = SocketAddrV4::new(VIP, 80);
    let client = &pair.network.client;
    client.run(move || client::request_from(port, target, client::PATIENT, client::PATIENT))
}

fn no_zombie(router: &Router) -> Result<()> {
    wait::for_it(
        "ended children are collected",
        Duration::from_secs(1),
        || {
            Ok(router
                .processes()
                .iter()
                .all(|process| process.state != 'Z'))
        },
    )
}
