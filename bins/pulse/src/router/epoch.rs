//! The number that says who took over later, kept from run to run, and the number of this run.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use heartbeat::Identity;

use crate::options::Options;

/// The file that keeps the number.
#[derive(Debug, Clone)]
pub(super) struct Epochs {
    file: PathBuf,
    /// The last number that this run has written.
    last: Arc<Mutex<u64>>,
}

impl Epochs {
    pub(super) fn new(options: &Options) -> Self {
        let folder = daemon::paths::state_dir(options.state_dir.as_deref());
        Self {
            file: folder.join("epoch"),
            last: Arc::default(),
        }
    }

    /// What distinguishes this run.
    pub(super) fn this_run(&self) -> Identity {
        let stored = std::fs::read_to_string(&self.file).unwrap_or_default();
        Identity {
            boot: random(),
            epoch: stored.trim().parse().unwrap_or(0),
        }
    }

    /// Keeps it for the next run, beside the event loop: the disk may be slow.
    pub(super) fn store(&self, epoch: u64) {
        let epochs = self.clone();
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = epochs.write(epoch) {
                tracing::info!("cannot write {}: {error}", epochs.file.display());
            }
        }));
    }

    /// Of those that wait for a disk, any may be the first that is written: numbers only grow.
    fn write(&self, epoch: u64) -> io::Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch > *last {
            daemon::status::replace(&self.file, format!("{epoch}\n").as_bytes())?;
            *last = epoch;
        }
        Ok(())
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    match File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)) {
        Ok(()) => u64::from_le_bytes(bytes),
        // Distinct enough: two runs do not start in the same nanosecond.
        Err(_) => u64::try_from(daemon::clock::boottime().as_nanos()).unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_number_that_is_written_late_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let epochs = Epochs {
            file: folder.path().join("epoch"),
            last: Arc::default(),
        };
        for epoch in [41, 43, 42] {
            epochs.write(epoch).unwrap();
        }
        assert_eq!(epochs.this_run().epoch, 43);
    }
}
