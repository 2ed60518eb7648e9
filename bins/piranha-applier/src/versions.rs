//! Earlier versions of lvs.cf: the bytes, and who replaced them when.
//!
//! Owns the folder. A version is on the disk before the file that it is a copy of is replaced.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use change::protocol::{Origin, VERSIONS, Version};
use daemon::status::replace_durably;

/// The folder of versions.
#[derive(Debug)]
pub(crate) struct Versions(PathBuf);

impl Versions {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self(state_dir.join("versions"))
    }

    /// The latest first. What cannot be read is left out.
    pub(crate) fn list(&self) -> Vec<Version> {
        let mut versions: Vec<Version> = self
            .numbers()
            .into_iter()
            .filter_map(|number| self.about(number))
            .collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        versions
    }

    fn numbers(&self) -> Vec<u64> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let name = entry.file_name();
                let number = name.to_str()?.strip_suffix(".json")?;
                number.parse().ok()
            })
            .collect()
    }

    fn about(&self, number: u64) -> Option<Version> {
        let bytes = fs::read(self.0.join(format!("{number:06}.json"))).ok()?;
        let version: Version = serde_json::from_slice(&bytes).ok()?;
        (version.number == number).then_some(version)
    }

    /// What is known of a version, and its bytes.
    pub(crate) fn get(&self, number: u64) -> Option<(Version, Vec<u8>)> {
        let version = self.about(number)?;
        let bytes = fs::read(self.text(number)).ok()?;
        // A copy that is not what it was is none.
        (change::digest(&bytes) == version.digest).then_some((version, bytes))
    }

    /// The bytes with that digest, if a version has them.
    pub(crate) fn find(&self, digest: &str) -> Option<Vec<u8>> {
        let found = self.list().into_iter().find(|v| v.digest == digest)?;
        self.get(found.number).map(|(_, bytes)| bytes)
    }

    fn text(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number:06}.cf"))
    }

    /// Keeps the bytes that `origin` is about to replace; gives their number.
    pub(crate) fn add(
        &self,
        bytes: &[u8],
        serial: i32,
        origin: &Origin,
        at: u64,
    ) -> io::Result<u64> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)?;
        let number = self.numbers().into_iter().max().unwrap_or(0) + 1;
        let version = Version {
            number,
            at,
            origin: origin.clone(),
            serial,
            digest: change::digest(bytes),
        };
        replace_durably(&self.text(number), bytes)?;
        let about = serde_json::to_vec(&version)?;
        replace_durably(&self.0.join(format!("{number:06}.json")), &about)?;
        Ok(number)
    }

    /// Forgets one whose change was not made after all.
    pub(crate) fn remove(&self, number: u64) {
        // The description first: without it there is no version.
        let _ = fs::remove_file(self.0.join(format!("{number:06}.json")));
        let _ = fs::remove_file(self.text(number));
    }

    /// Forgets the oldest ones.
    pub(crate) fn prune(&self) {
        let mut numbers = self.numbers();
        numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
        for number in numbers.into_iter().skip(VERSIONS) {
            self.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            who: "mina".to_owned(),
            from: "192.0.2.7".to_owned(),
        }
    }

    #[test]
    fn the_last_twenty_are_kept_and_numbers_never_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::new(folder.path());
        assert_eq!(versions.list(), []);
        for serial in 1..=23 {
            let text = format!("serial_no = {serial}\n");
            let number = versions
                .add(text.as_bytes(), serial, &origin(), 100)
                .unwrap();
            assert_eq!(number, u64::try_from(serial).unwrap());
            versions.prune();
        }
        let numbers: Vec<_> = versions.list().iter().map(|v| v.number).collect();
        assert_eq!(numbers, (4..=23).rev().collect::<Vec<_>>());
        let (version, bytes) = versions.get(23).unwrap();
        assert_eq!((version.serial, bytes), (23, b"serial_no = 23\n".to_vec()));
        assert_eq!(versions.get(3), None);
        assert_eq!(
            fs::read_dir(folder.path().join("versions"))
                .unwrap()
                .count(),
            40
        );
    }

    #[test]
    fn damaged_and_foreign_files_are_no_versions() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::new(folder.path());
        versions.add(b"a", 1, &origin(), 1).unwrap();
        versions.add(b"b", 2, &origin(), 2).unwrap();
        let inner = folder.path().join("versions");
        fs::write(inner.join("000001.cf"), "other").unwrap();
        fs::write(inner.join("000009.json"), "{").unwrap();
        fs::write(inner.join("notes.txt"), "x").unwrap();
        assert_eq!(versions.get(1), None);
        assert_eq!(versions.get(9), None);
        assert_eq!(versions.find(&change::digest(b"b")), Some(b"b".to_vec()));
        assert_eq!(versions.add(b"c", 3, &origin(), 3).unwrap(), 10);
    }
}
