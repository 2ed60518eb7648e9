//! The live view of ipvsadm-rs: on a real terminal, with a real table and real packets.

use std::net::UdpSocket;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::Scenario;
use crate::ensure;
use crate::error::{Context, Result};
use crate::node::Node;
use crate::setup;
use crate::terminal::Terminal;
use crate::wait;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "watch",
        shows: "the live view shows rates, sorts, scrolls, takes another size, leaves the terminal clean",
        ipvs: true,
        run: watch,
    },
    Scenario {
        name: "watch-no-ipvs",
        shows: "the live view on a kernel without IPVS: the usual error, a terminal as before",
        ipvs: false,
        run: without_ipvs,
    },
];

const LIMIT: Duration = Duration::from_secs(60);
/// Takes the terminal's other screen, and gives it back.
const TAKE: &str = "\x1b[?1049h";
const GIVE: &str = "\x1b[?1049l";
const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";
/// The busy service.
const BUSY: &str = "UDP  10.9.0.1:53";

fn program(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(setup::own_program()?.with_file_name("ipvsadm-rs"));
    command.args(arguments);
    Ok(command)
}

fn machine() -> Result<Node> {
    let node = Node::new("watch")?;
    node.ip("link set lo up\naddr add 10.9.0.1/32 dev lo\naddr add 10.9.1.1/32 dev lo\n")?;
    Ok(node)
}

fn watch() -> Result<String> {
    let node = machine()?;
    let mut rules = String::from("-A -u 10.9.0.1:53 -s rr\n-a -u 10.9.0.1:53 -r 10.9.1.1:53 -m\n");
    for mark in 1..=40 {
        rules += &format!("-A -f {mark} -s wlc\n-a -f {mark} -r 10.9.1.1:0 -g -w {mark}\n");
    }
    restore(&node, rules)?;
    let mut seen = Seen::start(&node, 100)?;
    seen.shows("a first picture", |picture| {
        picture.contains("lines 1-") && picture.contains("41 services  41 servers")
    })?;
    let traffic = Traffic::start(&node)?;
    seen.shows("rates of the busy service", |picture| {
        rate(picture, BUSY, 3) > 0.0
    })?;
    seen.terminal.press("b")?;
    seen.shows("the order by bytes", |picture| {
        picture.contains("by bytes/s")
    })?;
    drop(traffic);
    seen.terminal.press("s")?;
    seen.shows("services alone", |picture| picture.contains("of 41 "))?;
    seen.terminal.press("jj")?;
    seen.shows("a part further down", |picture| {
        picture.contains("lines 3-")
    })?;
    seen.terminal.press("nn")?;
    seen.shows("names reversed", |picture| {
        picture.contains("by name, reversed")
    })?;
    seen.ends_clean("q", None)?;

    let mut seen = Seen::start(&node, 60)?;
    seen.shows("a narrow picture", |picture| {
        picture.contains("Conn/s") && !picture.contains("Method")
    })?;
    seen.ends_clean("\x03", None)?;
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut seen = Seen::start(&node, 90)?;
        seen.shows("a picture", |picture| picture.contains("lines 1-"))?;
        seen.ends_clean("", Some(signal))?;
    }
    refused(&node)?;
    Ok(String::new())
}

/// Without a terminal there is one clear line.
fn refused(node: &Node) -> Result<()> {
    let output = node.output(program(&["--watch"])?)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.code() == Some(2)
            && text == "--watch needs a terminal as standard input and output\n"
            && output.stdout.is_empty(),
        "without a terminal: {}, {text:?}",
        output.status
    );
    Ok(())
}

fn without_ipvs() -> Result<String> {
    let node = machine()?;
    let mut terminal = Terminal::start(&node, program(&["--watch", "1"])?, 80, 24)?;
    let status = terminal.wait_for_exit(LIMIT)?;
    wait::for_it("the error", LIMIT, || {
        Ok(terminal.written().contains("Can't initialize ipvs"))
    })?;
    let written = terminal.written();
    ensure!(status.code() == Some(2), "{status}");
    ensure!(
        !written.contains('\x1b'),
        "the terminal was touched: {written:?}"
    );
    ensure!(
        terminal.is_as_before()?,
        "the terminal's settings are others"
    );
    Ok(String::new())
}

