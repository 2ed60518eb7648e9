//! Two lossy heartbeat paths between two routers, each direction by itself, the service network
//! on which VIPs are asked for, and the witness.

use super::rng::Rng;
use heartbeat::Path;
use std::time::Duration;

pub(crate) const PATHS: [Path; 2] = [Path::Public, Path::Private];

/// Delay without jitter, in microseconds.
const SHORTEST: u64 = 100;

/// One direction of one path.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Link {
    pub(crate) cut: bool,
    /// Chance in a hundred that a packet is lost.
    pub(crate) loss: u64,
    /// Longest delay in milliseconds.
    pub(crate) jitter: u64,
    /// Chance in a hundred that a packet arrives twice.
    pub(crate) duplicates: u64,
}

impl Link {
    /// Whether a packet sent now arrives.
    pub(crate) fn passes(&self, rng: &mut Rng) -> bool {
        !self.cut && (self.loss == 0 || !rng.chance(self.loss))
    }

    /// After which time it does.
    pub(crate) fn delay(&self, rng: &mut Rng) -> Duration {
        Duration::from_micros(SHORTEST + rng.below(1 + self.jitter * 1000))
    }

    fn longest_delay(&self) -> Duration {
        Duration::from_micros(SHORTEST + self.jitter * 1000)
    }

    /// How often a packet is on its way.
    pub(crate) fn copies(&self, rng: &mut Rng) -> u64 {
        1 + u64::from(self.duplicates > 0 && rng.chance(self.duplicates))
    }

    pub(crate) fn is_good(&self) -> bool {
        !self.cut && self.loss == 0
    }
}

/// `links[path][sender]`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Network {
    pub(crate) links: [[Link; 2]; 2],
    /// A router's way to the service network.
    pub(crate) service: [Link; 2],
    pub(crate) witness_down: bool,
}

impl Network {
    /// Whether heartbeats pass both ways on one of the first `paths` paths.
    pub(crate) fn connects(&self, paths: usize) -> bool {
        self.links
            .iter()
            .take(paths)
            .any(|path| path.iter().all(Link::is_good))
    }

    /// Whether every question for a VIP is answered, sooner or later.
    pub(crate) fn serves(&self) -> bool {
        self.service.iter().all(Link::is_good)
    }

    /// Whether every question for a VIP is answered within this time.
    pub(crate) fn serves_within(&self, time: Duration) -> bool {
        let longest: Duration = self.service.iter().map(Link::longest_delay).sum();
        self.serves() && longest <= time
    }

    /// Whether nothing is lost anywhere.
    pub(crate) fn is_good(&self, paths: usize) -> bool {
        let heartbeats = self.links.iter().take(paths).flatten().all(Link::is_good);
        heartbeats && self.serves() && !self.witness_down
    }
}
