//! `pulse.json`: what this router is and why, for people and programs.
//!
//! Owns the form of the file. Replaced when something changed, and now and then so that the times
//! of the last heartbeats are not old; beside the event loop, for a disk may be slow.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heartbeat::{Configuration, Counters, Machine, PathHealth, PathStatus, Word};
use netdev::VipAddress;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_local};

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
    /// How often this pulse began to take over.
    #[serde(default)]
    pub(crate) activations: u64,
    /// What keeps it from its role.
    pub(crate) trouble: Vec<String>,
    pub(crate) partner: Partner,
    pub(crate) paths: Vec<Way>,
    pub(crate) vips: Vec<Vip>,
    /// Of the accepted file.
    pub(crate) configuration: File,
    /// Whether a `witness` answers; none without one, or when none was asked yet.
    pub(crate) witness: Option<bool>,
    pub(crate) refused: Refused,
    /// Claims of others to VIPs that this router held.
    pub(crate) conflicts: u64,
    pub(crate) last_conflict: Option<Conflict>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Partner {
    pub(crate) address: Option<String>,
    pub(crate) says: Option<String>,
    /// This and what follows is not told by an original.
    pub(crate) phase: Option<String>,
    pub(crate) epoch: Option<u64>,
    pub(crate) configuration: Option<File>,
    /// It could take over.
    pub(crate) able: Option<bool>,
}

/// Which lvs.cf.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) serial_no: i32,
    /// Equal for equal files.
    pub(crate) digest: String,
}

impl From<Configuration> for File {
    fn from(configuration: Configuration) -> Self {
        Self {
            serial_no: configuration.serial,
            digest: format!("{:016x}", configuration.digest),
        }
    }
}

/// How many packets at the heartbeat port counted for nothing, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// Not from an address of the partner.
    pub(crate) stranger: u64,
    pub(crate) short: u64,
    pub(crate) incompatible: u64,
    pub(crate) untagged: u64,
    pub(crate) forged: u64,
    pub(crate) reflected: u64,
    pub(crate) replayed: u64,
    pub(crate) stale: u64,
}

impl Refused {
    fn new(counters: Counters, stranger: u64) -> Self {
        Self {
            stranger,
            short: counters.short,
            incompatible: counters.incompatible,
            untagged: counters.untagged,
            forged: counters.forged,
            reflected: counters.reflected,
            replayed: counters.replayed,
            stale: counters.stale,
        }
    }
}

/// Another machine said that it has a VIP of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Conflict {
    pub(crate) address: String,
    pub(crate) mac: String,
    /// Seconds since 1970.
    pub(crate) at: u64,
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
    pub(crate) activations: u64,
    pub(crate) trouble: Vec<String>,
    /// Packets from others than the partner.
    pub(crate) strangers: u64,
    pub(crate) conflicts: u64,
    pub(crate) last_conflict: Option<Conflict>,
}

/// The file and what is in it.
#[derive(Debug)]
pub(crate) struct StatusFile {
    path: PathBuf,
    written: Option<(Content, Rc<Plan>)>,
    written_at: Duration,
    newest: watch::Sender<Option<Content>>,
    writer: JoinHandle<()>,
}

/// Content that is not in the file yet.
#[derive(Debug)]
pub(crate) struct News {
    now: Duration,
    content: Content,
    gist: Content,
    plan: Rc<Plan>,
}

impl StatusFile {
    /// To be called within the event loop.
    pub(crate) fn new(folder: PathBuf) -> Self {
        let path = folder.join("pulse.json");
        let (newest, changes) = watch::channel(None);
        Self {
            writer: spawn_local(write(path.clone(), changes)),
            path,
            written: None,
            written_at: Duration::ZERO,
            newest,
        }
    }

    /// What is to be written, if it tells anything new.
    pub(crate) fn news(&self, facts: &Facts<'_>, plan: &Rc<Plan>) -> Option<News> {
        let gist = facts.gist();
        let is_known = self
            .written
            .as_ref()
            .is_some_and(|(written, by)| Rc::ptr_eq(by, plan) && !written.differs_from(&gist));
        if is_known && facts.now < self.written_at + REFRESH {
            return None;
        }
        Some(News {
            now: facts.now,
            content: facts.content(),
            gist,
            plan: Rc::clone(plan),
        })
    }

