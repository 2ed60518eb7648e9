//! A storm of deaths: nannies and lvs are killed at random moments on the active router, under
//! established connections. No healthy server may leave the table, no connection may break, nothing
//! may pile up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;

use crate::client::Session;
use crate::configuration::Configuration;
use crate::error::{Context, Error, Result};
use crate::kernel::{Job, Kernel};
use crate::network::{Method, Side, VIP};
use crate::pair::Pair;
use crate::processes::Process;
use crate::table::{self, Service};
use crate::{ensure, interrupt, setup, wait};

/// Real servers, and so nannies.
const SERVERS: u8 = 10;
/// A dead process is replaced within this time; the laboratory's kernel has 2 s for everything.
const REPLACED: Duration = Duration::from_secs(1 + 2);
/// After the death of lvs the state is right within this time, with the same allowance.
const RIGHT: Duration = Duration::from_secs(2 + 2);
/// A connection without an answer by then is broken; a thousand of them keep their servers busy.
const ANSWERED: Duration = Duration::from_secs(30);
/// Limit for a whole storm in the kernel.
const LIMIT: Duration = Duration::from_secs(2 * 3600);

/// How much of it.
#[derive(Debug, Clone, clap::Args)]
pub struct Storm {
    /// Deaths of nannies.
    #[arg(long, default_value_t = 1000)]
    pub nannies: u32,
    /// Deaths of lvs.
    #[arg(long, default_value_t = 100)]
    pub lvs: u32,
    /// Connections that stay established meanwhile.
    #[arg(long, default_value_t = 1000)]
    pub connections: u32,
}

/// Runs a storm in the kernel; prints what it saw.
pub fn run(storm: &Storm) -> Result<bool> {
    setup::require(setup::BASE)?;
    setup::require(setup::UML)?;
    setup::build()?;
    let mut words = vec!["__storm".to_owned()];
    for (option, number) in [
        ("--nannies", storm.nannies),
        ("--lvs", storm.lvs),
        ("--connections", storm.connections),
    ] {
        words.extend([option.to_owned(), number.to_string()]);
    }
    Ok(Kernel::choose().run(&Job::own(&words, LIMIT)?)? == 0)
}

/// The storm itself; gives a line about it.
pub fn inside(storm: &Storm) -> Result<String> {
    let configuration = Configuration::crowded(SERVERS);
    // Both ends of each connection are here.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).during("asking for a limit")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).during("raising a limit")?;
    ensure!(
        u64::from(storm.connections) * 2 + 500 < most,
        "at most {most} descriptors are allowed: too few for {} connections",
        storm.connections
    );
    let mut pair = Pair::build(Method::Nat, 1)?;
    let result = (|| {
        pair.crowd(&configuration)?;
        let text = configuration.to_string();
        // A machine that is busy with a thousand connections must not fail a check by being slow.
        let text = text.replace("timeout = 1\n", "timeout = 6\n");
        for side in [Side::A, Side::B] {
            pair.router(side).configure(&text)?;
        }
        pair.router_mut(Side::A).start()?;
        pair.router_mut(Side::B).start()?;
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(60))?;
        blow(&pair, storm, &configuration)
    })();
    pair.explained(result)
}

/// What was counted.
#[derive(Debug, Default)]
struct Seen {
    nannies: Vec<Duration>,
    lvs: Vec<Duration>,
}

fn blow(pair: &Pair, storm: &Storm, configuration: &Configuration) -> Result<String> {
    let router = pair.router(Side::A);
    let mut sessions: Vec<Session> = (0..storm.connections)
        .map(|_| {
            let target = SocketAddr::from((VIP, 80));
            Session::open_within(&pair.network.client, target, ANSWERED)
        })
        .collect::<Result<_>>()?;
    let mut watch = Watch::start(pair)?;
    let mut dice = Dice::new();
    let mut seen = Seen::default();
    let pulse = router.one("pulse")?;
    let lvs = router.one("lvs")?;
    wait::for_it("the tool for the next batch waits", ANSWERED, || {
        let tools = router.running("ipvsadm-rs");
        let waits = |tool: &Process| tool.parent == lvs.pid && tool.arguments.contains("--apply");
        Ok(tools.iter().any(waits))
    })?;
    let before = (descriptors(&pulse), descriptors(&lvs));
    for round in 0..storm.lvs.max(1) {
        interrupt::check()?;
        let share = |rounds: u32| storm.nannies * rounds / storm.lvs.max(1);
        for _ in share(round)..share(round + 1) {
            dice.pause(Duration::from_millis(300));
            seen.nannies.push(kill_nanny(pair, &mut dice)?);
            watch.check()?;
        }
        if round < storm.lvs {
            dice.pause(Duration::from_millis(300));
            seen.lvs.push(kill_lvs(pair, configuration)?);
            watch.check()?;
        }
        let count = sessions.len();
        if let Some(session) = sessions.get_mut(dice.below(count)) {
            alive(session, &seen)?;
        }
    }
    pair.wait_settled(Side::A, configuration, RIGHT)?;
    for session in &mut sessions {
        alive(session, &seen)?;
    }
    watch.end()?;
    nothing_left(pair, &pulse, before)?;
    Ok(format!(
        "{} nannies replaced within {} ms, {} times lvs within {} ms, {} connections alive",
        seen.nannies.len(),
        longest(&seen.nannies),
        seen.lvs.len(),
        longest(&seen.lvs),
        sessions.len()
    ))
}

