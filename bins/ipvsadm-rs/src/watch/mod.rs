//! The live view: the table and its rates, looked at again and again.
//!
//! `sample` is what the kernel says, and what two samples say of the time between them; `view` is what
//! the person chose to see; `draw` puts it on the screen; `terminal` owns the terminal. Only this file
//! knows the clock.

mod draw;
mod sample;
mod terminal;
mod view;

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use ipvs::Info;

use self::sample::{Overview, Sample};
use self::terminal::{Event, Screen};
use self::view::View;
use crate::kernel::Kernel;

pub(crate) use self::terminal::has_terminal;

/// What ends a live view before its time.
#[derive(Debug)]
pub(crate) enum Error {
    /// The kernel does not give its data.
    Kernel(ipvs::Error),
    /// The terminal does not do what it should.
    Terminal(std::io::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kernel(error) => write!(f, "{error}"),
            Self::Terminal(error) => write!(f, "cannot use the terminal: {error}"),
        }
    }
}

impl From<ipvs::Error> for Error {
    fn from(error: ipvs::Error) -> Self {
        Self::Kernel(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Terminal(error)
    }
}

/// Shows the table until a key or a signal ends it. A signal then does what it does to any program, once
/// the terminal is as it was.
pub(crate) fn run(kernel: &mut dyn Kernel, info: Info, every: Duration) -> Result<(), Error> {
    let start = Instant::now();
    // Errors of the first look belong on an ordinary screen.
    let mut last = Sample::take(kernel, start.elapsed())?;
    let mut overview = Overview::of(None, &last);
    let mut view = View::default();
    let (mut screen, events) = Screen::open()?;
    let mut due = Instant::now() + every;
    loop {
        screen.show(|frame| draw::draw(frame, info, every, &overview, &mut view))?;
        match events.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(Event::Key(key)) => {
                if view.press(key) {
                    return Ok(());
                }
            }
            Ok(Event::Resized) => {}
            Ok(Event::Signal(number)) => {
                drop(screen);
                return Ok(terminal::end_by(number)?);
            }
            Ok(Event::Gone(error)) => return Err(error.into()),
            Err(RecvTimeoutError::Timeout) => {
                let next = Sample::take(kernel, start.elapsed())?;
                overview = Overview::of(Some(&last), &next);
                last = next;
                due = Instant::now() + every;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}
