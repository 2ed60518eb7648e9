//! The terminal, without showing what is typed.
//!
//! Echo is off before the prompt appears, so not even what is typed at once is shown; common
//! libraries ask first. Owns the terminal's state while it asks.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};

use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};

/// As much is read of one line.
const LONGEST: u64 = 4096;
/// What Ctrl-C types.
const CANCEL: u8 = 3;

/// The controlling terminal with its echo off; dropped, it is as it was before.
#[derive(Debug)]
pub(crate) struct Terminal {
    file: BufReader<File>,
    before: Termios,
}

impl Terminal {
    pub(crate) fn open() -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&file)?;
        let mut silent = before.clone();
        // Without ISIG, Ctrl-C is a character: it ends the line, and the terminal is restored.
        silent.local_flags -= LocalFlags::ECHO | LocalFlags::ISIG;
        silent.local_flags |= LocalFlags::ICANON;
        if let Some(end) = silent
            .control_chars
            .get_mut(SpecialCharacterIndices::VEOL as usize)
        {
            *end = CANCEL;
        }
        tcsetattr(&file, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self {
            file: BufReader::new(file),
            before,
        })
    }

    /// The next line, without its end.
    pub(crate) fn ask(&mut self, prompt: &str) -> io::Result<String> {
        self.file.get_mut().write_all(prompt.as_bytes())?;
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            if self.file.by_ref().take(1).read(&mut byte)? == 0 {
                break;
            }
            match byte {
                [b'\n'] => break,
                [CANCEL] => return Err(io::Error::other("cancelled")),
                [_] if line.len() as u64 >= LONGEST => {
                    return Err(io::Error::other("the line is too long"));
                }
                [byte] => line.push(byte),
            }
        }
        self.file.get_mut().write_all(b"\n")?;
        String::from_utf8(line).map_err(|_| io::Error::other("what was typed is not UTF-8"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing is left to be done when it fails: the terminal has gone.
        let _ = tcsetattr(self.file.get_ref(), SetArg::TCSAFLUSH, &self.before);
    }
}
