//! The state machine of one real server. Source: `piranha-daemons.md` 5.6, 5.7, 5.10, 5.11 with
//! the better behaviour of B30, B45, B53 and B67.

use crate::pause::Pauses;
use crate::settings::Settings;
use crate::weight;
use std::time::Duration;

/// Outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The server does its work.
    Available,
    /// It does not, for this reason.
    Unavailable(String),
}

/// State that an administrator forces by signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// USR1: out of the table, no checks.
    Down,
    /// USR2: in the table, no checks.
    Up,
    /// HUP: back to checks, the next success counts at once.
    Normal,
}

/// What is known about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No check has ended yet.
    Unknown,
    /// Used, or to be used.
    Up,
    /// Not used.
    Down,
}

/// How a joining server's entry comes into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// There is none: add it.
    Add,
    /// There is one with another weight: change it.
    Edit,
    /// It is there as it should be.
    Keep,
}

/// What becomes of a leaving server's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Deleted, with its connections.
    Delete,
    /// Kept with weight 0.
    Quiesce,
    /// There was none.
    Nothing,
}

/// Why a server leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A check failed, for this reason.
    Check(String),
    /// An administrator's signal.
    Forced,
    /// The checker ends.
    Terminated,
}

/// What shall happen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The server is used from now on.
    Join {
        /// Weight that its entry shall have.
        weight: u32,
        /// How the entry gets there.
        entry: Entry,
    },
    /// Only the weight changes.
    SetWeight {
        /// Weight that the entry shall have.
        weight: u32,
    },
    /// The server is no longer used.
    Leave {
        /// Why.
        cause: Cause,
        /// What becomes of its entry.
        removal: Removal,
    },
    /// A check failed and nothing follows from it, yet or any more.
    Failed {
        /// Why.
        reason: String,
        /// Nobody has been told yet that this server is down.
        first: bool,
    },
    /// Ask the load monitor and hand the answer to [`Server::handle_load`].
    QueryLoad,
}

/// One real server, as its checker sees it.
#[derive(Debug, Clone)]
pub struct Server {
    settings: Settings,
    threshold: u64,
    count: u64,
    failures: u32,
    standing: Standing,
    announced: bool,
    forced: Option<Force>,
    /// Weight of the entry in the table; `None` without entry.
    entry: Option<u32>,
    next: Duration,
    pauses: Pauses,
}

impl Server {
    /// A server whose first check is due at once.
    ///
    /// With a found weight the checker goes on where its predecessor stood: the server counts as
    /// up until a check says otherwise, and there is no new ramp. An entry found with weight 0
    /// under a greater configured weight had been quiesced: the server has to show itself first.
    pub fn new(settings: Settings) -> Self {
        let adopted = settings
            .found_weight
            .filter(|found| *found > 0 || settings.weight == 0);
        let threshold = settings.threshold();
        Self {
            threshold,
            count: threshold,
            failures: 0,
            standing: if adopted.is_some() {
                Standing::Up
            } else {
                Standing::Unknown
            },
            announced: false,
            forced: None,
            entry: settings.found_weight,
            next: Duration::ZERO,
            pauses: Pauses::new(settings.seed),
            settings,
        }
    }

    /// What is known about the server.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Weight of its entry in the table as this checker left it, `None` without entry.
    pub fn entry(&self) -> Option<u32> {
        self.entry
    }

    /// When the next check is due; `None` while a state is forced.
    pub fn next_check(&self) -> Option<Duration> {
        self.forced.is_none().then_some(self.next)
    }

    /// Successful checks since the last failure, plus the head start of a new checker.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Takes the verdict of a check that ended at `now`. Without effect while a state is forced.
    pub fn handle_check(&mut self, now: Duration, verdict: Verdict) -> Vec<Action> {
        if self.forced.is_some() {
            return Vec::new();
        }
        self.next = now.saturating_add(self.pauses.next(self.settings.interval));
        match verdict {
            Verdict::Available => self.succeeded(),
            Verdict::Unavailable(reason) => vec![self.failed(reason)],
        }
    }

