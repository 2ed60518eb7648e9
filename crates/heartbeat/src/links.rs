//! Carrier of the interfaces that matter to a router (`piranha-daemons.md` 3.11, B38).
//!
//! Owns what a set of link states means. Must not know interfaces or how their state is learned.

/// Whether the interfaces can carry traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// `monitor_links`: a link that fails is a reason to hand over.
    pub monitored: bool,
    /// That of the own public address.
    pub public: bool,
    /// That of the own private address.
    pub private: bool,
    /// All those of VIPs. Whatever is monitored, nobody takes over without.
    pub vips: bool,
}

impl Default for Links {
    /// Nothing known against any.
    fn default() -> Self {
        Self {
            monitored: false,
            public: true,
            private: true,
            vips: true,
        }
    }
}

impl Links {
    /// Heartbeats may pass again on a link that carried none before.
    pub(crate) const fn regained(&self, before: &Self) -> bool {
        self.public && !before.public
            || self.private && !before.private
            || self.vips && !before.vips
    }

    /// A link failed that is to be minded.
    pub(crate) const fn failed(&self) -> bool {
        self.monitored && !(self.public && self.private && self.vips)
    }
}
