//! What becomes of a request: reads, judges, writes, has pulse follow, keeps and logs.
//!
//! Owns the order of these steps. One change at a time, also across processes; a change that fails
//! leaves everything as it was.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use change::protocol::{
    Applied, Change, Configuration, Conflict, Entry, LONGEST_TEXT, Note, Origin, Outcome, Preview,
    Refused, Reply, Request,
};
use change::{Proposal, Refusal, Rules, Wanted, compare, digest, hide_secrets, propose};
use lvs_config::Difference;
use lvs_config::file::{self, FileError};
use nix::fcntl::{Flock, FlockArg};

use crate::audit::Audit;
use crate::versions::Versions;
use crate::{daemons, partner, programs};

/// Texts that were shown and may be the base of a change.
const REMEMBERED: usize = 4;
/// The most entries of the log in one answer.
const ENTRIES: usize = 200;
/// The longest account name, client address or reason.
const LONGEST_WORD: usize = 200;

/// What the administrator decided.
#[derive(Debug, Clone)]
pub struct Settings {
    /// lvs.cf.
    pub config: PathBuf,
    /// Where the daemons' sockets are.
    pub run_dir: PathBuf,
    /// Where versions and the log are kept.
    pub state_dir: PathBuf,
    /// Folders below which programs may be named; none: nowhere.
    pub program_folders: Vec<PathBuf>,
    /// The program to reach the partner with; none: it is not reached.
    pub ssh: Option<PathBuf>,
}

/// Answers requests. Its methods may be called by several threads.
#[derive(Debug)]
pub struct Applier {
    pub(crate) settings: Settings,
    pub(crate) versions: Versions,
    pub(crate) audit: Audit,
    changing: Mutex<()>,
    remembered: Mutex<Vec<Vec<u8>>>,
}

/// Held while lvs.cf is being changed.
pub(crate) struct Turn<'a> {
    _here: MutexGuard<'a, ()>,
    _elsewhere: Flock<std::fs::File>,
}

/// lvs.cf at a moment.
pub(crate) struct Current {
    pub(crate) exists: bool,
    pub(crate) bytes: Vec<u8>,
}

/// A change that got through: what to write over what.
pub(crate) struct Replacement<'a> {
    pub(crate) current: &'a Current,
    pub(crate) text: &'a [u8],
    pub(crate) act: &'static str,
    pub(crate) what: String,
    pub(crate) origin: &'a Origin,
}

