//! What the administrator decided: role, partner and times; and the phases a router goes through.
//!
//! Owns the values, no behaviour beyond what follows from a single value.

use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// Which of the two routers of lvs.cf this one is. It never changes while running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The router that owns the `primary` address; the original's "master".
    Primary,
    /// The router that owns the `backup` address.
    Backup,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
        })
    }
}

/// Where a router stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not active: listening, or watching an active partner.
    Standby,
    /// Decided to be active; the addresses are not up yet.
    Activating,
    /// Addresses up and announced.
    Active,
    /// Letting go of the addresses.
    Leaving,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standby => "standby",
            Self::Activating => "activating",
            Self::Active => "active",
            Self::Leaving => "leaving",
        })
    }
}

/// Which configuration a router follows, for comparing with the partner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// `serial_no`.
    pub serial: i32,
    /// Of the accepted file; 0: not told.
    pub digest: u64,
}

impl Configuration {
    /// That of a file with this `serial_no`.
    pub fn of(serial: i32, file: &[u8]) -> Self {
        let hash: [u8; 32] = Sha256::digest(file).into();
        let digest = hash
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Self { serial, digest }
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serial_no {}, digest {:016x}", self.serial, self.digest)
    }
}

/// The part of lvs.cf that decisions depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Own role.
    pub role: Role,
    /// `backup_active`: there is a partner to exchange heartbeats with.
    pub partner: bool,
    /// The private addresses differ from the public ones, so there are two paths.
    pub second_path: bool,
    /// Time between two heartbeats.
    pub keepalive: Duration,
    /// Silence after which the partner counts as dead.
    pub deadtime: Duration,
    /// How long VIPs stay when they are not renewed; `None`: until they are removed, or there are
    /// no VIPs. With a lifetime, VIPs that the partner still answers for are a reason not to take
    /// over, since they end when their pulse does.
    pub vip_lifetime: Option<Duration>,
    /// There are `witness` addresses: nobody takes over unless one of them answers.
    pub witness: bool,
    /// `failback`: how long the primary is to be healthy before it asks for the active role;
    /// `None`: it never does.
    pub failback: Option<Duration>,
    /// New connections can be passed on to the partner for the last part of a hand-over.
    pub relays: bool,
    /// Told to the partner.
    pub configuration: Configuration,
}

impl Settings {
    /// How long a router that has just started only listens: a partner that is there is heard
    /// within one keepalive.
    pub fn listening(&self) -> Duration {
        self.keepalive + Duration::from_millis(100)
    }

    /// How long the backup lets the primary go first when neither is active.
    pub fn primary_preferred(&self) -> Duration {
        self.keepalive * 2
    }
}
