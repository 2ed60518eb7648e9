//! Both routers say that they are active: the evidence, for people.

use crate::{Path, Phase, Role};
use std::fmt;

/// Where one of two routers stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// Its role.
    pub role: Role,
    /// Number of its run.
    pub boot: u64,
    /// Its phase.
    pub phase: Phase,
    /// Its claim; the higher one stays.
    pub epoch: u64,
}

impl fmt::Display for Stand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            role,
            boot,
            phase,
            epoch,
        } = self;
        write!(f, "{role}, run {boot:016x}, {phase}, epoch {epoch}")
    }
}

/// What was heard, where, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clash {
    /// The path on which the partner said "running".
    pub path: Path,
    /// This router.
    pub own: Stand,
    /// The partner; `None`: an original, which says no more than its word.
    pub partner: Option<Stand>,
    /// Whether this router stays active.
    pub stays: bool,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "both routers are active: heard on the {} path \"running\" from ",
            self.path
        )?;
        match &self.partner {
            Some(partner) => write!(f, "the partner ({partner})")?,
            None => f.write_str("an original")?,
        }
        let outcome = if self.stays { "stays" } else { "lets go" };
        write!(f, "; this router ({}) {outcome}", self.own)
    }
}
