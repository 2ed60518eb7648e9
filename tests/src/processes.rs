//! The processes of one machine, found by their network namespace: also those that lost their
//! parent. Read from `/proc`, without running anything.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Context, Error, Result};

/// A process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent's number.
    pub parent: i32,
    /// One letter of `/proc/PID/stat`; `Z` for one that ended and was not collected.
    pub state: char,
    /// File name of the program.
    pub program: String,
    /// Its arguments, joined by blanks.
    pub arguments: String,
}

impl Process {
    /// Time that it has had a processor so far.
    pub fn processor_time(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.pid);
        let stat = std::fs::read_to_string(&path).during(format_args!("reading {path}"))?;
        let ticks = parse_ticks(&stat)
            .ok_or_else(|| Error::unmet(format_args!("{path} has another form")))?;
        // The kernel shows hundredths of a second on every machine.
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Its memory in KiB.
    pub fn resident(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.pid);
        let status = std::fs::read_to_string(&path).during(format_args!("reading {path}"))?;
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .trim()
                    .split(' ')
                    .next()?
                    .parse()
                    .ok()
            })
            .ok_or_else(|| Error::unmet(format_args!("{path} has another form")))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.pid), signal).during(format_args!(
            "sending {signal} to {} {}",
            self.program, self.pid
        ))
    }
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} (child of {}, {}) {}",
            self.pid, self.parent, self.state, self.arguments
        )
    }
}

/// All processes in the network namespace, and those that ended as children of one of them.
pub fn in_namespace(inode: u64) -> Vec<Process> {
    let mut found = Vec::new();
    let mut ended = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        let Some(process) = read(pid) else { continue };
        if process.state == 'Z' {
            ended.push(process);
        } else if std::fs::metadata(format!("/proc/{pid}/ns/net"))
            .is_ok_and(|meta| meta.ino() == inode)
        {
            found.push(process);
        }
    }
    let here: Vec<i32> = found.iter().map(|process| process.pid).collect();
    found.extend(
        ended
            .into_iter()
            .filter(|process| here.contains(&process.parent)),
    );
    found
}

fn read(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, state, parent) = parse_stat(&stat)?;
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments: Vec<String> = arguments
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let program = std::fs::read_link(format!("/proc/{pid}/exe"))
        .ok()
        .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .unwrap_or(name);
    Some(Process {
        pid,
        parent,
        state,
        program,
        arguments: arguments.join(" "),
    })
}

/// User and system time of the line in `/proc/PID/stat`.
fn parse_ticks(stat: &str) -> Option<u64> {
    let (_, tail) = stat.rsplit_once(") ")?;
    let mut fields = tail.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Name, state and parent. The name may contain blanks and parentheses.
fn parse_stat(stat: &str) -> Option<(String, char, i32)> {
    let (head, tail) = stat.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    let mut fields = tail.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    Some((name.to_owned(), state, parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_a_name_of_any_form() {
        let (name, state, parent) = parse_stat("12 (a) b (c) S 7 12 12 0 -1").unwrap();
        assert_eq!((name.as_str(), state, parent), ("a) b (c", 'S', 7));
    }

    #[test]
    fn processor_time_is_the_fourteenth_and_fifteenth_field() {
        let stat = "12 (a) b) S 7 12 12 0 -1 4194304 1 2 3 4 50 7 0 0 20 0 1 0";
        assert_eq!(parse_ticks(stat), Some(57));
    }

    #[test]
    fn the_own_process_is_in_its_namespace() {
        let inode = std::fs::metadata("/proc/self/ns/net").unwrap().ino();
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(in_namespace(inode).iter().any(|process| process.pid == own));
    }
}
