//! What people ask of a running lvs, and the answers: one line of JSON each.
//!
//! Owns the form; the socket and the decisions are elsewhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// File name of the socket in the run-time folder.
pub const SOCKET: &str = "lvs.sock";
/// The longest line: a configuration, quoted.
pub const LINE_LIMIT: usize = 40 << 20;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub enum Request {
    /// What lvs does and why, with connections.
    Status,
    /// Read the configuration file again.
    Reload,
    /// The changes that a reload with this configuration would make.
    Plan {
        /// The text of lvs.cf.
        config: String,
    },
    /// Let a server finish what it has.
    Drain {
        /// `VIRTUAL/SERVER`.
        server: String,
        /// For so long; absent: until it is enabled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
        /// Why.
        #[serde(default)]
        why: String,
    },
    /// Let it take connections again.
    Enable {
        /// `VIRTUAL/SERVER`.
        server: String,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// To [`Request::Status`].
    Status(serde_json::Value),
    /// To [`Request::Plan`]: the commands, and what is to be said about the file.
    Plan {
        /// ipvsadm's command lines in their order.
        changes: Vec<String>,
        /// Notes.
        notes: Vec<String>,
    },
    /// To [`Request::Reload`], when the table follows: what is to be said about the file.
    Reloaded {
        /// Notes.
        notes: Vec<String>,
    },
    /// To [`Request::Drain`] and [`Request::Enable`]: it is done.
    Done,
    /// Why not.
    Error(String),
}

/// A time as people write it: `90`, `90s`, `15m`, `2h`, `1d`.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("not a time (90, 90s, 15m, 2h, 1d): {text}");
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3_600,
        Some("d") => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    match number.checked_mul(unit) {
        Some(seconds) if (1..=u64::from(u32::MAX)).contains(&seconds) => {
            Ok(Duration::from_secs(seconds))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_plain_objects() {
        let read = |text| serde_json::from_str::<Request>(text).ok();
        assert_eq!(read(r#"{"command":"status"}"#), Some(Request::Status));
        let drain = Request::Drain {
            server: "web/a".to_owned(),
            seconds: Some(60),
            why: String::new(),
        };
        let text = r#"{"command":"drain","server":"web/a","seconds":60}"#;
        assert_eq!(read(text), Some(drain));
        for wrong in [
            "",
            "{}",
            r#"{"command":"drain"}"#,
            r#"{"command":"dance"}"#,
            "[[[",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("15m", 900),
            ("2h", 7_200),
            ("1d", 86_400),
        ] {
            assert_eq!(parse_time(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "0", "m", "-1", "1w", "1.5h", "99999999999d", "é"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
