//! Rows measured in one boot of the kernel, against its own table.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Row;
use super::file::{Check, Services};
use super::others::{Keepalived, Ldirectord};
use super::site::Site;
use super::usage;
use crate::bench::measure::{Work, median};
use crate::bench::report;
use crate::error::{Context, Error, Result};
use crate::processes;
use crate::table;
use crate::{ensure, wait};

const ROWS: [Row<Place>; 4] = [
    Row {
        name: "checks",
        run: checks,
    },
    Row {
        name: "hundred",
        run: hundred,
    },
    Row {
        name: "weight",
        run: weight,
    },
    Row {
        name: "audit",
        run: audit,
    },
];

/// Where the programs are.
struct Place {
    programs: PathBuf,
}

/// How long processor time is counted.
const COUNTED: Duration = Duration::from_secs(20);

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name)
}

pub(super) fn run(programs: &Path, rows: &[String]) -> Result<bool> {
    let mut good = true;
    let place = Place {
        programs: programs.to_owned(),
    };
    for row in ROWS
        .iter()
        .filter(|row| rows.iter().any(|name| name == row.name))
    {
        good &= (row.run)(&place)?;
    }
    Ok(good)
}

fn site(programs: &Path) -> Result<Site> {
    Site::new(|folder| {
        for name in ["lvs", "nanny", "ipvsadm-rs"] {
            std::fs::copy(programs.join(name), folder.join(name))
                .during(format_args!("copying {name}"))?;
        }
        Ok(())
    })
}

/// Servers in the kernel's table.
fn in_table(site: &Site) -> Result<usize> {
    Ok(table::read(&site.node)?
        .iter()
        .map(|service| service.servers.len())
        .sum())
}

/// Processor time of some processes and connections that their servers accepted.
#[derive(Debug, Clone, Copy)]
struct Used {
    time: Duration,
    checks: u64,
}

/// As of now, for the processes of one program.
fn used(site: &Site, program: &str) -> Result<Used> {
    let time = processes::in_namespace(site.node.inode())
        .iter()
        .filter(|process| process.program == program)
        .map(|process| usage::processor(process.pid))
        .sum::<Result<Duration>>()?;
    Ok(Used {
        time,
        checks: site.servers.accepted(),
    })
}

/// Milliseconds for each check between two moments.
fn cost(before: Used, after: Used) -> Result<f64> {
    let checks = after.checks - before.checks;
    ensure!(checks > 100, "only {checks} checks in {COUNTED:?}");
    let time = after.time.saturating_sub(before.time);
    Ok(time.as_secs_f64() * 1e3 / checks as f64)
}

/// Processor time per check, of the nannies and of keepalived, which work at the same time: what else
/// the machine does then costs both alike.
fn checks(place: &Place) -> Result<bool> {
    const SERVERS: usize = 200;
    let mut good = true;
    for (check, name) in [(Check::Connect, "TCP"), (Check::Web, "send/expect")] {
        let services = Services::new(SERVERS, 1, check);
        let (mut one, other) = (site(&place.programs)?, site(&place.programs)?);
        one.configure(&services)?;
        one.start()?;
        let running = Keepalived::start(&other, &services)?;
        for site in [&one, &other] {
            site.wait("the table", || Ok(in_table(site)? == SERVERS))?;
        }
        std::thread::sleep(Duration::from_secs(3));
        let look = || -> Result<[Used; 3]> {
            Ok([
                used(&one, "nanny")?,
                used(&other, "keepalived")?,
                used(&one, "lvs")?,
            ])
        };
        let before = look()?;
        std::thread::sleep(COUNTED);
        let after = look()?;
        let [ours, theirs, lvs] = [0, 1, 2].map(|place| {
            let used = |of: &[Used; 3]| of.get(place).copied();
            used(&before)
                .zip(used(&after))
                .ok_or_else(|| Error::unmet("no figure"))
                .and_then(|(before, after)| cost(before, after))
        });
        let (ours, theirs, lvs) = (ours?, theirs?, lvs?);
        let note = format!("{ours:.3} ms; keepalived {theirs:.3} ms; lvs itself {lvs:.3} ms");
        good &= report(&format!("{name} check"), ours / theirs, 1.0, &note);
        running.stop()?;
        one.stop()?;
        if check == Check::Connect {
            good &= beside_ldirectord(&other, &services, ours)?;
        }
    }
    Ok(good)
}

/// ldirectord's processor time per connection, which goes from server to server without a pause.
fn beside_ldirectord(site: &Site, services: &Services, ours: f64) -> Result<bool> {
    site.wait("an empty table", || Ok(in_table(site)? == 0))?;
    let running = Ldirectord::start(site, services)?;
    site.wait("ldirectord's table", || {
        Ok(in_table(site)? == services.servers)
    })?;
    let before = used(site, Ldirectord::PROCESS)?;
    std::thread::sleep(COUNTED);
    let theirs = cost(before, used(site, Ldirectord::PROCESS)?)?;
    running.stop()?;
    let note = format!("{ours:.3} ms; ldirectord {theirs:.3} ms");
    Ok(report("TCP check, ldirectord", ours / theirs, 1.0, &note))
}

