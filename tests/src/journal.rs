//! What a router logged: every line with its time, from the log socket and from standard error.
//! Waiting for a line is waiting for an event.

use std::fmt::Write;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// One message.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it came.
    pub at: Instant,
    /// Who sent it, as in `pulse[123]`; `stderr` for what a program wrote there.
    pub tag: String,
    /// The message.
    pub text: String,
}

/// The lines so far; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    shared: Arc<(Mutex<Vec<Line>>, Condvar)>,
}

impl Journal {
    /// Adds a line that came just now.
    pub fn push(&self, tag: &str, text: &str) {
        let (lines, grown) = &*self.shared;
        let line = Line {
            at: Instant::now(),
            tag: tag.to_owned(),
            text: text.to_owned(),
        };
        lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
        grown.notify_all();
    }

    /// Adds a datagram of the log socket: `<30>pulse[123]: MESSAGE`.
    pub fn push_datagram(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let (tag, message) = split_datagram(text.trim_end_matches(['\n', '\0']));
        self.push(tag, message);
    }

    /// A mark for `wait_from`: what comes from now on.
    pub fn mark(&self) -> usize {
        self.shared
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// The lines from a mark on.
    pub fn from(&self, mark: usize) -> Vec<Line> {
        let lines = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(mark..).unwrap_or_default().to_vec()
    }

    /// Waits for a line from the mark on that contains the words.
    pub fn wait_from(&self, mark: usize, words: &str, limit: Duration) -> Result<Line> {
        let (lines, grown) = &*self.shared;
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |lines: &Vec<Line>| {
            lines
                .get(mark..)
                .unwrap_or_default()
                .iter()
                .find(|line| line.text.contains(words))
                .cloned()
        };
        let (lines, _) = grown
            .wait_timeout_while(lines, limit, |lines| find(lines).is_none())
            .unwrap_or_else(PoisonError::into_inner);
        find(&lines).ok_or_else(|| {
            Error::unmet(format_args!("\"{words}\" was not logged within {limit:?}"))
        })
    }

    /// All lines as text, with seconds since the given moment.
    pub fn print(&self, since: Instant) -> String {
        let mut text = String::new();
        for line in self.from(0) {
            let at = line.at.saturating_duration_since(since).as_secs_f64();
            let _ = writeln!(text, "    {at:9.3}  {}: {}", line.tag, line.text);
        }
        text
    }
}

/// Tag and message of a datagram; a datagram of another form is all message.
fn split_datagram(text: &str) -> (&str, &str) {
    let rest = match text.split_once('>') {
        Some((priority, rest)) if priority.starts_with('<') => rest,
        _ => text,
    };
    rest.split_once(": ").unwrap_or(("?", rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_are_split_at_priority_and_tag() {
        assert_eq!(
            split_datagram("<30>pulse[12]: STARTING: now"),
            ("pulse[12]", "STARTING: now")
        );
        assert_eq!(split_datagram("no form"), ("?", "no form"));
    }

    #[test]
    fn waiting_ends_with_the_line_or_with_the_limit() {
        let journal = Journal::default();
        journal.push("pulse", "first");
        let mark = journal.mark();
        assert!(
            journal
                .wait_from(mark, "first", Duration::from_millis(10))
                .is_err()
        );
        let other = journal.clone();
        std::thread::spawn(move || other.push("pulse", "second line"));
        let line = journal
            .wait_from(mark, "second", Duration::from_secs(10))
            .unwrap();
        assert_eq!(line.text, "second line");
    }
}
