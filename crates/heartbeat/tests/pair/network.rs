//! Two lossy paths between two routers, each direction by itself.

use super::rng::Rng;
use heartbeat::Path;
use std::time::Duration;

pub(crate) const PATHS: [Path; 2] = [Path::Public, Path::Private];

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
    /// When copies of a packet sent now arrive.
    pub(crate) fn deliveries(&self, rng: &mut Rng) -> Vec<Duration> {
        let copies = 1 + u64::from(rng.chance(self.duplicates));
        let mut deliveries = Vec::new();
        for _ in 0..copies {
            if !self.cut && !rng.chance(self.loss) {
                deliveries.push(Duration::from_micros(
                    100 + rng.below(1 + self.jitter * 1000),
                ));
            }
        }
        deliveries
    }

    pub(crate) fn is_good(&self) -> bool {
        !self.cut && self.loss == 0
    }
}

/// `links[path][sender]`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Network {
    pub(crate) links: [[Link; 2]; 2],
}

impl Network {
    /// Whether heartbeats pass both ways on one of the first `paths` paths.
    pub(crate) fn connects(&self, paths: usize) -> bool {
        self.links
            .iter()
            .take(paths)
            .any(|path| path.iter().all(Link::is_good))
    }
}