    pub(crate) fn publish(&mut self, news: News) {
        self.written_at = news.now;
        self.newest.send_replace(Some(news.content));
        self.written = Some((news.gist, news.plan));
    }

    /// Once everything is written.
    pub(crate) async fn remove(self) {
        drop(self.newest);
        let _ = self.writer.await;
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Writes the newest each time, until no more can come. A failure is told once.
async fn write(path: PathBuf, mut changes: watch::Receiver<Option<Content>>) {
    let mut failing = false;
    while changes.changed().await.is_ok() {
        let Some(content) = changes.borrow_and_update().clone() else {
            continue;
        };
        let file = path.clone();
        let written = tokio::task::spawn_blocking(move || {
            let bytes = serde_json::to_vec_pretty(&content)?;
            daemon::status::replace(&file, &bytes)
        });
        let written = written.await.unwrap_or_else(|error| Err(error.into()));
        if let Err(error) = &written
            && !failing
        {
            tracing::info!("cannot write {}: {error}", path.display());
        }
        failing = written.is_err();
    }
}

impl Content {
    /// Otherwise than in the times of heartbeats, in a rounding of `since`, or in what others can
    /// change with every packet.
    fn differs_from(&self, other: &Self) -> bool {
        let lasting = |content: &Self| {
            let mut content = content.clone();
            content.since = 0;
            content.refused = Refused::default();
            content.conflicts = 0;
            for way in &mut content.paths {
                way.last_heard = None;
            }
            content
        };
        self.since.abs_diff(other.since) > 1 || lasting(self) != lasting(other)
    }
}

impl Facts<'_> {
    /// With everything.
    pub(crate) fn content(&self) -> Content {
        let vip = |vip: &VipAddress| Vip {
            address: format!("{}/{}", vip.address, vip.prefix_len),
            device: vip.label.clone().unwrap_or_else(|| vip.interface.clone()),
            up: self.up,
        };
        Content {
            vips: self.plan.addresses().map(vip).collect(),
            ..self.gist()
        }
    }

    /// Without the VIPs, of which there may be hundreds: they follow from the plan.
    fn gist(&self) -> Content {
        let Self {
            now,
            machine,
            identity,
            up,
            activations,
            strangers,
            conflicts,
            ..
        } = *self;
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = |at: Duration| clock.saturating_sub(now.saturating_sub(at)).as_secs();
        let way = |status: PathStatus| Way {
            path: status.path.to_string(),
            state: health(status.health).to_owned(),
            says: status.word.map(word),
            last_heard: status.last_heard.map(seconds),
        };
        Content {
            pid: std::process::id(),
            role: identity.role.to_string(),
            phase: machine.phase().to_string(),
            since: seconds(machine.since()),
            why: machine.why().map(|cause| cause.to_string()),
            epoch: machine.epoch(),
            serving: up,
            activations,
            trouble: self.trouble.clone(),
            partner: self.partner(),
            paths: machine.paths().map(way).collect(),
            vips: Vec::new(),
            configuration: machine.settings().configuration.into(),
            witness: machine.sees_witness(now),
            refused: Refused::new(machine.counters(), strangers),
            conflicts,
            last_conflict: self.last_conflict.clone(),
        }
    }

    fn partner(&self) -> Partner {
        let Self {
            machine, identity, ..
        } = self;
        let address = identity
            .public
            .partner
            .filter(|_| machine.settings().partner);
        let extended = machine.partner_extended();
        Partner {
            address: address.map(|address| address.ip().to_string()),
            says: machine.partner_word().map(word),
            phase: extended.map(|it| it.phase.to_string()),
            epoch: extended.map(|it| it.epoch),
            configuration: extended.map(|it| it.configuration.into()),
            able: extended.map(|it| it.able),
        }
    }
}

fn health(health: PathHealth) -> &'static str {
    match health {
        PathHealth::Unknown => "unknown",
        PathHealth::Alive => "alive",
        PathHealth::Silent => "silent",
        PathHealth::Recovering(_) => "recovering",
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
