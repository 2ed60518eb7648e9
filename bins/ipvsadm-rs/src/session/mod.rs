//! One run of the program: carries out what the command lines ask for.
//!
//! Owns streams and exit statuses; every text comes from elsewhere.

mod input;
mod show;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use ipvs::codec::IpvsMessage;
use ipvs::{Error, Info};

use crate::flags::{self, Action, Restore, UsageError, Word};
use crate::help;
use crate::kernel::Kernel;
#[cfg(feature = "watch")]
use crate::watch;

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

/// What a run works with.
pub struct Session<'a> {
    /// The program's name as called; help and one message show it.
    pub program: Word,
    /// The kernel's IPVS.
    pub kernel: &'a mut dyn Kernel,
    /// Where commands are read.
    pub input: &'a mut dyn Read,
    /// Standard output.
    pub stdout: &'a mut dyn Write,
    /// What goes there when the run ends, as C's buffer does.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// The file with the connections.
    pub connections: PathBuf,
    /// Whether the warning about an old kernel was given.
    pub warned: bool,
    /// Messages begin with this line's number.
    pub line: Option<usize>,
}

impl Session<'_> {
    /// Carries out one command line and gives the exit status.
    pub fn run(&mut self, words: Vec<Word>) -> u8 {
        match flags::parse(words) {
            Ok(Action::Restore(Restore::Run { lines })) => self.restore(lines),
            Ok(Action::Restore(Restore::Check)) => self.check(),
            Ok(Action::Restore(Restore::Sync { only, dry_run })) => {
                self.sync(only.as_deref(), dry_run)
            }
            Ok(Action::Apply) => self.apply(),
            Ok(Action::Watch { every }) => self.watch(every),
            Ok(action) => self.perform(&action),
            Err(error) => self.refuse(&error),
        }
    }

    /// Writes out what has gathered for standard output; `false` when that fails.
    pub fn deliver(&mut self) -> bool {
        let text = std::mem::take(&mut self.out);
        self.stdout
            .write_all(&text)
            .and_then(|()| self.stdout.flush())
            .is_ok()
    }

    fn refuse(&mut self, error: &UsageError) -> u8 {
        let text = error.text(&self.program);
        self.complain(&text);
        error.status()
    }

    /// Writes a line to standard error; there is nobody to tell when that fails.
    fn complain(&mut self, text: &[u8]) {
        let line = self
            .line
            .map(|number| format!("line {number}: "))
            .unwrap_or_default();
        let _ = self.err.write_all(&[line.as_bytes(), text, b"\n"].concat());
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
            // A line of input cannot ask for these.
            Action::Restore(_) | Action::Apply | Action::Watch { .. } => {
                self.refuse(&UsageError::Try)
            }
            Action::Change(change) => match self.execute(&[change.request()]).pop() {
                Some(Err(error)) => {
                    self.complain(error.to_string().as_bytes());
                    KERNEL_REFUSED
                }
                None => REFUSED,
                Some(Ok(())) => DONE,
            },
            Action::Save { .. } | Action::List(_) => match self.probe() {
                Ok(_) => self.show(action),
                Err(status) => status,
            },
        }
    }

    /// Shows the table live until it is told to end.
    #[cfg(feature = "watch")]
    fn watch(&mut self, every: Duration) -> u8 {
        if !watch::has_terminal() {
            self.complain(b"--watch needs a terminal as standard input and output");
            return REFUSED;
        }
        let info = match self.probe() {
            Ok(info) => info,
            Err(status) => return status,
        };
        match watch::run(self.kernel, info, every) {
            Ok(()) => DONE,
            Err(error) => {
                self.complain(error.to_string().as_bytes());
                NO_DATA
            }
        }
    }

    #[cfg(not(feature = "watch"))]
    fn watch(&mut self, _: Duration) -> u8 {
        self.complain(b"--watch is not part of this build: build with the feature `watch'");
        REFUSED
    }

    /// Sends changes; nothing when there is no IPVS, which is told.
    fn execute(&mut self, requests: &[IpvsMessage]) -> Vec<Result<(), Error>> {
        match self.probe() {
            Ok(_) => self.kernel.execute(requests),
            Err(_) => Vec::new(),
        }
    }
}
