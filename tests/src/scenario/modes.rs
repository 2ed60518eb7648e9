//! How pulse can be started: as a daemon, in the foreground, by systemd; and only once.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{SETTLE, Scenario, with_pair};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Context, Result};
use crate::network::{Method, Side};
use crate::pair::Pair;
use crate::router::{CONFIGURATION, Router};
use crate::wait;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "daemon",
        shows: "pulse as a daemon: the starter exits 0, pid file, TERM removes everything",
        ipvs: true,
        run: daemon,
    },
    Scenario {
        name: "foreground",
        shows: "pulse -n: messages on standard output, no pid file; readiness for systemd",
        ipvs: true,
        run: foreground,
    },
    Scenario {
        name: "second-instance",
        shows: "a second pulse refuses to start and does not disturb the first",
        ipvs: true,
        run: second_instance,
    },
];

const PID_FILE: &str = "/run/pulse.pid";

fn daemon() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    let mut pair = Pair::build(Method::Nat, 2)?;
    let result = (|| {
        pair.configure(&configuration)?;
        for side in [Side::A, Side::B] {
            let mut command = Command::new(Router::program("pulse"));
            command.args(["-c", CONFIGURATION]);
            let router = pair.router_mut(side);
            router.start_as(command)?;
            let status = router.wait_for_exit(Duration::from_secs(5))?;
            ensure!(
                status.success(),
                "the starter on {side} ended with {status}"
            );
            let pid = router.read(PID_FILE)?;
            let running = router.one("pulse")?.pid;
            ensure!(
                pid == format!("{running}\n"),
                "{PID_FILE} says {pid:?}, pulse is {running}"
            );
        }
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(15))?;
        let router = pair.router(Side::A);
        router.signal(Signal::SIGTERM)?;
        wait::for_it("all processes end", SETTLE, || {
            Ok(router.processes().is_empty())
        })?;
        ensure!(!router.has(PID_FILE)?, "the pid file is still there");
        pair.wait_settled(Side::B, &configuration, SETTLE)?;
        Ok(String::new())
    })();
    pair.explained(result)
}

fn foreground() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    let mut pair = Pair::build(Method::Nat, 2)?;
    let result = (|| {
        pair.configure(&configuration)?;
        let notices = pair.router(Side::A).node.run(|| -> Result<UnixDatagram> {
            let socket = UnixDatagram::bind("/run/notify").during("making the notify socket")?;
            socket
                .set_read_timeout(Some(Duration::from_secs(10)))
                .during("setting a limit")?;
            Ok(socket)
        })??;
        let mut command = Command::new(Router::program("pulse"));
        command
            .args(["-n", "-c", CONFIGURATION])
            .env("NOTIFY_SOCKET", "/run/notify");
        let router = pair.router_mut(Side::A);
        router.start_as(command)?;
        let line =
            router
                .journal
                .wait_from(0, "STARTING PULSE AS MASTER", Duration::from_secs(5))?;
        ensure!(
            line.tag == "stdout" && line.text == "pulse: STARTING PULSE AS MASTER",
            "the message came as {line:?}"
        );
        let mut buffer = [0; 256];
        let length = notices
            .recv(&mut buffer)
            .during("waiting for the notice of readiness")?;
        let notice = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        ensure!(
            notice.lines().any(|line| line == "READY=1"),
            "the first notice is {notice:?}"
        );
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(15))?;
        let router = pair.router_mut(Side::A);
        ensure!(!router.has(PID_FILE)?, "a pid file in the foreground");
        router.signal(Signal::SIGINT)?;
        let status = router.wait_for_exit(SETTLE)?;
        ensure!(status.success(), "pulse ended with {status} after INT");
        ensure!(
            router.processes().is_empty(),
            "left: {:?}",
            router.processes()
        );
        ensure!(router.table()?.is_empty(), "the table is not empty");
        Ok(String::new())
    })();
    pair.explained(result)
}

fn second_instance() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let client = pair.patient_client()?;
        client.next(1)?;
        let begun = std::time::Instant::now();
        for side in [Side::A, Side::B] {
            let output = pair
                .router(side)
                .run("pulse", &["--nofork", "-c", CONFIGURATION])?;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            ensure!(
                output.status.code() == Some(1),
                "the second pulse on {side}: {output:?}"
            );
            ensure!(
                text.lines().count() == 1,
                "the second pulse on {side} says {text:?}"
            );
        }
        client.next(50)?;
        pair.wait_settled(Side::A, &configuration, SETTLE)?;
        client.none_failed_since(begun)?;
        Ok(String::new())
    })
}
