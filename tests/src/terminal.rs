//! A terminal for a program under test: what it writes is kept, keys are pressed, its size changes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::{Pid, ttyname};

use crate::error::{Context, Error, Result};
use crate::node::Node;
use crate::wait;

/// A program that runs on a terminal of its own. Dropping it ends the program.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: File,
    /// The program's side, to look at its settings.
    line: Option<File>,
    path: PathBuf,
    before: Termios,
    written: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts a program on a machine, on a terminal with so many columns and rows.
    pub fn start(node: &Node, mut command: Command, columns: u16, rows: u16) -> Result<Self> {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(&size, None).during("opening a terminal")?;
        let path = ttyname(&pair.slave).during("naming the terminal")?;
        let before = tcgetattr(&pair.slave).during("reading the terminal's settings")?;
        let (line, keyboard) = (File::from(pair.slave), File::from(pair.master));
        let copy = |file: &File| file.try_clone().during("copying a descriptor");
        let (input, output, errors) = (copy(&line)?, copy(&line)?, copy(&line)?);
        let screen = copy(&keyboard)?;
        let child = node
            .run(move || {
                command
                    .env("TERM", "xterm")
                    .stdin(Stdio::from(input))
                    .stdout(Stdio::from(output))
                    .stderr(Stdio::from(errors))
                    .spawn()
            })?
            .during("starting a program on a terminal")?;
        let written = Arc::default();
        let copied = Arc::clone(&written);
        let reader = std::thread::spawn(move || read(screen, &copied));
        Ok(Self {
            child,
            keyboard,
            line: Some(line),
            path,
            before,
            written,
            reader: Some(reader),
        })
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        self.keyboard
            .write_all(keys.as_bytes())
            .during("pressing a key")
    }

    /// Gives the terminal another size and tells the program.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        let output = Command::new("stty")
            .arg("-F")
            .arg(&self.path)
            .args(["cols", &columns.to_string(), "rows", &rows.to_string()])
            .output()
            .during("running stty")?;
        if !output.status.success() {
            return Err(Error::Command {
                command: "stty".into(),
                outcome: String::from_utf8_lossy(&output.stderr).into_owned(),
            });
        }
        self.signal(Signal::SIGWINCH)
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).during("sending a signal")
    }

    /// Everything that was written, with the terminal's commands.
    pub fn written(&self) -> String {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }

    /// Waits for the program's end.
    pub fn wait_for_exit(&mut self, limit: Duration) -> Result<ExitStatus> {
        wait::until("the end of a program on a terminal", limit, || {
            self.child.try_wait().during("waiting for a program")
        })
    }

    /// Whether the terminal's settings are those that it had before.
    pub fn is_as_before(&self) -> Result<bool> {
        let line = self
            .line
            .as_ref()
            .ok_or_else(|| Error::unmet("no terminal"))?;
        let now = tcgetattr(line).during("reading the terminal's settings")?;
        Ok(now == self.before)
    }
}

/// Keeps what is written until nobody can write any more.
fn read(mut screen: File, written: &Mutex<Vec<u8>>) {
    let mut piece = [0; 4096];
    while let Ok(length) = screen.read(&mut piece) {
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        written.extend(piece.iter().take(length));
        if length == 0 {
            return;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The reader ends when the program's side is closed everywhere.
        self.line = None;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
