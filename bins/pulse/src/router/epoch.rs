//! The number that says who took over later, kept from run to run, and the number of this run.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use heartbeat::Identity;

use crate::options::Options;

fn file(options: &Options) -> PathBuf {
    daemon::paths::state_dir(options.state_dir.as_deref()).join("epoch")
}

/// What distinguishes this run.
pub(super) fn this_run(options: &Options) -> Identity {
    let stored = std::fs::read_to_string(file(options)).unwrap_or_default();
    Identity {
        boot: random(),
        epoch: stored.trim().parse().unwrap_or(0),
    }
}

/// Keeps it for the next run, beside the event loop: the disk may be slow.
pub(super) fn store(options: &Options, epoch: u64) {
    let file = file(options);
    drop(tokio::task::spawn_blocking(move || {
        if let Err(error) = daemon::status::replace(&file, format!("{epoch}\n").as_bytes()) {
            tracing::info!("cannot write {}: {error}", file.display());
        }
    }));
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    match File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)) {
        Ok(()) => u64::from_le_bytes(bytes),
        // Distinct enough: two runs do not start in the same nanosecond.
        Err(_) => u64::try_from(daemon::clock::boottime().as_nanos()).unwrap_or(1),
    }
}
