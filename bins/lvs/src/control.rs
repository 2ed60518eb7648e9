//! What pulse says on lvs's standard input, and what lvs answers.
//!
//! Owns the form of the messages; what follows from them is decided elsewhere.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use daemon::lines::{LINE_LIMIT, Lines};
use tokio::io::AsyncRead;
use tokio::net::unix::pipe;

use crate::core::Message;

/// The longest configuration.
const CONFIG_LIMIT: usize = 16 << 20;

/// A message of pulse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// An accepted configuration, to be applied by what follows.
    Config(Vec<u8>),
    /// Serve.
    Active,
    /// Serve; the partner does too until that is said to be ready.
    Relieve,
    /// Serve what is connected, and pass new connections on to another router.
    Relay(Ipv4Addr),
    /// Check, but leave the table empty.
    Standby,
    /// Apply the last configuration.
    Reload,
}

/// Reads messages of pulse.
#[derive(Debug)]
pub struct Orders<R> {
    lines: Lines<R>,
    /// Bytes of a configuration still to come.
    expected: Option<usize>,
}

impl<R: AsyncRead + Unpin> Orders<R> {
    /// Reads from `reader`.
    pub fn new(reader: R) -> Self {
        Self {
            lines: Lines::new(reader, LINE_LIMIT),
            expected: None,
        }
    }

    /// The next message, `None` when pulse is gone. Can be cancelled.
    pub async fn next(&mut self) -> io::Result<Option<Order>> {
        loop {
            if let Some(length) = self.expected {
                let block = self.lines.block(length).await?;
                self.expected = None;
                return Ok(block.map(Order::Config));
            }
            let Some(line) = self.lines.line().await? else {
                return Ok(None);
            };
            match line.as_str() {
                "active" => return Ok(Some(Order::Active)),
                "relieve" => return Ok(Some(Order::Relieve)),
                "standby" => return Ok(Some(Order::Standby)),
                "reload" => return Ok(Some(Order::Reload)),
                _ => {
                    let router = line.strip_prefix("relay ").map(str::parse);
                    if let Some(Ok(router)) = router {
                        return Ok(Some(Order::Relay(router)));
                    }
                    let length = line
                        .strip_prefix("config ")
                        .and_then(|text| text.parse().ok());
                    match length {
                        Some(length) if length <= CONFIG_LIMIT => self.expected = Some(length),
                        Some(_) => return Err(io::Error::other("configuration too large")),
                        // A later pulse may know more words.
                        None => tracing::info!("unknown message of pulse: {line}"),
                    }
                }
            }
        }
    }
}

/// The messages to pulse; a pulse that does not read stops nothing.
#[derive(Debug)]
pub struct Answers {
    pipe: pipe::Sender,
    waiting: Vec<u8>,
}

/// Signs of life are left out while this much waits.
const ANSWERS: usize = 4096;

impl Answers {
    /// Writes to `descriptor`, a pipe.
    pub fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            pipe: pipe::Sender::from_owned_fd(descriptor)?,
            waiting: Vec::new(),
        })
    }

    /// Sends a message, later when there is no room now.
    pub fn tell(&mut self, message: &Message) {
        if *message == Message::Alive && self.waiting.len() >= ANSWERS {
            return;
        }
        self.waiting
            .extend_from_slice(message.to_string().replace('\n', " ").as_bytes());
        self.waiting.push(b'\n');
        self.write();
    }

    /// Writes as much as there is room for.
    pub fn write(&mut self) {
        while !self.waiting.is_empty() {
            match self.pipe.try_write(&self.waiting) {
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Pulse is gone; the end of its orders says so too.
                Err(_) => self.waiting.clear(),
            }
        }
    }

    /// Writes when there is room for what waits.
    pub async fn flush(&mut self) {
        if self.waiting.is_empty() {
            std::future::pending::<()>().await;
        }
        if self.pipe.writable().await.is_err() {
            self.waiting.clear();
        }
        self.write();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn orders(input: &[u8]) -> Vec<Order> {
        let mut orders = Orders::new(input);
        let mut all = Vec::new();
        while let Some(order) = orders.next().await.unwrap() {
            all.push(order);
        }
        all
    }

    #[tokio::test]
    async fn messages_in_order() {
        let all = orders(b"config 7\nactive\nactive\nwhat\nstandby\nreload\nrelieve\nrelay 10.0.0.2\nrelay x\nconfig 0\n").await;
        let config = |text: &[u8]| Order::Config(text.to_vec());
        let expected = [
            config(b"active\n"),
            Order::Active,
            Order::Standby,
            Order::Reload,
            Order::Relieve,
            Order::Relay(Ipv4Addr::new(10, 0, 0, 2)),
            config(b""),
        ];
        assert_eq!(all, expected);
    }

    #[tokio::test]
    async fn a_configuration_cut_short_is_none() {
        assert_eq!(orders(b"config 10\nabc").await, []);
        let huge = format!("config {}\n", CONFIG_LIMIT + 1);
        assert!(Orders::new(huge.as_bytes()).next().await.is_err());
    }
}
