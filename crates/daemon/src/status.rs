//! Files that others read at any moment: replaced as a whole, never seen half written.

use std::fs::{File, OpenOptions, Permissions, remove_file, rename};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Largest file that is read: 2,000 servers need 2 MiB.
const SIZE_LIMIT: u64 = 64 << 20;

/// What another process wrote with [`replace`], and the time since then; zero when that is to come.
pub fn read(path: &Path) -> io::Result<(Vec<u8>, Duration)> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() || about.len() > SIZE_LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no status file"));
    }
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT).read_to_end(&mut bytes)?;
    let age = SystemTime::now().duration_since(about.modified()?);
    Ok((bytes, age.unwrap_or_default()))
}

/// Replaces the file (0644) in one step. A crash of the machine may lose the new content; for what
/// must survive one see [`replace_durably`].
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    write_and_rename(path, content, false)
}

/// As [`replace`], and on the disk when it returns. Blocks for as long as the disk takes.
pub fn replace_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    write_and_rename(path, content, true)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn write_and_rename(path: &Path, content: &[u8], durable: bool) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    let written = write(&temporary, content, durable).and_then(|()| rename(&temporary, path));
    if written.is_err() {
        let _ = remove_file(&temporary);
    }
    written
}

/// `.NAME.PID` in the same folder, so that the rename stays within one file system.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} names no file", path.display()),
        )
    })?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(temporary))
}

fn write(path: &Path, content: &[u8], durable: bool) -> io::Result<()> {
    // A crash may have left it; and in a folder of another user it may be a link of theirs, which must
    // not be followed: a new file never is.
    let _ = remove_file(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)?;
    // Whatever mask the starter has set.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.write_all(content)?;
    if durable {
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_with_the_old_file_keeps_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pulse.json");
        replace(&path, b"old").unwrap();
        let reader = File::open(&path).unwrap();
        replace_durably(&path, b"new and longer").unwrap();
        assert_eq!(io::read_to_string(reader).unwrap(), "old");
        assert_eq!(read(&path).unwrap().0, b"new and longer");
        assert!(read(folder.path()).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn planted_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("piranha.prom");
        let precious = folder.path().join("precious");
        std::fs::write(&precious, "precious").unwrap();
        std::fs::set_permissions(&precious, Permissions::from_mode(0o600)).unwrap();
        let planted = temporary_beside(&path).unwrap();
        std::os::unix::fs::symlink(&precious, &planted).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
        let mode = precious.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(path.symlink_metadata().unwrap().is_file());
        assert_eq!(read(&path).unwrap().0, b"new");
        assert!(planted.symlink_metadata().is_err());
    }

    #[test]
    fn leftover_of_a_crash_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pulse.json");
        std::fs::write(temporary_beside(&path).unwrap(), "a longer half").unwrap();
        replace(&path, b"whole").unwrap();
        assert_eq!(read(&path).unwrap().0, b"whole");
    }

    #[test]
    fn failure_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("occupied");
        std::fs::create_dir(&target).unwrap();
        assert!(replace(&target, b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("missing/x"), b"x").is_err());
        assert!(replace(Path::new("/"), b"x").is_err());
    }
}