impl Applier {
    /// Touches nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            versions: Versions::new(&settings.state_dir),
            audit: Audit::new(&settings.state_dir),
            settings,
            changing: Mutex::new(()),
            remembered: Mutex::new(Vec::new()),
        }
    }

    /// Waits for the change that is being made.
    pub(crate) fn finish(&self) {
        drop(self.lock_here());
    }

    /// The answer to a request.
    pub fn answer(&self, request: Request) -> Reply {
        self.try_answer(request)
            .unwrap_or_else(|message| Reply::Error { message })
    }

    fn try_answer(&self, request: Request) -> Result<Reply, String> {
        let run_dir = &self.settings.run_dir;
        Ok(match request {
            Request::Read => {
                let current = self.read()?;
                self.remember(&current.bytes);
                Reply::Configuration(self.describe(&current))
            }
            Request::Preview { base, change } => self.preview(&base, &change)?,
            Request::Apply {
                base,
                change,
                origin,
            } => self.apply(&base, &change, &checked(origin)?)?,
            Request::Versions => Reply::Versions {
                versions: self.versions.list(),
            },
            Request::Version { number } => self.version(number)?,
            Request::Drain {
                server,
                seconds,
                why,
                origin,
            } => {
                check_word(&server, "server")?;
                check_word(&why, "reason")?;
                let what = format!("{server} {}", limit(seconds));
                self.logged(&origin, "drain", what, || {
                    daemons::drain(run_dir, &server, seconds, &why)
                })?
            }
            Request::Enable { server, origin } => {
                check_word(&server, "server")?;
                let what = server.clone();
                self.logged(&origin, "enable", what, || {
                    daemons::enable(run_dir, &server)
                })?
            }
            Request::HandOver { origin } => {
                self.logged(&origin, "hand-over", String::new(), || {
                    daemons::hand_over(run_dir)
                })?
            }
            Request::Reload { origin } => self.logged(&origin, "reload", String::new(), || {
                daemons::reload(run_dir)
            })?,
            Request::Status => Reply::Status {
                pulse: daemons::pulse_status(run_dir),
                lvs: daemons::lvs_status(run_dir),
            },
            Request::Partner => Reply::Partner(partner::compare(self)?),
            Request::PartnerStatus => partner::status(self)?,
            Request::SendToPartner { origin } => {
                let origin = checked(origin)?;
                let to = partner::address(self)?;
                self.logged(&origin, "send", to.to_string(), || {
                    partner::send(self, to, &origin)
                })?
            }
            Request::Audit { most } => Reply::Audit {
                entries: self.audit.last(most.min(ENTRIES)),
            },
        })
    }

    /// lvs.cf as it is; a missing file is an empty one.
    pub(crate) fn read(&self) -> Result<Current, String> {
        let limit = LONGEST_TEXT as u64;
        match file::read(&self.settings.config, limit) {
            Ok(bytes) => Ok(Current {
                exists: true,
                bytes,
            }),
            Err(FileError::Open { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Current {
                    exists: false,
                    bytes: Vec::new(),
                })
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn describe(&self, current: &Current) -> Configuration {
        let parsed = lvs_config::parse_all(&current.bytes);
        let folders = &self.settings.program_folders;
        Configuration {
            path: self.settings.config.display().to_string(),
            exists: current.exists,
            text: String::from_utf8_lossy(&current.bytes).into_owned(),
            is_utf8: std::str::from_utf8(&current.bytes).is_ok(),
            digest: digest(&current.bytes),
            pair_digest: change::pair_digest(&current.bytes),
            serial: parsed.config.global.serial_no.value,
            notes: parsed.diagnostics.iter().map(Note::from).collect(),
            program_folders: folders.iter().map(|f| f.display().to_string()).collect(),
            can_send: self.settings.ssh.is_some(),
        }
    }

    fn remember(&self, bytes: &[u8]) {
        let mut remembered = unpoisoned(self.remembered.lock());
        remembered.retain(|known| known != bytes);
        remembered.insert(0, bytes.to_vec());
        remembered.truncate(REMEMBERED);
    }

    fn recall(&self, base: &str) -> Option<Vec<u8>> {
        let remembered = unpoisoned(self.remembered.lock());
        let known = remembered.iter().find(|bytes| digest(bytes) == base);
        known.cloned().or_else(|| self.versions.find(base))
    }

    fn wanted(&self, change: &Change) -> Result<Wanted, String> {
        Ok(match change {
            Change::Edits(edits) => Wanted::Edits(edits.clone()),
            Change::Text(text) => Wanted::Text(text.clone().into_bytes()),
            Change::Version(number) => match self.versions.get(*number) {
                Some((_, bytes)) => Wanted::Text(bytes),
                None => return Err(format!("there is no version {number} any more")),
            },
        })
    }

    /// What would come of the change, or why nothing does.
    fn propose(
        &self,
        current: &Current,
        base: &str,
        wanted: &Wanted,
    ) -> Result<Proposal, Box<Reply>> {
        if digest(&current.bytes) != base {
            let conflict = self.conflict(current, base, wanted);
            return Err(Box::new(Reply::Conflict(Box::new(conflict))));
        }
        let proposal = propose(&current.bytes, wanted, self.rules())
            .map_err(|refusal| Box::new(refused(refusal)))?;
        programs::judge(&proposal.programs, &self.settings.program_folders)
            .map_err(|why| Box::new(Reply::Refused(why)))?;
        Ok(proposal)
    }

    fn rules(&self) -> Rules {
        Rules {
            programs: !self.settings.program_folders.is_empty(),
            longest: LONGEST_TEXT,
        }
    }

    fn conflict(&self, current: &Current, base: &str, wanted: &Wanted) -> Conflict {
        let base = self.recall(base);
        self.remember(&current.bytes);
        let proposal = base
            .as_ref()
            .and_then(|base| propose(base, wanted, self.rules()).ok());
        Conflict {
            current: self.describe(current),
            meanwhile: base.map(|base| compare(&base, &current.bytes)),
            wanted: proposal.map(|p| String::from_utf8_lossy(&p.text).into_owned()),
        }
    }

    fn preview(&self, base: &str, change: &Change) -> Result<Reply, String> {
        let current = self.read()?;
        let wanted = self.wanted(change)?;
        let proposal = match self.propose(&current, base, &wanted) {
            Ok(proposal) => proposal,
            Err(reply) => return Ok(*reply),
        };
        let old = lvs_config::parse_all(&current.bytes).config;
        let effects = Difference::new(&old, &proposal.config);
        Ok(Reply::Preview(Preview {
            base: base.to_owned(),
            text: String::from_utf8_lossy(&proposal.text).into_owned(),
            serial: proposal.serial,
            difference: compare(&current.bytes, &proposal.text),
            effects: effects.to_string().lines().map(str::to_owned).collect(),
            needs_restart: effects.needing_restart().map(str::to_owned).collect(),
            plan: daemons::plan(&self.settings.run_dir, &proposal.text),
            notes: proposal.warnings.iter().map(Note::from).collect(),
        }))
    }

    fn apply(&self, base: &str, change: &Change, origin: &Origin) -> Result<Reply, String> {
        let turn = self.take_turn()?;
        let current = self.read()?;
        let wanted = self.wanted(change)?;
        let proposal = match self.propose(&current, base, &wanted) {
            Ok(proposal) => proposal,
            Err(reply) => return Ok(*reply),
        };
        let (act, what) = match change {
            Change::Version(number) => ("undo", format!("version {number}")),
            _ => ("apply", String::new()),
        };
        let (version, reload) = self.replace(
            &turn,
            &Replacement {
                current: &current,
                text: &proposal.text,
                act,
                what,
                origin,
            },
        )?;
        Ok(Reply::Applied(Applied {
            digest: digest(&proposal.text),
            serial: proposal.serial,
            version,
            reload,
        }))
    }

    /// Keeps the old file, writes the new one, has pulse follow it and logs all that.
    pub(crate) fn replace(
        &self,
        _turn: &Turn<'_>,
        replacement: &Replacement<'_>,
    ) -> Result<(Option<u64>, Outcome), String> {
        let Replacement {
            current,
            text,
            act,
            what,
            origin,
        } = replacement;
        let serial = |text: &[u8]| lvs_config::parse_all(text).config.global.serial_no.value;
        let before = serial(&current.bytes);
        let pen = self.audit.open().map_err(|error| {
            format!("nothing was changed: the log of changes cannot be opened: {error}")
        })?;
        let version = match current.exists {
            true => {
                let kept = self.versions.add(&current.bytes, before, origin, now());
                Some(kept.map_err(|error| {
                    format!("nothing was changed: the old version cannot be kept: {error}")
                })?)
            }
            false => None,
        };
        let path = &self.settings.config;
        let written = match current.exists {
            true => file::replace_unchanged(path, &current.bytes, text),
            false => file::replace(path, text),
        };
        if let Err(error) = written {
            if let Some(version) = version {
                self.versions.remove(version);
            }
            return Err(format!("nothing was changed: {error}"));
        }
        self.versions.prune();
        let reload = daemons::reload(&self.settings.run_dir);
        pen.write(Entry {
            at: now(),
            origin: (*origin).clone(),
            act: (*act).to_owned(),
            what: what.clone(),
            before: Some(before),
            after: Some(serial(text)),
            difference: hide_secrets(&compare(&current.bytes, text)),
            // The file is what the entry is about; that nobody follows it yet is no failure.
            outcome: Outcome {
                done: true,
                text: format!("written; {}", reload.text),
            },
        });
        Ok((version, reload))
    }

    fn version(&self, number: u64) -> Result<Reply, String> {
        let found = self.versions.get(number);
        let (version, bytes) = found.ok_or_else(|| format!("there is no version {number}"))?;
        let current = self.read()?;
        Ok(Reply::Version {
            difference: compare(&bytes, &current.bytes),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            version,
        })
    }

    fn logged(
        &self,
        origin: &Origin,
        act: &str,
        what: String,
        perform: impl FnOnce() -> Outcome,
    ) -> Result<Reply, String> {
        let origin = checked(origin.clone())?;
        let pen = self
            .audit
            .open()
            .map_err(|error| format!("nothing was done: no log of changes: {error}"))?;
        let outcome = perform();
        pen.write(Entry {
            at: now(),
            origin,
            act: act.to_owned(),
            what,
            before: None,
            after: None,
            difference: String::new(),
            outcome: outcome.clone(),
        });
        Ok(Reply::Done(outcome))
    }

    fn lock_here(&self) -> MutexGuard<'_, ()> {
        unpoisoned(self.changing.lock())
    }

    /// Waits until nobody else changes lvs.cf by this program.
    pub(crate) fn take_turn(&self) -> Result<Turn<'_>, String> {
        let here = self.lock_here();
        let folder = &self.settings.state_dir;
        let path = folder.join("applier.lock");
        let failed = |error: io::Error| format!("cannot lock {}: {error}", path.display());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        let lock = Flock::lock(lock, FlockArg::LockExclusive)
            .map_err(|(_, error)| failed(error.into()))?;
        Ok(Turn {
            _here: here,
            _elsewhere: lock,
        })
    }
}

