//! `pulse.json`: what this router is and why, for people and programs.
//!
//! Owns the form of the file. Replaced when something changed, and now and then so that the times
//! of the last heartbeats are not old.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heartbeat::{Machine, PathHealth, PathStatus, Word};
use serde::Serialize;

use crate::identity::Identity;
use crate::plan::Plan;

/// How old the times in the file may become.
const REFRESH: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Content {
    pid: u32,
    role: String,
    phase: String,
    /// Seconds since 1970.
    since: u64,
    why: Option<String>,
    /// The claim to the active role; the higher one stays when both are active.
    epoch: u64,
    partner: Partner,
    paths: Vec<Way>,
    vips: Vec<Vip>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Partner {
    address: Option<String>,
    says: Option<&'static str>,
    /// Not told by an original.
    phase: Option<String>,
    epoch: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Way {
    path: String,
    state: &'static str,
    says: Option<&'static str>,
    last_heard: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Vip {
    address: String,
    device: String,
    up: bool,
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
    pub(crate) fn publish(
        &mut self,
        now: Duration,
        machine: &Machine,
        identity: &Identity,
        plan: &Plan,
        up: bool,
    ) {
        let content = content(now, machine, identity, plan, up);
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

fn content(
    now: Duration,
    machine: &Machine,
    identity: &Identity,
    plan: &Plan,
    up: bool,
) -> Content {
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
        },
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

fn word(word: Word) -> &'static str {
    match word {
        Word::Running => "running",
        Word::Stopped => "stopped",
        Word::StopMe => "stopme",
        Word::Hold => "hold",
        Word::Held => "held",
    }
}
