//! What wakes a checker: signals, time, and the end of the process it reports to.

use crate::report::Report;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Signals, the report pipe, and the clock that everything else counts by.
#[derive(Debug)]
pub(crate) struct Events {
    signals: SignalFd,
    start: Instant,
    /// The pipe to lvs; `None` when run without it.
    pub(crate) report: Option<Report>,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The moment waited for has come.
    Due,
    /// TERM or INT.
    Stop(Signal),
    /// HUP, USR1 or USR2.
    Force(health::Force),
    /// Nobody reads the reports any more.
    Orphaned,
}

/// What ended one poll.
enum Woken {
    /// There is something to read from the signals' descriptor.
    Signalled,
    /// The reports have lost their reader.
    Orphaned,
    /// Nothing but time.
    InTime,
    /// Room in the report pipe, or a spurious end.
    Otherwise,
}

impl Events {
    /// Signals arrive through a descriptor from now on, so that each wait can watch for them.
    pub(crate) fn open(report: Option<OwnedFd>) -> nix::Result<Self> {
        let watched = [
            Signal::SIGTERM,
            Signal::SIGINT,
            Signal::SIGHUP,
            Signal::SIGUSR1,
            Signal::SIGUSR2,
        ];
        let mask: SigSet = watched.into_iter().collect();
        mask.thread_block()?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self {
            signals,
            start: Instant::now(),
            report: report.map(Report::new).transpose()?,
        })
    }

    /// Time since start.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The same moment for those who do not know the start.
    pub(crate) fn instant(&self, now: Duration) -> Instant {
        self.start + now
    }

    /// What must interrupt a check.
    pub(crate) fn interrupts(&self) -> Vec<BorrowedFd<'_>> {
        let report = self.report.as_ref().map(|report| report.as_fd());
        std::iter::once(self.signals.as_fd())
            .chain(report)
            .collect()
    }

    /// Waits until something happens, or until `until`; both are times since start, and it is `now`.
    /// One system call for each wait that ends with its time: a thousand checkers do little else.
    pub(crate) fn wait(&mut self, mut now: Duration, until: Duration) -> Event {
        loop {
            let left = until.saturating_sub(now);
            match self.sleep(left) {
                Woken::Signalled => {
                    if let Some(event) = self.signal() {
                        return event;
                    }
                }
                // A check that was interrupted by the end of the reports is still due: asked first.
                Woken::Orphaned => return Event::Orphaned,
                Woken::InTime => return Event::Due,
                Woken::Otherwise if left.is_zero() => return Event::Due,
                Woken::Otherwise => {}
            }
            now = self.now();
        }
    }

    /// Polls once.
    fn sleep(&mut self, left: Duration) -> Woken {
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        if let Some(report) = &self.report {
            let events = if report.is_waiting() {
                PollFlags::POLLOUT
            } else {
                PollFlags::empty()
            };
            fds.push(PollFd::new(report.as_fd(), events));
        }
        let Ok(count) = ppoll(&mut fds, Some(left.into()), None) else {
            return Woken::Otherwise;
        };
        let seen = |place: usize| {
            let flags = fds.get(place).and_then(PollFd::revents);
            flags.unwrap_or(PollFlags::empty())
        };
        let (signals, room) = (seen(0), seen(1));
        if room.contains(PollFlags::POLLOUT) {
            self.report.iter_mut().for_each(Report::flush);
        }
        if !signals.is_empty() {
            Woken::Signalled
        } else if self.orphaned() || room.intersects(PollFlags::POLLERR | PollFlags::POLLNVAL) {
            Woken::Orphaned
        } else if count == 0 {
            Woken::InTime
        } else {
            Woken::Otherwise
        }
    }

    fn orphaned(&self) -> bool {
        self.report.as_ref().is_some_and(Report::is_closed)
    }

    /// The most urgent of the signals that have arrived: an end overrides the others.
    fn signal(&self) -> Option<Event> {
        let mut event = None;
        loop {
            let number = match self.signals.read_signal() {
                Ok(Some(info)) => info.ssi_signo,
                Err(Errno::EINTR) => continue,
                _ => return event,
            };
            let signal = i32::try_from(number)
                .ok()
                .and_then(|n| Signal::try_from(n).ok());
            match signal {
                Some(signal @ (Signal::SIGTERM | Signal::SIGINT)) => {
                    return Some(Event::Stop(signal));
                }
                Some(Signal::SIGHUP) => event = Some(Event::Force(health::Force::Normal)),
                Some(Signal::SIGUSR1) => event = Some(Event::Force(health::Force::Down)),
                Some(Signal::SIGUSR2) => event = Some(Event::Force(health::Force::Up)),
                _ => {}
            }
        }
    }
}
