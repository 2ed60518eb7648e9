//! Load monitors: a command whose output tells the load average of the last minute.
//! Source: `piranha-daemons.md` 5.8 with B49.

use crate::program::{Finish, Program};
use crate::reason::Reason;
use crate::wait::Bounds;
use std::net::SocketAddrV4;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// The word of `-U`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadMonitor {
    program: Program,
}

/// How a load query ended.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadOutcome {
    /// Load average of the last minute.
    Load(f64),
    /// The program failed.
    Failed(Reason),
    /// The program's output could not be understood.
    Unreadable(String),
    /// A descriptor spoke before.
    Interrupted {
        /// Process id of the program that was killed for it.
        killed: u32,
    },
}

impl LoadMonitor {
    /// `None` for `none` and an empty word. `rsh` and `ssh`, also with a path, are asked to run
    /// `uptime` on the server; any other program gets the server's address as its argument.
    pub fn new(word: &[u8]) -> Option<Self> {
        if word.is_empty() || word == b"none" {
            return None;
        }
        let mut words = vec![word.to_vec(), b"%h".to_vec()];
        let file_name = word.rsplit(|byte| *byte == b'/').next().unwrap_or(word);
        if matches!(file_name, b"rsh" | b"ssh") {
            words.push(b"uptime".to_vec());
        }
        Some(Self {
            program: Program::from_words(words),
        })
    }

    /// One query, answered within `limit`.
    pub fn run(
        &self,
        real: SocketAddrV4,
        limit: Duration,
        interrupts: &[BorrowedFd<'_>],
    ) -> LoadOutcome {
        let bounds = Bounds::new(Instant::now(), limit, interrupts);
        match self.program.run(real, &bounds) {
            Finish::Interrupted { killed } => LoadOutcome::Interrupted { killed },
            Finish::Failed(reason) => LoadOutcome::Failed(reason),
            Finish::Ended { status, output } if status.success() => parse_load(&output)
                .map_or_else(
                    || LoadOutcome::Unreadable(output.escape_ascii().to_string()),
                    LoadOutcome::Load,
                ),
            Finish::Ended { status, .. } => LoadOutcome::Failed(Reason::ExitStatus {
                status: status.code().unwrap_or(-1),
                expecting: true,
            }),
        }
    }
}

/// Finds the first number after `load`, `load average` or `load averages`, with or without a
/// colon, on one line: `uptime`, `rup` and `ruptime` all print it so.
pub fn parse_load(output: &[u8]) -> Option<f64> {
    output.split(|byte| *byte == b'\n').find_map(parse_line)
}

fn parse_line(line: &[u8]) -> Option<f64> {
    let place = line.windows(4).position(|word| word == b"load")?;
    let mut rest = line.get(place + 4..)?.trim_ascii_start();
    for word in [&b"averages"[..], b"average", b":"] {
        rest = rest.strip_prefix(word).unwrap_or(rest).trim_ascii_start();
    }
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    let number = std::str::from_utf8(rest.get(..length)?).ok()?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_of_uptime_and_rup() {
        let uptime = b" 10:00:01 up 3 days,  4:05,  2 users,  load average: 0.07, 0.05, 0.00\n";
        assert_eq!(parse_load(uptime), Some(0.07));
        let rup = b"web1   up  3 days,  4:05,    load average: 1.25 0.05, 0.00\n";
        assert_eq!(parse_load(rup), Some(1.25));
        assert_eq!(parse_load(b"load averages: 2.00 1 1"), Some(2.0));
    }

    #[test]
    fn B49_ruptime_is_understood() {
        let ruptime = b"web1          up  3+04:05,     2 users,  load 0.07, 0.05, 0.00\n\
            web2          up 13+14:15,     0 users,  load 9.07, 0.05, 0.00\n";
        assert_eq!(parse_load(ruptime), Some(0.07));
        assert_eq!(
            parse_load(b"web1 down 4+01:00\nweb2 up 1+2:03, load 3.5, 1, 1"),
            Some(3.5)
        );
    }

    #[test]
    fn nonsense_is_no_load() {
        for text in [
            &b""[..],
            b"load",
            b"load average:",
            b"load average: x",
            b"load ...",
            b"lo\nad 1",
        ] {
            assert_eq!(parse_load(text), None);
        }
    }

    #[test]
    fn B49_remote_shells_are_known_by_file_name() {
        let words = |word: &[u8]| LoadMonitor::new(word).map(|monitor| monitor.program);
        let program = |text: &[u8]| Some(Program::new(text));
        assert_eq!(words(b"/usr/bin/ssh"), program(b"/usr/bin/ssh %h uptime"));
        assert_eq!(words(b"rsh"), program(b"rsh %h uptime"));
        assert_eq!(words(b"rup"), program(b"rup %h"));
        assert_eq!(words(b"none"), None);
    }
}
