//! The alert rules and the dashboard, as Prometheus itself reads them: by its own tool.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::error::{Context, Error, Result};
use crate::{package, setup};

const RULES: &str = "etc/prometheus/piranha.rules.yml";
const CASES: &str = "tests/prometheus/piranha.rules.test.yml";
const DASHBOARD: &str = "etc/grafana/piranha.json";
/// What Grafana puts in its place, and something that it may put there.
const VARIABLES: [(&str, &str); 3] = [
    ("$__rate_interval", "1m"),
    ("$instance", ".*"),
    ("$virtual", ".*"),
];

/// The rules are rules, fire when they have to, and the dashboard asks what can be asked.
pub(crate) fn run() -> Result<String> {
    let promtool = promtool()?;
    let on = |words: [&str; 2], file: &Path| {
        let mut command = Command::new(&promtool);
        command.args(words).arg(file);
        command.current_dir(setup::workspace());
        package::run(command)
    };
    on(["check", "rules"], Path::new(RULES))?;
    on(["test", "rules"], Path::new(CASES))?;
    let asked = questions()?;
    let groups = json!({ "groups": [{ "name": "dashboard", "rules": asked }] });
    let file = setup::target()?.join("package/dashboard.rules.yml");
    std::fs::write(&file, groups.to_string()).during("writing the dashboard's expressions")?;
    on(["check", "rules"], &file)?;
    Ok(format!("{} expressions of the dashboard", asked.len()))
}

/// The dashboard's expressions, as rules that give each a name.
fn questions() -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(setup::workspace().join(DASHBOARD));
    let dashboard: Value = serde_json::from_str(&text.during("reading the dashboard")?)
        .map_err(std::io::Error::other)
        .during("reading the dashboard")?;
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    if found.is_empty() {
        return Err(Error::unmet("the dashboard has no expression"));
    }
    let rule = |(index, expression): (usize, &String)| json!({ "record": format!("panel:{index}"), "expr": expression });
    Ok(found.iter().enumerate().map(rule).collect())
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(expression) = fields.get("expr").and_then(Value::as_str) {
                let filled = |text: String, (name, value): &(&str, &str)| text.replace(name, value);
                found.push(VARIABLES.iter().fold(expression.to_owned(), filled));
            }
            fields.values().for_each(|field| expressions(field, found));
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

/// Prometheus' own tool; where it is not installed, taken out of Debian's package, which would install a server.
fn promtool() -> Result<PathBuf> {
    let folder = setup::target()?.join("tools/prometheus");
    let program = folder.join("usr/bin/promtool");
    if let Some(installed) = setup::find("promtool") {
        return Ok(installed);
    }
    if program.is_file() {
        return Ok(program);
    }
    println!("fetching promtool");
    std::fs::create_dir_all(&folder).during("making a folder for promtool")?;
    let mut command = Command::new("sh");
    command
        .args(["-ec", "apt-get -q download prometheus && dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb"])
        .current_dir(&folder);
    package::run(command)?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dashboard_asks_for_something_everywhere() {
        let asked = questions().unwrap();
        assert!(asked.len() > 10, "{asked:?}");
        for question in asked {
            let text = question.to_string();
            assert!(text.contains("piranha_") && !text.contains('$'), "{text}");
        }
    }
}
