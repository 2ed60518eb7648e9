//! The pipe to lvs: a greeting, then one line per change, each telling the whole state, and
//! `alive`.
//!
//! Never blocks: when lvs does not read, only the newest state is kept for it.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::write;
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Shortest time between two `alive` lines.
pub(crate) const ALIVE: Duration = Duration::from_secs(5);
/// Characters of a line: what fits into PIPE_BUF bytes is written as a whole or not at all.
const LONGEST: usize = 1000;

/// The writing end.
#[derive(Debug)]
pub(crate) struct Report {
    pipe: OwnedFd,
    greeted: bool,
    /// The newest state, when it could not be written.
    waiting: Option<String>,
    closed: bool,
}

impl Report {
    pub(crate) fn new(pipe: OwnedFd) -> nix::Result<Self> {
        let flags = OFlag::from_bits_retain(fcntl(&pipe, FcntlArg::F_GETFL)?);
        fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        let mut report = Self {
            pipe,
            greeted: false,
            waiting: None,
            closed: false,
        };
        report.flush();
        Ok(report)
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// The reader is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// A line waits for room in the pipe.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.greeted || self.waiting.is_some()
    }

    /// The server is used, with this weight.
    pub(crate) fn active(&mut self, real: SocketAddrV4, weight: u32) {
        self.state(format!(
            "[ active ] making {real} available weight={weight}"
        ));
    }

    /// The server is not used.
    pub(crate) fn inactive(&mut self, real: SocketAddrV4, reason: &str) {
        self.state(format!(
            "[inactive] shutting down {real} due to connection failure reason={reason}"
        ));
    }

    /// The checker is at work; its last check took so long. Not worth keeping when there is no room.
    pub(crate) fn alive(&mut self, took: Option<Duration>) {
        self.flush();
        if self.is_waiting() {
            return;
        }
        let line = took.map_or_else(
            || "alive".to_owned(),
            |took| format!("alive check={:.3}", took.as_secs_f64() * 1e3),
        );
        self.write(&line);
    }

    /// Tries to write what waits.
    pub(crate) fn flush(&mut self) {
        self.greeted = self.greeted || self.write("nanny 1");
        if self.greeted
            && let Some(line) = self.waiting.take()
            && !self.write(&line)
        {
            self.waiting = Some(line);
        }
    }

    fn state(&mut self, line: String) {
        self.waiting = Some(line);
        self.flush();
    }

    /// False when there is no room now.
    fn write(&mut self, line: &str) -> bool {
        let printable = line.chars().filter(|character| !character.is_control());
        let mut text: String = printable.take(LONGEST).collect();
        text.push('\n');
        loop {
            match write(&self.pipe, text.as_bytes()) {
                Ok(_) => return true,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return false,
                Err(_) => {
                    self.closed = true;
                    return true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read, Write, pipe};

    const REAL: &str = "10.0.0.3:80";

    #[test]
    fn lines_as_lvs_reads_them() {
        let (reader, writer) = pipe().unwrap();
        let mut report = Report::new(writer.into()).unwrap();
        let real = REAL.parse().unwrap();
        report.active(real, 3);
        report.inactive(real, "got \"x\"\n[ active ]");
        report.alive(None);
        report.alive(Some(Duration::from_micros(1250)));
        drop(report);
        let lines: Vec<_> = BufReader::new(reader).lines().map(Result::unwrap).collect();
        assert_eq!(
            lines,
            [
                "nanny 1",
                "[ active ] making 10.0.0.3:80 available weight=3",
                "[inactive] shutting down 10.0.0.3:80 due to connection failure \
                 reason=got \"x\"[ active ]",
                "alive",
                "alive check=1.250",
            ]
        );
    }

    #[test]
    fn a_full_pipe_keeps_the_newest_state_only() {
        let (mut reader, mut writer) = pipe().unwrap();
        let mut report = Report::new(writer.try_clone().unwrap().into()).unwrap();
        // Shared with the copy: it does not block either.
        while writer.write(b"junk\n").is_ok() {}
        let real = REAL.parse().unwrap();
        report.active(real, 1);
        report.alive(None);
        report.active(real, 2);
        assert!(report.is_waiting() && !report.is_closed());
        let mut junk = vec![0; 1 << 16];
        reader.read_exact(&mut junk[..8192]).unwrap();
        report.flush();
        assert!(!report.is_waiting());
        drop((writer, report));
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert!(
            rest.ends_with("junk\n[ active ] making 10.0.0.3:80 available weight=2\n"),
            "{rest}"
        );
    }

    #[test]
    fn a_reader_that_is_gone() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        assert!(Report::new(writer.into()).unwrap().is_closed());
    }
}
