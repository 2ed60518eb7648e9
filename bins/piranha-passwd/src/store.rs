//! The file of accounts on the disk: read whole, replaced in one step (R3).
//!
//! Owns its lock, mode and owner.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use account::Accounts;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{User, geteuid};

/// The accounts, and the folder locked against another run.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) accounts: Accounts,
    path: PathBuf,
    folder: Flock<File>,
}

impl Store {
    /// The accounts as they are; a missing file has none.
    pub(crate) fn look(path: &Path) -> Result<Accounts, String> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("cannot read {shown}: {error}")),
        };
        // Mode and owner are set right when the file is written.
        Accounts::parse(&text).map_err(|error| {
            format!("{shown}: {error}; a file of another program must be moved away first")
        })
    }

    /// The accounts, to be changed.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let failed = |error: io::Error| format!("cannot open {}: {error}", folder.display());
        let opened = File::open(folder).map_err(failed)?;
        let locked = Flock::lock(opened, FlockArg::LockExclusive)
            .map_err(|(_, error)| failed(error.into()))?;
        Ok(Self {
            accounts: Self::look(path)?,
            path: path.to_owned(),
            folder: locked,
        })
    }

    /// Replaces the file: mode 0600, owned by `owner`.
    pub(crate) fn save(&self, owner: &str) -> Result<(), String> {
        let failed = |error: io::Error| format!("cannot write {}: {error}", self.path.display());
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        // Made with mode 0600; removed when it is not kept.
        let mut new = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        new.write_all(self.accounts.text().as_bytes())
            .map_err(failed)?;
        let file = new.as_file();
        self.give(file, owner)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        new.persist(&self.path)
            .map_err(|error| failed(error.error))?;
        self.folder.sync_all().map_err(failed)
    }

    /// To the web tool's user; who is not root can give nothing away, and then owns it himself.
    fn give(&self, file: &File, owner: &str) -> Result<(), String> {
        if !geteuid().is_root() {
            return Ok(());
        }
        let user = User::from_name(owner).ok().flatten();
        let (uid, gid) = match (user, self.path.metadata()) {
            (Some(user), _) => (user.uid.as_raw(), user.gid.as_raw()),
            (None, Ok(old)) => (old.uid(), old.gid()),
            (None, Err(_)) => {
                return Err(format!(
                    "there is no user {owner} to own the file; name one by --owner"
                ));
            }
        };
        fchown(file, Some(uid), Some(gid))
            .map_err(|error| format!("cannot give the file to {owner}: {error}"))
    }
}
