//! The client: asks the VIP for a page at a steady rate and writes down what it got and when.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use crate::ensure;
use crate::error::{Context, Error, Result};
use crate::node::Node;
use crate::wait;

/// Pause between two requests.
const PAUSE: Duration = Duration::from_millis(20);
/// A request that takes longer has failed, for a client that measures outages.
pub const QUICK: Duration = Duration::from_millis(80);
/// The same for a client that counts failures: less than a lost first packet costs.
pub const PATIENT: Duration = Duration::from_millis(900);

/// One request.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When it ended, one way or the other.
    pub at: Instant,
    /// The name that the server answered with.
    pub server: Option<String>,
    /// What went wrong instead, and in which step.
    pub failure: Option<String>,
}

/// A running client.
#[derive(Debug)]
pub struct Client {
    samples: Arc<Mutex<Vec<Sample>>>,
    limit: Duration,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    /// Starts asking; each request may take as long as the limit.
    pub fn start(node: &Node, target: SocketAddr, limit: Duration) -> Result<Self> {
        let samples = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (written, stopped) = (Arc::clone(&samples), Arc::clone(&stop));
        // A thread made on the machine stays in its namespaces.
        let thread = node.run(move || {
            std::thread::spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let (server, failure) = match request(target, limit) {
                        Ok(server) => (Some(server), None),
                        Err(error) => {
                            let lasted = begun.elapsed().as_millis();
                            (None, Some(format!("within {lasted} ms, {error}")))
                        }
                    };
                    let sample = Sample {
                        at: Instant::now(),
                        server,
                        failure,
                    };
                    written
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(sample);
                    std::thread::sleep(PAUSE);
                }
            })
        })?;
        Ok(Self {
            samples,
            limit,
            stop,
            thread: Some(thread),
        })
    }

    /// What happened since the given moment.
    pub fn since(&self, moment: Instant) -> Vec<Sample> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let first = samples.partition_point(|sample| sample.at < moment);
        samples.get(first..).unwrap_or_default().to_vec()
    }

    /// Number of requests that were answered since the given moment.
    pub fn answered_since(&self, moment: Instant) -> usize {
        self.since(moment)
            .iter()
            .filter(|sample| sample.server.is_some())
            .count()
    }

    /// Number of requests that failed since the given moment.
    pub fn failed_since(&self, moment: Instant) -> usize {
        self.failures_since(moment).len()
    }

    /// How requests failed since the given moment, and how long after it.
    pub fn failures_since(&self, moment: Instant) -> Vec<String> {
        let text = |sample: Sample| {
            let after = (sample.at - moment).as_millis();
            sample
                .failure
                .map(|failure| format!("after {after} ms, {failure}"))
        };
        self.since(moment).into_iter().filter_map(text).collect()
    }

    /// Fails with what happened when a request failed since the given moment.
    pub fn none_failed_since(&self, moment: Instant) -> Result<()> {
        let failures = self.failures_since(moment);
        ensure!(
            failures.is_empty(),
            "of {} requests {} failed: {}",
            self.since(moment).len(),
            failures.len(),
            failures.join("; ")
        );
        Ok(())
    }

    /// Waits for this many requests, however they end, and gives them.
    pub fn next(&self, count: usize) -> Result<Vec<Sample>> {
        let moment = Instant::now();
        let limit = (PAUSE + self.limit) * u32::try_from(count).unwrap_or(u32::MAX) * 2;
        wait::until(format_args!("{count} requests"), limit, || {
            let samples = self.since(moment);
            Ok((samples.len() >= count).then_some(samples))
        })
    }

    /// Waits for an answer to a request that ended after the given moment.
    pub fn wait_served(&self, moment: Instant, limit: Duration) -> Result<()> {
        wait::for_it("the client is served", limit, || {
            Ok(self.answered_since(moment) > 0)
        })
    }

    /// Waits until so many servers share the requests, of which none may be lost; gives the last shares. With `wlc`
    /// that takes some hundred requests after a change of router: a connection that was open at that moment and
    /// has ended unseen counts as one in use, so that its server gets no other for a while.
    pub fn wait_shared(&self, servers: usize, limit: Duration) -> Result<BTreeMap<String, usize>> {
        let what = format!("{servers} servers share the requests");
        wait::until(what, limit, || {
            let samples = self.next(40)?;
            let shares = shares(&samples);
            let answered: usize = shares.values().sum();
            ensure!(
                answered == samples.len(),
                "of {} requests {answered} were answered: {shares:?}",
                samples.len()
            );
            Ok((shares.len() == servers).then_some(shares))
        })
    }

    /// The outage around an event: see `outage`.
    pub fn outage(&self, event: Instant) -> Result<Duration> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        outage(&samples, event)
            .ok_or_else(|| Error::unmet("the client was not served before and after"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Asks once.
pub fn request(target: SocketAddr, limit: Duration) -> std::io::Result<String> {
    ask(|| TcpStream::connect_timeout(&target, limit), limit)
}

/// Asks once from this port of the client, even if it was used a moment ago; connecting has a limit of
/// its own.
pub fn request_from(
    port: u16,
    target: SocketAddrV4,
    connecting: Duration,
    answering: Duration,
) -> std::io::Result<String> {
    let connect = || {
        let socket = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )?;
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
        let (seconds, rest) = (connecting.as_secs(), connecting.subsec_micros());
        let limit = TimeVal::new(i64::try_from(seconds).unwrap_or(1), rest.into());
        // It limits connecting too.
        setsockopt(&socket, sockopt::SendTimeout, &limit)?;
        bind(
            socket.as_raw_fd(),
            &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)),
        )?;
        connect(socket.as_raw_fd(), &SockaddrIn::from(target)).map_err(|error| match error {
            // What the limit is called here.
            Errno::EINPROGRESS => Errno::ETIMEDOUT,
            other => other,
        })?;
        Ok(TcpStream::from(socket))
    };
    ask(connect, answering)
}

