//! What goes wrong with checkers, servers and the table while the routers themselves are well.

use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::{SETTLE, SLACK, Scenario, with_pair};
use crate::configuration::{Configuration, Virtual};
use crate::error::{Context, Error, Result};
use crate::network::{Method, SECOND_VIP, Side};
use crate::pair::Pair;
use crate::processes::Process;
use crate::router::Router;
use crate::storm::{self, Storm};
use crate::{ensure, wait};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "hung",
        shows: "SIGSTOP and an endless loop in nannies and in lvs: noticed within 20 s, replaced",
        ipvs: true,
        run: hung,
    },
    Scenario {
        name: "foreign-changes",
        shows: "ipvsadm -e, -D and -C by hand: repaired within 10 s, the difference logged",
        ipvs: true,
        run: foreign_changes,
    },
    Scenario {
        name: "flapping",
        shows: "a server up 1 s, down 1 s: at most one change of the table per re-entry time",
        ipvs: true,
        run: flapping,
    },
    Scenario {
        name: "all-die",
        shows: "40 servers die at once: sorry server within interval and limit; all come back",
        ipvs: true,
        run: all_die,
    },
    Scenario {
        name: "storm",
        shows: "SIGKILL of nannies and lvs at random moments: no server leaves, no connection breaks",
        ipvs: true,
        run: || {
            storm::inside(&Storm {
                nannies: 20,
                lvs: 4,
                connections: 200,
            })
        },
    },
];

/// A process that says nothing for three times 5 s is noticed by then.
const SILENT: Duration = Duration::from_secs(20);

fn hung() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let router = pair.router(Side::A);
        let mark = router.journal.mark();
        let old = router.running("nanny");
        let (Some(stopped), Some(looping)) = (old.first(), old.last()) else {
            return Err(Error::unmet("no nannies"));
        };
        let begun = Instant::now();
        stopped.signal(Signal::SIGSTOP)?;
        loop_for_ever(looping)?;
        wait::for_it("both nannies are replaced", SILENT + SLACK, || {
            steady(pair, &configuration)?;
            let now = router.running("nanny");
            Ok(now.len() == 2 && now.iter().all(|new| old.iter().all(|it| it.pid != new.pid)))
        })?;
        let nannies = begun.elapsed();
        said(router, mark, "is silent: killing it", 2)?;

        let mut times = Vec::new();
        for stop in [true, false] {
            let mark = router.journal.mark();
            let old = router.one("lvs")?;
            let begun = Instant::now();
            if stop {
                old.signal(Signal::SIGSTOP)?;
            } else {
                loop_for_ever(&old)?;
            }
            wait::for_it("lvs is replaced", SILENT + SLACK, || {
                steady(pair, &configuration)?;
                Ok(router.one("lvs").is_ok_and(|lvs| lvs.pid != old.pid))
            })?;
            times.push(begun.elapsed());
            said(router, mark, "lvs hangs: killing process", 1)?;
            pair.wait_settled(Side::A, &configuration, SETTLE)?;
        }
        Ok(format!(
            "nannies replaced after {:.1} s, lvs after {:.1?}",
            nannies.as_secs_f64(),
            times
        ))
    })
}

/// Has a process run in a circle at the place where it is.
fn loop_for_ever(process: &Process) -> Result<()> {
    /// Jumps to itself, with something behind that is never reached.
    const JUMP: i64 = 0x9090_9090_9090_feeb_u64.cast_signed();
    let pid = Pid::from_raw(process.pid);
    let act = format!("changing process {process}");
    ptrace::attach(pid).during(&act)?;
    waitpid(pid, None).during(&act)?;
    let registers = ptrace::getregs(pid).during(&act)?;
    let place = std::ptr::without_provenance_mut(usize::try_from(registers.rip).unwrap_or(0));
    ptrace::write(pid, place, JUMP).during(&act)?;
    ptrace::detach(pid, None).during(&act)
}

/// Whatever happens to checkers, the table stays.
fn steady(pair: &Pair, configuration: &Configuration) -> Result<()> {
    match pair.unsettled(Side::A, configuration)? {
        None => Ok(()),
        Some(what) => Err(Error::unmet(what)),
    }
}

/// A message came exactly so often.
fn said(router: &Router, mark: usize, words: &str, times: usize) -> Result<()> {
    let lines = router.journal.from(mark);
    let found = lines
        .iter()
        .filter(|line| line.text.contains(words))
        .count();
    ensure!(
        found == times,
        "{words:?} was logged {found} times instead of {times}"
    );
    Ok(())
}

