//! Row F10 of the fault list: somebody sets the clock. In the laboratory's own machine, since no
//! namespace has a wall clock of its own.

use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime, clock_settime};

use super::{DEADTIME, KEEPALIVE, SLACK, Scenario};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Context, Error, Result};
use crate::network::{Method, Side};
use crate::pair::Pair;

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "clock-steps",
    shows: "the wall clock goes an hour forward, two back and jumps about: no change of roles, no request fails, keyed heartbeats still verify",
    ipvs: true,
    run: clock_steps,
}];

const KEY: &str = "/run/heartbeat.key";
const STEPS: [i64; 6] = [3600, -7200, 3600, 10, -4, -6];

fn clock_steps() -> Result<String> {
    if !is_own_machine()? {
        return Ok("left out: this kernel's clock is not the laboratory's".to_owned());
    }
    let configuration = Configuration::new(Method::Nat, 2).with(&format!("heartbeat_key = {KEY}"));
    let mut pair = Pair::build(Method::Nat, 2)?;
    let result = (|| {
        pair.configure(&configuration)?;
        for side in [Side::A, Side::B] {
            let written = pair.router(side).node.run(|| {
                let mut options = std::fs::OpenOptions::new();
                let file = options.create(true).write(true).mode(0o600).open(KEY);
                file.and_then(|mut file| {
                    std::io::Write::write_all(&mut file, b"of the laboratory\n")
                })
            })?;
            written.during("writing the key")?;
        }
        pair.router_mut(Side::A).start()?;
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(15))?;
        pair.router_mut(Side::B).start()?;
        pair.router(Side::B)
            .journal
            .wait_from(0, "STARTING PULSE AS BACKUP", SLACK * 5)?;
        std::thread::sleep(DEADTIME);
        let client = pair.patient_client()?;
        client.next(5)?;
        let begun = Instant::now();
        let refused = refused(&pair)?;
        let marks = [Side::A, Side::B].map(|side| pair.router(side).journal.mark());
        for step in STEPS {
            set_clock(step)?;
            std::thread::sleep(DEADTIME + KEEPALIVE);
        }
        pair.wait_settled(Side::A, &configuration, SLACK)?;
        for (side, mark) in [Side::A, Side::B].into_iter().zip(marks) {
            for line in pair.router(side).journal.from(mark) {
                for words in ["activating", "partner lost"] {
                    ensure!(!line.text.contains(words), "{side} says {:?}", line.text);
                }
            }
        }
        let now_refused = self::refused(&pair)?;
        ensure!(
            now_refused == refused,
            "heartbeats were refused: {refused:?}, then {now_refused:?}"
        );
        client.none_failed_since(begun)?;
        Ok(format!("{} steps", STEPS.len()))
    })();
    pair.explained(result)
}

/// How many heartbeats each router refused so far, and why.
fn refused(pair: &Pair) -> Result<Vec<serde_json::Value>> {
    let each = [Side::A, Side::B].into_iter().map(|side| {
        let asked = pair.router(side).run("pulse", &["--status", "--json"])?;
        let status: serde_json::Value = serde_json::from_slice(&asked.stdout)
            .map_err(std::io::Error::from)
            .during("reading the status")?;
        let counts = status.get("refused").cloned();
        counts.ok_or_else(|| Error::unmet(format_args!("{side} counts nothing: {status}")))
    });
    each.collect()
}

/// Whether its clock is nobody else's.
fn is_own_machine() -> Result<bool> {
    let processor = std::fs::read_to_string("/proc/cpuinfo").during("reading /proc/cpuinfo")?;
    Ok(processor.contains("User Mode Linux"))
}

fn set_clock(step: i64) -> Result<()> {
    let clock = ClockId::CLOCK_REALTIME;
    let set = clock_gettime(clock).and_then(|now| {
        let changed = nix::sys::time::TimeSpec::new(now.tv_sec() + step, now.tv_nsec());
        clock_settime(clock, changed)
    });
    set.map_err(|errno| Error::unmet(format_args!("the clock cannot be set: {errno}")))
}
