//! A status file, read again when it was replaced.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Largest status file: 2,000 servers need 2 MiB.
const SIZE_LIMIT: u64 = 64 << 20;

/// What is known of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading<T> {
    /// There is none: the daemon does not run.
    Missing,
    /// It cannot be read, and why.
    Unreadable(String),
    /// It is not what a daemon writes, and where.
    Broken(String),
    /// Its content, and when it was written.
    Read(Arc<T>, SystemTime),
}

impl<T> Reading<T> {
    pub(crate) fn content(&self) -> Option<&T> {
        match self {
            Self::Read(content, _) => Some(content),
            _ => None,
        }
    }

    /// The content, to be kept.
    pub(crate) fn shared(&self) -> Option<Arc<T>> {
        match self {
            Self::Read(content, _) => Some(Arc::clone(content)),
            _ => None,
        }
    }

    /// How old the content is; none without content.
    pub(crate) fn age(&self, now: SystemTime) -> Option<Duration> {
        match self {
            Self::Read(_, written) => Some(now.duration_since(*written).unwrap_or_default()),
            _ => None,
        }
    }
}

/// What tells two versions of a file apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Version {
    Missing,
    Unknown,
    File {
        inode: u64,
        size: u64,
        changed: (i64, i64),
    },
}

/// A file and which version of it was read.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    seen: Option<Version>,
}

impl Source {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// What is in it by `parse`, if that is another version than the last time. Blocks.
    pub(crate) fn news<T>(
        &mut self,
        parse: impl FnOnce(&[u8]) -> serde_json::Result<T>,
    ) -> Option<Reading<T>> {
        let version = version(&self.path);
        if self.seen.as_ref() == Some(&version) && version != Version::Unknown {
            return None;
        }
        self.seen = Some(version);
        Some(read(&self.path, parse))
    }
}

fn version(path: &Path) -> Version {
    match path.metadata() {
        Ok(about) => Version::File {
            inode: about.ino(),
            size: about.size(),
            changed: (about.mtime(), about.mtime_nsec()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Version::Missing,
        Err(_) => Version::Unknown,
    }
}

fn read<T>(path: &Path, parse: impl FnOnce(&[u8]) -> serde_json::Result<T>) -> Reading<T> {
    let written = path.metadata().and_then(|about: Metadata| about.modified());
    let bytes = match lvs_config::file::read(path, SIZE_LIMIT) {
        Ok(bytes) => bytes,
        Err(lvs_config::file::FileError::Open { source, .. })
            if source.kind() == io::ErrorKind::NotFound =>
        {
            return Reading::Missing;
        }
        Err(error) => return Reading::Unreadable(error.to_string()),
    };
    match parse(&bytes) {
        Ok(content) => Reading::Read(Arc::new(content), written.unwrap_or(SystemTime::UNIX_EPOCH)),
        Err(error) => Reading::Broken(format!("{}: {error}", path.display())),
    }
}

/// Whether there is such a process, of whoever it is.
pub(crate) fn is_running(pid: u32) -> bool {
    let Ok(pid @ 1..) = i32::try_from(pid) else {
        return false;
    };
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Pulse;

    #[test]
    fn missing_half_written_and_whole_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pulse.json");
        let mut source = Source::new(path.clone());
        let mut news = || source.news(|bytes| serde_json::from_slice::<Pulse>(bytes));
        assert_eq!(news(), Some(Reading::Missing));
        assert_eq!(news(), None);
        std::fs::write(&path, br#"{"pid":7,"phase":"act"#).unwrap();
        assert!(matches!(news(), Some(Reading::Broken(_))));
        std::fs::write(
            &path,
            br#"{"pid":7,"phase":"active","of a later version":1}"#,
        )
        .unwrap();
        let Some(Reading::Read(pulse, _)) = news() else {
            panic!("not read");
        };
        assert_eq!((pulse.pid, pulse.phase.as_str()), (7, "active"));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(news(), Some(Reading::Missing));
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(news(), Some(Reading::Unreadable(_))));
    }

    #[test]
    fn processes_of_others_count_as_running() {
        assert!(is_running(1));
        assert!(!is_running(0));
        assert!(!is_running(u32::MAX));
    }
}
