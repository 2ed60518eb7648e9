//! One run of the program: carries out what the command lines ask for.
//!
//! Owns streams and exit statuses; every text comes from elsewhere.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;

use ipvs::codec::IpvsMessage;
use ipvs::{Daemon, DaemonRole, Info};

use crate::flags::{self, Action, Listing, UsageError, Word};
use crate::kernel::Kernel;
use crate::restore::{Line, Lines};
use crate::{connections, help, list, save};

/// Done.
pub const DONE: u8 = 0;
/// A listing could not get its data.
pub const NO_DATA: u8 = 1;
/// The command line was refused, or there is no IPVS.
pub const REFUSED: u8 = 2;
/// The kernel refused a change.
pub const KERNEL_REFUSED: u8 = 255;

/// The oldest version of IPVS that the original knows to work.
const OLDEST: u32 = 0x010104;
/// Changes that travel together.
const BATCH: usize = 128;

/// What a run works with.
pub struct Session<'a> {
    /// The program's name as called; help and one message show it.
    pub program: Word,
    /// The kernel's IPVS.
    pub kernel: &'a mut dyn Kernel,
    /// Where commands are read.
    pub input: &'a mut dyn Read,
    /// Standard output; written out when the run ends, as C's buffer is.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// The file with the connections.
    pub connections: PathBuf,
    /// Whether the warning about an old kernel was given.
    pub warned: bool,
}

