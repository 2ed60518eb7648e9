//! Browsers whose pages are timed and that follow changes.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::site::{PASSWORD, USER};
use crate::ensure;
use crate::error::{Context, Result};
use crate::visitor::Visitor;

/// Somebody who is logged in.
pub(super) struct Client(Visitor);

impl Client {
    pub(super) fn log_in(address: SocketAddr) -> Result<Self> {
        let mut visitor = Visitor::new(address, None);
        let answer = visitor.log_in(USER, PASSWORD)?;
        ensure!(answer.status == 303, "the log-in answers {}", answer.status);
        Ok(Self(visitor))
    }

    /// How long a page takes, from the connection to its last byte.
    pub(super) fn time(&mut self, path: &str) -> Result<Duration> {
        let begun = Instant::now();
        let answer = self.0.get(path)?;
        let taken = begun.elapsed();
        ensure!(answer.status == 200, "{path} answers {}", answer.status);
        Ok(taken)
    }

    /// The same for the page that tells what another port of a service does.
    pub(super) fn time_preview(&mut self, service: &str) -> Result<Duration> {
        let form = self
            .0
            .get(&format!("/secure/virtual?service=1%2F{service}"))?;
        let (form_token, base) = (form.hidden("form_token")?, form.hidden("base")?);
        let service = format!("1/{service}");
        let fields = [
            ("form_token", form_token.as_str()),
            ("base", &base),
            ("service", &service),
            ("port", "8080"),
            ("action", "accept"),
        ];
        let begun = Instant::now();
        let answer = self.0.post("/secure/virtual", &fields)?;
        let taken = begun.elapsed();
        // It is the page that asks for a confirmation.
        answer.hidden("change")?;
        Ok(taken)
    }

    /// Follows the monitoring screen until it is dropped.
    pub(super) fn follow(&self) -> Result<Follower> {
        let stream = self.0.open("GET /secure/live?rate=10", "")?;
        let (messages, bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut reading = stream.try_clone().during("following changes")?;
        let (counted, read) = (Arc::clone(&messages), Arc::clone(&bytes));
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            let mut before = 0;
            while let Ok(length @ 1..) = reading.read(&mut buffer) {
                let new = buffer.get(..length).unwrap_or_default();
                counted.fetch_add(ends(before, new), Ordering::Relaxed);
                before = new.last().copied().unwrap_or_default();
                read.fetch_add(length as u64, Ordering::Relaxed);
            }
        });
        Ok(Follower {
            stream,
            messages,
            bytes,
        })
    }
}

/// Ends of messages: the only empty lines that the tool sends. They may lie on two reads.
fn ends(before: u8, new: &[u8]) -> u64 {
    let first = before == b'\n' && new.first() == Some(&b'\n');
    let inside = new.windows(2).filter(|it| *it == b"\n\n").count();
    inside as u64 + u64::from(first)
}

/// A browser that is told of changes.
pub(super) struct Follower {
    stream: TcpStream,
    messages: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

impl Follower {
    pub(super) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // Its thread ends with the connection.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_across_reads() {
        assert_eq!(ends(b'x', b"data: a\n\ndata: b\n"), 1);
        assert_eq!(ends(b'\n', b"\nevent"), 1);
        assert_eq!(ends(b'x', b"\nevent"), 0);
    }
}
