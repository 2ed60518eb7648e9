//! F30, F32: connections that outlive a change of routers, and the kernel's sync daemons that make
//! that possible.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{SETTLE, SLACK, Scenario, with_pair};
use crate::client::Session;
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Context, Error, Result};
use crate::network::{Method, Side, VIP};
use crate::pair::Pair;
use crate::router::{self, Router};
use crate::wait;

/// Connections that must survive.
const SESSIONS: usize = 3;
/// Where the other version of the programs is.
const OTHER: &str = "/run/lab/other";
/// The kernel's table of connections.
pub(super) const CONNECTIONS: &str = "/proc/thread-self/net/ip_vs_conn";
/// How soon the standby's kernel knows of a connection: `sync_refresh_period` and the 2 s for which
/// the master collects, rounded up.
const TOLD: Duration = Duration::from_secs(6);
/// For what must come; only bounds a failure.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "upgrade",
        shows: "F30: old programs to new ones and back under traffic: one hand-over each, connections live",
        ipvs: true,
        run: upgrade,
    },
    Scenario {
        name: "sync-daemon",
        shows: "F32: a sync daemon that was stopped, or whose interface is missing: alarm, started again",
        ipvs: true,
        run: sync_daemon,
    },
];

fn with_sync(interface: &str) -> Configuration {
    Configuration::new(Method::Nat, 2)
        .with_sync(interface)
        .with("syncd_id = 7")
}

/// Connections to the VIP that a router's kernel knows and that carry data.
fn connections(router: &Router) -> Result<usize> {
    let text = router.read(CONNECTIONS)?;
    let vip: String = VIP
        .octets()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let ours = |line: &&str| line.contains(&vip) && line.contains("ESTABLISHED");
    Ok(text.lines().filter(ours).count())
}

/// Waits until a router's kernel knows every session.
fn wait_known(router: &Router, limit: Duration) -> Result<()> {
    let what = format!("the kernel of {} knows the connections", router.side);
    let known = wait::for_it(what, limit, || Ok(connections(router)? >= SESSIONS));
    known.map_err(|error| {
        let daemons = daemons(router).unwrap_or_default();
        let all = router.read(CONNECTIONS).unwrap_or_default();
        Error::unmet(format_args!(
            "{error}; sync daemons: {daemons:?}; it knows:\n{all}"
        ))
    })
}

