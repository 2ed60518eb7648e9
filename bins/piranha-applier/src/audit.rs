//! The log of changes: one JSON object a line, only ever added to (R16).
//!
//! Owns the file and its size. Secrets are left out by whoever makes the entries.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use change::protocol::Entry;

/// Beyond this size the file begins anew; the one before is kept.
const LARGEST: u64 = 8 << 20;
/// What the one before is called: not as logrotate calls those that it keeps.
const BEFORE: &str = "jsonl.old";
/// How much of the end is read for the last entries.
const TAIL: u64 = 1 << 20;
/// The longest difference that an entry keeps.
const DIFFERENCE: usize = 16 << 10;

/// The log.
#[derive(Debug)]
pub(crate) struct Audit(PathBuf);

impl Audit {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self(state_dir.join("audit.jsonl"))
    }

    /// Opens it for an entry to come: what cannot be logged is not done.
    pub(crate) fn open(&self) -> io::Result<Pen> {
        if let Some(folder) = self.0.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        if fs::metadata(&self.0).is_ok_and(|about| about.len() > LARGEST) {
            fs::rename(&self.0, self.0.with_extension(BEFORE))?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.0)?;
        Ok(Pen(file))
    }

    /// The last entries, the latest first.
    pub(crate) fn last(&self, most: usize) -> Vec<Entry> {
        let text = self.tail().unwrap_or_default();
        text.lines()
            .rev()
            .filter_map(|line| serde_json::from_str(line).ok())
            .take(most)
            .collect()
    }

    fn tail(&self) -> io::Result<String> {
        let mut file = File::open(&self.0)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Writes one entry.
#[derive(Debug)]
pub(crate) struct Pen(File);

impl Pen {
    pub(crate) fn write(mut self, mut entry: Entry) {
        if entry.difference.len() > DIFFERENCE {
            let mut end = DIFFERENCE;
            while !entry.difference.is_char_boundary(end) {
                end -= 1;
            }
            entry.difference.truncate(end);
            entry.difference.push_str("\n(cut)\n");
        }
        tracing::info!(
            "{}{} by {} from {}: {}",
            entry.act,
            object(&entry),
            entry.origin.who,
            entry.origin.from,
            entry.outcome.text
        );
        let line = serde_json::to_vec(&entry).map(|mut line| {
            line.push(b'\n');
            line
        });
        // One call for the whole line: two writers do not mix theirs.
        let written = line
            .map_err(io::Error::from)
            .and_then(|line| self.0.write_all(&line))
            .and_then(|()| self.0.sync_data());
        if let Err(error) = written {
            tracing::info!("the log of changes cannot be written: {error}");
        }
    }
}

/// What it was about, after a blank; nothing for what has no object.
fn object(entry: &Entry) -> String {
    match entry.what.as_str() {
        "" => String::new(),
        what => format!(" {what}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use change::protocol::{Origin, Outcome};

    fn entry(what: &str) -> Entry {
        Entry {
            at: 1,
            origin: Origin {
                who: "mina".to_owned(),
                from: "192.0.2.7".to_owned(),
            },
            act: "drain".to_owned(),
            what: what.to_owned(),
            before: None,
            after: None,
            difference: String::new(),
            outcome: Outcome {
                done: true,
                text: "done".to_owned(),
            },
        }
    }

    #[test]
    fn r16_entries_are_added_and_read_from_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::new(folder.path());
        assert_eq!(audit.last(5), []);
        for what in ["a", "b", "c"] {
            audit.open().unwrap().write(entry(what));
        }
        let path = folder.path().join("audit.jsonl");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        // A line that a crash cut short does not hide the others.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"at\":").unwrap();
        let last: Vec<_> = audit.last(2).into_iter().map(|e| e.what).collect();
        assert_eq!(last, ["c", "b"]);
    }

    #[test]
    fn the_daemons_log_has_no_gap_where_there_is_no_object() {
        assert_eq!(object(&entry("web/a")), " web/a");
        assert_eq!(object(&entry("")), "");
    }

    #[test]
    fn a_large_log_begins_anew_and_takes_no_name_of_logrotate() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::new(folder.path());
        let path = folder.path().join("audit.jsonl");
        let rotated = folder.path().join("audit.jsonl.1");
        fs::write(&rotated, "of last month").unwrap();
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        let long = Entry {
            difference: "한".repeat(DIFFERENCE),
            ..entry("long")
        };
        audit.open().unwrap().write(long);
        assert!(path.metadata().unwrap().len() < 2 * DIFFERENCE as u64);
        assert!(folder.path().join("audit.jsonl.old").exists());
        assert_eq!(fs::read_to_string(rotated).unwrap(), "of last month");
        assert_eq!(audit.last(1).len(), 1);
    }
}
