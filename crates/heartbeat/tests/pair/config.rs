//! What kind of pair a seed is about.

use super::rng::Rng;
use heartbeat::{Configuration, Role, Settings};
use std::time::Duration;

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Config {
    /// Of both, apart from the role.
    pub(crate) settings: Settings,
    /// Which of the two is an original.
    pub(crate) original: Option<usize>,
    /// Heartbeats have tags, and must be of their moment.
    pub(crate) keyed: bool,
    /// `monitor_links`.
    pub(crate) monitored: bool,
}

impl Config {
    /// Two of ours, with every rule that needs no setting.
    pub(crate) fn plain(keepalive: Duration, deadtime: Duration) -> Self {
        Self {
            settings: Settings {
                role: Role::Primary,
                partner: true,
                second_path: true,
                keepalive,
                deadtime,
                vip_lifetime: Some(lifetime(keepalive, deadtime)),
                witness: false,
                failback: None,
                relays: true,
                configuration: Configuration {
                    serial: 1,
                    digest: 1,
                },
            },
            original: None,
            keyed: false,
            monitored: false,
        }
    }

    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let original = rng.chance(25).then(|| rng.below(2) as usize);
        let keepalive = match rng.below(1000) {
            // Originals count whole seconds.
            0..700 if original.is_some() => ms(1000),
            _ if original.is_some() => ms(2000),
            0..500 => ms(1000),
            500..700 => ms(2000),
            700..940 => ms(500),
            // These take long.
            940..997 => ms(100),
            _ => ms(10),
        };
        let plain = Self::plain(keepalive, keepalive * (2 + rng.below(5) as u32));
        Self {
            settings: Settings {
                second_path: rng.chance(80),
                vip_lifetime: plain.settings.vip_lifetime.filter(|_| rng.chance(85)),
                witness: rng.chance(25),
                failback: rng.chance(20).then(|| ms(1000 * (5 + rng.below(40)))),
                relays: rng.chance(50),
                ..plain.settings
            },
            original,
            keyed: original.is_none() && rng.chance(35),
            monitored: rng.chance(30),
        }
    }
}

/// The default of `vip_lifetime`.
fn lifetime(keepalive: Duration, deadtime: Duration) -> Duration {
    Duration::from_secs((deadtime - keepalive).as_secs().max(2))
}
