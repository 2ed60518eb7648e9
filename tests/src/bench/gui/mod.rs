//! The web tool with 500 virtual servers and 2,000 real servers: how long its pages take, what live
//! updates cost, and its memory.

mod client;
mod site;
mod state;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::client::{Client, Form};
use self::site::Site;
use self::state::State;
use super::measure::median;
use super::{Options, report};
use crate::ensure;
use crate::error::{Error, Result};

/// How often each page is asked for.
const ROUNDS: usize = 15;
/// Browsers that follow the monitoring screen.
const BROWSERS: usize = 20;
/// Between two changes of state: five a second.
const UPDATE: Duration = Duration::from_millis(200);
/// One change in so many comes with new counters of everything: lvs writes them every 2 s.
const COUNTERS: u64 = 10;
/// Bars: of a page, of one processor, and of memory, in megabytes.
const PAGE: f64 = 0.2;
const SHARE: f64 = 0.2;
const MEMORY: f64 = 30.0;

/// Pages to look at. Those that carry out something have their forms measured as pages.
const PAGES: [&str; 22] = [
    "/login",
    "/about-login",
    "/secure/control",
    "/secure/parts",
    "/secure/service?service=-t%20198.18.1.51:80",
    "/secure/partner",
    "/secure/status.json",
    "/secure/global",
    "/secure/redundancy",
    "/secure/virtuals",
    "/secure/virtual?service=1%2Fs250",
    "/secure/servers?service=1%2Fs250",
    "/secure/server?service=1%2Fs250&server=1%2Fr2",
    "/secure/scripts?service=1%2Fs250",
    "/secure/drain?server=s250%2Fr2",
    "/secure/hand-over",
    "/secure/history",
    "/secure/version?number=1",
    "/secure/file",
    "/secure/help",
    "/secure/introduction",
    "/secure/password",
];
/// Another port of a service.
const PORT: Form = Form {
    page: "/secure/virtual?service=1%2Fs250",
    action: "/secure/virtual",
    fields: &[
        ("service", "1/s250"),
        ("port", "8080"),
        ("action", "accept"),
    ],
    shows: "name=\"change\"",
};
const ANOTHER_PORT: Form = Form {
    fields: &[
        ("service", "1/s250"),
        ("port", "8081"),
        ("action", "accept"),
    ],
    ..PORT
};
/// The same after somebody else has changed the file.
const LATE: Form = Form {
    shows: "class=\"card wrong\"",
    ..ANOTHER_PORT
};
const UNDO: Form = Form {
    page: "/secure/history",
    action: "/secure/undo",
    fields: &[("number", "1")],
    shows: "name=\"change\"",
};

pub(super) fn run(options: &Options) -> Result<bool> {
    let programs = super::release_build()?;
    let time = Duration::from_secs(30) * options.minutes.unwrap_or(1).max(1);
    measure(&programs, time)
}

fn measure(programs: &Path, time: Duration) -> Result<bool> {
    let site = Site::start(programs)?;
    let mut client = site.log_in()?;
    let mut good = pages(&site, &mut client)?;
    good &= updates(&site, &client, time)?;
    Ok(good)
}

/// While lvs writes its counters as it always does.
fn pages(site: &Site, client: &mut Client) -> Result<bool> {
    // So that there is an earlier version.
    let before = client.base(PORT.page)?;
    client.change(&PORT)?;
    let writer = Writer::start(site, UPDATE * 10, 1);
    let mut slowest = (0.0, String::new());
    let mut times = Vec::new();
    let mut note = |name: &str, mut ask: Box<dyn FnMut() -> Result<Duration> + '_>| -> Result<()> {
        let found = (0..ROUNDS).map(|_| ask()).collect::<Result<Vec<_>>>()?;
        let most = found.iter().max().copied().unwrap_or_default();
        let middle = median(found);
        println!(
            "      {name:<48} {:7.1} ms, at most {:.1}",
            middle.as_secs_f64() * 1000.0,
            most.as_secs_f64() * 1000.0
        );
        if middle.as_secs_f64() > slowest.0 {
            slowest = (middle.as_secs_f64(), name.to_owned());
        }
        times.push(middle);
        Ok(())
    };
    for page in PAGES {
        note(page, Box::new(|| client.time(page)))?;
    }
    for (name, form) in [
        ("what a change of a port does", ANOTHER_PORT),
        ("what an undo does", UNDO),
    ] {
        note(name, Box::new(|| client.time_form(&form, None)))?;
    }
    note(
        "a change that came too late",
        Box::new(|| client.time_form(&LATE, Some(&before))),
    )?;
    writer.stop()?;
    let all = median(times).as_secs_f64() * 1000.0;
    let (slowest, name) = slowest;
    let text = format!("{name}; the median page {all:.1} ms");
    Ok(report("slowest page (median): s", slowest, PAGE, &text))
}

/// Five changes of state a second, and new counters of everything every 2 s, to all browsers.
fn updates(site: &Site, client: &Client, time: Duration) -> Result<bool> {
    let browsers = (0..BROWSERS)
        .map(|_| client.follow())
        .collect::<Result<Vec<_>>>()?;
    let writer = Writer::start(site, UPDATE, COUNTERS);
    let heard = || browsers.iter().map(|it| it.messages()).min().unwrap_or(0);
    let begun = Instant::now();
    while heard() < 5 {
        ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "the browsers hear nothing"
        );
        std::thread::sleep(UPDATE);
    }
    let (messages, written) = (heard(), writer.written());
    let (cost, begun) = (site.processor()?, Instant::now());
    let mut memory: f64 = 0.0;
    while begun.elapsed() < time {
        std::thread::sleep(Duration::from_millis(500));
        memory = memory.max(site.memory()?);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let share = (site.processor()? - cost).as_secs_f64() / seconds;
    let rate = (heard() - messages) as f64 / seconds;
    let wanted = (writer.written() - written) as f64 / seconds;
    let bytes: u64 = browsers.iter().map(|it| it.bytes()).sum();
    writer.stop()?;
    let note = format!(
        "{BROWSERS} browsers, {rate:.1} messages a second to each of {wanted:.1} changes; {} kB in all",
        bytes / 1000
    );
    let mut good = report("live updates: share of a processor", share, SHARE, &note);
    // A browser that cannot follow gets several changes in one message; most of them must arrive alone.
    good &= report("  changes for each message", wanted / rate, 1.25, "");
    good &= report("  resident memory: MB", memory, MEMORY, "the most seen");
    Ok(good)
}

/// Writes lvs.json over and over.
struct Writer {
    stop: Arc<AtomicBool>,
    written: Arc<std::sync::atomic::AtomicU64>,
    thread: std::thread::JoinHandle<Result<()>>,
}

impl Writer {
    fn start(site: &Site, pause: Duration, counters: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let written = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let (folder, stopped, count) = (site.folder(), Arc::clone(&stop), Arc::clone(&written));
        let thread = std::thread::spawn(move || {
            let mut state = State::new();
            let begun = Instant::now();
            let mut number = 0;
            while !stopped.load(Ordering::Relaxed) {
                number += 1;
                state.turn(number, number % counters == 0);
                state.write(&folder)?;
                count.store(number, Ordering::Relaxed);
                let next = pause * u32::try_from(number).unwrap_or(u32::MAX);
                std::thread::sleep(next.saturating_sub(begun.elapsed()));
            }
            Ok(())
        });
        Self {
            stop,
            written,
            thread,
        }
    }

    fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let end = self.thread.join();
        end.unwrap_or_else(|_| Err(Error::unmet("the thread that writes lvs.json died")))
    }
}
