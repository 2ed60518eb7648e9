//! One of the two ways that heartbeats take, and whether it works.
//!
//! Owns what was heard on it and when. Must not decide about roles: one silent path is a warning.

use crate::{Notice, Word};
use std::fmt;
use std::time::Duration;

/// Public or private network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Path {
    /// Between the `primary` and `backup` addresses.
    Public,
    /// Between the `primary_private` and `backup_private` addresses.
    Private,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Private => "private",
        })
    }
}

/// Whether a path works, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathHealth {
    /// Nothing heard yet, nor missed.
    Unknown,
    /// Heartbeats arrive.
    Alive,
    /// Silent while the other path works; reported.
    Silent,
    /// Heard again since this time, not yet steadily.
    Recovering(Duration),
}

/// What people may know about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathStatus {
    /// Which one.
    pub path: Path,
    /// Whether it works.
    pub health: PathHealth,
    /// When the last valid heartbeat arrived.
    pub last_heard: Option<Duration>,
    /// What it said.
    pub word: Option<Word>,
}

#[derive(Debug, Clone)]
pub(crate) struct PathWatch {
    path: Path,
    since: Duration,
    last_heard: Option<Duration>,
    word: Option<Word>,
    /// Run and number of the last heartbeat, where it has one.
    number: Option<(u64, u64)>,
    health: PathHealth,
}

impl PathWatch {
    pub(crate) fn new(path: Path, now: Duration) -> Self {
        Self {
            path,
            since: now,
            last_heard: None,
            word: None,
            number: None,
            health: PathHealth::Unknown,
        }
    }

    /// Forgets what was heard: silence counts from now.
    pub(crate) fn restart(&mut self, now: Duration) {
        self.expect_from(now);
        self.word = None;
        self.last_heard = None;
    }

    /// Silence counts from now: before, nothing was to be expected.
    pub(crate) fn expect_from(&mut self, now: Duration) {
        self.since = now;
    }

    /// Takes note of a heartbeat; gives the word that this path carried before.
    pub(crate) fn heard(
        &mut self,
        now: Duration,
        word: Word,
        number: Option<(u64, u64)>,
    ) -> Option<Word> {
        self.number = number;
        self.since = now;
        self.last_heard = Some(now);
        match self.health {
            PathHealth::Unknown => self.health = PathHealth::Alive,
            PathHealth::Silent => self.health = PathHealth::Recovering(now),
            PathHealth::Alive | PathHealth::Recovering(_) => {}
        }
        match word {
            Word::Running | Word::Stopped => self.word.replace(word),
            Word::StopMe | Word::Hold | Word::Held => self.word,
        }
    }

    /// Whether the last word on this path is "running", said within `within`.
    pub(crate) fn says_running(&self, now: Duration, within: Duration) -> bool {
        self.word == Some(Word::Running)
            && self
                .last_heard
                .is_some_and(|heard| now.saturating_sub(heard) < within)
    }

    /// Run and number of the last heartbeat on this path.
    pub(crate) fn number(&self) -> Option<(u64, u64)> {
        self.number
    }

    /// Since when this path is silent.
    pub(crate) fn since(&self) -> Duration {
        self.since
    }

    /// When silence becomes worth a warning.
    pub(crate) fn silent_at(&self, keepalive: Duration) -> Duration {
        self.since + keepalive * 2
    }

    /// Compares with the other path; at most one warning for a silence and one line for its end.
    pub(crate) fn judge(
        &mut self,
        now: Duration,
        other_since: Duration,
        keepalive: Duration,
    ) -> Option<Notice> {
        let silent = now >= self.silent_at(keepalive);
        // The other path has carried a later heartbeat, not just a copy of the last one.
        let other_alive = other_since >= self.since + keepalive / 2;
        match self.health {
            PathHealth::Unknown | PathHealth::Alive if silent && other_alive => {
                self.health = PathHealth::Silent;
                Some(Notice::PathSilent(self.path))
            }
            PathHealth::Recovering(_) if silent => {
                self.health = PathHealth::Silent;
                None
            }
            // Steady again only after a few heartbeats, so that a lossy path is reported once.
            PathHealth::Recovering(since) if now >= since + keepalive * 3 => {
                self.health = PathHealth::Alive;
                Some(Notice::PathRestored(self.path))
            }
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> PathStatus {
        PathStatus {
            path: self.path,
            health: self.health,
            last_heard: self.last_heard,
            word: self.word,
        }
    }
}
