//! Ctrl-C and its relatives: noted when they come, asked for by whoever waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::error::{Context, Error, Result};

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Notes the signals from now on. They are caught, not blocked: what is started from here would
/// inherit a mask, and programs under test would not hear their signals.
pub fn watch() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(&ASKED)).during("watching for signals")?;
    }
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
