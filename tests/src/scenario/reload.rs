//! HUP: good changes take effect without harm, wrong files change nothing.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{KEEPALIVE, SETTLE, Scenario, with_pair};
use crate::client::{PATIENT, Session};
use crate::configuration::{Configuration, Server, Virtual};
use crate::error::{Context, Error, Result};
use crate::network::{Method, SECOND_VIP, Side, VIP};
use crate::pair::{Pair, without_counters};
use crate::router::Router;
use crate::wire::{What, Wire};
use crate::{ensure, wait};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "reload-good",
        shows: "HUP: server added, weight changed, VIP added, and back; no request or session fails",
        ipvs: true,
        run: good,
    },
    Scenario {
        name: "reload-wrong",
        shows: "HUP with wrong, empty and missing files: old configuration stays, message with line",
        ipvs: true,
        run: wrong,
    },
    Scenario {
        name: "reload-standby",
        shows: "HUP on the standby: no harm, and it takes over with the new file",
        ipvs: true,
        run: standby,
    },
    Scenario {
        name: "reload-each-second",
        shows: "a reload each second, check programs running: no crash, no verdict lost, no growth",
        ipvs: true,
        run: each_second,
    },
];

/// The file before the change. Full weights at once, so that they can be compared.
fn before() -> Configuration {
    Configuration::new(Method::Nat, 2).each(|service| service.lines.push("slow_start = 0".into()))
}

/// A server more, another weight, another scheduler, a service on a VIP of its own.
fn after() -> Configuration {
    let mut changed = before().each(|service| {
        service.scheduler = "wrr".into();
        service.servers.push(Server::new(Method::Nat, 2));
        if let Some(first) = service.servers.first_mut() {
            first.weight = 3;
        }
    });
    changed
        .virtuals
        .push(Virtual::new("second", SECOND_VIP, "eth0:2", Method::Nat, 2));
    changed
}

fn good() -> Result<String> {
    let (old, new) = (before(), after());
    with_pair(&old, 3, |pair| {
        let client = pair.patient_client()?;
        let mut session = Session::open(&pair.network.client, SocketAddr::from((VIP, 80)))?;
        let begun = Instant::now();
        pair.configure(&new)?;
        hang_up(pair)?;
        pair.wait_settled(Side::A, &new, SETTLE)?;
        let applied = begun.elapsed();
        let second = pair.client_of(SECOND_VIP, PATIENT)?;
        let samples = second.next(20)?;
        let answered = samples
            .iter()
            .filter(|sample| sample.server.is_some())
            .count();
        ensure!(
            answered == samples.len(),
            "{answered} of {} answers at the new VIP",
            samples.len()
        );
        drop(second);

        let back = Instant::now();
        pair.configure(&old)?;
        hang_up(pair)?;
        pair.wait_settled(Side::A, &old, SETTLE)?;
        let undone = back.elapsed();
        // The table is right before pulse hears of it, and before the checker of the removed server has ended.
        wait::for_it("nobody owns the removed VIP", SETTLE, || {
            let owns = |side| pair.router(side).owns(SECOND_VIP);
            Ok(!owns(Side::A)? && !owns(Side::B)?)
        })?;
        wait::for_it("two nannies for two servers", SETTLE, || {
            Ok(pair.router(Side::A).running("nanny").len() == 2)
        })?;
        session.exchange()?;
        client.none_failed_since(begun)?;
        Ok(format!(
            "applied in {} ms, undone in {} ms",
            applied.as_millis(),
            undone.as_millis()
        ))
    })
}

fn hang_up(pair: &Pair) -> Result<()> {
    pair.router(Side::A).signal(Signal::SIGHUP)?;
    pair.router(Side::B).signal(Signal::SIGHUP)
}

