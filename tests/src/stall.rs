//! Did the machine itself stand still? Times that a scenario measures mean nothing when the laboratory
//! did not get its turn: on a machine that others use too, that happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it looks.
const STEP: Duration = Duration::from_millis(10);
/// A pause that can make a program late beyond the allowances of the design.
const LONG: Duration = Duration::from_millis(400);

/// A thread that notices when it wakes up late. Ends when it is dropped.
pub struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    done: AtomicBool,
    /// In microseconds.
    longest: AtomicU64,
}

impl Watch {
    /// Begins to look.
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || look(&shared))
        };
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// The longest pause so far.
    pub fn longest(&self) -> Duration {
        Duration::from_micros(self.shared.longest.load(Ordering::Relaxed))
    }

    /// Whether it stood still for so long that times mean nothing.
    pub fn stood_still(&self) -> bool {
        self.longest() >= LONG
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn look(shared: &Shared) {
    let mut before = Instant::now();
    while !shared.done.load(Ordering::Relaxed) {
        std::thread::sleep(STEP);
        let now = Instant::now();
        let late = now.duration_since(before).saturating_sub(STEP);
        let late = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        shared.longest.fetch_max(late, Ordering::Relaxed);
        before = now;
    }
}