fn ask(
    connect: impl FnOnce() -> std::io::Result<TcpStream>,
    limit: Duration,
) -> std::io::Result<String> {
    let mut step = "connecting";
    let mut answer = String::new();
    let steps = || {
        let mut stream = connect()?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        step = "asking";
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        step = "waiting for the answer";
        stream.read_to_string(&mut answer)
    };
    steps().map_err(|error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{step}: {error}"))
    })?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.0 200") && body.ends_with('\n') => {
            Ok(body.trim_end().to_owned())
        }
        _ => Err(std::io::ErrorKind::InvalidData.into()),
    }
}

/// A connection that stays open.
#[derive(Debug)]
pub struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    /// Connects; every answer has to come within a second.
    pub fn open(node: &Node, target: SocketAddr) -> Result<Self> {
        Self::open_within(node, target, Duration::from_secs(1))
    }

    /// Connects; every answer has to come within the limit.
    pub fn open_within(node: &Node, target: SocketAddr, limit: Duration) -> Result<Self> {
        let connected = node.run(move || TcpStream::connect_timeout(&target, limit))?;
        let stream = connected.during("opening a session through the VIP")?;
        stream
            .set_read_timeout(Some(limit))
            .during("setting a limit")?;
        let mut session = Self {
            stream: BufReader::new(stream),
        };
        session.exchange()?;
        Ok(session)
    }

    /// Sends a line and waits for the answer to its end: what stayed unread of one would pass for the
    /// next one.
    pub fn exchange(&mut self) -> Result<()> {
        let mut answer = String::new();
        self.stream
            .get_mut()
            .write_all(b"ECHO\n")
            .and_then(|()| self.stream.read_line(&mut answer))
            .and_then(|_| {
                if answer.ends_with('\n') {
                    Ok(())
                } else {
                    Err(std::io::ErrorKind::UnexpectedEof.into())
                }
            })
            .during("an open session goes on")
    }
}

/// How many requests each server answered.
pub fn shares(samples: &[Sample]) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for name in samples.iter().filter_map(|sample| sample.server.clone()) {
        *shares.entry(name).or_default() += 1;
    }
    shares
}

/// The longest time without an answer, from the last answer before the event on. Nothing when
/// there was no answer before it or none after.
pub fn outage(samples: &[Sample], event: Instant) -> Option<Duration> {
    let mut answered = samples
        .iter()
        .filter(|sample| sample.server.is_some())
        .map(|sample| sample.at);
    let mut last = None;
    let mut first_after = None;
    for at in answered.by_ref() {
        if at > event {
            first_after = Some(at);
            break;
        }
        last = Some(at);
    }
    let mut last = last?;
    let mut longest = Duration::ZERO;
    for at in std::iter::once(first_after?).chain(answered) {
        longest = longest.max(at - last);
        last = at;
    }
    Some(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(start: Instant, list: &[(u64, bool)]) -> Vec<Sample> {
        list.iter()
            .map(|&(at, served)| Sample {
                at: start + Duration::from_millis(at),
                server: served.then(|| "web1".to_owned()),
                failure: (!served).then(|| "connecting: refused".to_owned()),
            })
            .collect()
    }

    #[test]
    fn outage_is_the_longest_gap_after_the_event() {
        let start = Instant::now();
        let list = samples(
            start,
            &[
                (0, true),
                (900, true),
                (1000, true),
                (1150, false),
                (1400, true),
                (1420, true),
            ],
        );
        let event = start + Duration::from_millis(1010);
        assert_eq!(outage(&list, event), Some(Duration::from_millis(400)));
    }

    #[test]
    fn without_an_answer_after_the_event_there_is_no_figure() {
        let start = Instant::now();
        let list = samples(start, &[(0, true), (100, true), (300, false)]);
        assert_eq!(outage(&list, start + Duration::from_millis(150)), None);
        assert_eq!(outage(&[], start), None);
    }
}
