//! The demonstration: three scenes with real packets, told as they happen.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Client, Sample, shares};
use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::journal::Journal;
use crate::kernel::{Job, Kernel};
use crate::network::{Method, Side, VIP, server_address};
use crate::pair::Pair;
use crate::{setup, shell, wait};

/// What the client may lose when a router dies: the dead time and half a second.
const ALLOWED: Duration = Duration::from_millis(3500);
/// Time for one request.
const LIMIT: Duration = Duration::from_millis(150);
/// Messages worth showing.
const TELLING: [&str; 8] = [
    "STARTING PULSE",
    "activating",
    "[ active ]",
    "[inactive]",
    "partner",
    "died",
    "arps finished",
    "VIP",
];

/// Builds everything and shows it on a kernel with IPVS. True when all of it really happened.
pub fn run(method: Method, keep: bool) -> Result<bool> {
    if keep && !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return Err(Error::Setup("--keep needs a terminal for its shell".into()));
    }
    setup::require(setup::BASE)?;
    let kernel = Kernel::choose();
    if kernel == Kernel::Uml {
        setup::require(setup::UML)?;
    }
    println!("building the programs");
    setup::build()?;
    println!("starting {kernel}");
    let mut words = vec!["__demo", method.word()];
    words.extend(keep.then_some("--keep"));
    let mut job = Job::own(&words, Duration::from_secs(180))?;
    if keep {
        job.interactive = true;
        job.limit = None;
    }
    Ok(kernel.run(&job)? == 0)
}

/// The part inside the kernel.
pub fn inside(method: Method, keep: bool) -> Result<bool> {
    let mut pair = Pair::build(method, 2)?;
    let mut stage = Stage::new(&pair);
    let played = play(&mut pair, &mut stage, method);
    stage.quiet();
    if let Err(error) = &played {
        println!(
            "\n{}  {error}\n\n{}",
            stage.paint("31;1", "FAILED"),
            pair.report()
        );
    }
    if keep {
        shell::open(&pair)?;
    }
    Ok(played.is_ok())
}

fn play(pair: &mut Pair, stage: &mut Stage, method: Method) -> Result<()> {
    let configuration = Configuration::new(method, 2);
    picture(stage, method);
    stage.say("both routers start: a heartbeat each second, 3 s of silence mean death");
    pair.configure(&configuration)?;
    pair.router_mut(Side::A).start()?;
    pair.router_mut(Side::B).start()?;
    pair.wait_settled(Side::A, &configuration, Duration::from_secs(15))?;
    stage.say("router A is active, router B stands by");
    let client = pair.client_of(VIP, LIMIT)?;
    let shared = scene_sharing(pair, stage, &client)?;
    let server = scene_server(pair, stage, &client)?;
    let router = scene_router(pair, stage, &client, &configuration)?;
    stage.quiet();
    println!("\n{}", stage.paint("1", "Summary"));
    for line in [shared, server, router] {
        println!("  {}  {line}", stage.paint("32;1", "✔"));
    }
    Ok(())
}

fn picture(stage: &Stage, method: Method) {
    let (name, side) = match method {
        Method::Nat => ("network address translation", "10.20.0"),
        Method::Direct => ("direct routing", "198.51.100"),
        Method::Tunnel => ("IP-in-IP tunnels", "198.51.100"),
    };
    println!(
        "\n{}  {name}, real servers in {side}.0/24\n\n\
         \x20                    ┌─ router A {} ─┐  ┌─ web1 {}\n\
         \x20 client ── VIP ─────┤                          ├──┤\n\
         \x20      {VIP} └─ router B {} ─┘  └─ web2 {}\n",
        stage.paint("1", "A router pair"),
        Side::A.public(),
        server_address(method, 0),
        Side::B.public(),
        server_address(method, 1),
    );
}

fn scene_sharing(pair: &Pair, stage: &mut Stage, client: &Client) -> Result<String> {
    stage.scene("1", "Requests through the VIP are shared");
    let samples = client.next(100)?;
    stage.say(&bars(&samples));
    stage.tables(pair)?;
    let shares = shares(&samples);
    let failed = samples
        .iter()
        .filter(|sample| sample.server.is_none())
        .count();
    let even = shares.len() == 2
        && shares
            .values()
            .all(|count| count.abs_diff(samples.len() / 2) <= samples.len() / 20);
    if failed > 0 || !even {
        return Err(Error::unmet(format_args!(
            "{failed} requests failed, shares {shares:?}"
        )));
    }
    let counts: Vec<String> = shares.values().map(usize::to_string).collect();
    Ok(format!(
        "{} requests shared {}, none failed",
        samples.len(),
        counts.join(" : ")
    ))
}

