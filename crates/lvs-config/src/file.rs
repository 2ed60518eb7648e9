//! The file on disk: bounded reading, atomic replacement.
//!
//! Owns the two. Knows nothing of what is in it.

use std::fs::File;
use std::fs::Metadata;
use std::fs::OpenOptions;
use std::fs::Permissions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::fchown;
use std::path::Path;
use std::path::PathBuf;

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be opened.
    #[error("failed to open {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file breaks off, or is no file.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than any real one.
    #[error("failed to read {}: larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The file cannot be replaced.
    #[error("failed to write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else changed the file meanwhile.
    #[error("{} has been changed meanwhile", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl FileError {
    /// The reason alone, for a caller that names the file and the act itself.
    pub fn into_reason(self) -> io::Error {
        match self {
            Self::Open { source, .. } | Self::Read { source, .. } | Self::Write { source, .. } => {
                source
            }
            Self::TooLarge { limit, .. } => io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("larger than {} MiB", limit / (1024 * 1024)),
            ),
            Self::Changed { .. } => io::Error::other("changed meanwhile"),
        }
    }
}

/// The bytes of a file, unless there are more than `limit`.
///
/// # Errors
/// [`FileError::Open`], [`FileError::Read`] or [`FileError::TooLarge`].
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let path = || path.to_owned();
    let file = File::open(path()).map_err(|source| FileError::Open {
        path: path(),
        source,
    })?;
    let length = file.metadata().map(|m| m.len()).unwrap_or(0);
    if length > limit {
        return Err(FileError::TooLarge {
            path: path(),
            limit,
        });
    }
    let mut bytes = Vec::new();
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|source| FileError::Read {
        path: path(),
        source,
    })?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLarge {
            path: path(),
            limit,
        });
    }
    Ok(bytes)
}

/// Replaces the file in one step: a reader sees the old bytes or the new ones, and after a crash
/// one of them is there. Owner and mode stay; a symbolic link stays one. A new file gets mode
/// 0644.
///
/// # Errors
/// [`FileError::Write`]; the old file is then untouched.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Write {
        path: path.to_owned(),
        source,
    };
    let target = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        target => target.map_err(failed)?,
    };
    replace_target(&target, bytes).map_err(failed)
}

/// The same, unless the file holds other bytes than `old` by now.
///
/// # Errors
/// [`FileError::Changed`], or those of [`replace`].
pub fn replace_unchanged(path: &Path, old: &[u8], bytes: &[u8]) -> Result<(), FileError> {
    let now = read(path, old.len() as u64);
    match now {
        Ok(now) if now == old => replace(path, bytes),
        Ok(_) | Err(FileError::TooLarge { .. }) => Err(FileError::Changed {
            path: path.to_owned(),
        }),
        Err(error) => Err(error),
    }
}

fn replace_target(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let old = match target.metadata() {
        Ok(old) if !old.is_file() => return Err(io::Error::other("not a regular file")),
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (temporary, file) = create_beside(target, folder)?;
    let written = fill(&file, bytes, old.as_ref())
        .and_then(|()| std::fs::rename(&temporary, target))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // Gone already when only the last step failed.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn create_beside(target: &Path, folder: &Path) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut attempt = 0;
    loop {
        let temporary = folder.join(format!(".{name}.{}.{attempt}", std::process::id()));
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {
                attempt += 1;
            }
            file => return file.map(|file| (temporary, file)),
        }
    }
}

fn fill(mut file: &File, bytes: &[u8], old: Option<&Metadata>) -> io::Result<()> {
    file.write_all(bytes)?;
    if let Some(old) = old {
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    // After the owner: changing it clears the set-id bits.
    let mode = old.map_or(0o644, |old| old.mode() & 0o7777);
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_keeps_mode_and_link() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lvs.cf");
        let link = folder.path().join("link");
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("lvs.cf", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    /// Only root can give a file away: elsewhere there is no other owner to keep.
    #[test]
    fn replacing_keeps_owner_and_set_id_bits() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lvs.cf");
        std::fs::write(&file, "old").unwrap();
        let given_away = std::os::unix::fs::chown(&file, Some(48), Some(49)).is_ok();
        std::fs::set_permissions(&file, Permissions::from_mode(0o2664)).unwrap();
        let before = file.metadata().unwrap();
        assert_eq!(before.uid() == 48, given_away);
        replace(&file, b"new").unwrap();
        let after = file.metadata().unwrap();
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_eq!(after.mode(), before.mode());
        assert_ne!(after.ino(), before.ino());
    }

    #[test]
    fn a_file_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lvs.cf");
        std::fs::write(&file, "other").unwrap();
        let changed = replace_unchanged(&file, b"old", b"new");
        assert!(matches!(changed, Err(FileError::Changed { .. })));
        assert_eq!(std::fs::read(&file).unwrap(), b"other");
        replace_unchanged(&file, b"other", b"new").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
    }

    #[test]
    fn a_failed_replacement_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lvs.cf")).unwrap();
        assert!(replace(&folder.path().join("lvs.cf"), b"new").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn large_files_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "12345").unwrap();
        assert!(matches!(
            read(file.path(), 4),
            Err(FileError::TooLarge { .. })
        ));
        assert_eq!(read(file.path(), 5).unwrap(), b"12345");
        assert!(matches!(
            read(Path::new("/dev/zero"), 4),
            Err(FileError::TooLarge { .. })
        ));
    }
}