/// What a reload with a wrong file must leave as it is.
fn snapshot(router: &Router) -> Result<String> {
    // Without pulse's announcements and lvs's calls of ipvsadm-rs, which come and go.
    let pulse = router.one("pulse")?.pid;
    let mut processes: Vec<String> = router
        .processes()
        .iter()
        .filter(|process| process.parent != pulse || process.program == "lvs")
        .filter(|process| process.program != "ipvsadm-rs")
        .map(|process| format!("{} {}", process.pid, process.program))
        .collect();
    processes.sort();
    let owned = router.node.run(|| {
        std::fs::metadata("/run/piranha/owned.json")
            .and_then(|meta| meta.modified())
            .ok()
    })?;
    ensure!(owned.is_some(), "/run/piranha/owned.json is missing");
    Ok(format!(
        "{processes:?} {:?} {:?} {owned:?}",
        without_counters(router.table()?),
        router
            .addresses()?
            .iter()
            .map(|address| (&address.label, address.address))
            .collect::<Vec<_>>()
    ))
}

fn wrong() -> Result<String> {
    let configuration = before();
    with_pair(&configuration, 2, |pair| {
        let client = pair.patient_client()?;
        let begun = Instant::now();
        let router = pair.router(Side::A);
        let quiet = snapshot(router)?;
        let text = configuration.to_string();
        let lines = text.lines().count();
        let last = format!("line {}", lines + 1);
        let cases: [(&str, Option<String>, Vec<&str>); 4] = [
            (
                "unknown word",
                Some(format!("{text}nonsense = 1\n")),
                vec![&last, "unknown command"],
            ),
            (
                "not a number",
                Some(format!("keepalive = six\n{text}")),
                vec!["line 1", "integer expected"],
            ),
            ("empty", Some(String::new()), vec!["lvs.cf"]),
            ("missing", None, vec!["lvs.cf", "No such file"]),
        ];
        for (name, text, words) in cases {
            let mark = router.journal.mark();
            match text {
                Some(text) => router.configure(&text)?,
                None => router
                    .node
                    .run(|| std::fs::remove_file(crate::router::CONFIGURATION).is_ok())
                    .map(|_| ())?,
            }
            router.signal(Signal::SIGHUP)?;
            let Some((first, others)) = words.split_first() else {
                continue;
            };
            let line = router
                .journal
                .wait_from(mark, first, Duration::from_secs(5))?;
            ensure!(
                others.iter().all(|word| line.text.contains(word)),
                "{name}: \"{}\" should contain {words:?}",
                line.text
            );
            client.next(30)?;
            let now = snapshot(router)?;
            ensure!(
                now == quiet,
                "{name}: the state changed\nfrom {quiet}\nto   {now}"
            );
        }
        // A good file is still accepted afterwards.
        let new = after().each(|service| service.servers.truncate(2));
        pair.configure(&new)?;
        hang_up(pair)?;
        pair.wait_settled(Side::A, &new, SETTLE)?;
        client.none_failed_since(begun)?;
        Ok(String::new())
    })
}

fn standby() -> Result<String> {
    let (old, new) = (before(), after());
    with_pair(&old, 3, |pair| {
        let wire = Wire::listen(&pair.network.switch)?;
        let client = pair.patient_client()?;
        let begun = Instant::now();
        let router = pair.router(Side::B);
        router.configure(&new.to_string())?;
        let pulse = router.one("pulse")?;
        let before = processor_time(pulse.pid)?;
        router.signal(Signal::SIGHUP)?;
        for _ in 0..3 {
            wire.wait_next("heartbeat of router B", KEEPALIVE * 2, |seen| {
                seen.from == Side::B && seen.public && matches!(seen.what, What::Heartbeat(_))
            })?;
        }
        let spent = processor_time(pulse.pid)? - before;
        ensure!(
            spent < Duration::from_secs(1),
            "pulse of the standby used {spent:?} in 3 s after HUP"
        );
        ensure!(
            router.one("pulse")?.pid == pulse.pid,
            "the standby's pulse is another one"
        );
        ensure!(
            !router.owns(VIP)? && router.table()?.is_empty(),
            "the standby became active by HUP"
        );
        client.none_failed_since(begun)?;

        pair.router(Side::A).signal(Signal::SIGTERM)?;
        pair.wait_settled(Side::B, &new, SETTLE)?;
        Ok(String::new())
    })
}

/// Processor time of a process so far: fields 14 and 15 of its `stat`, in hundredths.
fn processor_time(pid: i32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat
        .rsplit_once(") ")
        .map(|(_, tail)| tail)
        .unwrap_or_default();
    let mut ticks = fields
        .split(' ')
        .skip(11)
        .map_while(|field| field.parse::<u64>().ok());
    match (ticks.next(), ticks.next()) {
        (Some(user), Some(system)) => Ok(Duration::from_millis((user + system) * 10)),
        _ => Err(Error::unmet(format_args!("process {pid} is gone"))),
    }
}

