//! Rows measured on this machine, with the stand-in for ipvsadm-rs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use super::Row;
use super::file::{Check, Services};
use super::site::Site;
use super::usage;
use crate::bench::report;
use crate::error::{Context, Error, Result};
use crate::{ensure, interrupt, stand_in};

/// Where the programs are, and how long the long row takes.
pub(super) struct Place {
    pub(super) programs: PathBuf,
    pub(super) minutes: u32,
}

pub(super) const ROWS: [Row<Place>; 5] = [
    Row {
        name: "thousand",
        run: thousand,
    },
    Row {
        name: "ten-thousand",
        run: ten_thousand,
    },
    Row {
        name: "fifteen-hundred",
        run: fifteen_hundred,
    },
    Row {
        name: "programs",
        run: programs,
    },
    Row {
        name: "reloads",
        run: reloads,
    },
];

/// Stands for a nanny whose server is well and stays so: a process that waits.
const CHECKER: &str = "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in -h) h=$2;; -w) w=$2;; esac; shift; done\n\
    echo 'nanny 1' >&3\necho \"[ active ] making $h:80 available weight=$w\" >&3\nexec sleep infinity\n";

/// What the stand-in keeps.
struct Table<'a>(&'a Site);

impl Table<'_> {
    fn text(&self) -> String {
        let path = stand_in::table_file(self.0.folder.path(), self.0.node.inode());
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Servers that are not the sorry servers.
    fn servers(&self) -> usize {
        self.text().matches(" -r 127.1.").count()
    }

    fn sorry(&self) -> usize {
        self.text().matches(" -r 127.0.0.9:").count()
    }

    /// Time and number of changes of each run that changed something.
    fn writes(&self) -> Vec<(f64, usize)> {
        let path = stand_in::writes_file(self.0.folder.path(), self.0.node.inode());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let write = |line: &str| {
            let (at, changes) = line.split_once(' ')?;
            Some((at.parse().ok()?, changes.parse().ok()?))
        };
        text.lines().filter_map(write).collect()
    }

    /// Waits until so many servers are there, and gives the time of the last change.
    fn wait(&self, servers: usize, sorry: usize) -> Result<f64> {
        let what = format!("{servers} servers and {sorry} sorry servers in the table");
        self.0.wait(&what, || {
            interrupt::check()?;
            Ok(self.servers() == servers && self.sorry() == sorry)
        })?;
        let last = self.writes().last().map(|(at, _)| *at);
        last.ok_or_else(|| Error::unmet("the table was never written"))
    }
}

/// The clock by which the stand-in notes its writes.
fn now() -> Result<f64> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).during("reading the clock")?;
    Ok(Duration::from(time).as_secs_f64())
}

fn site(place: &Place) -> Result<Site> {
    Site::new(|folder| stand_in::furnish_from(&place.programs, &place.programs.join("lab"), folder))
}

/// 1,000 nannies: start, memory, death of all servers, reload.
fn thousand(place: &Place) -> Result<bool> {
    const SERVERS: usize = 1000;
    const SERVICES: usize = 20;
    let mut site = site(place)?;
    let mut services = Services::new(SERVERS, 2, Check::Web).with("sorry_server = 127.0.0.9");
    site.configure(&services)?;
    let begun = now()?;
    site.start()?;
    let table = Table(&site);
    let started = table.wait(SERVERS, 0)? - begun;
    let mut good = report("1,000 nannies, first verdicts: s", started, 2.0, "");

    let nannies = site.nannies();
    ensure!(nannies.len() == SERVERS, "{} nannies run", nannies.len());
    let sizes: Vec<f64> = nannies
        .iter()
        .map(|nanny| usage::proportional_set(nanny.pid))
        .collect::<Result<_>>()?;
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    good &= report("one idle nanny: kB (PSS)", mean, 215.0, "of 1,000");

    // In step with nothing: the checks have spread by now.
    std::thread::sleep(Duration::from_secs(5));
    let before = table.writes().len();
    site.servers.set_silent(true);
    let died = now()?;
    let gone = table.wait(0, SERVICES)? - died;
    let batches = table.writes().len() - before;
    good &= report("1,000 servers die at once: s", gone, 2.0 + 2.0 + 0.25, "");
    good &= report("  batches", batches as f64, 16.0, "");
    site.servers.set_silent(false);
    table.wait(SERVERS, 0)?;

    services.first_weight = 4;
    site.configure(&services)?;
    let (seconds, changes) = reload(&site, "-r 127.1.0.1:80 -m -w 4\n")?;
    good &= report(
        "reload, one weight of 1,000: s",
        seconds,
        0.4,
        "no bar of the design",
    );
    good &= report("  operations", changes as f64, 1.0, "");
    good &= unchanged(&site)?;
    site.stop()?;
    Ok(good)
}

