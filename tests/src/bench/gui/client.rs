//! As much of a browser as is needed to ask for pages and to follow changes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::site::{PASSWORD, USER};
use crate::ensure;
use crate::error::{Context, Error, Result};

/// For an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer with status, head and body.
pub(super) struct Answer {
    status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
        let (head, body) = bytes.split_at_checked(end + 4)?;
        let head = String::from_utf8_lossy(head).into_owned();
        Some(Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head,
            body: body.to_vec(),
        })
    }

    /// The value of a hidden field.
    fn hidden(&self, name: &str) -> Result<String> {
        let text = String::from_utf8_lossy(&self.body);
        let found = text.split_once(&format!("name=\"{name}\" value=\""));
        let value = found.and_then(|(_, rest)| rest.split('"').next());
        value
            .map(str::to_owned)
            .ok_or_else(|| Error::unmet(format_args!("no field {name} in:\n{text}")))
    }

    fn cookies(&self) -> impl Iterator<Item = &str> {
        let lines = self.head.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then_some(value)
        });
        lines.filter_map(|value| value.split(';').next())
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).during("connecting to the web tool")?;
    let limited = stream.set_read_timeout(Some(PATIENCE));
    limited.during("connecting to the web tool")?;
    Ok(stream)
}

fn send(
    mut stream: &TcpStream,
    address: SocketAddr,
    head: &str,
    cookie: &str,
    body: &str,
) -> Result<()> {
    let text = format!(
        "{head} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}\r\n\
         Accept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(text.as_bytes())
        .during(format_args!("asking for {head}"))
}

/// One request on a connection of its own.
pub(super) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    cookie: &str,
    body: &str,
) -> Result<Answer> {
    let mut stream = connect(address)?;
    send(&stream, address, &format!("{method} {path}"), cookie, body)?;
    let mut bytes = Vec::new();
    stream
        .read_to_end(&mut bytes)
        .during(format_args!("reading {path}"))?;
    Answer::read(&bytes).ok_or_else(|| Error::unmet(format_args!("{path} gives no HTTP answer")))
}

/// Somebody who is logged in.
pub(super) struct Client {
    address: SocketAddr,
    cookie: String,
}

impl Client {
    pub(super) fn log_in(address: SocketAddr) -> Result<Self> {
        let form = request(address, "GET", "/login", "", "")?;
        let token = form.hidden("form_token")?;
        let cookie = form.cookies().collect::<Vec<_>>().join("; ");
        let password = PASSWORD.replace(' ', "+");
        let body = format!("form_token={token}&user={USER}&password={password}");
        let answer = request(address, "POST", "/login", &cookie, &body)?;
        ensure!(answer.status == 303, "the log-in answers {}", answer.status);
        let cookie = answer.cookies().collect::<Vec<_>>().join("; ");
        Ok(Self { address, cookie })
    }

    fn get(&self, path: &str) -> Result<Answer> {
        request(self.address, "GET", path, &self.cookie, "")
    }

    /// How long a page takes, from the connection to its last byte.
    pub(super) fn time(&self, path: &str) -> Result<Duration> {
        let begun = Instant::now();
        let answer = self.get(path)?;
        let taken = begun.elapsed();
        ensure!(answer.status == 200, "{path} answers {}", answer.status);
        Ok(taken)
    }

    /// The same for the page that tells what another port of a service does.
    pub(super) fn time_preview(&self, service: &str) -> Result<Duration> {
        let form = self.get(&format!("/secure/virtual?service=1%2F{service}"))?;
        let (token, base) = (form.hidden("form_token")?, form.hidden("base")?);
        let body =
            format!("form_token={token}&base={base}&service=1%2F{service}&port=8080&action=accept");
        let begun = Instant::now();
        let path = "/secure/virtual";
        let answer = request(self.address, "POST", path, &self.cookie, &body)?;
        let taken = begun.elapsed();
        // It is the page that asks for a confirmation.
        answer.hidden("change")?;
        Ok(taken)
    }

    /// Follows the monitoring screen until it is dropped.
    pub(super) fn follow(&self) -> Result<Follower> {
        let stream = connect(self.address)?;
        send(
            &stream,
            self.address,
            "GET /secure/live?rate=10",
            &self.cookie,
            "",
        )?;
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

    #[test]
    fn an_answer_has_a_status_cookies_and_fields() {
        let text =
            b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\n\r\n<input name=\"base\" value=\"x\">";
        let answer = Answer::read(text).unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.cookies().collect::<Vec<_>>(), ["a=1"]);
        assert_eq!(answer.hidden("base").unwrap(), "x");
        assert!(answer.hidden("none").is_err());
    }
}
