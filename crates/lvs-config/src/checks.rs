//! What concerns several statements: files that are usable but may surprise.
//!
//! Owns the warnings. Refuses nothing.

use crate::model::Config;
use crate::parse::Note;

pub(crate) fn run(_config: &Config, _notes: &mut Vec<Note>) {}