/// Asks for a reload; gives the time until a text is in the table, and how much was changed.
fn reload(site: &Site, text: &str) -> Result<(f64, usize)> {
    let table = Table(site);
    ensure!(
        !table.text().contains(text),
        "the table has {text:?} already"
    );
    let before = table.writes().len();
    let begun = now()?;
    site.reload()?;
    site.wait(text, || {
        Ok(table.text().contains(text) && table.writes().len() > before)
    })?;
    // More than needed would follow at once.
    std::thread::sleep(Duration::from_secs(1));
    let writes = table.writes();
    let new = writes.get(before..).unwrap_or_default();
    let (last, changes) = new
        .iter()
        .fold((begun, 0), |(_, sum), (at, changes)| (*at, sum + *changes));
    Ok((last - begun, changes))
}

/// A reload that changes nothing writes nothing.
fn unchanged(site: &Site) -> Result<bool> {
    const SAID: &str = "rereading configuration file";
    let table = Table(site);
    let (before, said) = (table.writes().len(), site.logged(SAID));
    site.reload()?;
    site.wait("the reload", || Ok(site.logged(SAID) > said))?;
    // Longer than an audit stays away.
    std::thread::sleep(Duration::from_secs(12));
    let writes = table.writes().len() - before;
    Ok(report("nothing changed: writes", writes as f64, 0.0, ""))
}

/// One weight among 10,000 servers, with stand-ins for the checkers as well.
fn ten_thousand(place: &Place) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    const SERVERS: usize = 10_000;
    let mut site = Site::new(|folder| {
        stand_in::furnish_from(&place.programs, &place.programs.join("lab"), folder)?;
        let checker = folder.join("nanny");
        std::fs::write(&checker, CHECKER).during("writing the stand-in for nanny")?;
        std::fs::set_permissions(&checker, PermissionsExt::from_mode(0o755))
            .during("writing the stand-in for nanny")
    })?;
    let mut services = Services::new(SERVERS, 3600, Check::Web);
    site.configure(&services)?;
    let begun = now()?;
    site.start()?;
    let started = Table(&site).wait(SERVERS, 0)? - begun;
    println!("      {SERVERS} stand-ins started in {started:.1} s");
    std::thread::sleep(Duration::from_secs(5));
    let mut good = true;
    for weight in [4, 5, 6] {
        services.first_weight = weight;
        site.configure(&services)?;
        let text = format!("-r 127.1.0.1:80 -m -w {weight}\n");
        let (seconds, changes) = reload(&site, &text)?;
        good &= report("reload, one weight of 10,000: s", seconds, 0.4, "");
        good &= report("  operations", changes as f64, 1.0, "");
    }
    Ok(good)
}

/// 1,500 nannies for some minutes: none dies, nothing grows.
fn fifteen_hundred(place: &Place) -> Result<bool> {
    const SERVERS: usize = 1500;
    let mut site = site(place)?;
    site.configure(&Services::new(SERVERS, 6, Check::Web))?;
    site.start()?;
    Table(&site).wait(SERVERS, 0)?;
    std::thread::sleep(Duration::from_secs(5));
    let lvs = site.lvs();
    let pids = |site: &Site| {
        let mut pids: Vec<i32> = site.nannies().iter().map(|nanny| nanny.pid).collect();
        pids.sort_unstable();
        pids
    };
    let before = (pids(&site), usage::descriptors(lvs));
    let memory = usage::proportional_set(lvs)?;
    let end = Instant::now() + Duration::from_secs(60) * place.minutes;
    while Instant::now() < end {
        interrupt::check()?;
        std::thread::sleep(Duration::from_secs(1));
        ensure!(
            Table(&site).servers() == SERVERS,
            "a server left the table; log of lvs:\n{}",
            site.log()
        );
    }
    let after = (pids(&site), usage::descriptors(lvs));
    let lost = before.0.iter().filter(|pid| !after.0.contains(pid)).count();
    let note = format!("in {} min", place.minutes);
    let mut good = report("1,500 nannies: deaths", lost as f64, 0.0, &note);
    good &= report(
        "  descriptors more than before",
        after.1 as f64 - before.1 as f64,
        0.0,
        &format!("{} now", after.1),
    );
    let grown = usage::proportional_set(lvs)? - memory;
    good &= report("  memory of lvs, kB more", grown, 1024.0, "");
    site.stop()?;
    Ok(good)
}

