//! What the daemons say, kept up to date from their status files.
//!
//! Reads; never asks a daemon to do anything.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use change::protocol::{Reply, Request, Said};
use tokio::sync::watch;

use crate::applier;
use crate::graph::History;
use crate::lvs_file::LvsFile;
use crate::memory;
use crate::monitoring::{Event, events_of, newest};
use crate::source::{Reading, Source};
use crate::status::{Lvs, Pulse};

/// Between two looks at the files; a look at unchanged ones costs two system calls.
const LOOK: Duration = Duration::from_millis(100);

/// Changes after which free memory is given back.
const TRIM: u64 = 10;

/// The state at one time.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Grows with each change.
    pub(crate) number: u64,
    /// Grows with each change of more than counters and times.
    pub(crate) turn: u64,
    pub(crate) pulse: Reading<Pulse>,
    pub(crate) lvs: Reading<Lvs>,
    /// What servers did of late.
    checks: Arc<Vec<Event>>,
}

/// The newest snapshot, and the last hour.
#[derive(Debug)]
pub(crate) struct Monitor {
    newest: watch::Sender<Arc<Snapshot>>,
    history: Arc<Mutex<History>>,
    /// The last ones of pulse, or why they are not known.
    pulse_events: Mutex<Result<Vec<Event>, String>>,
    started: Instant,
}

