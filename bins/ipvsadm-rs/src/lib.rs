//! ipvsadm-rs: reads and writes the kernel's IPVS table, as ipvsadm 1.31 does to the byte.
//!
//! Owns the command line and every text. How the kernel is spoken to is the crate `ipvs`' business.

mod connections;
pub mod flags;
mod help;
mod json;
pub mod kernel;
pub mod list;
mod names;
mod restore;
mod save;
pub mod session;
mod sync;
mod system;
#[cfg(feature = "watch")]
mod watch;

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use flags::Word;
use kernel::{Kernel, RunningKernel};
use session::{NO_DATA, Session};

/// Runs the program with its arguments, the first of which is its name, and gives its exit status.
pub fn run(arguments: impl Iterator<Item = OsString>) -> i32 {
    run_on(&mut RunningKernel::default(), arguments)
}

/// The same on any kernel: also on one that a test supplies.
pub fn run_on(kernel: &mut dyn Kernel, arguments: impl Iterator<Item = OsString>) -> i32 {
    system::end_on_broken_pipe();
    let mut words = arguments.map(OsStringExt::into_vec);
    let program = words.next().unwrap_or_else(|| b"ipvsadm".to_vec());
    let words: Vec<Word> = words.collect();
    let mut session = Session {
        program: program.clone(),
        kernel,
        input: &mut io::stdin().lock(),
        stdout: &mut io::stdout(),
        out: Vec::new(),
        err: &mut io::stderr(),
        connections: PathBuf::from(connections::FILE),
        warned: false,
        line: None,
    };
    let status = match program.rsplit(|byte| *byte == b'/').next() {
        Some(b"ipvsadm-save") => run_save(&mut session, &words),
        Some(b"ipvsadm-restore") => {
            session.program = b"ipvsadm".to_vec();
            session.clear_and_restore()
        }
        _ => session.run(words),
    };
    if session.deliver() {
        status.into()
    } else {
        NO_DATA.into()
    }
}

/// `ipvsadm-save` (`ipvsadm.md` 2.9).
fn run_save(session: &mut Session<'_>, words: &[Word]) -> u8 {
    let mut save = vec![b"-S".to_vec()];
    for word in words {
        if word == b"-n" {
            save.push(word.clone());
        } else if word.starts_with(b"-") {
            let text = "ipvsadm-save: Script to save the IPVS table to stdout.\n   \
                        With the -n option, prints out the table in numeric format.\n";
            // There is nobody to tell when that fails.
            let _ = session.err.write_all(text.as_bytes());
            return NO_DATA;
        }
    }
    save.dedup();
    session.program = b"ipvsadm".to_vec();
    session.run(save)
}
