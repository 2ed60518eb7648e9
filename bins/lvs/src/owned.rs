//! The list of services that lvs has put into the table, kept in a file so that leftovers of a dead lvs
//! are known as its own. Services of others are never on it and never touched.
//!
//! In the run-time folder: the list lasts as long as the kernel's table, and a take-over, which writes
//! it, must not wait for a disk.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use ipvs::ServiceId;
use serde::{Deserialize, Serialize};

use crate::identity;

/// File name in the run-time folder.
pub const FILE: &str = "owned.json";

#[derive(Serialize, Deserialize)]
struct Content {
    services: Vec<String>,
}

/// What is owned, and the file that says so.
#[derive(Debug)]
pub struct Owned {
    path: PathBuf,
    services: BTreeSet<ServiceId>,
}

impl Owned {
    /// Reads the list. A missing file is an empty list; so is an unreadable one, and the text says why.
    pub fn load(folder: &Path) -> (Self, Option<String>) {
        let path = folder.join(FILE);
        let (services, complaint) = match std::fs::read(&path) {
            Ok(bytes) => match read(&bytes) {
                Ok(services) => (services, None),
                Err(reason) => (BTreeSet::new(), Some(reason)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (BTreeSet::new(), None),
            Err(error) => (BTreeSet::new(), Some(error.to_string())),
        };
        let complaint = complaint.map(|reason| {
            format!(
                "cannot read {}: {reason}; services left by an earlier run stay",
                path.display()
            )
        });
        (Self { path, services }, complaint)
    }

    /// What is owned.
    pub const fn services(&self) -> &BTreeSet<ServiceId> {
        &self.services
    }

    /// Makes the list `services` and writes it when that is a change. The list in memory counts even when
    /// the disk refuses.
    pub fn set(&mut self, services: BTreeSet<ServiceId>) -> io::Result<()> {
        if services == self.services {
            return Ok(());
        }
        self.services = services;
        let content = Content {
            services: self.services.iter().map(identity::service_text).collect(),
        };
        let mut bytes = serde_json::to_vec(&content)?;
        bytes.push(b'\n');
        daemon::status::replace(&self.path, &bytes)
    }
}

fn read(bytes: &[u8]) -> Result<BTreeSet<ServiceId>, String> {
    let content: Content = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    content
        .services
        .iter()
        .map(|text| identity::parse_service(text).ok_or_else(|| format!("no service: {text}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use ipvs::Family;

    use super::*;

    #[test]
    fn a_later_run_knows_what_an_earlier_one_owned() {
        let folder = tempfile::tempdir().unwrap();
        let (mut owned, complaint) = Owned::load(folder.path());
        assert!(owned.services().is_empty() && complaint.is_none());
        let services: BTreeSet<_> = [
            identity::parse_service("-t 192.0.2.80:80").unwrap(),
            ServiceId::Mark {
                mark: 7,
                family: Family::V4,
            },
        ]
        .into();
        owned.set(services.clone()).unwrap();
        assert_eq!(Owned::load(folder.path()).0.services(), &services);
    }

    #[test]
    fn rubbish_owns_nothing_and_is_said() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{", "{\"services\":[\"-t nothing\"]}", "\0\0"] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let (owned, complaint) = Owned::load(folder.path());
            assert!(owned.services().is_empty());
            assert!(complaint.unwrap().contains(FILE), "{text}");
        }
    }

    #[test]
    fn an_unwritable_folder_does_not_lose_the_list() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (mut owned, _) = Owned::load(&file.path().join("below"));
        let services: BTreeSet<_> = [identity::parse_service("-f 1").unwrap()].into();
        assert!(owned.set(services.clone()).is_err());
        assert_eq!(owned.services(), &services);
    }
}
