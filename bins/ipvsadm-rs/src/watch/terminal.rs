//! The terminal: the picture on it, what comes from it, and that it is left as it was found, whatever
//! ends the program.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, KeyEvent, KeyEventKind};
use ratatui::crossterm::execute;
use ratatui::{DefaultTerminal, Frame};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// What there is to react to.
#[derive(Debug)]
pub(super) enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
    /// A signal that ends the program.
    Signal(i32),
    /// The terminal cannot be read any more.
    Gone(io::Error),
}

/// Whether a live view can be shown and can be ended.
pub(crate) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The terminal while it shows a live view. Dropping it brings back what was there before.
pub(super) struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    /// Takes the terminal. Signals are caught before that, so that none finds it half taken.
    pub(super) fn open() -> io::Result<(Self, Receiver<Event>)> {
        let (sender, receiver) = channel();
        let signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
        let terminal = ratatui::try_init().inspect_err(|_| give_back())?;
        show_cursor_on_panic();
        let screen = Self { terminal };
        spawn(signals, sender)?;
        Ok((screen, receiver))
    }

    /// Draws a picture.
    pub(super) fn show(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// There is nothing to be done when a terminal that is going away cannot be given back.
fn give_back() {
    let _ = execute!(io::stdout(), Show);
    let _ = ratatui::try_restore();
}

/// The library's own action on a panic brings back all but the cursor.
fn show_cursor_on_panic() {
    let next = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let _ = execute!(io::stdout(), Show);
        next(info);
    }));
}

/// Two threads wait, each for one kind of event; they end with the program.
fn spawn(mut signals: Signals, sender: Sender<Event>) -> io::Result<()> {
    let other = sender.clone();
    thread::Builder::new().spawn(move || {
        for number in signals.forever() {
            if other.send(Event::Signal(number)).is_err() {
                return;
            }
        }
    })?;
    thread::Builder::new().spawn(move || {
        loop {
            let event = match event::read() {
                Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => Event::Key(key),
                Ok(event::Event::Resize(..)) => Event::Resized,
                Ok(_) => continue,
                Err(error) => {
                    let _ = sender.send(Event::Gone(error));
                    return;
                }
            };
            if sender.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// Ends the program as a signal does that is not caught.
pub(super) fn end_by(signal: i32) -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(signal)
}