impl Session<'_> {
    /// Carries out one command line and gives the exit status.
    pub fn run(&mut self, words: Vec<Word>) -> u8 {
        match flags::parse(words) {
            Ok(Action::Restore) => self.restore(),
            Ok(action) => self.perform(&action),
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&mut self, error: &UsageError) -> u8 {
        let text = error.text(&self.program);
        self.complain(&text);
        error.status()
    }

    /// Writes a line to standard error; there is nobody to tell when that fails.
    fn complain(&mut self, text: &[u8]) {
        let _ = self.err.write_all(&[text, b"\n"].concat());
    }

    /// Opens the way to the kernel; the exit status when there is none.
    fn probe(&mut self) -> Result<Info, u8> {
        match self.kernel.probe() {
            Ok(info) => {
                if info.version < OLDEST && !self.warned {
                    self.warned = true;
                    let text = help::old_kernel(info.version);
                    self.complain(text.as_bytes());
                }
                Ok(info)
            }
            Err(error) => {
                let text = format!(
                    "Can't initialize ipvs: {error}\n\
                     Are you sure that IP Virtual Server is built in the kernel or as module?"
                );
                self.complain(text.as_bytes());
                Err(REFUSED)
            }
        }
    }

    /// Carries out anything but `-R`.
    fn perform(&mut self, action: &Action) -> u8 {
        match action {
            Action::Help => {
                self.out.extend(help::help(&self.program));
                DONE
            }
            Action::Version => {
                self.out.extend(help::VERSION.as_bytes());
                DONE
            }
            // Only reached from within `-R`, which refuses it before.
            Action::Restore => self.refuse(&UsageError::Try),
            Action::Change(change) => self.change_all(&[(0, change.request())]),
            Action::Save { .. } | Action::List(_) => match self.probe() {
                Ok(_) => self.show(action),
                Err(status) => status,
            },
        }
    }

    fn show(&mut self, action: &Action) -> u8 {
        let mut text = String::new();
        let outcome = match action {
            Action::Save { numeric } => save::print(&mut text, self.kernel, *numeric),
            Action::List(Listing::Table(listing)) => list::print(&mut text, self.kernel, listing),
            Action::List(Listing::Connections {
                numeric,
                persistent,
            }) => {
                return self.show_connections(*numeric, *persistent);
            }
            Action::List(Listing::Timeouts) => match self.kernel.timeouts() {
                Ok(it) => {
                    let (tcp, tcp_fin, udp) = (it.tcp, it.tcp_fin, it.udp);
                    text = format!("Timeout (tcp tcpfin udp): {tcp} {tcp_fin} {udp}\n");
                    Ok(())
                }
                // Silent, as the original.
                Err(_) => return NO_DATA,
            },
            Action::List(Listing::Daemons) => match self.kernel.daemons() {
                Ok(daemons) => {
                    text = daemons.iter().map(daemon_line).collect();
                    Ok(())
                }
                Err(_) => return NO_DATA,
            },
            Action::Help | Action::Version | Action::Restore | Action::Change(_) => Ok(()),
        };
        match outcome {
            Ok(()) => {
                self.out.extend(text.into_bytes());
                DONE
            }
            Err(error) => {
                self.complain(error.to_string().as_bytes());
                NO_DATA
            }
        }
    }

    fn show_connections(&mut self, numeric: bool, persistent: bool) -> u8 {
        let path = self.connections.clone();
        let Ok(file) = File::open(&path) else {
            self.complain(format!("cannot open file {}", path.display()).as_bytes());
            return NO_DATA;
        };
        let mut text = String::new();
        if !connections::print(&mut text, file, numeric, persistent) {
            self.complain(format!("unexpected input from {}", path.display()).as_bytes());
            return NO_DATA;
        }
        self.out.extend(text.into_bytes());
        DONE
    }

    /// Carries out changes; each refusal is told in its turn. The status is that of the last one.
    fn change_all(&mut self, changes: &[(usize, IpvsMessage)]) -> u8 {
        if changes.is_empty() {
            return DONE;
        }
        if let Err(status) = self.probe() {
            return status;
        }
        let requests: Vec<_> = changes.iter().map(|(_, request)| request.clone()).collect();
        let mut status = DONE;
        for outcome in self.kernel.execute(&requests) {
            status = match outcome {
                Ok(()) => DONE,
                Err(error) => {
                    self.complain(error.to_string().as_bytes());
                    KERNEL_REFUSED
                }
            };
        }
        status
    }

    /// Carries out the lines of standard input as they come.
    fn restore(&mut self) -> u8 {
        if let Err(status) = self.probe() {
            return status;
        }
        let mut restore = Restore::default();
        let mut lines = Lines::default();
        let mut piece = vec![0; 64 * 1024];
        loop {
            // What cannot be read ends the input.
            let length = self.input.read(&mut piece).unwrap_or(0);
            let finished = match piece.get(..length) {
                None | Some([]) => break,
                Some(piece) => self.restore_lines(&mut restore, lines.take(piece)),
            };
            // Before waiting for more, everything so far is done.
            self.flush(&mut restore);
            if finished {
                return restore.status;
            }
        }
        let rest = lines.end().into_iter().collect();
        self.restore_lines(&mut restore, rest);
        self.flush(&mut restore);
        restore.status
    }

    /// `true` when a line ends the run.
    fn restore_lines(&mut self, restore: &mut Restore, lines: Vec<Line>) -> bool {
        lines
            .into_iter()
            .any(|line| self.restore_line(restore, line))
    }

    fn restore_line(&mut self, restore: &mut Restore, line: Line) -> bool {
        match flags::parse(line.words) {
            Ok(Action::Change(change)) => {
                restore.pending.push((line.number, change.request()));
                if restore.pending.len() == BATCH {
                    self.flush(restore);
                }
                false
            }
            Ok(Action::Restore) => {
                self.flush(restore);
                restore.status = self.refuse(&UsageError::Try);
                true
            }
            Ok(action) => {
                self.flush(restore);
                restore.status = self.perform(&action);
                restore.status == NO_DATA || matches!(action, Action::Help | Action::Version)
            }
            Err(error) => {
                self.flush(restore);
                restore.status = self.refuse(&error);
                !matches!(error, UsageError::Parser { .. })
            }
        }
    }

    fn flush(&mut self, restore: &mut Restore) {
        if !restore.pending.is_empty() {
            restore.status = self.change_all(&std::mem::take(&mut restore.pending));
        }
    }

    /// Clears the table and carries out the lines of standard input, without those that begin with `#`:
    /// what `ipvsadm-restore` does, also with input that is empty or wrong.
    pub fn clear_and_restore(&mut self) -> u8 {
        let mut text = Vec::new();
        // What cannot be read ends the input.
        let _ = self.input.read_to_end(&mut text);
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.starts_with(b"#"));
        let mut kept: Vec<u8> = lines.collect::<Vec<_>>().join(&b'\n');
        kept.push(b'\n');
        self.perform(&Action::Change(flags::Change::Clear));
        let mut session = Session {
            program: self.program.clone(),
            kernel: self.kernel,
            input: &mut kept.as_slice(),
            out: std::mem::take(&mut self.out),
            err: self.err,
            connections: self.connections.clone(),
            warned: self.warned,
        };
        let status = session.restore();
        self.out = session.out;
        status
    }
}

/// How far a restore has come.
#[derive(Default)]
struct Restore {
    /// Changes that were read but not sent, with the numbers of their lines.
    pending: Vec<(usize, IpvsMessage)>,
    /// Status of the last line.
    status: u8,
}

fn daemon_line(daemon: &Daemon) -> String {
    let role = match daemon.role {
        DaemonRole::Master => "master",
        DaemonRole::Backup => "backup",
    };
    let mut line = format!(
        "{role} sync daemon (mcast={}, syncid={}",
        daemon.interface, daemon.sync_id
    );
    if let Some(length) = daemon.max_length.filter(|length| *length != 0) {
        line += &format!(", maxlen={length}");
    }
    if let Some(group) = daemon.group {
        line += &format!(", group={group}");
    }
    if let Some(port) = daemon.port.filter(|port| *port != 0) {
        line += &format!(", port={port}");
    }
    if let Some(ttl) = daemon.ttl.filter(|ttl| *ttl != 0) {
        line += &format!(", ttl={ttl}");
    }
    line + ")\n"
}