fn unpoisoned<T>(lock: std::sync::LockResult<T>) -> T {
    lock.unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn refused(refusal: Refusal) -> Reply {
    let (message, fields, notes) = match refusal {
        Refusal::Unchanged => return Reply::Unchanged,
        Refusal::Fields(fields) => ("some fields cannot be taken".to_owned(), fields, Vec::new()),
        Refusal::Broken { new, diagnostics } => {
            let message = if new {
                "the new text is not a right lvs.cf"
            } else {
                "lvs.cf has errors: it can be replaced as a whole, or repaired by hand"
            };
            let notes = diagnostics.iter().map(Note::from).collect();
            (message.to_owned(), Vec::new(), notes)
        }
        Refusal::TooLong { longest } => {
            let message = format!("lvs.cf would be longer than {} KiB", longest / 1024);
            (message, Vec::new(), Vec::new())
        }
    };
    Reply::Refused(Refused {
        message,
        fields,
        notes,
    })
}

fn check_word(text: &str, name: &str) -> Result<(), String> {
    if text.len() > LONGEST_WORD || text.chars().any(char::is_control) {
        return Err(format!(
            "not a {name}: one line of at most {LONGEST_WORD} bytes"
        ));
    }
    Ok(())
}

pub(crate) fn checked(origin: Origin) -> Result<Origin, String> {
    check_word(&origin.who, "user")?;
    check_word(&origin.from, "client")?;
    Ok(origin)
}

fn limit(seconds: Option<u64>) -> String {
    seconds.map_or_else(
        || "until it is enabled".to_owned(),
        |seconds| format!("for {seconds} s"),
    )
}

pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests;
