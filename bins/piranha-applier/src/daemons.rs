//! Questions to pulse and lvs over their sockets, which only root may use.
//!
//! Owns the forms of those questions and how a missing daemon is told.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use change::protocol::{Outcome, Plan, Said};
use serde_json::{Value, json};

/// For what is answered at once.
const SOON: Duration = Duration::from_secs(10);
/// For a reload: names may have to be resolved, and lvs follows too.
const READ: Duration = Duration::from_secs(60);
/// For a hand-over, which the partner may let lapse.
const LATE: Duration = Duration::from_secs(300);
/// The longest answer: a status with all services.
const LONGEST: u64 = 64 << 20;

/// pulse's answer to `--status`.
pub(crate) fn pulse_status(run_dir: &Path) -> Said {
    said("pulse", ask_pulse(run_dir, "status", SOON))
}

/// lvs's answer to `--status`.
pub(crate) fn lvs_status(run_dir: &Path) -> Said {
    let answer = ask_lvs(run_dir, &json!({ "command": "status" }), SOON);
    let status = |mut answer: Value| answer.get_mut("status").map(Value::take);
    said(
        "lvs",
        answer.map(|answer| status(answer).unwrap_or_default()),
    )
}

fn said(name: &str, answer: io::Result<Value>) -> Said {
    match answer {
        Ok(status) if status.is_object() => Said::Status(status),
        Ok(_) => Said::Silent(format!("{name} gave an answer that is not understood")),
        Err(error) => Said::Silent(silence(name, &error)),
    }
}

/// Has pulse read its configuration again.
pub(crate) fn reload(run_dir: &Path) -> Outcome {
    told(ask_pulse(run_dir, "reload", READ))
}

/// Has pulse give the active role away.
pub(crate) fn hand_over(run_dir: &Path) -> Outcome {
    told(ask_pulse(run_dir, "hand-over", LATE))
}

fn told(answer: io::Result<Value>) -> Outcome {
    match answer {
        Ok(answer) => serde_json::from_value(answer).unwrap_or_else(|_| Outcome {
            done: false,
            text: "pulse gave an answer that is not understood".to_owned(),
        }),
        Err(error) => Outcome {
            done: false,
            text: silence("pulse", &error),
        },
    }
}

/// Drains (`why` and perhaps `seconds`) or enables a server.
pub(crate) fn drain(run_dir: &Path, server: &str, seconds: Option<u64>, why: &str) -> Outcome {
    let request = match seconds {
        Some(seconds) => {
            json!({ "command": "drain", "server": server, "why": why, "seconds": seconds })
        }
        None => json!({ "command": "drain", "server": server, "why": why }),
    };
    done(ask_lvs(run_dir, &request, SOON), "drained")
}

/// Lets it take connections again.
pub(crate) fn enable(run_dir: &Path, server: &str) -> Outcome {
    let request = json!({ "command": "enable", "server": server });
    done(ask_lvs(run_dir, &request, SOON), "enabled")
}

fn done(answer: io::Result<Value>, text: &str) -> Outcome {
    let (done, text) = match answer {
        Ok(Value::String(word)) if word == "done" => (true, text.to_owned()),
        Ok(answer) => (false, refusal(&answer)),
        Err(error) => (false, silence("lvs", &error)),
    };
    Outcome { done, text }
}

fn refusal(answer: &Value) -> String {
    let why = answer.get("error").and_then(Value::as_str);
    why.unwrap_or("lvs gave an answer that is not understood")
        .to_owned()
}

/// What a reload with this text would change in the table.
pub(crate) fn plan(run_dir: &Path, text: &[u8]) -> Plan {
    let text = String::from_utf8_lossy(text);
    let answer = match ask_lvs(run_dir, &json!({ "command": "plan", "config": text }), READ) {
        Ok(answer) => answer,
        Err(error) => return Plan::Unknown(silence("lvs", &error)),
    };
    let list = |name: &str| -> Option<Vec<String>> {
        let list = answer.get("plan")?.get(name)?.clone();
        serde_json::from_value(list).ok()
    };
    match (list("changes"), list("notes")) {
        (Some(commands), Some(notes)) => Plan::Known { commands, notes },
        _ => Plan::Unknown(refusal(&answer)),
    }
}

fn silence(name: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            format!("{name} is not running here")
        }
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            format!("{name} did not answer in time")
        }
        _ => format!("{name} does not answer: {error}"),
    }
}

fn ask_pulse(run_dir: &Path, request: &str, patience: Duration) -> io::Result<Value> {
    let request = json!({ "request": request });
    ask(&run_dir.join("pulse.sock"), &request, patience)
}

fn ask_lvs(run_dir: &Path, request: &Value, patience: Duration) -> io::Result<Value> {
    ask(&run_dir.join("lvs.sock"), request, patience)
}

fn ask(socket: &Path, request: &Value, patience: Duration) -> io::Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(SOON))?;
    stream.write_all(format!("{request}\n").as_bytes())?;
    let mut line = String::new();
    let mut reader = BufReader::new(stream).take(LONGEST);
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_daemons_are_said_to_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        let run_dir = folder.path();
        let missing = Said::Silent("pulse is not running here".to_owned());
        assert_eq!(pulse_status(run_dir), missing);
        assert!(matches!(lvs_status(run_dir), Said::Silent(_)));
        assert!(!reload(run_dir).done);
        assert!(!drain(run_dir, "a/b", None, "").done);
        assert!(matches!(plan(run_dir, b""), Plan::Unknown(_)));
    }
}