impl Monitor {
    pub(crate) fn new() -> Self {
        let nothing = Snapshot {
            number: 0,
            turn: 0,
            pulse: Reading::Missing,
            lvs: Reading::Missing,
            checks: Arc::default(),
        };
        Self {
            newest: watch::Sender::new(Arc::new(nothing)),
            history: Arc::default(),
            pulse_events: Mutex::new(Ok(Vec::new())),
            started: Instant::now(),
        }
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.borrow())
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.newest.subscribe()
    }

    /// The clock of the history.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The last hour, for whoever draws or tells it.
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest events first, and why those of pulse are not among them.
    pub(crate) fn events(&self, snapshot: &Snapshot) -> (Vec<Event>, Option<String>) {
        let of_pulse = self
            .pulse_events
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut events = snapshot.checks.to_vec();
        let silent = match &*of_pulse {
            Ok(told) => {
                events.extend_from_slice(told);
                None
            }
            Err(why) => Some(why.clone()),
        };
        drop(of_pulse);
        newest(&mut events);
        (events, silent)
    }

    /// Asks for the events of pulse, which are in no file.
    pub(crate) async fn ask_events(&self, applier: &Path) {
        let told = match applier::ask(applier, &Request::Status).await {
            Ok(Reply::Status {
                pulse: Said::Status(pulse),
                ..
            }) => Ok(told(&pulse)),
            Ok(Reply::Status {
                pulse: Said::Silent(why),
                ..
            }) => Err(why),
            Ok(Reply::Error { message }) => Err(message),
            Ok(_) => Err("piranha-applier answered something else".to_owned()),
            Err(error) => Err(format!("piranha-applier: {error}")),
        };
        *self
            .pulse_events
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = told;
    }

    /// Looks at the files once.
    #[cfg(test)]
    pub(crate) async fn look_once(&self, run_dir: &Path) {
        let mut files = Files::new(run_dir);
        let (pulse, lvs) = files.look(self.now(), &self.history);
        let snapshot = self.snapshot().with(pulse, lvs);
        self.newest.send_replace(Arc::new(snapshot));
        self.ask_events(&run_dir.join("applier.sock")).await;
    }

    /// Looks at the files for ever.
    pub(crate) async fn follow(&self, run_dir: &Path, applier: &Path) {
        let mut files = Files::new(run_dir);
        let mut changes = 0_u64;
        loop {
            let history = Arc::clone(&self.history);
            let now = self.now();
            // A disk may be slow, and 2,000 servers take some milliseconds.
            let looked = tokio::task::spawn_blocking(move || {
                let news = files.look(now, &history);
                (files, news)
            });
            let Ok((back, (pulse, lvs))) = looked.await else {
                return;
            };
            files = back;
            if pulse.is_some() {
                self.ask_events(applier).await;
            }
            if pulse.is_some() || lvs.is_some() {
                let snapshot = self.snapshot().with(pulse, lvs);
                self.newest.send_replace(Arc::new(snapshot));
                changes += 1;
                if changes.is_multiple_of(TRIM) {
                    memory::trim();
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The events of `pulse --status --json`.
fn told(status: &serde_json::Value) -> Vec<Event> {
    let events = status.get("events").and_then(|events| events.as_array());
    let event = |event: &serde_json::Value| {
        Some(Event {
            at: event.get("at")?.as_u64()?.saturating_mul(1000),
            source: "pulse".to_owned(),
            text: event.get("text")?.as_str()?.to_owned(),
        })
    };
    events.into_iter().flatten().filter_map(event).collect()
}

type News = (Option<Reading<Pulse>>, Option<Reading<Lvs>>);

struct Files {
    pulse: Source,
    lvs: Source,
    lvs_file: LvsFile,
}

impl Files {
    fn new(run_dir: &Path) -> Self {
        Self {
            pulse: Source::new(run_dir.join("pulse.json")),
            lvs: Source::new(run_dir.join("lvs.json")),
            lvs_file: LvsFile::default(),
        }
    }

    fn look(&mut self, now: Duration, history: &Mutex<History>) -> News {
        let pulse = self.pulse.news(|bytes| serde_json::from_slice(bytes));
        let lvs = self.lvs.news(|bytes| self.lvs_file.read(bytes));
        if let Some(Reading::Read(lvs, _)) = &lvs {
            history
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(now, lvs);
        }
        (pulse, lvs)
    }
}

impl Snapshot {
    fn with(&self, pulse: Option<Reading<Pulse>>, lvs: Option<Reading<Lvs>>) -> Self {
        let turned = pulse
            .as_ref()
            .is_some_and(|pulse| !same_pulse(&self.pulse, pulse))
            || lvs.as_ref().is_some_and(|lvs| !same_lvs(&self.lvs, lvs));
        Self {
            number: self.number + 1,
            turn: self.turn + u64::from(turned),
            pulse: pulse.unwrap_or_else(|| self.pulse.clone()),
            checks: match &lvs {
                Some(lvs) => Arc::new(lvs.content().map(events_of).unwrap_or_default()),
                None => Arc::clone(&self.checks),
            },
            lvs: lvs.unwrap_or_else(|| self.lvs.clone()),
        }
    }

    /// Whether pulse runs, by its file and its process.
    pub(crate) fn is_pulse_running(&self) -> bool {
        let pulse = self.pulse.content();
        pulse.is_some_and(|pulse| crate::source::is_running(pulse.pid))
    }

    pub(crate) fn is_lvs_running(&self) -> bool {
        let lvs = self.lvs.content();
        lvs.is_some_and(|lvs| crate::source::is_running(lvs.pid))
    }

    /// How long pulse has been silent, when that is longer than it ever is.
    pub(crate) fn silence(&self) -> Option<Duration> {
        const USUAL: Duration = Duration::from_secs(20);
        self.pulse.age(SystemTime::now()).filter(|age| *age > USUAL)
    }
}

fn same_pulse(old: &Reading<Pulse>, new: &Reading<Pulse>) -> bool {
    let (Some(old), Some(new)) = (old.content(), new.content()) else {
        return false;
    };
    let lasting = |pulse: &Pulse| {
        let mut pulse = pulse.clone();
        pulse.since = 0;
        for way in &mut pulse.paths {
            way.last_heard = None;
        }
        pulse
    };
    lasting(old) == lasting(new)
}

/// Whether each service and server is as it was, apart from counters.
fn same_lvs(old: &Reading<Lvs>, new: &Reading<Lvs>) -> bool {
    let (Some(old), Some(new)) = (old.content(), new.content()) else {
        return false;
    };
    old.mode == new.mode
        && old.pid == new.pid
        && old.services.len() == new.services.len()
        && old
            .services
            .iter()
            .zip(&new.services)
            .all(|(a, b)| Arc::ptr_eq(a, b) || a.state() == b.state())
}
