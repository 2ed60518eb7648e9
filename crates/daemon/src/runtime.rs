//! The event loop of the daemons: one thread, so that decisions are taken one after the other, and
//! signals as one stream of events.

use std::io;
use std::task::Poll;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{self, SignalKind};

/// Longer than any daemon runs.
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

/// A single-threaded event loop with timers and input/output. Threads for what blocks are started when
/// they are needed, and stay.
pub fn build() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(FOR_EVER)
        .build()
}

/// Starts one thread for what blocks. Later it may be that no thread can be started (out of processes),
/// and an event loop that has none then cannot go on.
pub async fn have_a_thread() {
    let _ = tokio::task::spawn_blocking(|| ()).await;
}

/// Has the calling thread, and neither other threads nor children, run before everything that
/// is not of real time. `false` when that is not allowed.
pub fn run_first() -> bool {
    crate::system::real_time().is_ok()
}

/// The signals that a daemon handles; the others keep their default action.
#[derive(Debug)]
pub struct Signals {
    streams: Vec<(Signal, unix::Signal)>,
}

impl Signals {
    /// Handles `signals` from now on. To be called within the event loop. Each kind that arrived
    /// at least once since the last look is reported once.
    pub fn handle(signals: &[Signal]) -> io::Result<Self> {
        let stream =
            |signal: &Signal| Ok((*signal, unix::signal(SignalKind::from_raw(*signal as i32))?));
        Ok(Self {
            streams: signals.iter().map(stream).collect::<io::Result<_>>()?,
        })
    }

    /// The next signal, by the order given to [`Self::handle`] when several wait. Can be cancelled
    /// without losing one.
    pub async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            for (signal, stream) in &mut self.streams {
                if let Poll::Ready(Some(())) = stream.poll_recv(context) {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
    }
}