/// 100 servers from the start of lvs to the last one in the table.
fn hundred(place: &Place) -> Result<bool> {
    const SERVERS: usize = 100;
    const RUNS: usize = 3;
    let work = Work {
        arguments: &[],
        input: None,
        repeat: 100,
    };
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        bare.push(work.time(Path::new("/bin/true"))? * 100);
        let mut site = site(&place.programs)?;
        site.configure(&Services::new(SERVERS, 6, Check::Web))?;
        let begun = Instant::now();
        site.start()?;
        site.wait("100 servers in the table", || {
            Ok(in_table(&site)? == SERVERS)
        })?;
        ours.push(begun.elapsed());
        site.stop()?;
    }
    let [bare, ours] = [bare, ours].map(|times| median(times).as_secs_f64());
    let note = format!("100 bare starts take {bare:.2} s");
    Ok(report(
        "100 servers in the table: s",
        ours,
        bare + 1.0,
        &note,
    ))
}

/// One weight among 1,000 servers, beside keepalived.
fn weight(place: &Place) -> Result<bool> {
    const SERVERS: usize = 1000;
    let mut services = Services::new(SERVERS, 60, Check::Connect);
    let mut site = site(&place.programs)?;
    let running = Keepalived::start(&site, &services)?;
    site.wait("keepalived's table", || Ok(in_table(&site)? == SERVERS))?;
    std::thread::sleep(Duration::from_secs(5));
    let mut theirs = Vec::new();
    for weight in [4, 5, 6] {
        services.first_weight = weight;
        Keepalived::configure(&site, &services)?;
        theirs.push(until_weight(&site, weight, || {
            running.signal(nix::sys::signal::Signal::SIGHUP)
        })?);
        std::thread::sleep(Duration::from_secs(3));
    }
    running.stop()?;
    site.wait("an empty table", || Ok(in_table(&site)? == 0))?;

    site.configure(&services)?;
    site.start()?;
    site.wait("the table", || Ok(in_table(&site)? == SERVERS))?;
    std::thread::sleep(Duration::from_secs(5));
    let mut ours = Vec::new();
    for weight in [7, 8, 9] {
        services.first_weight = weight;
        site.configure(&services)?;
        ours.push(until_weight(&site, weight, || site.reload())?);
        std::thread::sleep(Duration::from_secs(3));
    }
    site.stop()?;
    let [ours, theirs] = [ours, theirs].map(|times| median(times).as_secs_f64());
    Ok(report(
        "one weight of 1,000: s",
        ours,
        theirs,
        "keepalived's time is the bar",
    ))
}

/// Time until the first server has a weight.
fn until_weight(site: &Site, weight: u32, ask: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    ask()?;
    let line = "->7F010001:0050";
    // Read as text: parsing a thousand lines each time would take part in what is measured.
    let there = move || {
        let text = std::fs::read_to_string("/proc/thread-self/net/ip_vs").unwrap_or_default();
        let found = text
            .lines()
            .find(|row| row.replace(' ', "").starts_with(line));
        found.is_some_and(|row| row.split_whitespace().nth(3) == Some(&weight.to_string()))
    };
    let limit = Duration::from_secs(60);
    wait::for_it("the new weight", limit, || site.node.run(there))?;
    Ok(begun.elapsed())
}

/// One audit of 11,000 rows against one listing of them.
fn audit(place: &Place) -> Result<bool> {
    let mut site = site(&place.programs)?;
    let folder = site.folder.path().to_owned();
    let rules = folder.join("rules");
    std::fs::write(&rules, crate::bench::ipvsadm::rules(1_000)).during("writing rules")?;
    let tool = folder.join("ipvsadm-rs");
    timed(&site, &tool, &["-R"], Some(&rules))?;
    let mut services = Services::new(10, 6, Check::Web);
    services.globals.push("audit_interval = 1".into());
    site.configure(&services)?;
    site.start()?;
    site.wait("the table", || Ok(in_table(&site)? == 10_010))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        theirs.push(timed(&site, &tool, &["-Sn"], None)?);
        let (count, _) = audited(&folder)?;
        site.wait("the next audit", || Ok(audited(&folder)?.0 > count))?;
        ours.push(Duration::from_secs_f64(audited(&folder)?.1 / 1e3));
    }
    site.stop()?;
    let [ours, theirs] = [ours, theirs].map(|times| median(times).as_secs_f64() * 1e3);
    let note = format!("{ours:.1} ms; ipvsadm-rs -Sn {theirs:.1} ms");
    Ok(report("audit of 11,000 rows", ours / theirs, 1.3, &note))
}

/// Time of one run of a program on the machine.
fn timed(
    site: &Site,
    program: &Path,
    arguments: &'static [&'static str],
    input: Option<&Path>,
) -> Result<Duration> {
    let (program, input) = (program.to_owned(), input.map(Path::to_owned));
    site.node.run(move || {
        let work = Work {
            arguments,
            input: input.as_deref(),
            repeat: 1,
        };
        work.time(&program)
    })?
}

/// Number of audits so far, and how long the last one took, in milliseconds.
fn audited(folder: &Path) -> Result<(u64, f64)> {
    let text = std::fs::read(folder.join("lvs.json")).during("reading lvs.json")?;
    let status: serde_json::Value = serde_json::from_slice(&text)
        .map_err(std::io::Error::from)
        .during("reading lvs.json")?;
    let figure = |name: &str| status.get("audit").and_then(|audit| audit.get(name));
    let count = figure("count").and_then(serde_json::Value::as_u64);
    let last = figure("last_ms").and_then(serde_json::Value::as_f64);
    count
        .zip(last)
        .ok_or_else(|| Error::unmet("lvs.json does not tell of audits"))
}
