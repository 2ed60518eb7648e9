//! What all requests share.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use account::{Account, Accounts};
use tokio::sync::Semaphore;

use crate::attempts::Attempts;
use crate::monitor::Monitor;
use crate::options::Options;
use crate::pages::live::Drawings;
use crate::pages::partner::View;
use crate::session::{Limits, Sessions};

/// Sessions at once.
const SESSIONS: usize = 100;
/// Browsers that are told of changes at once.
const LIVE: usize = 64;
/// Log-ins that may wait for the one that is being checked: hashing takes memory and time.
const LOG_INS: usize = 8;

/// Shared by all requests.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: PathBuf,
    pub(crate) run_dir: PathBuf,
    pub(crate) applier: PathBuf,
    pub(crate) host_names: Vec<String>,
    /// What Prometheus shows to see the metrics.
    pub(crate) metrics_token: Option<String>,
    /// The browser speaks TLS.
    pub(crate) is_secure: bool,
    pub(crate) accounts: AccountFile,
    pub(crate) monitor: Monitor,
    pub(crate) drawings: Drawings,
    /// Places for log-ins that wait, and the one that is checked.
    pub(crate) log_ins: Semaphore,
    pub(crate) hashing: Semaphore,
    pub(crate) live: Arc<Semaphore>,
    pub(crate) partner: View,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
    started: Instant,
}

impl App {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            config: options.config.clone(),
            run_dir: options.run_dir.clone(),
            applier: options.applier.clone(),
            host_names: options.host_names.clone(),
            metrics_token: None,
            is_secure: options.tls.is_some(),
            accounts: AccountFile::new(options.accounts.clone()),
            monitor: Monitor::new(),
            drawings: Drawings::default(),
            log_ins: Semaphore::new(LOG_INS),
            hashing: Semaphore::new(1),
            live: Arc::new(Semaphore::new(LIVE)),
            partner: View::new(),
            sessions: Mutex::new(Sessions::new(Limits {
                idle: options.idle,
                longest: options.longest,
                count: SESSIONS,
            })),
            attempts: Mutex::default(),
            started: Instant::now(),
        }
    }

    /// With a token for the metrics.
    pub(crate) fn with_metrics_token(mut self, token: Option<String>) -> Self {
        self.metrics_token = token;
        self
    }

    /// The clock of sessions and attempts.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account file, looked at each time: a change works at once.
#[derive(Debug)]
pub(crate) struct AccountFile {
    path: PathBuf,
    known: Mutex<Option<(Stamp, Arc<Accounts>)>>,
}

/// What tells two versions of a file apart, its mode included.
type Stamp = (u64, u64, i64, i64);

impl AccountFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            known: Mutex::new(None),
        }
    }

    /// The accounts; none while the file cannot be read, so that nobody gets in by a broken file.
    pub(crate) fn read(&self) -> Arc<Accounts> {
        let Ok(about) = self.path.metadata() else {
            return Arc::default();
        };
        let stamp = (about.ino(), about.size(), about.ctime(), about.ctime_nsec());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((seen, accounts)) if *seen == stamp => Arc::clone(accounts),
            _ => {
                let accounts = Arc::new(Accounts::read(&self.path).unwrap_or_default());
                *known = Some((stamp, Arc::clone(&accounts)));
                accounts
            }
        }
    }

    pub(crate) fn still_has(&self, account: &Account) -> bool {
        self.read().get(account.user()) == Some(account)
    }
}

/// 32 random bytes in hexadecimal.
///
/// # Errors
/// The system has no random numbers.
pub(crate) fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Whether the two are equal, in a time that does not tell where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0, |sum, (a, b)| sum | (a ^ b))
            == 0
}
