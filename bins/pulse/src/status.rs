//! `pulse.json`: what this router is and why, for people and programs.
//!
//! Owns the form of the file. Replaced when something changed, and now and then so that the times
//! of the last heartbeats are not old.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heartbeat::{Machine, PathHealth, PathStatus, Word};
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::plan::Plan;

/// How old the times in the file may become.
const REFRESH: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) pid: u32,
    pub(crate) role: String,
    pub(crate) phase: String,
    /// Seconds since 1970.
    pub(crate) since: u64,
    pub(crate) why: Option<String>,
    /// The claim to the active role; the higher one stays when both are active.
    pub(crate) epoch: u64,
    /// Its addresses are up.
    pub(crate) serving: bool,
    /// What keeps it from its role.
    pub(crate) trouble: Vec<String>,
    pub(crate) partner: Partner,
    pub(crate) paths: Vec<Way>,
    pub(crate) vips: Vec<Vip>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Partner {
    pub(crate) address: Option<String>,
    pub(crate) says: Option<String>,
    /// Not told by an original.
    pub(crate) phase: Option<String>,
    pub(crate) epoch: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Way {
    pub(crate) path: String,
    pub(crate) state: String,
    pub(crate) says: Option<String>,
    pub(crate) last_heard: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vip {
    pub(crate) address: String,
    pub(crate) device: String,
    pub(crate) up: bool,
}

/// Something that was worth telling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Seconds since 1970.
    pub(crate) at: u64,
    pub(crate) text: String,
}

/// The answer to who asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    pub(crate) content: Content,
    /// Oldest first.
    pub(crate) events: Vec<Told>,
}

/// Where the content comes from.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) now: Duration,
    pub(crate) machine: &'a Machine,
    pub(crate) identity: &'a Identity,
    pub(crate) plan: &'a Plan,
    /// The addresses are up.
    pub(crate) up: bool,
    pub(crate) trouble: Vec<String>,
}

/// The file and what is in it.
#[derive(Debug)]
pub(crate) struct StatusFile {
    path: PathBuf,
    written: Option<Content>,
    written_at: Duration,
    failing: bool,
}

impl StatusFile {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            path: folder.join("pulse.json"),
            written: None,
            written_at: Duration::ZERO,
            failing: false,
        }
    }

    /// Writes it if that tells anything new.
    pub(crate) fn publish(&mut self, now: Duration, content: Content) {
        let news = self
            .written
            .as_ref()
            .is_none_or(|written| written.differs_from(&content));
        if !news && now < self.written_at + REFRESH {
            return;
        }
        self.written_at = now;
        let written = serde_json::to_vec_pretty(&content)
            .map_err(std::io::Error::from)
            .and_then(|bytes| daemon::status::replace(&self.path, &bytes));
        if let Err(error) = &written
            && !self.failing
        {
            tracing::info!("cannot write {}: {error}", self.path.display());
        }
        self.failing = written.is_err();
        self.written = Some(content);
    }

    pub(crate) fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Content {
    /// Otherwise than in the times of heartbeats, or in a rounding of `since`.
    fn differs_from(&self, other: &Self) -> bool {
        let timeless = |content: &Self| {
            let mut content = content.clone();
            content.since = 0;
            for way in &mut content.paths {
                way.last_heard = None;
            }
            content
        };
        self.since.abs_diff(other.since) > 1 || timeless(self) != timeless(other)
    }
}

impl Facts<'_> {
    pub(crate) fn content(&self) -> Content {
        let Self {
            now,
            machine,
            identity,
            plan,
            up,
            ref trouble,
        } = *self;
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = |at: Duration| clock.saturating_sub(now.saturating_sub(at)).as_secs();
        let way = |status: PathStatus| Way {
            path: status.path.to_string(),
            state: match status.health {
                PathHealth::Unknown => "unknown",
                PathHealth::Alive => "alive",
                PathHealth::Silent => "silent",
                PathHealth::Recovering(_) => "recovering",
            }
            .to_owned(),
            says: status.word.map(word),
            last_heard: status.last_heard.map(seconds),
        };
        let partner = identity
            .public
            .partner
            .filter(|_| machine.settings().partner);
        Content {
            pid: std::process::id(),
            role: identity.role.to_string(),
            phase: machine.phase().to_string(),
            since: seconds(machine.since()),
            why: machine.why().map(|cause| cause.to_string()),
            epoch: machine.epoch(),
            serving: up,
            trouble: trouble.clone(),
            partner: Partner {
                phase: machine
                    .partner_extended()
                    .map(|extended| extended.phase.to_string()),
                epoch: machine.partner_extended().map(|extended| extended.epoch),
                address: partner.map(|address| address.ip().to_string()),
                says: machine.partner_word().map(word),
            },
            paths: machine.paths().map(way).collect(),
            vips: plan
                .addresses()
                .map(|vip| Vip {
                    address: format!("{}/{}", vip.address, vip.prefix_len),
                    device: vip.label.clone().unwrap_or_else(|| vip.interface.clone()),
                    up,
                })
                .collect(),
        }
    }
}

fn word(word: Word) -> String {
    match word {
        Word::Running => "running",
        Word::Stopped => "stopped",
        Word::StopMe => "stopme",
        Word::Hold => "hold",
        Word::Held => "held",
    }
    .to_owned()
}
