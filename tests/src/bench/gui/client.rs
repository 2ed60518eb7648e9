//! Browsers whose pages are timed and that follow changes.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::site::{PASSWORD, USER};
use crate::ensure;
use crate::error::{Context, Result};
use crate::visitor::{Answer, Visitor};

/// A form as it is sent.
pub(super) struct Form<'a> {
    /// Where it stands, and where it is sent to.
    pub(super) page: &'a str,
    pub(super) action: &'a str,
    pub(super) fields: &'a [(&'a str, &'a str)],
    /// Part of the page that it leads to.
    pub(super) shows: &'a str,
}

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

    /// Which file the form on a page is about.
    pub(super) fn base(&mut self, page: &str) -> Result<String> {
        self.0.get(page)?.hidden("base")
    }

    /// How long that takes to which a form leads; with `base` as if it had been loaded from that file.
    pub(super) fn time_form(&mut self, form: &Form, base: Option<&str>) -> Result<Duration> {
        Ok(self.send(form, base)?.0)
    }

    /// Makes a change and confirms it.
    pub(super) fn change(&mut self, form: &Form) -> Result<()> {
        let (_, preview) = self.send(form, None)?;
        let hidden = ["form_token", "base", "change", "next"];
        let values = hidden.map(|name| preview.hidden(name));
        let mut fields = Vec::new();
        for (name, value) in hidden.into_iter().zip(values) {
            fields.push((name, value?));
        }
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, it)| (*name, it.as_str()))
            .collect();
        let answer = self.0.post("/secure/apply", &fields)?;
        ensure!(answer.status < 400, "the change answers {}", answer.status);
        Ok(())
    }

    fn send(&mut self, form: &Form, base: Option<&str>) -> Result<(Duration, Answer)> {
        let page = self.0.get(form.page)?;
        let (form_token, loaded) = (page.hidden("form_token")?, page.hidden("base")?);
        let base = base.unwrap_or(&loaded);
        let mut fields = vec![("form_token", form_token.as_str()), ("base", base)];
        fields.extend(form.fields);
        let begun = Instant::now();
        let answer = self.0.post(form.action, &fields)?;
        let taken = begun.elapsed();
        let shows = answer.text.contains(form.shows);
        ensure!(
            shows,
            "{} gives another page:\n{}",
            form.action,
            answer.text
        );
        Ok((taken, answer))
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
