//! Ctrl-C and its relatives: noticed by one thread, asked for by whoever waits.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, Signal};

use crate::error::{Context, Error, Result};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Blocks the signals in this and all later threads and starts the thread that waits for them.
/// Children are not affected: the standard library empties the mask of what it starts.
pub fn watch() -> Result<()> {
    let mut signals = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ] {
        signals.add(signal);
    }
    // Not to be stopped when taking a lent terminal back.
    let mut blocked = signals;
    blocked.add(Signal::SIGTTOU);
    blocked.thread_block().during("blocking signals")?;
    std::thread::spawn(move || {
        while signals.wait().is_ok() {
            ASKED.store(true, Ordering::SeqCst);
        }
    });
    Ok(())
}

/// An error as soon as somebody asked to stop.
pub fn check() -> Result<()> {
    if ASKED.load(Ordering::SeqCst) {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}
