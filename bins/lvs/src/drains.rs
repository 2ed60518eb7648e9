//! Servers that people took out of service without editing lvs.cf, kept on disk so that reloads and restarts
//! do not forget them. The partner does not know them.
//!
//! Holds what was asked for; what follows for the table is decided elsewhere.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// File name in the state folder.
pub const FILE: &str = "drains.json";

/// Why a server takes no new connections; times are milliseconds of the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// When it was asked for.
    pub since: u64,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// The reason given.
    #[serde(default)]
    pub why: String,
}

/// Drains by `VIRTUAL/SERVER`.
pub type Drains = BTreeMap<String, Drain>;

/// Reads the list. A missing file is an empty list; so is an unreadable one, and the text says why.
pub fn load(folder: &Path) -> (Drains, Option<String>) {
    let path = folder.join(FILE);
    let read = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Drains::new()),
        Err(error) => Err(error.to_string()),
    };
    match read {
        Ok(drains) => (drains, None),
        Err(reason) => {
            let text = format!(
                "cannot read {}: {reason}; no server is drained",
                path.display()
            );
            (Drains::new(), Some(text))
        }
    }
}

/// Writes the list.
pub fn save(folder: &Path, drains: &Drains) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(drains)?;
    bytes.push(b'\n');
    daemon::status::replace(&folder.join(FILE), &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_knows_them() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path()), (Drains::new(), None));
        let drain = Drain {
            since: 5,
            until: Some(7),
            why: "new disk".to_owned(),
        };
        let drains: Drains = [("web/a".to_owned(), drain)].into();
        save(folder.path(), &drains).unwrap();
        assert_eq!(load(folder.path()), (drains, None));
    }

    #[test]
    fn rubbish_drains_nothing_and_is_said() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "[1]").unwrap();
        let (drains, complaint) = load(folder.path());
        assert!(drains.is_empty() && complaint.unwrap().contains(FILE));
    }
}
