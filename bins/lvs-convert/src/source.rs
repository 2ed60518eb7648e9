//! The files that are read, and places in them.
//!
//! Owns reading within bounds. Knows no grammar.

use std::io::Read;
use std::path::{Path, PathBuf};

use nom::Offset;

use crate::notes::Fault;

/// All files together may be so large.
const LIMIT: u64 = 16 << 20;

/// A half-open range of bytes of one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Place {
    /// The place of `part`, a slice of `text`, which is the whole of file number `file`.
    pub(crate) fn of(file: usize, text: &str, part: &str) -> Self {
        let start = text.offset(part);
        Self {
            file,
            start,
            end: start + part.len(),
        }
    }

    /// From here to the end of `other`.
    pub(crate) fn to(self, other: Self) -> Self {
        if self.file == other.file {
            Self {
                end: other.end.max(self.end),
                ..self
            }
        } else {
            self
        }
    }
}

/// One file.
#[derive(Debug)]
pub(crate) struct Source {
    /// As it was named.
    pub(crate) name: String,
    /// The folder that relative includes start from.
    pub(crate) folder: PathBuf,
    /// Bytes that are no UTF-8 are replaced: they can only stand in remarks.
    pub(crate) text: String,
    /// Where its lines begin.
    lines: Vec<usize>,
}

/// The files read so far.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    /// Reads a file, or standard input when it is called `-`; gives its number.
    pub(crate) fn read(&mut self, path: &Path) -> Result<usize, Fault> {
        let left = LIMIT.saturating_sub(self.0.iter().map(|file| file.text.len() as u64).sum());
        let name = path.display().to_string();
        let bytes = if name == "-" {
            limited(std::io::stdin().lock(), left)
        } else {
            std::fs::File::open(path).and_then(|file| limited(file, left))
        };
        let bytes = bytes.map_err(|error| {
            Fault::general(format!("cannot read {name}: {error}"), "is the name right?")
        })?;
        if bytes.contains(&0) {
            let text = format!("{name} holds bytes of value 0: it is not a text");
            return Err(Fault::general(text, "name the configuration file itself"));
        }
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(self.add(&name, folder, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Adds a text that is already there.
    pub(crate) fn add(&mut self, name: &str, folder: PathBuf, text: String) -> usize {
        let after_line_end = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after_line_end).collect();
        self.0.push(Source {
            lines,
            name: name.to_owned(),
            folder,
            text,
        });
        self.0.len() - 1
    }

    /// The text of a file.
    pub(crate) fn text(&self, file: usize) -> &str {
        self.get(file).map_or("", |file| &file.text)
    }

    pub(crate) fn get(&self, file: usize) -> Option<&Source> {
        self.0.get(file)
    }

    /// `FILE` and the line, counted from 1.
    pub(crate) fn line(&self, place: Place) -> (&str, usize) {
        let Some(file) = self.get(place.file) else {
            return ("", 0);
        };
        (
            &file.name,
            file.lines.partition_point(|start| *start <= place.start),
        )
    }
}

fn limited(source: impl Read, left: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(left + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > left {
        let text = format!("more than {} MiB in all", LIMIT >> 20);
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}
