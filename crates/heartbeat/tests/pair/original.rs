//! A router with the original's rules (`piranha-daemons.md` 3.6, 3.7, 3.9, 3.10; G8), as a partner.
//!
//! Its clock is the wall clock, it looks at nothing while it activates, and what it was once told
//! by a dead lvsd it forgets only when its partner is active.

use heartbeat::{Role, Word};
use std::time::Duration;

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Send(Word),
    /// Its addresses come up when the activation, which blocks it, is over.
    Activate,
    Deactivate,
}

#[derive(Debug, Clone)]
pub(crate) struct Original {
    role: Role,
    keepalive: Duration,
    deadtime: Duration,
    pub(crate) active: bool,
    /// CHILDFAIL.
    pub(crate) latched: bool,
    send_at: Duration,
    need_at: Duration,
    /// The wall clock runs ahead of the true time by this much.
    offset: Duration,
    blocked_until: Duration,
}

impl Original {
    pub(crate) fn new(
        role: Role,
        (keepalive, deadtime): (Duration, Duration),
        now: Duration,
        offset: Duration,
    ) -> Self {
        let wall = now + offset;
        Self {
            role,
            keepalive,
            deadtime,
            active: false,
            latched: false,
            send_at: wall + keepalive,
            need_at: wall + deadtime,
            offset,
            blocked_until: now,
        }
    }

    /// In true time.
    pub(crate) fn deadline(&self) -> Duration {
        self.send_at
            .min(self.need_at)
            .saturating_sub(self.offset)
            .max(self.blocked_until)
    }

    /// It looks at nothing before.
    pub(crate) fn blocked_until(&self) -> Duration {
        self.blocked_until
    }

    /// The wall clock is set.
    pub(crate) fn set_clock(&mut self, offset: Duration) {
        self.offset = offset;
    }

    pub(crate) fn timeout(&mut self, now: Duration, activation: Duration) -> Vec<Act> {
        let wall = now + self.offset;
        if wall >= self.send_at {
            self.send_at = wall + self.keepalive;
            return vec![Act::Send(self.word())];
        }
        if wall >= self.need_at {
            self.need_at = wall + self.deadtime;
            if !self.active && !self.latched {
                return self.activate(now, activation);
            }
        }
        Vec::new()
    }

    pub(crate) fn heard(&mut self, now: Duration, word: Word, activation: Duration) -> Vec<Act> {
        self.need_at = now + self.offset + self.deadtime;
        match (word, self.active, self.role) {
            (Word::Running, false, _) => {
                self.latched = false;
                Vec::new()
            }
            (Word::Running, true, Role::Backup) => {
                self.active = false;
                vec![Act::Send(Word::Running), Act::Deactivate]
            }
            (Word::Stopped, false, _) if !self.latched => self.activate(now, activation),
            _ => Vec::new(),
        }
    }

    pub(crate) fn lvs_died(&mut self) -> Vec<Act> {
        self.latched = true;
        if std::mem::take(&mut self.active) {
            vec![Act::Deactivate]
        } else {
            Vec::new()
        }
    }

    fn activate(&mut self, now: Duration, activation: Duration) -> Vec<Act> {
        self.active = true;
        self.blocked_until = now + activation;
        vec![Act::Activate]
    }

    fn word(&self) -> Word {
        if self.active {
            Word::Running
        } else {
            Word::Stopped
        }
    }
}
