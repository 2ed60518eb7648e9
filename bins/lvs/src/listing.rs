//! The status of lvs as text for people.
//!
//! Reads the picture that the running lvs gave; a field that is missing shows as `-`.

use std::fmt::Write as _;

use serde_json::Value;

/// The state for people.
pub(crate) fn text(status: &Value) -> String {
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
        let _ = writeln!(
            text,
            "{} ({}) {}{missing}",
            word(at(&service, "name")),
            word(at(&service, "service")),
            word(at(&service, "scheduler"))
        );
        for server in list(&service, "servers") {
            server_text(&mut text, &server);
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

fn server_text(text: &mut String, server: &Value) {
    let _ = write!(
        text,
        "  {} {}  {}  weight {} of {}  connections {}+{}",
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
                "servers": [
                    {"name": "a", "server": "10.0.0.1:80", "verdict": "up", "reason": "", "weight": 0,
                     "configured_weight": 10, "active_connections": 3, "inactive_connections": 4,
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
web (-t 192.0.2.80:80) wlc
  a 10.0.0.1:80  up  weight 0 of 10  connections 3+4  DRAINED (here only: the partner does not know): new disk
  b 10.0.0.2:80  down  weight - of 10  connections -+-  refused
  c 10.0.0.3:80  inactive, leaves when its connections are gone  connections 1
  sorry server 10.0.0.9:80 in use
";
        assert_eq!(text(&status), expected);
        assert_eq!(text(&Value::Null), "lvs - (pid -)\n");
    }
}