fn foreign_changes() -> Result<String> {
    /// A change is repaired within this time.
    const REPAIRED: Duration = Duration::from_secs(10);
    let mut configuration = Configuration::new(Method::Nat, 2);
    let second = Virtual::new("second", SECOND_VIP, "eth0:2", Method::Nat, 2);
    configuration.virtuals.push(second);
    with_pair(&configuration, 2, |pair| {
        let router = pair.router(Side::A);
        let vip = "198.51.100.80:80";
        let second = format!("{SECOND_VIP}:80");
        let edit = ["-e", "-t", vip, "-r", "10.20.0.101:80", "-m", "-w", "7"];
        let delete = ["-d", "-t", vip, "-r", "10.20.0.102:80"];
        let rounds: [&[&[&str]]; 2] = [&[&edit, &delete, &["-D", "-t", &second]], &[&["-C"]]];
        let mut times = Vec::new();
        for round in rounds {
            let mark = router.journal.mark();
            for arguments in round {
                let output = router.run("ipvsadm-rs", arguments)?;
                ensure!(output.status.success(), "{arguments:?}: {output:?}");
            }
            let begun = Instant::now();
            ensure!(
                pair.unsettled(Side::A, &configuration)?.is_some(),
                "{round:?} changed nothing"
            );
            pair.wait_settled(Side::A, &configuration, REPAIRED + SLACK)?;
            times.push(begun.elapsed());
            let words = "others changed the table, repairing it: ";
            router.journal.wait_from(mark, words, SLACK)?;
        }
        Ok(format!("repaired after {times:.1?}"))
    })
}

fn flapping() -> Result<String> {
    const REENTRY: u32 = 5;
    let configuration = Configuration::new(Method::Nat, 2);
    with_pair(&configuration, 2, |pair| {
        let text = configuration.to_string();
        let text = text.replace("reentry = 2", &format!("reentry = {REENTRY}"));
        let old: Vec<i32> = nannies(pair.router(Side::A));
        for side in [Side::A, Side::B] {
            pair.router(side).configure(&text)?;
            pair.router(side).signal(Signal::SIGHUP)?;
        }
        wait::for_it("nannies with the new re-entry time", SETTLE, || {
            let new = nannies(pair.router(Side::A));
            Ok(new.len() == 2 && new.iter().all(|pid| !old.contains(pid)))
        })?;
        let begun = Instant::now();
        let (mut changes, mut there) = (0, true);
        for second in 0..15 {
            let (web, node) = pair.web_mut(0)?;
            if second % 2 == 0 {
                web.stop();
            } else {
                web.resume(node)?;
            }
            let end = Instant::now() + Duration::from_secs(1);
            while Instant::now() < end {
                let now = servers(pair)? == 2;
                changes += u32::from(now != there);
                there = now;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let allowed = begun.elapsed().as_secs() / u64::from(REENTRY);
        ensure!(changes > 0, "the server never left the table");
        ensure!(
            u64::from(changes) <= allowed,
            "{changes} changes in {seconds:.1} s, at most {allowed} are allowed"
        );
        let (web, node) = pair.web_mut(0)?;
        web.resume(node)?;
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(60))?;
        Ok(format!("{changes} changes in {seconds:.0} s"))
    })
}

fn nannies(router: &Router) -> Vec<i32> {
    let running = router.running("nanny");
    running.iter().map(|process| process.pid).collect()
}

/// Servers in the active router's table.
fn servers(pair: &Pair) -> Result<usize> {
    let table = pair.router(Side::A).table()?;
    Ok(table.iter().map(|service| service.servers.len()).sum())
}

fn all_die() -> Result<String> {
    const SERVERS: u8 = 40;
    let sorry = "10.20.0.102";
    let configuration = Configuration::crowded(SERVERS)
        .each(|service| service.lines.push(format!("sorry_server = {sorry}")));
    let mut pair = Pair::build(Method::Nat, 2)?;
    let result = (|| {
        pair.crowd(&configuration)?;
        pair.configure(&configuration)?;
        pair.router_mut(Side::A).start()?;
        pair.router_mut(Side::B).start()?;
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(60))?;
        pair.web_mut(0)?.0.stop();
        let died = Instant::now();
        // Interval and time limit are 1 s each.
        let limit = Duration::from_secs(2) + SLACK;
        wait::for_it("only the sorry server is left", limit, || {
            let table = pair.router(Side::A).table()?;
            let left: Vec<_> = table.iter().flat_map(|service| &service.servers).collect();
            Ok(left.len() == 1 && left.iter().all(|real| real.address.to_string() == sorry))
        })?;
        let gone = died.elapsed();
        let (web, node) = pair.web_mut(0)?;
        web.resume(node)?;
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(60))?;
        Ok(format!("sorry server after {} ms", gone.as_millis()))
    })();
    pair.explained(result)
}
