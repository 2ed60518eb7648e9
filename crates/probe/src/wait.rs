//! Waiting for a descriptor until a moment, giving way to anything that shall interrupt.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// The end of an attempt, and the descriptors that end it before.
#[derive(Debug, Clone)]
pub(crate) struct Bounds<'a> {
    pub(crate) limit: Duration,
    until: Instant,
    /// Nothing was waited for yet: the whole limit is left. Reading the clock again would be a
    /// system call more in each check where the kernel has no faster way.
    fresh: Cell<bool>,
    /// Readable, or broken (the other end of a pipe is gone): give up at once.
    pub(crate) interrupts: &'a [BorrowedFd<'a>],
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    Ready {
        /// A wanted descriptor has an error to tell.
        broken: bool,
    },
    TimedOut,
    Interrupted,
    Failed(Errno),
}

impl<'a> Bounds<'a> {
    /// It is `now`.
    pub(crate) fn new(now: Instant, limit: Duration, interrupts: &'a [BorrowedFd<'a>]) -> Self {
        // A limit beyond the clock's range is none; a day is then as good.
        let until = now
            .checked_add(limit)
            .unwrap_or(now + Duration::from_secs(86_400));
        Self {
            limit,
            until,
            fresh: Cell::new(true),
            interrupts,
        }
    }

    /// Waits for one descriptor.
    pub(crate) fn wait(&self, fd: impl AsFd, events: PollFlags) -> Waited {
        self.wait_any(&[(fd.as_fd(), events)])
    }

    /// Waits until any of the descriptors is ready; errors and hang-ups count as ready.
    pub(crate) fn wait_any(&self, wanted: &[(BorrowedFd<'_>, PollFlags)]) -> Waited {
        let mut fds: Vec<PollFd<'_>> = self
            .interrupts
            .iter()
            .map(|fd| PollFd::new(*fd, PollFlags::POLLIN))
            .chain(wanted.iter().map(|(fd, events)| PollFd::new(*fd, *events)))
            .collect();
        loop {
            let left = if self.fresh.take() {
                self.limit
            } else {
                self.until.saturating_duration_since(Instant::now())
            };
            match ppoll(&mut fds, Some(left.into()), None) {
                Err(Errno::EINTR) => {}
                Err(errno) => return Waited::Failed(errno),
                Ok(0) => return Waited::TimedOut,
                Ok(_) => break,
            }
        }
        let interrupted = fds
            .iter()
            .take(self.interrupts.len())
            .any(|fd| fd.any() != Some(false));
        if interrupted {
            Waited::Interrupted
        } else {
            let flags = |fd: &PollFd<'_>| fd.revents().unwrap_or(PollFlags::POLLERR);
            let mut wanted = fds.iter().skip(self.interrupts.len());
            Waited::Ready {
                broken: wanted.any(|fd| flags(fd).contains(PollFlags::POLLERR)),
            }
        }
    }
}

impl Bounds<'_> {
    /// Whether the descriptor is readable at this moment.
    pub(crate) fn ready_now(&self, fd: impl AsFd) -> bool {
        let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
        ppoll(&mut fds, Some(Duration::ZERO.into()), None).is_ok_and(|count| count > 0)
    }
}
