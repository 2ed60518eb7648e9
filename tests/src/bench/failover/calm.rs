//! What must not change any role: a machine with too much to do, and a flood of rubbish.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::{Options, report};
use super::TENTH;
use super::ground::{Contender, Ground, KEY, LIMIT, is_heartbeat};
use super::outage::in_milliseconds;
use crate::configuration::Configuration;
use crate::error::{Context, Error, Result};
use crate::interrupt;
use crate::network::{Method, Side};
use crate::wire::What;

const LOOPS: usize = 4;
/// Packets in each millisecond: 10,000 a second.
const BURST: usize = 10;

/// Threads that run until this is dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    fn start(count: usize, work: impl Fn(&AtomicBool) + Clone + Send + 'static) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let threads = (0..count)
            .map(|_| {
                let (stop, work) = (Arc::clone(&stop), work.clone());
                std::thread::spawn(move || work(&stop))
            })
            .collect();
        Self { stop, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Where both journals stand.
fn marks(ground: &Ground) -> [usize; 2] {
    [Side::A, Side::B].map(|side| ground.pair.router(side).journal.mark())
}

/// Lines about changed roles since then.
fn role_changes(ground: &Ground, marks: [usize; 2]) -> Vec<String> {
    let of = |(side, mark): (Side, usize)| {
        let lines = ground.pair.router(side).journal.from(mark);
        lines
            .into_iter()
            .filter(|line| line.text.contains("activating l") || line.text.contains("activating L"))
            .map(move |line| format!("{side}: {}", line.text))
    };
    [Side::A, Side::B]
        .into_iter()
        .zip(marks)
        .flat_map(of)
        .collect()
}

fn pass(minutes: u32) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) * minutes {
        interrupt::check()?;
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

fn no_change(ground: &Ground, marks: [usize; 2], name: &str, note: &str) -> bool {
    let changes = role_changes(ground, marks);
    for change in &changes {
        println!("      {change}");
    }
    report(name, changes.len() as f64, 0.0, note)
}

/// Four busy loops beside a pair at 100 ms / 300 ms.
pub(super) fn busy(options: &Options) -> Result<bool> {
    let ground = Ground::new(Contender::Pulse, TENTH)?;
    let active = ground.at_rest()?;
    let marks = marks(&ground);
    let begun = crate::ping::time_of_day();
    let loops = Busy::start(LOOPS, |stop| {
        while !stop.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    pass(options.minutes())?;
    drop(loops);
    let mut last = begun;
    let mut longest = Duration::ZERO;
    for seen in ground.wire.since(begun) {
        if seen.from == active && seen.public && is_heartbeat(&seen) {
            longest = longest.max(seen.at.saturating_sub(last));
            last = seen.at;
        }
    }
    let note = format!(
        "in {} min; longest time between two heartbeats {} ms, longest silence of the VIP {:.1} ms",
        options.minutes(),
        longest.as_millis(),
        in_milliseconds(ground.ping.outage(begun)?)
    );
    Ok(no_change(
        &ground,
        marks,
        "role changes, four busy loops",
        &note,
    ))
}

/// Rubbish of every kind at the active router's port, from its partner's address.
pub(super) fn flood(options: &Options) -> Result<bool> {
    let configuration = TENTH
        .given_to(Configuration::new(Method::Nat, 1))
        .with(&format!("heartbeat_key = {KEY}"));
    let ground = Ground::with(Contender::Pulse, TENTH, &configuration)?;
    let active = ground.at_rest()?;
    let router = ground.pair.router(active);
    let pulse = router.one("pulse")?;
    // The last that it says of having become active.
    let finished = "gratuitous lvs arps finished";
    router.journal.wait_from(0, finished, LIMIT)?;
    let marks = marks(&ground);
    let mark = router.journal.mark();
    let (load, memory) = (pulse.processor_time()?, pulse.resident()?);
    let begun = Instant::now();
    let sent = Arc::<AtomicU64>::default();
    let storm = send(&ground, active, &sent)?;
    pass(options.minutes())?;
    drop(storm);
    let elapsed = begun.elapsed().as_secs_f64();
    let rate = sent.load(Ordering::Relaxed) as f64 / elapsed;
    let share = (pulse.processor_time()? - load).as_secs_f64() / elapsed * 100.0;
    let grown = pulse.resident()?.saturating_sub(memory) as f64 / 1024.0;
    let lines = router.journal.from(mark);
    let lines: Vec<_> = lines
        .iter()
        .filter(|line| line.tag.starts_with("pulse"))
        .collect();
    let note = format!("{rate:.0} packets a second in {} min", options.minutes());
    let mut good = no_change(&ground, marks, "role changes in a flood", &note);
    good &= report("processor of pulse, percent", share, 20.0, "");
    good &= report("growth of pulse, megabytes", grown / 1024.0, 1.0, "");
    let bar = f64::from(options.minutes()) * 6.0;
    if !report("lines of pulse in the log", lines.len() as f64, bar, "") {
        good = false;
        for line in lines.iter().take(30) {
            println!("      {}", line.text);
        }
    }
    Ok(good)
}

/// The kinds of rubbish, and real heartbeats of another time.
fn rubbish(ground: &Ground, active: Side) -> Result<Vec<Vec<u8>>> {
    let replay = ground
        .wire
        .seen()
        .into_iter()
        .find_map(|seen| match seen.what {
            What::Heartbeat(bytes) if seen.from != active => Some(bytes),
            _ => None,
        })
        .ok_or_else(|| Error::unmet("no heartbeat of the standby on the wire"))?;
    // The right form with a wrong tag: the tag is at the end.
    let mut forged = replay.clone();
    if let Some(last) = forged.last_mut() {
        *last ^= 0x55;
    }
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |length: usize| -> Vec<u8> {
        let mut byte = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 32) as u8
        };
        (0..length).map(|_| byte()).collect()
    };
    let word = replay.get(..4).unwrap_or_default().to_vec();
    let mut kinds = vec![random(2), word, forged, replay];
    kinds.extend((0..20).map(|length| random(4 + length * 7)));
    let mut list: Vec<Vec<u8>> = kinds.iter().cycle().take(200).cloned().collect();
    list.push(random(65_507));
    Ok(list)
}

fn send(ground: &Ground, active: Side, sent: &Arc<AtomicU64>) -> Result<Busy> {
    let list = rubbish(ground, active)?;
    let target = SocketAddr::from((active.public(), 539));
    let own = SocketAddr::from((active.other().public(), 0));
    let socket = ground
        .pair
        .network
        .router(active.other())
        .run(move || UdpSocket::bind(own))?
        .during("opening a socket for the flood")?;
    let socket = Arc::new(socket);
    let sent = Arc::clone(sent);
    Ok(Busy::start(1, move |stop| {
        let mut next = Instant::now();
        let mut packets = list.iter().cycle();
        while !stop.load(Ordering::Relaxed) {
            for packet in packets.by_ref().take(BURST) {
                if socket.send_to(packet, target).is_ok() {
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }
            next += Duration::from_millis(1);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }))
}
