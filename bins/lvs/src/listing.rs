//! The status of lvs as text for people.
//!
//! Reads the picture that the running lvs gave; a field that is missing shows as `-`.

use std::fmt::Write as _;

use serde_json::Value;

/// The state for people, at `now` in milliseconds of the Unix epoch.
pub(crate) fn text(status: &Value, now: u64) -> String {
    let mut text = String::new();
    let list = |value: &Value, name: &str| -> Vec<Value> {
        at(value, name).as_array().cloned().unwrap_or_default()
    };
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "lvs {} (pid {})",
        word(at(status, "mode")),
        word(at(status, "pid"))
    );
    for note in list(status, "notes") {
        let _ = writeln!(text, "note: {}", word(&note));
    }
    for service in list(status, "services") {
        let missing = match at(&service, "refused") {
            Value::Null if at(&service, "present") == true => String::new(),
            Value::Null => "  not in the table".to_owned(),
            refused => format!("  refused: {}", word(refused)),
        };
        let counted = match at(at(&service, "counters"), "connections") {
            Value::Null => String::new(),
            connections => format!("  connections {}", word(connections)),
        };
        let _ = writeln!(
            text,
            "{} ({}) {}{counted}{missing}",
            word(at(&service, "name")),
            word(at(&service, "service")),
            word(at(&service, "scheduler"))
        );
        for server in list(&service, "servers") {
            server_text(&mut text, &server, now);
        }
        for server in list(&service, "leaving") {
            let _ = writeln!(
                text,
                "  {} {}  inactive, leaves when its connections are gone  connections {}",
                word(at(&server, "name")),
                word(at(&server, "server")),
                word(at(&server, "active_connections"))
            );
        }
        if at(at(&service, "sorry_server"), "in_use") == true {
            let sorry = at(at(&service, "sorry_server"), "server");
            let _ = writeln!(text, "  sorry server {} in use", word(sorry));
        }
    }
    text
}

fn server_text(text: &mut String, server: &Value, now: u64) {
    let age = |time: &Value| time.as_u64().map(|time| age(now.saturating_sub(time)));
    let since = age(at(server, "since")).map_or_else(String::new, |age| format!(" for {age}"));
    let _ = write!(
        text,
        "  {} {}  {}{since}  weight {} of {}  connections {}+{}",
        word(at(server, "name")),
        word(at(server, "server")),
        word(at(server, "verdict")),
        word(at(server, "weight")),
        word(at(server, "configured_weight")),
        word(at(server, "active_connections")),
        word(at(server, "inactive_connections")),
    );
    for (name, label) in [("reason", ""), ("refused", "refused: ")] {
        let said = word(at(server, name));
        if !matches!(said.as_str(), "" | "-") {
            let _ = write!(text, "  {label}{said}");
        }
    }
    if at(server, "drained").is_object() {
        let _ = write!(text, "  DRAINED (here only: the partner does not know)");
        if let Some(why) = at(at(server, "drained"), "why")
            .as_str()
            .filter(|why| !why.is_empty())
        {
            let _ = write!(text, ": {why}");
        }
    }
    text.push('\n');
    for verdict in at(server, "history").as_array().into_iter().flatten().rev() {
        let (what, when) = (word(at(verdict, "verdict")), age(at(verdict, "at")));
        let reason = match at(verdict, "reason").as_str() {
            Some("") | None => String::new(),
            Some(reason) => format!(": {reason}"),
        };
        let _ = writeln!(text, "    {what} {} ago{reason}", when.unwrap_or_default());
    }
}

/// Milliseconds as a person says them, in the two largest units.
fn age(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A field; nothing where there is none.
fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_for_people() {
        let status = serde_json::json!({
            "mode": "active", "pid": 7, "notes": ["careful"],
            "services": [{
                "name": "web", "service": "-t 192.0.2.80:80", "scheduler": "wlc", "present": true,
                "counters": {"connections": 12},
                "servers": [
                    {"name": "a", "server": "10.0.0.1:80", "verdict": "up", "reason": "", "weight": 0,
                     "configured_weight": 10, "active_connections": 3, "inactive_connections": 4,
                     "since": 95_000, "history": [{"at": 1_000, "verdict": "down", "reason": "refused"},
                        {"at": 95_000, "verdict": "up", "reason": ""}],
                     "drained": {"since": 1, "why": "new disk"}},
                    {"name": "b", "server": "10.0.0.2:80", "verdict": "down", "reason": "refused",
                     "weight": null, "configured_weight": 10},
                ],
                "leaving": [{"name": "c", "server": "10.0.0.3:80", "active_connections": 1}],
                "sorry_server": {"server": "10.0.0.9:80", "in_use": true},
            }],
        });
        let expected = "\
lvs active (pid 7)
note: careful
web (-t 192.0.2.80:80) wlc  connections 12
  a 10.0.0.1:80  up for 5 s  weight 0 of 10  connections 3+4  DRAINED (here only: the partner does not know): new disk
    up 5 s ago
    down 1 min 39 s ago: refused
  b 10.0.0.2:80  down  weight - of 10  connections -+-  refused
  c 10.0.0.3:80  inactive, leaves when its connections are gone  connections 1
  sorry server 10.0.0.9:80 in use
";
        assert_eq!(text(&status, 100_000), expected);
        assert_eq!(text(&Value::Null, 0), "lvs - (pid -)\n");
    }

    #[test]
    fn ages() {
        for (seconds, text) in [
            (0, "0 s"),
            (60, "1 min 0 s"),
            (3_725, "1 h 2 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(age(seconds * 1_000), text);
        }
    }
}
