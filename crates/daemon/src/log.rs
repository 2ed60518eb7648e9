//! Messages of the daemons: to the system log, or to standard output in the foreground
//! (`piranha-daemons.md` 2.4). Everything goes through `tracing`; a message is data, never a format.
//!
//! Must not block: a daemon that waits for its log misses heartbeats. What cannot be delivered at
//! once is counted, and the count is told with the next message that can.

use std::fmt::{self, Write as _};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::mode::StartMode;

mod journal;

pub use journal::set_field;

/// The system log's socket.
const SYSLOG_SOCKET: &str = "/dev/log";
/// Priority informational, facility daemon: what the originals use for every message.
const PRIORITY: &str = "<30>";
/// The longest line on standard output: as much as a pipe that has room takes without blocking.
const LINE_LIMIT: usize = 4096;

/// Sends this process's messages where `mode` says: to the system log as `TAG[PID]: MESSAGE`, or
/// with `NoDaemon` to standard output as `NAME: MESSAGE`. Debug messages only when `verbose`.
/// Where journald is the system log, it also gets the fields of a message and those of [`set_field`];
/// the text is the same everywhere. A second call changes nothing.
pub fn init(tag: &str, print_name: &str, mode: StartMode, verbose: bool) {
    let foreground = mode == StartMode::NoDaemon;
    install(Output {
        verbose,
        printed: foreground.then(|| Mutex::new(Printed::new(print_name))),
        logged: (!foreground).then(|| Mutex::new(Logged::new(tag))),
    });
}

/// As [`init`], but in the foreground messages go to the system log as well, as nanny's do.
pub fn init_both(tag: &str, print_name: &str, mode: StartMode, verbose: bool) {
    let foreground = mode == StartMode::NoDaemon;
    install(Output {
        verbose,
        printed: foreground.then(|| Mutex::new(Printed::new(print_name))),
        logged: Some(Mutex::new(Logged::new(tag))),
    });
}

fn install(output: Output) {
    let _ = tracing::subscriber::set_global_default(Events.with(output));
}

/// Lets every event through to [`Output`]. The registry would keep spans, which nobody opens here,
/// in 32 KiB of memory of each process.
struct Events;

impl Subscriber for Events {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Output {
    verbose: bool,
    printed: Option<Mutex<Printed>>,
    logged: Option<Mutex<Logged>>,
}

impl<S: Subscriber> Layer<S> for Output {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.limit()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.limit())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let message = one_line(text.message.trim_end_matches('\n'));
        if let Some(printed) = &self.printed {
            printed
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .write(&message);
        }
        if let Some(logged) = &self.logged {
            logged
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .write(&message, &text.fields);
        }
    }
}

impl Output {
    fn limit(&self) -> LevelFilter {
        if self.verbose {
            LevelFilter::DEBUG
        } else {
            LevelFilter::INFO
        }
    }
}

/// The message of an event, and what it is about.
#[derive(Default)]
struct Text {
    message: String,
    /// Of one line each.
    fields: Vec<(&'static str, String)>,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            self.record_str(field, &format!("{value:?}"));
        }
    }

    /// An empty field is none.
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else if !value.is_empty() {
            self.fields.push((field.name(), one_line(value)));
        }
    }
}

/// Text from outside must not be able to start a line of its own in somebody's log.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Standard output, one write for each line.
struct Printed {
    name: String,
    lost: u64,
}

impl Printed {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            lost: 0,
        }
    }

    fn write(&mut self, message: &str) {
        if self.lost > 0 && print(&self.line(&lost(self.lost))) {
            self.lost = 0;
        }
        if self.lost > 0 || !print(&self.line(message)) {
            self.lost += 1;
        }
    }

    fn line(&self, message: &str) -> String {
        let mut line = format!("{}: {message}", self.name);
        let end = (0..LINE_LIMIT)
            .rev()
            .find(|end| line.is_char_boundary(*end));
        if line.len() >= LINE_LIMIT {
            line.truncate(end.unwrap_or(0));
        }
        line.push('\n');
        line
    }
}

fn lost(count: u64) -> String {
    format!("{count} messages were lost because nobody took them")
}

/// Writes when that cannot block: a stopped terminal or a full pipe must not stop the daemon.
fn print(line: &str) -> bool {
    let output = io::stdout();
    let mut waiting = [PollFd::new(output.as_fd(), PollFlags::POLLOUT)];
    let room = poll(&mut waiting, PollTimeout::ZERO).is_ok_and(|count| count == 1);
    room && nix::unistd::write(&output, line.as_bytes()).is_ok()
}

struct Logged {
    tag: String,
    syslog: Syslog,
    /// The socket is journald's own.
    journal: bool,
    lost: u64,
}

impl Logged {
    fn new(tag: &str) -> Self {
        let journal = journal::is_behind(Path::new(SYSLOG_SOCKET));
        let socket = if journal {
            journal::SOCKET
        } else {
            SYSLOG_SOCKET
        };
        Self {
            tag: tag.to_owned(),
            syslog: Syslog::open(Path::new(socket)),
            journal,
            lost: 0,
        }
    }