/// 200 check programs that are due at once.
fn programs(place: &Place) -> Result<bool> {
    const SERVERS: usize = 200;
    const MOST: usize = 16;
    let mut site = site(place)?;
    let folder = site.folder.path().to_owned();
    let events = folder.join("events");
    // The users of unprivileged checkers write here too.
    std::fs::write(&events, "").during("making the file of events")?;
    let script = folder.join("check");
    let text = format!(
        "#!/bin/sh\necho begin >>{0}\nsleep 0.2\necho end >>{0}\necho OK\n",
        events.display()
    );
    std::fs::write(&script, text).during("writing the check program")?;
    for (path, mode) in [(&folder, 0o755), (&events, 0o666), (&script, 0o755)] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode))
            .during("opening the folder to all")?;
    }
    let program = format!("send_program = \"{} %h\"", script.display());
    let mut services = Services::new(SERVERS, 10, Check::Connect)
        .with(&program)
        .with("expect = \"OK\"");
    services.globals.push(format!("max_programs = {MOST}"));
    site.configure(&services)?;
    site.start()?;
    Table(&site).wait(SERVERS, 0)?;
    let text = std::fs::read_to_string(&events).during("reading the events")?;
    let (_, most) = text.lines().fold((0, 0), |(now, most), line| {
        let now: i32 = if line == "begin" { now + 1 } else { now - 1 };
        (now, most.max(now))
    });
    ensure!(
        text.lines().count() >= 2 * SERVERS,
        "only {} events",
        text.lines().count()
    );
    let note = format!("of {SERVERS} due at once, max_programs = {MOST}");
    let good = report(
        "check programs at once",
        f64::from(most),
        MOST as f64,
        &note,
    );
    site.stop()?;
    Ok(good)
}

/// A reload each second while check programs run: no crash, no growth, no lost verdict.
fn reloads(place: &Place) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    const SERVERS: usize = 40;
    /// By then everything has been done once.
    const WARM: u32 = 20;
    let mut site = site(place)?;
    let folder = site.folder.path().to_owned();
    let (script, down) = (folder.join("check"), folder.join("down"));
    let text = format!("#!/bin/sh\n[ -e {} ] || echo OK\n", down.display());
    std::fs::write(&script, text).during("writing the check program")?;
    for path in [&folder, &script] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755))
            .during("opening the folder to all")?;
    }
    let program = format!("send_program = \"{}\"", script.display());
    let mut services = Services::new(SERVERS, 2, Check::Connect)
        .with(&program)
        .with("expect = \"OK\"");
    site.configure(&services)?;
    site.start()?;
    let table = Table(&site);
    table.wait(SERVERS, 0)?;
    let mut before = 0.0;
    let rounds = (60 * place.minutes).max(2 * WARM);
    for round in 0..rounds {
        interrupt::check()?;
        if round == WARM {
            before = usage::proportional_set(site.lvs())?;
        }
        services.first_weight = 4 + round % 2;
        site.configure(&services)?;
        site.reload()?;
        std::thread::sleep(Duration::from_secs(1));
        ensure!(
            table.servers() == SERVERS,
            "a server left the table; log of lvs:\n{}",
            site.log()
        );
    }
    let grown = usage::proportional_set(site.lvs())? - before;
    let note = format!("{rounds} reloads, one each second");
    let good = report("reloads: memory of lvs, kB more", grown, 1024.0, &note);
    let weight = format!(" -r 127.1.0.1:80 -m -w {}\n", 4 + (rounds - 1) % 2);
    site.wait("the last weight", || Ok(table.text().contains(&weight)))?;
    std::fs::write(&down, "").during("taking all servers down")?;
    table.wait(0, 0)?;
    std::fs::remove_file(&down).during("bringing all servers back")?;
    table.wait(SERVERS, 0)?;
    ensure!(
        site.logged(" died! ") == 0,
        "checkers died; log of lvs:\n{}",
        site.log()
    );
    site.stop()?;
    Ok(good)
}
