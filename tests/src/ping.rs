//! A client that asks the VIP for an echo every millisecond, and writes down when answers came by
//! the kernel's time. It goes by its neighbour table as any client does, so it sees an outage until
//! the winner's announcement.

use std::io::IoSliceMut;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn,
    connect, recvmsg, send, setsockopt, socket, sockopt,
};

use crate::error::{Context, Error, Result};
use crate::node::Node;
use crate::wait;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(1);
/// Type of an answer.
const ECHO_REPLY: u8 = 0;

/// A running client.
#[derive(Debug)]
pub struct Ping {
    answers: Arc<Mutex<Vec<Duration>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ping {
    /// Starts asking.
    pub fn start(node: &Node, target: Ipv4Addr) -> Result<Self> {
        let socket = node.run(move || open(target))??;
        let answers = Arc::<Mutex<Vec<Duration>>>::default();
        let stop = Arc::<AtomicBool>::default();
        let (written, stopped) = (Arc::clone(&answers), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            go_first();
            let mut next = Instant::now();
            let mut number = 0_u16;
            while !stopped.load(Ordering::Relaxed) {
                let now = Instant::now();
                if now >= next {
                    // A network that is down is silence.
                    let _ = send(
                        socket.as_raw_fd(),
                        &question(number),
                        MsgFlags::MSG_DONTWAIT,
                    );
                    number = number.wrapping_add(1);
                    next = now + PAUSE;
                }
                let mut waiting = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
                let _ = poll(&mut waiting, PollTimeout::from(1_u8));
                while let Some(at) = answer(&socket) {
                    written
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(at);
                }
            }
        });
        Ok(Self {
            answers,
            stop,
            thread: Some(thread),
        })
    }

    /// Times of day of all answers so far.
    pub fn answers(&self) -> Vec<Duration> {
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until answers have come for a while without a pause worth mentioning.
    pub fn wait_steady(&self, limit: Duration) -> Result<()> {
        const STEADY: usize = 100;
        wait::for_it("the VIP answers steadily", limit, || {
            let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let last = answers.iter().rev().take(STEADY).collect::<Vec<_>>();
            Ok(match (last.first(), last.get(STEADY - 1)) {
                (Some(newest), Some(oldest)) => {
                    // All of them are of this moment.
                    time_of_day().saturating_sub(**newest) < Duration::from_millis(50)
                        && newest.saturating_sub(**oldest) < PAUSE * 10 * STEADY as u32
                }
                _ => false,
            })
        })
    }

    /// The longest time without an answer from the last one before `event` on.
    pub fn outage(&self, event: Duration) -> Result<Duration> {
        longest_gap(&self.answers(), event)
            .ok_or_else(|| Error::unmet("the VIP did not answer before and after the event"))
    }
}

impl Drop for Ping {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The time of day, as packets have it.
pub fn time_of_day() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

/// Lets the calling thread go before all others, where that is permitted: an instrument that waits for
/// a processor measures that.
pub fn go_first() {
    let thread = nix::unistd::gettid().to_string();
    let _ = Command::new("chrt")
        .args(["--reset-on-fork", "--fifo", "--pid", "10", &thread])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

fn longest_gap(answers: &[Duration], event: Duration) -> Option<Duration> {
    let first = answers.partition_point(|at| *at <= event).checked_sub(1)?;
    let from = answers.get(first..)?;
    from.windows(2)
        .filter_map(|pair| Some(pair.get(1)?.saturating_sub(*pair.first()?)))
        .max()
}

fn open(target: Ipv4Addr) -> Result<OwnedFd> {
    let socket = socket(
        AddressFamily::Inet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::Icmp,
    )
    .during("opening a socket for echo requests")?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true).during("asking for packet times")?;
    let [a, b, c, d] = target.octets();
    connect(socket.as_raw_fd(), &SockaddrIn::new(a, b, c, d, 0)).during("choosing the target")?;
    Ok(socket)
}

/// An echo request without data.
fn question(number: u16) -> [u8; 8] {
    let [high, low] = number.to_be_bytes();
    let identifier = 0x1ab0_u16;
    let sum = 0x0800_u32 + u32::from(identifier) + u32::from(number);
    let folded = (sum & 0xffff) + (sum >> 16);
    let [check_high, check_low] = (!(folded as u16)).to_be_bytes();
    let [id_high, id_low] = identifier.to_be_bytes();
    [8, 0, check_high, check_low, id_high, id_low, high, low]
}

/// When the next answer that waits in the socket came.
fn answer(socket: &OwnedFd) -> Option<Duration> {
    loop {
        let mut buffer = [0; 128];
        let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
        let (length, at) = {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let message = recvmsg::<SockaddrIn>(
                socket.as_raw_fd(),
                &mut parts,
                Some(&mut control),
                MsgFlags::MSG_DONTWAIT,
            )
            .ok()?;
            let at = message.cmsgs().ok()?.find_map(|part| match part {
                ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
                _ => None,
            });
            (message.bytes, at?)
        };
        // After the IP header; errors of other packets come here too.
        let header = usize::from(buffer.first()? & 0x0f) * 4;
        if length > header && buffer.get(header) == Some(&ECHO_REPLY) {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_counts_from_the_last_answer_before_the_event() {
        let times = [0, 1, 2, 40, 41, 90, 91].map(Duration::from_millis);
        let gap = |event| longest_gap(&times, Duration::from_millis(event));
        assert_eq!(gap(3), Some(Duration::from_millis(49)));
        assert_eq!(gap(90), Some(Duration::from_millis(1)));
        assert_eq!(gap(91), None);
    }

    #[test]
    fn a_question_has_a_good_checksum() {
        for number in [0, 1, 0x7fff, 0xffff] {
            let words = question(number);
            let sum: u32 = words
                .chunks(2)
                .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
                .sum();
            assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
        }
    }

    #[test]
    fn the_own_host_answers() {
        let node = Node::new("echo").unwrap();
        node.ip("link set lo up\n").unwrap();
        let ping = Ping::start(&node, Ipv4Addr::LOCALHOST).unwrap();
        let limit = Duration::from_secs(60);
        wait::for_it("answers", limit, || Ok(ping.answers().len() > 10)).unwrap();
        assert!(ping.outage(Duration::ZERO).is_err());
    }
}
