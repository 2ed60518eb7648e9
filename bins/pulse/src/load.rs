//! Reading lvs.cf: the file, its meaning, the names in it resolved.
//!
//! Everything here may block: at start nothing else runs yet, later it runs in a thread of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use lvs_config::draw::{self, Style};
use lvs_config::file::FileError;
use lvs_config::{Config, Host, ParseError, ServiceKind};
use thiserror::Error;

use crate::plan::Plan;

/// More than any honest lvs.cf has.
const LIMIT: u64 = 16 * 1024 * 1024;

/// A file that was read and understood.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// Exactly what was accepted; lvs gets the same bytes.
    pub(crate) bytes: Vec<u8>,
    pub(crate) config: Config,
    pub(crate) plan: Plan,
    /// What people should know about the file.
    pub(crate) warnings: Vec<String>,
}

/// Why a file is not used. The texts are the original's; the reason stands behind them.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error("failed to open {}: {source}", file.display())]
    Open { file: PathBuf, source: io::Error },
    #[error("error parsing {} at line {}: {}", file.display(), source.line, source.message)]
    Parse {
        file: PathBuf,
        source: ParseError,
        text: Vec<u8>,
    },
    #[error("{}: service = fos: failover services are not supported", file.display())]
    Fos { file: PathBuf },
    #[error("no active lvs services defined in {}", file.display())]
    NoService { file: PathBuf },
    #[error("{}: {text}", file.display())]
    Meaning { file: PathBuf, text: String },
}

impl LoadError {
    /// With the line of the file below it, where standard error is a terminal; else nothing more
    /// than the text itself.
    pub(crate) fn drawn(&self) -> Option<String> {
        let Self::Parse { file, source, text } = self else {
            return None;
        };
        let (file, style) = (file.to_string_lossy(), Style::of_standard_error());
        Some(draw::error(source, "pulse", &file, text, style))
    }
}

/// Reads and understands `file`.
pub(crate) fn load(file: &Path) -> Result<Loaded, LoadError> {
    let path = || file.to_path_buf();
    let bytes = read(file, LIMIT).map_err(|source| LoadError::Open {
        file: path(),
        source,
    })?;
    let checked = lvs_config::parse(&bytes).map_err(|source| LoadError::Parse {
        file: path(),
        source,
        text: bytes.clone(),
    })?;
    let config = checked.config;
    if config.global.service.value == ServiceKind::Fos {
        return Err(LoadError::Fos { file: path() });
    }
    if config.active_blocks().next().is_none() {
        return Err(LoadError::NoService { file: path() });
    }
    let mut warnings: Vec<String> = checked
        .warnings
        .iter()
        .map(|warning| format!("{}: {warning}", file.display()))
        .collect();
    let plan = Plan::new(&config, &mut warnings)
        .map_err(|text| LoadError::Meaning { file: path(), text })?;
    Ok(Loaded {
        bytes,
        config,
        plan,
        warnings,
    })
}

/// The whole file, unless it is larger than `limit`.
pub(crate) fn read(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    lvs_config::file::read(file, limit).map_err(FileError::into_reason)
}

/// The address of a host; a name's first IPv4 address.
pub(crate) fn resolve(host: &Host) -> Result<Ipv4Addr, String> {
    match host {
        Host::Address(address) => Ok(*address),
        Host::Name(name) => (name.as_str(), 0u16)
            .to_socket_addrs()
            .map_err(|error| format!("cannot resolve {name}: {error}"))?
            .find_map(|address| match address.ip() {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
            .ok_or_else(|| format!("{name} has no IPv4 address")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn loaded(text: &str) -> Result<Loaded, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lvs.cf");
        std::fs::write(&file, text).unwrap();
        load(&file).map_err(|error| {
            error
                .to_string()
                .replace(&file.display().to_string(), "FILE")
        })
    }

    #[test]
    fn texts_are_the_originals() {
        assert_eq!(
            loaded("primary = 10.0.0.1\nbackup_active = 7\n").unwrap_err(),
            "error parsing FILE at line 2: boolean expected"
        );
        assert_eq!(
            loaded("primary = 10.0.0.1\n").unwrap_err(),
            "no active lvs services defined in FILE"
        );
        let fos = loaded("service = fos\nfailover a {\n active = 1\n}\n").unwrap_err();
        assert!(fos.contains("not supported"), "{fos}");
        let missing = load(Path::new("/nonexistent/lvs.cf"))
            .unwrap_err()
            .to_string();
        assert!(
            missing.starts_with("failed to open /nonexistent/lvs.cf"),
            "{missing}"
        );
    }

    #[test]
    fn a_huge_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lvs.cf");
        File::create(&file).unwrap().set_len(LIMIT + 1).unwrap();
        let error = load(&file).unwrap_err().to_string();
        assert!(error.contains("larger than 16 MiB"), "{error}");
    }

    #[test]
    fn a_device_that_never_ends_is_not_read_for_ever() {
        let error = load(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(error.contains("larger than 16 MiB"), "{error}");
    }
}
