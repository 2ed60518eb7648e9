//! A timer for deadlines that matter to the millisecond: it counts suspended time, as
//! [`clock::boottime`] does, and is not rounded as the event loop's own timers are.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::unix::AsyncFd;

use crate::{clock, system};

/// One deadline at a time.
#[derive(Debug)]
pub struct Alarm {
    timer: TimerFd,
    /// The same timer, for waiting.
    watch: AsyncFd<OwnedFd>,
    set_for: Option<Duration>,
}

impl Alarm {
    /// To be called within the event loop.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, flags)?;
        let watched = std::os::fd::AsFd::as_fd(&timer).try_clone_to_owned()?;
        Ok(Self {
            watch: system::watch(watched)?,
            timer,
            set_for: None,
        })
    }

    /// Waits for a time of [`clock::boottime`]; without one for ever. Can be cancelled and repeated.
    pub async fn at(&mut self, deadline: Option<Duration>) -> io::Result<()> {
        let Some(deadline) = deadline else {
            return std::future::pending().await;
        };
        if self.set_for != Some(deadline) {
            // Zero would switch it off.
            let time = TimeSpec::from_duration(deadline.max(Duration::from_nanos(1)));
            let absolute = TimerSetTimeFlags::TFD_TIMER_ABSTIME;
            self.timer.set(Expiration::OneShot(time), absolute)?;
            self.set_for = Some(deadline);
        }
        while clock::boottime() < deadline {
            self.watch.readable().await?.clear_ready();
        }
        self.set_for = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(test: impl Future<Output = ()>) {
        let runtime = crate::runtime::build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(60), test)
                .await
                .unwrap();
        });
    }

    #[test]
    fn comes_at_its_time_and_not_before() {
        within(async {
            let mut alarm = Alarm::new().unwrap();
            for milliseconds in [0, 3, 20, 1] {
                let deadline = clock::boottime() + Duration::from_millis(milliseconds);
                alarm.at(Some(deadline)).await.unwrap();
                assert!(clock::boottime() >= deadline);
            }
            alarm.at(Some(Duration::ZERO)).await.unwrap();
        });
    }

    #[test]
    fn a_wait_that_was_given_up_does_not_disturb_the_next() {
        within(async {
            let mut alarm = Alarm::new().unwrap();
            let far = clock::boottime() + Duration::from_secs(3600);
            let near = clock::boottime() + Duration::from_secs(1);
            for deadline in [None, Some(far), Some(near)] {
                let finished = finished_at_once(alarm.at(deadline)).await;
                assert!(!finished, "{deadline:?}");
            }
            alarm.at(Some(near)).await.unwrap();
            assert!(clock::boottime() >= near);
        });
    }

    /// Polls once; whether it was finished.
    async fn finished_at_once(future: impl Future<Output = io::Result<()>>) -> bool {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(future.as_mut().poll(context).is_ready())
        })
        .await
    }
}