    fn write(&mut self, message: &str, fields: &[(&'static str, String)]) {
        if self.lost > 0 && self.send(&lost(self.lost), &[]) {
            self.lost = 0;
        }
        if self.lost > 0 || !self.send(message, fields) {
            self.lost += 1;
        }
    }

    fn send(&mut self, message: &str, fields: &[(&'static str, String)]) -> bool {
        let datagram = if self.journal {
            journal::datagram(&self.tag, message, fields)
        } else {
            // Asked anew each time: the log is opened before the daemon forks.
            format!("{PRIORITY}{}[{}]: {message}", self.tag, std::process::id())
        };
        self.syslog.send(datagram.as_bytes())
    }
}

/// The system log's socket. Connected again when the log daemon was restarted.
#[derive(Debug)]
pub struct Syslog {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    /// Connects when somebody listens at `path`; else the first [`Self::send`] tries again.
    pub fn open(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            socket: connect(path).ok(),
        }
    }

    /// Sends one datagram, without ever waiting. `false` when it was not taken.
    pub fn send(&mut self, datagram: &[u8]) -> bool {
        if let Some(socket) = &self.socket {
            match socket.send(datagram) {
                Ok(_) => return true,
                // A full queue: the listener is there, only slow.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => self.socket = None,
            }
        }
        self.socket = connect(&self.path).ok();
        self.socket
            .as_ref()
            .is_some_and(|socket| socket.send(datagram).is_ok())
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syslog_reconnects_and_never_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut syslog = Syslog::open(&path);
        assert!(!syslog.send(b"nobody there"));
        let listener = UnixDatagram::bind(&path).unwrap();
        assert!(syslog.send(b"one"));
        let mut buffer = [0; 64];
        assert_eq!(listener.recv(&mut buffer).unwrap(), 3);
        drop(listener);
        std::fs::remove_file(&path).unwrap();
        assert!(!syslog.send(b"gone"));
        let listener = UnixDatagram::bind(&path).unwrap();
        assert!(syslog.send(b"two"));
        assert_eq!(listener.recv(&mut buffer).unwrap(), 3);
        // The queue of a listener that does not read fills up; sending then returns at once.
        let taken = (0..100_000).take_while(|_| syslog.send(b"flood")).count();
        assert!(taken < 100_000);
        assert_eq!(listener.recv(&mut buffer).unwrap(), 5);
        assert!(syslog.send(b"three"));
    }

    #[test]
    fn lost_messages_are_counted_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut logged = Logged {
            tag: "lvsd".to_owned(),
            syslog: Syslog::open(&path),
            journal: false,
            lost: 0,
        };
        logged.write("a", &[]);
        logged.write("b", &[]);
        let listener = UnixDatagram::bind(&path).unwrap();
        logged.write("100%s done", &[("verdict", "up".to_owned())]);
        let mut buffer = [0; 256];
        let pid = std::process::id();
        let length = listener.recv(&mut buffer).unwrap();
        let told = format!("<30>lvsd[{pid}]: 2 messages were lost because nobody took them");
        assert_eq!(String::from_utf8_lossy(&buffer[..length]), told);
        let length = listener.recv(&mut buffer).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&buffer[..length]),
            format!("<30>lvsd[{pid}]: 100%s done")
        );
    }

    #[test]
    fn journald_gets_the_fields() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixDatagram::bind(&path).unwrap();
        let output = Output {
            verbose: false,
            printed: None,
            logged: Some(Mutex::new(Logged {
                tag: "nanny".to_owned(),
                syslog: Syslog::open(&path),
                journal: true,
                lost: 0,
            })),
        };
        tracing::subscriber::with_default(Events.with(output), || {
            let real = "10.0.0.1:80";
            tracing::info!(verdict = "down", reason = %"a\nb", server = "", "[inactive] {real}");
        });
        let mut buffer = [0; 512];
        let length = listener.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]);
        assert!(
            text.starts_with("MESSAGE=[inactive] 10.0.0.1:80\n"),
            "{text}"
        );
        assert!(
            text.contains("\nPIRANHA_VERDICT=down\nPIRANHA_REASON=a\\nb\n"),
            "{text}"
        );
        assert!(!text.contains("SERVER"), "{text}");
    }

    #[test]
    fn text_from_outside_stays_on_one_line() {
        assert_eq!(
            one_line("a\nb\u{1b}[2J\tc\u{e9}"),
            "a\\nb\\u{1b}[2J\tc\u{e9}"
        );
    }

    #[test]
    fn printed_line_fits_a_pipe() {
        let line = Printed::new("lvs").line(&"\u{e9}".repeat(LINE_LIMIT));
        assert!(line.starts_with("lvs: \u{e9}") && line.ends_with("\u{e9}\n"));
        assert!(line.len() <= LINE_LIMIT);
    }
}
