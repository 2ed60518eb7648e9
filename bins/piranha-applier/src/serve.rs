//! Connections: one request a line, one answer a line, within bounds of size, time and number.
//!
//! Decides nothing. A client that sends too much, too slowly or nothing costs a thread for a while,
//! and there are few of those.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use change::protocol::{LONGEST_REQUEST, Reply, Request};

use crate::applier::Applier;
use crate::listen::is_allowed;

/// Connections at once; more are refused.
const CONNECTIONS: usize = 16;
/// A connection that asks nothing for this time is closed.
const IDLE: Duration = Duration::from_secs(60);
/// A request is complete so long after its first byte.
const ARRIVAL: Duration = Duration::from_secs(15);
/// Pause after a failure to take a connection.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves for ever.
pub fn serve(listener: &UnixListener, applier: &Arc<Applier>, allowed: &[u32]) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(PAUSE);
            continue;
        };
        if !is_allowed(&stream, allowed) {
            tracing::info!("a connection of a user who may not ask was closed");
            continue;
        }
        let place = Place::take(&open);
        let Some(place) = place else {
            let _ = answer(&stream, &error("too many connections, try again"));
            continue;
        };
        let applier = Arc::clone(applier);
        let name = "request".to_owned();
        let started = std::thread::Builder::new().name(name).spawn(move || {
            let _ = converse(&stream, &applier);
            drop(place);
        });
        if let Err(error) = started {
            tracing::info!("a connection was closed: no thread for it: {error}");
        }
    }
}

/// One of the places for connections.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(open));
        (open.fetch_add(1, Ordering::SeqCst) < CONNECTIONS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn error(message: &str) -> Reply {
    Reply::Error {
        message: message.to_owned(),
    }
}

fn converse(stream: &UnixStream, applier: &Applier) -> io::Result<()> {
    let mut rest = Vec::new();
    while let Some(line) = read_line(stream, &mut rest)? {
        let reply = match line {
            Line::Whole(line) => match serde_json::from_slice::<Request>(&line) {
                Ok(request) => applier.answer(request),
                Err(wrong) => error(&format!("not a request: {wrong}")),
            },
            Line::TooLong => {
                return answer(stream, &error("the request is too long"));
            }
        };
        answer(stream, &reply)?;
    }
    Ok(())
}

fn answer(mut stream: &UnixStream, reply: &Reply) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(reply)?;
    bytes.push(b'\n');
    stream.set_write_timeout(Some(ARRIVAL))?;
    stream.write_all(&bytes)
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line, `None` at the end; what follows it stays in `rest`.
fn read_line(mut stream: &UnixStream, rest: &mut Vec<u8>) -> io::Result<Option<Line>> {
    let mut searched = 0;
    let mut deadline = Instant::now() + if rest.is_empty() { IDLE } else { ARRIVAL };
    let mut buffer = [0; 16 * 1024];
    loop {
        let unsearched = rest.get(searched..).unwrap_or_default();
        if let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') {
            let after = rest.split_off(searched + end + 1);
            let mut line = std::mem::replace(rest, after);
            line.pop();
            return Ok(Some(Line::Whole(line)));
        }
        searched = rest.len();
        if searched > LONGEST_REQUEST {
            return Ok(Some(Line::TooLong));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let read = match stream.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(None);
        }
        if rest.is_empty() {
            deadline = Instant::now() + ARRIVAL;
        }
        rest.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
}
