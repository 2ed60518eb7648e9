//! `cargo lab bench failover`: what a client notices when a router dies or stops, beside keepalived
//! with the same intervals, and what must not make a pair change its roles.
//!
//! In network namespaces of this machine, with the stand-in for ipvsadm-rs: everything but the IPVS
//! table is real. The rows that need IPVS run in the kernel that has it.

mod calm;
mod faults;
mod ground;
mod lab;
mod many;
mod outage;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use super::Options;
use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::kernel::{Job, Kernel};
use crate::setup;

/// Times of a pair.
#[derive(Debug, Clone, Copy)]
struct Times {
    keepalive: u32,
    deadtime: u32,
}

impl Times {
    /// Milliseconds.
    const fn new(keepalive: u32, deadtime: u32) -> Self {
        Self {
            keepalive,
            deadtime,
        }
    }

    fn keepalive(self) -> Duration {
        Duration::from_millis(self.keepalive.into())
    }

    fn deadtime(self) -> Duration {
        Duration::from_millis(self.deadtime.into())
    }

    /// The configuration with these times.
    fn given_to(self, configuration: Configuration) -> Configuration {
        configuration
            .with(&format!("keepalive_ms = {}", self.keepalive))
            .with(&format!("deadtime_ms = {}", self.deadtime))
    }
}

const SECOND: Times = Times::new(1000, 3000);
const TENTH: Times = Times::new(100, 300);
const HUNDREDTH: Times = Times::new(10, 30);

/// One line of the table, or a few that belong together.
struct Row {
    name: &'static str,
    shows: &'static str,
    run: fn(&Options) -> Result<bool>,
}

impl Row {
    fn is_in_kernel(&self) -> bool {
        self.name.starts_with("lab-")
    }
}

const ROWS: &[Row] = &[
    Row {
        name: "cut-1s",
        shows: "router cut off just after a heartbeat, 1 s / 3 s",
        run: |options| outage::cut(options, SECOND, 3050.0),
    },
    Row {
        name: "cut-100ms",
        shows: "the same, 100 ms / 300 ms, and not above keepalived's",
        run: |options| outage::cut(options, TENTH, 330.0),
    },
    Row {
        name: "cut-10ms",
        shows: "the same, 10 ms / 30 ms",
        run: |options| outage::cut(options, HUNDREDTH, 45.0),
    },
    Row {
        name: "stop-1s",
        shows: "planned stop of the active pulse, 1 s / 3 s",
        run: |options| outage::stop(options, SECOND),
    },
    Row {
        name: "stop-100ms",
        shows: "the same, 100 ms / 300 ms",
        run: |options| outage::stop(options, TENTH),
    },
    Row {
        name: "stop-10ms",
        shows: "the same, 10 ms / 30 ms",
        run: |options| outage::stop(options, HUNDREDTH),
    },
    Row {
        name: "kill-1s",
        shows: "pulse killed on a router that lives, 1 s / 3 s",
        run: |options| outage::kill(options, SECOND),
    },
    Row {
        name: "kill-100ms",
        shows: "the same, 100 ms / 300 ms",
        run: |options| outage::kill(options, TENTH),
    },
    Row {
        name: "kill-10ms",
        shows: "the same, 10 ms / 30 ms",
        run: |options| outage::kill(options, HUNDREDTH),
    },
    Row {
        name: "split-1s",
        shows: "both paths and the service network cut, then healed: F7, 1 s / 3 s",
        run: |options| faults::split(options, SECOND),
    },
    Row {
        name: "split-100ms",
        shows: "the same, 100 ms / 300 ms",
        run: |options| faults::split(options, TENTH),
    },
    Row {
        name: "split-10ms",
        shows: "the same, 10 ms / 30 ms",
        run: |options| faults::split(options, HUNDREDTH),
    },
    Row {
        name: "carrier",
        shows: "the active router's public carrier lost, monitor_links = 1: F20, 1 s / 3 s",
        run: faults::carrier,
    },
    Row {
        name: "log",
        shows: "nobody takes what pulse logs: F15, 10 ms / 30 ms",
        run: faults::log,
    },
    Row {
        name: "vips",
        shows: "500 VIPs taken over, 100 ms / 300 ms",
        run: many::vips,
    },
    Row {
        name: "busy",
        shows: "four busy loops beside a pair at 100 ms / 300 ms, for --minutes",
        run: calm::busy,
    },
    Row {
        name: "flood",
        shows: "10,000 packets of rubbish a second, for --minutes",
        run: calm::flood,
    },
    Row {
        name: "lab-stop-1s",
        shows: "planned stop under traffic through IPVS, 1 s / 3 s",
        run: |options| inside_kernel(options, "lab-stop-1s"),
    },
    Row {
        name: "lab-stop-100ms",
        shows: "the same, 100 ms / 300 ms",
        run: |options| inside_kernel(options, "lab-stop-100ms"),
    },
    Row {
        name: "lab-stop-10ms",
        shows: "the same, 10 ms / 30 ms",
        run: |options| inside_kernel(options, "lab-stop-10ms"),
    },
    Row {
        name: "lab-stop-direct",
        shows: "the same under direct routing, 1 s / 3 s",
        run: |options| inside_kernel(options, "lab-stop-direct"),
    },
    Row {
        name: "lab-stop-tunnel",
        shows: "the same by tunnels, 1 s / 3 s",
        run: |options| inside_kernel(options, "lab-stop-tunnel"),
    },
    Row {
        name: "lab-services",
        shows: "50 services of 4 servers taken over, standby_checks = 1, 1 s / 3 s",
        run: |options| inside_kernel(options, "lab-services"),
    },
];