fn restore(node: &Node, rules: String) -> Result<()> {
    let mut command = program(&["-R"])?;
    let output = node
        .run(move || {
            let file = tempfile::tempfile()?;
            std::io::Write::write_all(&mut &file, rules.as_bytes())?;
            std::io::Seek::rewind(&mut &file)?;
            command.stdin(Stdio::from(file)).output()
        })?
        .during("restoring a table")?;
    ensure!(
        output.status.success() && output.stderr.is_empty(),
        "-R: {}, {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// A live view and how often it was given another size.
struct Seen {
    terminal: Terminal,
    columns: u16,
    rows: u16,
}

impl Seen {
    fn start(node: &Node, columns: u16) -> Result<Self> {
        let rows = 24;
        let command = program(&["--watch", "1"])?;
        Ok(Self {
            terminal: Terminal::start(node, command, columns, rows)?,
            columns,
            rows,
        })
    }

    /// Waits for a picture with this property. The program writes what changed only; after another
    /// size it writes all, so that each picture looked at is a whole one.
    fn shows(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> Result<()> {
        let mut last = String::new();
        let found = wait::for_it(format_args!("the live view shows {what}"), LIMIT, || {
            let mark = self.terminal.written().len();
            self.rows = if self.rows == 24 { 25 } else { 24 };
            self.terminal.resize(self.columns, self.rows)?;
            // The last words of every picture.
            wait::for_it("a whole picture", LIMIT, || {
                let written = self.terminal.written();
                Ok(written
                    .get(mark..)
                    .is_some_and(|it| it.contains("b bytes/s")))
            })?;
            let written = self.terminal.written();
            last = text(written.get(mark..).unwrap_or_default());
            Ok(holds(&last))
        });
        found.map_err(|error| crate::error::Error::unmet(format_args!("{error}; last: {last}")))
    }

    /// Ends it by keys or a signal.
    fn ends_clean(&mut self, keys: &str, signal: Option<Signal>) -> Result<()> {
        match signal {
            Some(signal) => self.terminal.signal(signal)?,
            None => self.terminal.press(keys)?,
        }
        let status = self.terminal.wait_for_exit(LIMIT)?;
        let expected = signal.map(|signal| signal as i32);
        ensure!(
            status.signal() == expected && (expected.is_some() || status.success()),
            "ended by {keys:?} or {signal:?}: {status}"
        );
        let last = |what: &str| self.terminal.written().rfind(what);
        wait::for_it("the terminal is given back", LIMIT, || {
            Ok(last(GIVE) > last(TAKE) && last(SHOW_CURSOR) > last(HIDE_CURSOR))
        })?;
        ensure!(
            self.terminal.is_as_before()?,
            "the terminal's settings are others after {keys:?} or {signal:?}"
        );
        Ok(())
    }
}

/// What a terminal shows of this: a line break for each jump to another place, no other commands.
fn text(written: &str) -> String {
    let mut shown = String::new();
    let mut rest = written;
    while let Some((before, command)) = rest.split_once("\x1b[") {
        shown.push_str(before);
        let end = command.find(|it: char| it.is_ascii_alphabetic());
        let (parameters, after) = command.split_at(end.map_or(command.len(), |end| end + 1));
        if parameters.ends_with('H') {
            shown.push('\n');
        }
        rest = after;
    }
    shown + rest
}

/// The number in this column, counted from the name, of the line that begins with it; 0 without one.
fn rate(picture: &str, name: &str, column: usize) -> f64 {
    let figures = picture.lines().find_map(|line| line.strip_prefix(name));
    let number = figures.and_then(|figures| figures.split_whitespace().nth(column));
    number.map_or(0.0, |number| {
        number
            .trim_end_matches(['K', 'M'])
            .parse()
            .unwrap_or_default()
    })
}

/// Datagrams to the busy service until it is dropped.
struct Traffic {
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Traffic {
    fn start(node: &Node) -> Result<Self> {
        let socket = node
            .run(|| UdpSocket::bind("10.9.0.1:0"))?
            .during("opening a socket")?;
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                // A refusal comes back when nobody listens; the packet was counted.
                let _ = socket.send_to(&[0; 100], "10.9.0.1:53");
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Ok(Self {
            over,
            thread: Some(thread),
        })
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_text_without_commands() {
        let written =
            "\x1b[2J\x1b[1;1H\x1b[1mUDP  10.9.0.1:53   0  1 7.5  12K\x1b[22m\x1b[2;3H-> x";
        let shown = text(written);
        assert_eq!(shown, "\nUDP  10.9.0.1:53   0  1 7.5  12K\n-> x");
        assert_eq!(rate(&shown, BUSY, 3), 12.0);
        assert_eq!(rate(&shown, BUSY, 2), 7.5);
        assert_eq!(rate(&shown, "TCP", 0), 0.0);
    }
}