    /// Takes the answer to [`Action::QueryLoad`]: the load average of the last minute.
    pub fn handle_load(&mut self, load: f64) -> Vec<Action> {
        let Some(last) = self.entry.filter(|_| self.standing == Standing::Up) else {
            return Vec::new();
        };
        weight::by_load(&self.settings, last, load).map_or_else(Vec::new, |w| vec![self.set(w)])
    }

    /// Takes an administrator's signal.
    pub fn handle_signal(&mut self, now: Duration, force: Force) -> Vec<Action> {
        self.failures = 0;
        match force {
            Force::Down if self.forced == Some(Force::Down) => Vec::new(),
            Force::Down => {
                self.forced = Some(force);
                self.count = 0;
                vec![self.leave(Cause::Forced, false)]
            }
            Force::Up => {
                self.forced = Some(force);
                if self.standing == Standing::Up && self.announced {
                    Vec::new()
                } else {
                    vec![self.join(self.settings.weight)]
                }
            }
            Force::Normal => {
                self.forced = None;
                self.count = self.threshold;
                self.next = now;
                // A forced "down" says nothing about the server: the next verdict is told anew.
                self.announced = self.standing == Standing::Up && self.announced;
                Vec::new()
            }
        }
    }

    /// The checker ends: its server leaves the table (an entry quiesced before stays, 5.11).
    pub fn handle_stop(&mut self) -> Vec<Action> {
        if self.standing == Standing::Up {
            vec![self.leave(Cause::Terminated, false)]
        } else {
            Vec::new()
        }
    }

    fn succeeded(&mut self) -> Vec<Action> {
        self.failures = 0;
        self.count = self.count.saturating_add(1);
        let mut actions = Vec::new();
        if self.standing == Standing::Up && !self.announced {
            let found = self.entry.unwrap_or(0);
            actions.push(self.join(weight::resume(&self.settings, found)));
        } else if self.standing != Standing::Up && self.count >= self.threshold {
            actions.push(self.join(weight::start(&self.settings)));
        }
        if self.standing == Standing::Up {
            actions.extend(self.step());
        }
        actions
    }

    fn failed(&mut self, reason: String) -> Action {
        if self.standing == Standing::Up {
            self.failures = self.failures.saturating_add(1);
            if self.failures < self.settings.retries {
                return Action::Failed {
                    reason,
                    first: false,
                };
            }
            self.count = 0;
            return self.leave(Cause::Check(reason), self.settings.quiesce);
        }
        self.count = 0;
        self.standing = Standing::Down;
        Action::Failed {
            reason,
            first: !std::mem::replace(&mut self.announced, true),
        }
    }

    /// The weight step of a successful cycle, about every 20 s.
    fn step(&mut self) -> Option<Action> {
        let last = self.entry.filter(|_| self.settings.weight > 0)?;
        if !self.count.is_multiple_of(self.settings.checks_per_step()) {
            return None;
        }
        if let Some(next) = weight::climb(&self.settings, last) {
            return Some(self.set(next));
        }
        self.settings.load_monitor.then_some(Action::QueryLoad)
    }

    fn set(&mut self, weight: u32) -> Action {
        self.entry = Some(weight);
        Action::SetWeight { weight }
    }

    fn join(&mut self, weight: u32) -> Action {
        let entry = match self.entry.replace(weight) {
            None => Entry::Add,
            Some(found) if found == weight => Entry::Keep,
            Some(_) => Entry::Edit,
        };
        self.standing = Standing::Up;
        self.announced = true;
        Action::Join { weight, entry }
    }

    fn leave(&mut self, cause: Cause, quiesce: bool) -> Action {
        self.standing = Standing::Down;
        self.announced = true;
        self.failures = 0;
        let removal = match self.entry {
            None => Removal::Nothing,
            Some(_) if quiesce => Removal::Quiesce,
            Some(_) => Removal::Delete,
        };
        self.entry = (removal == Removal::Quiesce).then_some(0);
        Action::Leave { cause, removal }
    }
}
