//! How soon a client may try to log in again. Time is an argument.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Failures without consequence.
const FREE: u32 = 3;
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(60);
/// After so long without a failure a client is forgotten.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Clients that are remembered.
const CLIENTS: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Client {
    failures: u32,
    last: Duration,
}

impl Client {
    fn pause(self) -> Duration {
        let doublings = self.failures.saturating_sub(FREE);
        match 2u64.checked_pow(doublings) {
            _ if doublings == 0 => Duration::ZERO,
            Some(seconds) => Duration::from_secs(seconds).min(LONGEST),
            None => LONGEST,
        }
    }
}

/// Failed log-ins by client.
#[derive(Debug, Default)]
pub(crate) struct Attempts(HashMap<IpAddr, Client>);

impl Attempts {
    /// How long the client must wait; `None`: it may try.
    pub(crate) fn wait(&self, now: Duration, client: IpAddr) -> Option<Duration> {
        let client = self.0.get(&client_network(client))?;
        let until = client.last + client.pause();
        until.checked_sub(now).filter(|left| !left.is_zero())
    }

    pub(crate) fn failed(&mut self, now: Duration, client: IpAddr) {
        self.0
            .retain(|_, client| now.saturating_sub(client.last) < MEMORY);
        if self.0.len() >= CLIENTS {
            let oldest = self.0.iter().min_by_key(|(_, client)| client.last);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                self.0.remove(&oldest);
            }
        }
        let client = self.0.entry(client_network(client)).or_insert(Client {
            failures: 0,
            last: now,
        });
        client.failures = client.failures.saturating_add(1);
        client.last = now;
    }

    pub(crate) fn succeeded(&mut self, client: IpAddr) {
        self.0.remove(&client_network(client));
    }
}

/// Who has one IPv6 address has the whole /64.
pub(crate) fn client_network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn r5_guessing_becomes_slow() {
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let mut attempts = Attempts::default();
        let (mut now, mut tried) = (Duration::ZERO, 0);
        while now < at(3600) {
            match attempts.wait(now, client) {
                Some(wait) => now += wait,
                None => {
                    tried += 1;
                    attempts.failed(now, client);
                }
            }
        }
        assert!((60..75).contains(&tried), "{tried} within an hour");
        assert_eq!(
            attempts.wait(now, "192.0.2.2".parse().unwrap()),
            None,
            "others do not wait"
        );
        attempts.succeeded(client);
        assert_eq!(attempts.wait(now, client), None);
    }

    #[test]
    fn the_first_failures_are_free_and_time_heals() {
        let client: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        let mut attempts = Attempts::default();
        for _ in 0..FREE {
            attempts.failed(at(1), client);
        }
        assert_eq!(attempts.wait(at(1), client), None);
        attempts.failed(at(1), neighbour);
        assert_eq!(attempts.wait(at(1), client), Some(at(2)));
        assert_eq!(attempts.wait(at(3), client), None);
        attempts.failed(at(3000), neighbour);
        assert_eq!(attempts.wait(at(3000), client), None, "forgotten meanwhile");
    }

    #[test]
    fn r23_memory_is_bounded() {
        let mut attempts = Attempts::default();
        for number in 0..3_000u32 {
            attempts.failed(at(1), IpAddr::V4(number.into()));
        }
        assert!(attempts.0.len() <= CLIENTS);
    }
}
