//! From lvs.cf to a plan: reading, parsing, resolving names.
//!
//! Blocking work is done in a thread of its own, so that nothing else is late.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lvs_config::Config;
use lvs_config::draw::{self, Style};
use lvs_config::file::{self, FileError};

use crate::nanny;
use crate::plan::Plan;

/// The longest file that is read.
const SIZE_LIMIT: u64 = 16 << 20;
/// Names that have no address by then have none.
const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// Addresses of names, kept so that a resolver's failure changes nothing.
pub type Names = BTreeMap<String, Ipv4Addr>;

/// Where a configuration comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file, when lvs is run by hand.
    File(PathBuf),
    /// The bytes that pulse accepted; the file is only named in messages.
    Pulse(Vec<u8>, PathBuf),
}

/// Why there is no plan, in the original's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("lvs: failed to open {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The file is wrong.
    #[error("lvs: error parsing {} at line {line}: {text}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line, 0 when there is none.
        line: usize,
        /// What is wrong.
        text: String,
    },
}

impl LoadError {
    /// Line and text for pulse.
    pub fn for_pulse(&self) -> (usize, String) {
        match self {
            Self::Open { .. } => (0, self.to_string()),
            Self::Parse { line, text, .. } => (*line, text.clone()),
        }
    }
}

/// Reads and parses, blocking.
pub fn parse(source: &Source) -> Result<Config, LoadError> {
    let (bytes, path) = match source {
        Source::File(path) => (read(path)?, path),
        Source::Pulse(bytes, path) => (bytes.clone(), path),
    };
    lvs_config::parse(&bytes)
        .map(|checked| checked.config)
        .map_err(|error| LoadError::Parse {
            path: path.clone(),
            line: error.line,
            text: error.message,
        })
}

/// What a person at the terminal is told of a wrong file: on a terminal with the line itself.
pub fn explain(path: &Path) -> Result<(), String> {
    let bytes = read(path).map_err(|error| error.to_string())?;
    match lvs_config::parse(&bytes) {
        Ok(_) => Ok(()),
        Err(error) => {
            let style = Style::of_standard_error();
            let text = draw::error(&error, "lvs", &path.to_string_lossy(), &bytes, style);
            Err(text.trim_end().to_owned())
        }
    }
}

/// The bytes of a configuration file.
pub fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    file::read(path, SIZE_LIMIT).map_err(|error| LoadError::Open {
        path: path.to_path_buf(),
        reason: match error {
            FileError::TooLarge { .. } => "too large".to_owned(),
            other => other.into_reason().to_string(),
        },
    })
}

/// Reads, parses, resolves. Gives the names it knows back for the next time.
pub async fn load(
    source: Source,
    mut names: Names,
    options: nanny::Options,
) -> Result<(Plan, Names), LoadError> {
    let path = match &source {
        Source::File(path) | Source::Pulse(_, path) => path.clone(),
    };
    let config = tokio::task::spawn_blocking(move || parse(&source))
        .await
        .unwrap_or_else(|error| {
            Err(LoadError::Open {
                path,
                reason: error.to_string(),
            })
        })?;
    resolve(&config, &mut names).await;
    let plan = Plan::new(&config, &|name| names.get(name).copied(), options);
    Ok((plan, names))
}

/// Asks for the names of a configuration; those without an answer keep the one they had.
pub async fn resolve(config: &Config, names: &mut Names) {
    let lookups: Vec<_> = Plan::names(config)
        .into_iter()
        .map(|name| {
            let query = name.clone();
            (name, tokio::spawn(async move { lookup(&query).await }))
        })
        .collect();
    let deadline = tokio::time::Instant::now() + RESOLVE_LIMIT;
    for (name, lookup) in lookups {
        if let Ok(Ok(Some(address))) = tokio::time::timeout_at(deadline, lookup).await {
            names.insert(name, address);
        }
    }
}

/// The first IPv4 address of a name.
async fn lookup(name: &str) -> Option<Ipv4Addr> {
    tokio::net::lookup_host((name, 0))
        .await
        .ok()?
        .find_map(|address| match address.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
}