fn alive(session: &mut Session, seen: &Seen) -> Result<()> {
    let (nannies, lvs) = (seen.nannies.len(), seen.lvs.len());
    session.exchange().map_err(|error| {
        Error::unmet(format_args!(
            "after {nannies} deaths of nannies and {lvs} of lvs: {error}"
        ))
    })
}

fn longest(times: &[Duration]) -> u128 {
    times.iter().max().map_or(0, Duration::as_millis)
}

/// Kills one at random and waits for its successor.
fn kill_nanny(pair: &Pair, dice: &mut Dice) -> Result<Duration> {
    let router = pair.router(Side::A);
    let all = router.running("nanny");
    let Some(nanny) = all.get(dice.below(all.len())) else {
        return Err(Error::unmet("no nanny runs"));
    };
    let killed = Instant::now();
    nanny.signal(Signal::SIGKILL)?;
    wait::for_it("the nanny is replaced", REPLACED, || {
        let now = router.running("nanny");
        Ok(now.len() == usize::from(SERVERS) && now.iter().all(|it| it.pid != nanny.pid))
    })?;
    Ok(killed.elapsed())
}

/// Kills lvs and waits until its successor has the state right, with all its nannies.
fn kill_lvs(pair: &Pair, configuration: &Configuration) -> Result<Duration> {
    let router = pair.router(Side::A);
    let lvs = router.one("lvs")?;
    let killed = Instant::now();
    lvs.signal(Signal::SIGKILL)?;
    wait::for_it("lvs is replaced", REPLACED, || {
        Ok(router.one("lvs").is_ok_and(|now| now.pid != lvs.pid))
    })?;
    let replaced = killed.elapsed();
    pair.wait_settled(Side::A, configuration, RIGHT)?;
    // The next deaths are those of its own nannies.
    wait::for_it(
        "the nannies of the new lvs",
        Duration::from_secs(60),
        || {
            let lvs = router.one("lvs").map(|lvs| lvs.pid).unwrap_or(0);
            let now = router.running("nanny");
            Ok(now.len() == usize::from(SERVERS) && now.iter().all(|it| it.parent == lvs))
        },
    )?;
    Ok(replaced)
}

fn descriptors(process: &Process) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", process.pid)).map_or(0, Iterator::count)
}

fn nothing_left(pair: &Pair, pulse: &Process, before: (usize, usize)) -> Result<()> {
    let router = pair.router(Side::A);
    ensure!(
        router.one("pulse")?.pid == pulse.pid,
        "pulse is another one now"
    );
    // Short-lived helpers may be at work in any single moment.
    let mut last = String::new();
    let gone = wait::for_it("", Duration::from_secs(30), || {
        let zombies = router.processes();
        let zombies: Vec<_> = zombies.iter().filter(|it| it.state == 'Z').collect();
        let now = (descriptors(pulse), descriptors(&router.one("lvs")?));
        last = format!("descriptors of pulse and lvs {now:?}, before {before:?}; {zombies:?}");
        Ok(zombies.is_empty() && now.0 <= before.0 && now.1 <= before.1)
    });
    gone.map_err(|_| Error::unmet(format_args!("something piled up: {last}")))
}

/// Looks all the time whether every server is in the table.
struct Watch {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Watch {
    fn start(pair: &Pair) -> Result<Self> {
        let over = Arc::<AtomicBool>::default();
        let stop = Arc::clone(&over);
        let node = Arc::clone(&pair.router(Side::A).node);
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let table = table::read(&node)?;
                if count(&table) != usize::from(SERVERS) {
                    return Err(Error::unmet(format_args!("a server left: {table:?}")));
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(())
        });
        Ok(Self {
            over,
            thread: Some(thread),
        })
    }

    /// Fails when a server has left.
    fn check(&mut self) -> Result<()> {
        match self.thread.take_if(|thread| thread.is_finished()) {
            None => Ok(()),
            Some(thread) => joined(thread),
        }
    }

    fn end(mut self) -> Result<()> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().map_or(Ok(()), joined)
    }
}

fn joined(thread: JoinHandle<Result<()>>) -> Result<()> {
    thread
        .join()
        .unwrap_or_else(|_| Err(Error::unmet("the watch over the table died")))
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn count(table: &[Service]) -> usize {
    table.iter().map(|service| service.servers.len()).sum()
}

/// Random numbers, others in each storm (xorshift64, George Marsaglia).
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self(now.map_or(1, |now| u64::from(now.subsec_nanos())) | 1)
    }

    /// A number below this one; 0 where there is none.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit).unwrap_or(1).max(1);
        usize::try_from(self.0 % limit).unwrap_or(0)
    }

    fn pause(&mut self, most: Duration) {
        let most = usize::try_from(most.as_micros()).unwrap_or(1);
        let pause = u64::try_from(self.below(most)).unwrap_or(0);
        std::thread::sleep(Duration::from_micros(pause));
    }
}
