//! What is known about the other router from its heartbeats on both paths.
//!
//! Owns "is it there", "is it active", "has it handed over". Must not decide what follows.

use crate::path::PathWatch;
use crate::{Extended, Heartbeat, Notice, Path, PathStatus, Phase, Settings, Word};
use std::time::Duration;

/// The partner's own claim, both paths taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing heard since start or since it was given up.
    Unknown,
    Running,
    /// Stopped since this time.
    Stopped {
        since: Duration,
        /// It was running before: it has let go and waits for us.
        handed_over: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Partner {
    public: PathWatch,
    private: Option<PathWatch>,
    /// Silence counts from here: the last valid heartbeat, start, or the end of a pause.
    silence_from: Duration,
    /// Where it counted from before somebody, unproven, said that the partner serves.
    silence_before: Option<Duration>,
    ever_heard: bool,
    claim: Claim,
    /// When the last heartbeat that counted was due, and its number: with every keepalive that
    /// follows, a living partner's number grows by one at least.
    counted: (Duration, u64),
    /// The newest extended part; `None` while the partner is, or may be, an original.
    extended: Option<Extended>,
    /// The partner's run before the present one: what still arrives from it is old.
    previous_boot: Option<u64>,
    /// Heartbeats older than what was known already.
    replayed: u64,
}

/// What a heartbeat changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    /// It says that it is running.
    Running,
    /// It was running and is not any more.
    LetGo,
}

impl Partner {
    pub(crate) fn new(settings: &Settings, now: Duration) -> Self {
        Self {
            public: PathWatch::new(Path::Public, now),
            private: settings
                .second_path
                .then(|| PathWatch::new(Path::Private, now)),
            silence_from: now,
            silence_before: None,
            ever_heard: false,
            claim: Claim::Unknown,
            counted: (now, 0),
            extended: None,
            previous_boot: None,
            replayed: 0,
        }
    }

    /// After a pause: nothing that was known before counts.
    pub(crate) fn restart(&mut self, now: Duration) {
        self.silence_from = now;
        self.silence_before = None;
        self.claim = Claim::Unknown;
        self.public.restart(now);
        if let Some(private) = &mut self.private {
            private.restart(now);
        }
    }

    /// Silence counts from now on; what was said stays.
    pub(crate) fn expect_from(&mut self, now: Duration) {
        self.silence_from = now;
        self.silence_before = None;
        self.public.expect_from(now);
        if let Some(private) = &mut self.private {
            private.expect_from(now);
        }
    }

    /// It does not hear this router, but says that it serves: as good as heard until it says
    /// otherwise.
    pub(crate) fn seems_to_serve(&mut self, now: Duration) {
        let before = self.silence_before.unwrap_or(self.silence_from);
        self.expect_from(now);
        self.silence_before = Some(before);
    }

    /// Nor hears it this router when it says that it does not serve any more.
    pub(crate) fn seems_not_to_serve(&mut self) {
        self.silence_from = self.silence_before.take().unwrap_or(self.silence_from);
    }

    pub(crate) fn heard(
        &mut self,
        now: Duration,
        path: Path,
        heartbeat: &Heartbeat,
        keepalive: Duration,
    ) -> Change {
        let word = heartbeat.word;
        let is_news = self.is_news(heartbeat);
        let number = heartbeat.extended.map(|it| (it.boot, it.counter));
        if !is_news && !self.is_copy_of_newest(path, number) {
            return Change::None;
        }
        let (watch, mut other) = match (path, self.private.as_mut()) {
            (Path::Private, Some(private)) => (private, Some(&mut self.public)),
            (_, private) => (&mut self.public, private),
        };
        if now >= self.silence_from + keepalive * 2
            && let Some(other) = &mut other
        {
            // It was silent altogether, and returns on one path a moment before the other.
            other.expect_from(now);
        }
        let before = watch.heard(now, word, number);
        self.silence_from = now;
        self.silence_before = None;
        self.ever_heard = true;
        if !is_news {
            return Change::None;
        }
        // Numbered heartbeats cannot overtake each other; an original's can.
        let numbered = heartbeat.extended.is_some();
        self.counted = (now, number.map_or(0, |(_, counter)| counter));
        match word {
            Word::Running => {
                self.claim = Claim::Running;
                Change::Running
            }
            Word::Stopped => {
                let turned = before == Some(Word::Running);
                // The slower path may still carry "stopped" from before the partner's
                // activation: it counts against a fresh "running" only as a change on that path.
                let contradicted =
                    !numbered && other.is_some_and(|other| other.says_running(now, keepalive * 2));
                match self.claim {
                    Claim::Stopped { .. } => Change::None,
                    Claim::Running if !turned && contradicted => Change::None,
                    Claim::Running => {
                        self.claim = Claim::Stopped {
                            since: now,
                            handed_over: true,
                        };
                        Change::LetGo
                    }
                    Claim::Unknown => {
                        let leaving = |extended: Extended| extended.phase == Phase::Leaving;
                        self.claim = Claim::Stopped {
                            since: now,
                            handed_over: heartbeat.extended.is_some_and(leaving),
                        };
                        Change::None
                    }
                }
            }
            Word::StopMe | Word::Hold | Word::Held => Change::None,
        }
    }