/// A program that checks, and the file by which it fails.
const PROGRAM: &str = "/run/lab/check";
const DOWN: &str = "/run/lab/down";
/// More than a verdict takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// F17, for less than the hour that `cargo lab bench lvs --rows reloads` takes.
fn each_second() -> Result<String> {
    with_pair(&before(), 2, |pair| {
        let router = pair.router(Side::A);
        router
            .node
            .run(|| {
                let text = format!("#!/bin/sh\n[ -e {DOWN} ] || echo OK\n");
                std::fs::write(PROGRAM, text)?;
                std::fs::set_permissions(PROGRAM, PermissionsExt::from_mode(0o755))
            })?
            .during("writing the check program")?;
        let mark = router.journal.mark();
        let mut storm = Reloads { router, count: 0 };
        // The first of them replaces all checkers; then everything is done once.
        storm.until("the last weight", 2)?;
        storm.rounds(6, 2)?;
        let lvs = router.one("lvs")?;
        let memory = lvs.resident()?;
        storm.rounds(10, 2)?;
        router
            .node
            .run(|| std::fs::write(DOWN, ""))?
            .during("failing the checks")?;
        storm.until("no server in the table", 0)?;
        router
            .node
            .run(|| std::fs::remove_file(DOWN))?
            .during("ending the failures")?;
        storm.until("both servers in the table", 2)?;
        storm.rounds(3, 2)?;
        let now = router.one("lvs")?;
        ensure!(now.pid == lvs.pid, "lvs is another one");
        let grown = now.resident()?.saturating_sub(memory);
        ensure!(grown < 1024, "lvs has grown by {grown} KiB");
        ensure!(
            !router
                .journal
                .from(mark)
                .iter()
                .any(|line| line.text.contains(" died! ")),
            "a checker died"
        );
        Ok(format!(
            "{} reloads, lvs has grown by {grown} KiB",
            storm.count
        ))
    })
}

/// Reloads, each with another weight of the second server.
struct Reloads<'a> {
    router: &'a Router,
    count: u32,
}

impl Reloads<'_> {
    /// One reload, and a second; the weights in the table.
    fn next(&mut self) -> Result<Vec<u32>> {
        self.count += 1;
        let mut configuration = before();
        for server in configuration
            .virtuals
            .iter_mut()
            .flat_map(|service| service.servers.last_mut())
        {
            server.weight = self.weight();
        }
        let text = configuration
            .to_string()
            .replace(
                "send = \"GET / HTTP/1.0\\r\\n\\r\\n\"",
                &format!("send_program = \"{PROGRAM}\""),
            )
            .replace("expect = \"HTTP\"", "expect = \"OK\"")
            // A machine that is busy must not fail a check by being slow.
            .replace("timeout = 1\n", "timeout = 6\n");
        self.router.configure(&text)?;
        self.router.signal(Signal::SIGHUP)?;
        std::thread::sleep(Duration::from_secs(1));
        let table = self.router.table()?;
        let servers = table.iter().flat_map(|service| &service.servers);
        Ok(servers.map(|server| server.weight).collect())
    }

    fn weight(&self) -> u32 {
        3 + self.count % 2
    }

    /// So many reloads, in which no server leaves or joins.
    fn rounds(&mut self, rounds: u32, servers: usize) -> Result<()> {
        for _ in 0..rounds {
            let weights = self.next()?;
            ensure!(
                weights.len() == servers,
                "weights {weights:?} after {} reloads",
                self.count
            );
        }
        Ok(())
    }

    /// Reloads until so many servers are in the table and the last weight has arrived there.
    fn until(&mut self, what: &str, servers: usize) -> Result<()> {
        let mut last = Vec::new();
        let reached = wait::for_it(what, PATIENCE, || {
            last = self.next()?;
            let arrived = servers == 0 || last.contains(&self.weight());
            Ok(last.len() == servers && arrived)
        });
        reached.map_err(|error| Error::unmet(format_args!("{error}; weights {last:?}")))
    }
}