/// A row that runs in the kernel with IPVS.
fn inside_kernel(options: &Options, name: &str) -> Result<bool> {
    setup::require(setup::UML)?;
    let rounds = options.rounds().to_string();
    let words = [
        "__bench-failover".as_ref(),
        programs()?.as_os_str(),
        rounds.as_ref(),
        name.as_ref(),
    ];
    Ok(Kernel::choose().run(&Job::own::<&OsStr>(&words, LIMIT)?)? == 0)
}

/// The rows that run in the kernel.
pub(super) fn inside(programs: &Path, rounds: u32, rows: &[String]) -> Result<bool> {
    lab::run(programs, rounds, rows)
}

/// Limit for a row inside the kernel, which only bounds a failure.
const LIMIT: Duration = Duration::from_secs(3600);

/// The programs that are measured.
static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();

fn programs() -> Result<&'static Path> {
    let built = PROGRAMS.get().map(PathBuf::as_path);
    built.ok_or_else(|| Error::unmet("the programs were not built"))
}

/// Measures the rows that were asked for, or all. True when every bar is met.
pub(super) fn run(options: &Options) -> Result<bool> {
    setup::require(setup::BASE)?;
    setup::require(setup::KEEPALIVED)?;
    let programs = super::release_build()?;
    let _ = PROGRAMS.set(programs);
    let mut good = true;
    for row in selected(&options.rows)? {
        println!("      {}: {}", row.name, row.shows);
        match (row.run)(options) {
            Ok(met) => good &= met,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                println!("FAIL  {}: {error}", row.name);
                if let Error::Explained { report, .. } = &error {
                    println!("{report}");
                }
                good = false;
            }
        }
    }
    Ok(good)
}

/// The rows of these names; `host` and `lab` are all that run on this machine and in the kernel.
fn selected(names: &[String]) -> Result<Vec<&'static Row>> {
    if names.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    let mut rows = Vec::new();
    for name in names {
        let is_meant = |row: &&Row| match name.as_str() {
            "lab" => row.is_in_kernel(),
            "host" => !row.is_in_kernel(),
            name => row.name == name,
        };
        let before = rows.len();
        rows.extend(ROWS.iter().filter(is_meant));
        if rows.len() == before {
            let all: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
            let all = all.join(" ");
            return Err(Error::Setup(format!(
                "no row {name}; there are: {all}; host and lab mean all of one place"
            )));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_by_name() {
        let names = ["stop-10ms".to_owned(), "cut-1s".to_owned()];
        let rows: Vec<&str> = selected(&names)
            .unwrap()
            .iter()
            .map(|row| row.name)
            .collect();
        assert_eq!(rows, names);
        assert_eq!(selected(&[]).unwrap().len(), ROWS.len());
        assert!(selected(&["cut".to_owned()]).is_err());
        let count = |name: &str| selected(&[name.to_owned()]).unwrap().len();
        assert_eq!(count("lab"), 6);
        assert_eq!(count("lab") + count("host"), ROWS.len());
    }
}