/// Has connections carry something until the standby `knows`, which may have only just begun to listen: what
/// the master told before is lost, it tells again at a packet after `sync_refresh_period`. So few packets
/// that a count of them is not what makes it tell.
pub(super) fn wait_told_again(
    mut carry: impl FnMut() -> Result<()>,
    knows: impl Fn(Duration) -> Result<()>,
) -> Result<()> {
    let mut outcome = Ok(());
    for _ in 0..8 {
        carry()?;
        outcome = knows(TOLD);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn upgrade() -> Result<String> {
    let configuration = with_sync("eth1");
    with_pair(&configuration, 2, |pair| {
        for router in &pair.routers {
            router.show_programs_at(OTHER)?;
        }
        wait_daemon(pair.router(Side::A), "master")?;
        wait_daemon(pair.router(Side::B), "backup")?;
        let mut sessions = (0..SESSIONS)
            .map(|_| Session::open(&pair.network.client, SocketAddr::from((VIP, 80))))
            .collect::<Result<Vec<_>>>()?;
        wait_known(pair.router(Side::A), LIMIT)?;
        wait_known(pair.router(Side::B), LIMIT)?;
        let client = pair.patient_client()?;
        client.next(5)?;
        let begun = Instant::now();
        let mut active = Side::A;
        for folder in [OTHER, router::PROGRAMS] {
            let marks = [Side::A, Side::B].map(|side| pair.router(side).journal.mark());
            // The standby first, so that only one hand-over is needed.
            restart(pair, active.other(), folder)?;
            known_as_standby(pair, active.other(), &configuration)?;
            sessions.iter_mut().try_for_each(Session::exchange)?;
            restart(pair, active, folder)?;
            active = active.other();
            known_as_standby(pair, active.other(), &configuration)?;
            for session in &mut sessions {
                let went_on = session.exchange();
                went_on.map_err(|error| {
                    Error::unmet(format_args!("{error}, after {active} took over"))
                })?;
            }
            // What the other kernel knew went with its servers.
            wait_told_again(
                || sessions.iter_mut().try_for_each(Session::exchange),
                |limit| wait_known(pair.router(active.other()), limit),
            )?;
            let changes = role_changes(pair, marks);
            ensure!(
                changes == 1,
                "{changes} take-overs to bring both routers to {folder}, 1 is allowed"
            );
        }
        client.wait_served(Instant::now(), LIMIT)?;
        // What is on its way through one router when the other takes over is younger than what is
        // promised: the figure is told, not judged.
        let failed = client.failed_since(begun);
        Ok(format!(
            "{SESSIONS} connections went on over two hand-overs, {failed} of {} new ones failed",
            client.answered_since(begun)
        ))
    })
}

/// Ends a router's pulse and starts that of a folder.
fn restart(pair: &mut Pair, side: Side, folder: &str) -> Result<()> {
    let router = pair.router_mut(side);
    router.signal(Signal::SIGTERM)?;
    let status = router.wait_for_exit(LIMIT)?;
    ensure!(status.success(), "pulse of {side} ended with {status}");
    router.start_from(folder)
}

/// Waits until the other router serves and this one follows it.
fn known_as_standby(pair: &Pair, side: Side, configuration: &Configuration) -> Result<()> {
    pair.wait_settled(side.other(), configuration, LIMIT)?;
    for (side, partner) in [(side, "active"), (side.other(), "standby")] {
        let what = format!("{side} hears that its partner is {partner}");
        wait::for_it(what, LIMIT, || {
            let text = pair.router(side).read("/run/piranha/pulse.json");
            let status: serde_json::Value =
                serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default();
            let phase = status.get("partner").and_then(|it| it.get("phase"));
            Ok(phase.and_then(serde_json::Value::as_str) == Some(partner))
        })?;
    }
    Ok(())
}

fn role_changes(pair: &Pair, marks: [usize; 2]) -> usize {
    let count = |(side, mark): (Side, usize)| {
        let lines = pair.router(side).journal.from(mark);
        let activating = |line: &&crate::journal::Line| line.text.ends_with(": activating lvs");
        lines.iter().filter(activating).count()
    };
    [Side::A, Side::B].into_iter().zip(marks).map(count).sum()
}

fn sync_daemon() -> Result<String> {
    with_pair(&with_sync("eth1"), 2, |pair| {
        for (side, role) in [(Side::A, "master"), (Side::B, "backup")] {
            let router = pair.router(side);
            wait_daemon(router, role)?;
            let mark = router.journal.mark();
            let output = router.run("ipvsadm-rs", &["--stop-daemon", role])?;
            ensure!(output.status.success(), "stopping the daemon: {output:?}");
            let alarm = router.journal.wait_from(mark, "sync daemon", LIMIT);
            alarm.map_err(|error| Error::unmet(format_args!("{side}: no alarm: {error}")))?;
            wait_daemon(router, role)?;
        }
        // From now on the interface is one that comes later.
        pair.configure(&with_sync("late0"))?;
        for side in [Side::A, Side::B] {
            let router = pair.router(side);
            let mark = router.journal.mark();
            router.signal(Signal::SIGHUP)?;
            let alarm = router.journal.wait_from(mark, "late0", LIMIT);
            alarm.map_err(|error| {
                Error::unmet(format_args!(
                    "{side}: no alarm for a missing interface: {error}"
                ))
            })?;
            router
                .node
                .ip("link add late0 type dummy\nlink set late0 up\n")?;
            wait::for_it(
                format_args!("the sync daemon of {side} runs on late0"),
                LIMIT * 2,
                || Ok(daemons(router)?.contains("late0")),
            )?;
        }
        pair.wait_settled(Side::A, &with_sync("late0"), SETTLE + SLACK)?;
        Ok(String::new())
    })
}

fn daemons(router: &Router) -> Result<String> {
    let output = router.run("ipvsadm-rs", &["-L", "--daemon"])?;
    ensure!(output.status.success(), "listing the daemons: {output:?}");
    String::from_utf8(output.stdout)
        .map_err(std::io::Error::other)
        .during("reading the list of daemons")
}

fn wait_daemon(router: &Router, role: &str) -> Result<()> {
    let what = format!("the {role} sync daemon of {} runs", router.side);
    wait::for_it(what, LIMIT, || {
        Ok(daemons(router)?.contains(&format!("{role} sync daemon")))
    })
}