fn scene_server(pair: &mut Pair, stage: &mut Stage, client: &Client) -> Result<String> {
    stage.scene("2", "A web server dies and comes back");
    let killed = Instant::now();
    pair.web_mut(1)?.0.stop();
    stage.say("web2 is killed");
    wait_for_servers(pair, 1)?;
    let out = killed.elapsed();
    let lost = client.failed_since(killed);
    stage.say(&format!(
        "its nanny noticed; out of the table {} ms after its death, {lost} requests failed",
        out.as_millis()
    ));
    client.next(1)?;
    let samples = client.next(50)?;
    stage.say(&bars(&samples));
    if !samples
        .iter()
        .all(|sample| sample.server.as_deref() == Some("web1"))
    {
        return Err(Error::unmet(format_args!(
            "web1 alone should answer: {:?}",
            shares(&samples)
        )));
    }
    let started = Instant::now();
    let (web, node) = pair.web_mut(1)?;
    web.resume(node)?;
    stage.say("web2 is started again; it must pass its checks for 2 s");
    wait_for_servers(pair, 2)?;
    let back = started.elapsed();
    stage.say(&format!("back in the table after {} ms", back.as_millis()));
    client.next(1)?;
    let samples = client.next(50)?;
    stage.say(&bars(&samples));
    let shares = shares(&samples);
    if shares
        .get("web2")
        .is_none_or(|count| *count < samples.len() / 3)
    {
        return Err(Error::unmet(format_args!(
            "web2 should answer again: {shares:?}"
        )));
    }
    Ok(format!(
        "web2 out after {} ms, back {} ms after its return",
        out.as_millis(),
        back.as_millis()
    ))
}

fn scene_router(
    pair: &Pair,
    stage: &mut Stage,
    client: &Client,
    configuration: &Configuration,
) -> Result<String> {
    stage.scene("3", "The active router is cut off");
    let cut = Instant::now();
    pair.network.set_connected(Side::A, false)?;
    stage.say("both cables of router A are pulled");
    wait::for_it("router B takes over", Duration::from_secs(10), || {
        pair.router(Side::B).owns(VIP)
    })?;
    client.wait_served(cut + Duration::from_millis(100), Duration::from_secs(10))?;
    let samples = client.next(50)?;
    let outage = client.outage(cut)?;
    stage.say(&format!(
        "router B serves; the client saw an outage of {} ms",
        outage.as_millis()
    ));
    stage.say(&bars(&samples));
    stage.tables(pair)?;
    pair.network.set_connected(Side::A, true)?;
    stage.say("the cables are back");
    let active = pair.wait_one_active(configuration, Duration::from_secs(5))?;
    stage.say(&format!(
        "the routers agree: {active} is active, {} stands by without addresses and table",
        active.other()
    ));
    if outage > ALLOWED {
        return Err(Error::unmet(format_args!(
            "outage {outage:?}, at most {ALLOWED:?} is allowed"
        )));
    }
    Ok(format!(
        "router B took over; outage {} ms of at most {}",
        outage.as_millis(),
        ALLOWED.as_millis()
    ))
}

fn wait_for_servers(pair: &Pair, count: usize) -> Result<()> {
    wait::for_it(
        format_args!("{count} server(s) in the table"),
        Duration::from_secs(8),
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

/// `100 requests  web1 50 ██████████  web2 50 ██████████`.
fn bars(samples: &[Sample]) -> String {
    let mut text = format!("{} requests", samples.len());
    for (name, count) in shares(samples) {
        let _ = write!(
            text,
            "   {name} {count:3} {}",
            "█".repeat(count * 20 / samples.len().max(1))
        );
    }
    let failed = samples
        .iter()
        .filter(|sample| sample.server.is_none())
        .count();
    if failed > 0 {
        let _ = write!(text, "   failed {failed}");
    }
    text
}

/// Prints with the time since the beginning, and the routers' messages as they come.
struct Stage {
    started: Instant,
    colour: bool,
    stop: Arc<AtomicBool>,
    teller: Option<std::thread::JoinHandle<()>>,
}

impl Stage {
    fn new(pair: &Pair) -> Self {
        let started = Instant::now();
        let colour = std::env::var_os("LAB_COLOUR").is_some();
        let stop = Arc::new(AtomicBool::new(false));
        let journals = [Side::A, Side::B].map(|side| (side, pair.router(side).journal.clone()));
        let stopped = Arc::clone(&stop);
        let teller = std::thread::spawn(move || tell(&journals, started, colour, &stopped));
        Self {
            started,
            colour,
            stop,
            teller: Some(teller),
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        paint(self.colour, code, text)
    }

    fn scene(&mut self, number: &str, title: &str) {
        println!("\n{}", self.paint("1", &format!("{number}  {title}")));
    }

    fn say(&self, text: &str) {
        println!("{:7.2} s  {text}", self.started.elapsed().as_secs_f64());
    }

    /// Both tables as the tool prints them.
    fn tables(&self, pair: &Pair) -> Result<()> {
        for side in [Side::A, Side::B] {
            println!(
                "\n           {}",
                self.paint("36", &format!("{side} # ipvsadm-rs -Ln"))
            );
            for line in pair.router(side).listing()?.lines() {
                println!("           {line}");
            }
        }
        println!();
        Ok(())
    }

    /// Ends the telling of messages.
    fn quiet(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(teller) = self.teller.take() {
            let _ = teller.join();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.quiet();
    }
}

fn paint(colour: bool, code: &str, text: &str) -> String {
    if colour {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

fn tell(journals: &[(Side, Journal)], started: Instant, colour: bool, stop: &AtomicBool) {
    let mut marks = vec![0; journals.len()];
    loop {
        let last = stop.load(Ordering::Relaxed);
        for ((side, journal), mark) in journals.iter().zip(&mut marks) {
            for line in journal.from(*mark) {
                *mark += 1;
                if TELLING.iter().any(|words| line.text.contains(words)) {
                    let at = line.at.saturating_duration_since(started).as_secs_f64();
                    let text = format!("{at:7.2} s  {side}  {}: {}", line.tag, line.text);
                    println!("{}", paint(colour, "2", &text));
                }
            }
        }
        if last {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