    /// Whether it is what this path has not carried yet of the newest heartbeat. What is older, or
    /// comes twice by the same path, is no sign of life: somebody may be repeating it.
    fn is_copy_of_newest(&self, path: Path, number: Option<(u64, u64)>) -> bool {
        let newest = self.extended.map(|it| (it.boot, it.counter));
        let watch = match (path, &self.private) {
            (Path::Private, Some(private)) => private,
            _ => &self.public,
        };
        number == newest && watch.number() != number
    }

    /// Whether it is newer than all before.
    fn is_news(&mut self, heartbeat: &Heartbeat) -> bool {
        let (Some(new), Some(old)) = (heartbeat.extended, self.extended) else {
            self.extended = heartbeat.extended;
            return true;
        };
        if new.boot == old.boot && new.counter == old.counter {
            return false;
        }
        if self.previous_boot == Some(new.boot) || new.boot == old.boot && new.counter < old.counter
        {
            self.replayed = self.replayed.saturating_add(1);
            return false;
        }
        if new.boot != old.boot {
            self.previous_boot = Some(old.boot);
        }
        self.extended = Some(new);
        true
    }

    /// This run has just proved that it is there, whatever came after it.
    pub(crate) fn is_no_past_run(&mut self, boot: u64) {
        self.previous_boot.take_if(|previous| *previous == boot);
    }

    /// Whether this is a newer heartbeat of the run that is known; if so, nothing older is any more.
    pub(crate) fn advances(&mut self, new: &Extended) -> bool {
        match &mut self.extended {
            Some(known) if new.boot == known.boot && new.counter > known.counter => {
                known.counter = new.counter;
                true
            }
            _ => false,
        }
    }

    /// Whether a heartbeat of the known run with this number can have been sent just now: what is
    /// behind its time was sent when the partner was last there, whoever sends it again.
    pub(crate) fn keeps_time(&mut self, now: Duration, counter: u64, keepalive: Duration) -> bool {
        let (counted_at, number) = self.counted;
        let steps = u32::try_from(counter.saturating_sub(number)).unwrap_or(u32::MAX);
        let due = counted_at.saturating_add(keepalive.saturating_mul(steps));
        let timely = now < due + keepalive;
        if timely {
            // Turns are a little late, one by one.
            self.counted = (now.min(due + keepalive / 8), counter);
        }
        timely
    }

    /// How many heartbeats were older than what was known of their run, or of a run before it.
    pub(crate) fn replayed(&self) -> u64 {
        self.replayed
    }

    /// What it said beyond an original's word.
    pub(crate) fn extended(&self) -> Option<&Extended> {
        self.extended.as_ref()
    }

    pub(crate) fn claim(&self) -> Claim {
        self.claim
    }

    pub(crate) fn ever_heard(&self) -> bool {
        self.ever_heard
    }

    /// When the partner counts as dead, if nothing is heard until then.
    pub(crate) fn dead_at(&self, deadtime: Duration) -> Duration {
        self.silence_from + deadtime
    }

    /// The partner is given up: what it said last is void.
    pub(crate) fn forget_claim(&mut self) {
        self.claim = Claim::Unknown;
    }

    /// Heard within the deadtime, and not active itself.
    pub(crate) fn could_take_over(&self, now: Duration, deadtime: Duration) -> bool {
        now < self.dead_at(deadtime) && matches!(self.claim, Claim::Stopped { .. })
    }

    pub(crate) fn judge_paths(
        &mut self,
        now: Duration,
        keepalive: Duration,
    ) -> [Option<Notice>; 2] {
        let Some(private) = &mut self.private else {
            return [None, None];
        };
        let (public_since, private_since) = (self.public.since(), private.since());
        [
            self.public.judge(now, private_since, keepalive),
            private.judge(now, public_since, keepalive),
        ]
    }

    /// Times at which silence of a path may become worth a warning.
    pub(crate) fn path_deadlines(&self, keepalive: Duration) -> [Option<Duration>; 2] {
        match &self.private {
            Some(private) => [
                Some(self.public.silent_at(keepalive)),
                Some(private.silent_at(keepalive)),
            ],
            None => [None, None],
        }
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = PathStatus> + '_ {
        std::iter::once(&self.public)
            .chain(self.private.as_ref())
            .map(PathWatch::status)
    }
}
