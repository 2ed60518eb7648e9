//! What is rendered, read again by a reader of OpenMetrics that was written for these tests from the
//! specification, and held against the files that an administrator installs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use metrics::{Form, render};
use proptest::prelude::*;

const PULSE: &[u8] = include_bytes!("status/pulse.json");
const LVS: &[u8] = include_bytes!("status/lvs.json");

const AGE: Duration = Duration::from_millis(1500);

fn full(form: Form) -> String {
    render(form, |name| {
        let content = match name {
            "pulse.json" => PULSE,
            "lvs.json" => LVS,
            _ => return None,
        };
        Some((content.to_vec(), AGE))
    })
}

/// Both files have this content.
fn of(content: &[u8]) -> String {
    render(Form::OpenMetrics, |_| Some((content.to_vec(), AGE)))
}

/// One sample: its labels, sorted, and its value as written.
type Sample = (BTreeMap<String, String>, String);

#[derive(Debug, Default)]
struct Family {
    kind: String,
    unit: Option<String>,
    help: Option<String>,
    samples: Vec<Sample>,
}

/// Reads OpenMetrics by its grammar; everything that it does not allow is an error.
fn read(text: &str) -> Result<BTreeMap<String, Family>, String> {
    let body = text
        .strip_suffix("# EOF\n")
        .ok_or("does not end with # EOF")?;
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in body.lines() {
        let fault = |what: &str| format!("{what}: {line}");
        if let Some(meta) = line.strip_prefix("# ") {
            let mut words = meta.splitn(3, ' ');
            let mut word = || words.next().ok_or(fault("a word is missing"));
            let (keyword, name, rest) = (word()?, word()?, word()?);
            if name != current {
                if families.contains_key(name) {
                    return Err(fault("a family in two pieces"));
                }
                name.clone_into(&mut current);
            }
            let family = families.entry(current.clone()).or_default();
            if !family.samples.is_empty() {
                return Err(fault("metadata after samples"));
            }
            match keyword {
                "TYPE" if family.kind.is_empty() => rest.clone_into(&mut family.kind),
                "UNIT" if family.unit.is_none() && name.ends_with(&format!("_{rest}")) => {
                    family.unit = Some(rest.to_owned());
                }
                "HELP" if family.help.is_none() => family.help = Some(unescape(rest)?),
                _ => return Err(fault("metadata that is not allowed here")),
            }
            continue;
        }
        let (name, labels, value) = sample(line).map_err(|what| fault(&what))?;
        let family = families
            .get_mut(&current)
            .ok_or(fault("a sample before its family"))?;
        let wanted = match family.kind.as_str() {
            "counter" => format!("{current}_total"),
            "gauge" => current.clone(),
            _ => return Err(fault("a type that is not known")),
        };
        if name != wanted {
            return Err(fault("a sample outside its family"));
        }
        if family.samples.iter().any(|(other, _)| *other == labels) {
            return Err(fault("a sample twice"));
        }
        let number: f64 = value.parse().map_err(|_| fault("no number"))?;
        if family.kind == "counter" && !(number.is_finite() && number >= 0.0) {
            return Err(fault("no value of a counter"));
        }
        family.samples.push((labels, value));
    }
    Ok(families)
}

/// `NAME{LABEL="TEXT",…} VALUE`.
fn sample(line: &str) -> Result<(String, BTreeMap<String, String>, String), String> {
    let end = line.find(['{', ' ']).ok_or("no value")?;
    let (name, mut rest) = line.split_at(end);
    is_name(name)
        .then_some(())
        .ok_or("a name that is not allowed")?;
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, quoted) = rest.split_once("=\"").ok_or("no label")?;
            is_name(label)
                .then_some(())
                .ok_or("a label that is not allowed")?;
            let end = end_of_quoted(quoted).ok_or("no end of a label")?;
            let (text, after) = quoted.split_at(end);
            if labels.insert(label.to_owned(), unescape(text)?).is_some() {
                return Err("a label twice".to_owned());
            }
            rest = after.get(1..).unwrap_or_default();
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            rest = rest.strip_prefix(',').ok_or("no comma between labels")?;
        }
    }
    let value = rest.strip_prefix(' ').ok_or("no blank before the value")?;
    if value.contains(' ') {
        return Err("more than a value".to_owned());
    }
    Ok((name.to_owned(), labels, value.to_owned()))
}

fn is_name(text: &str) -> bool {
    regex::Regex::new("^[a-zA-Z_][a-zA-Z0-9_]*$")
        .unwrap()
        .is_match(text)
}

/// Where the quote stands that no backslash belongs to.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (place, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(place),
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some(same @ ('\\' | '"')) => same,
                other => return Err(format!("\\ before {other:?}")),
            },
            '"' => return Err("a bare quote".to_owned()),
            other => other,
        });
    }
    Ok(plain)
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(label, text): &(&str, &str)| ((*label).to_owned(), (*text).to_owned());
    pairs.iter().map(owned).collect()
}

#[track_caller]
fn value(families: &BTreeMap<String, Family>, name: &str, pairs: &[(&str, &str)]) -> String {
    let found = families.get(name).and_then(|family| {
        let wanted = labels(pairs);
        let mut samples = family.samples.iter();
        samples.find(|(labels, _)| *labels == wanted)
    });
    found.map_or_else(
        || panic!("no {name} {pairs:?} in {families:#?}"),
        |(_, value)| value.clone(),
    )
}

#[test]
fn a_router_as_openmetrics() {
    let families = read(&full(Form::OpenMetrics)).unwrap();
    let is = |name, pairs: &[_], expected: &str| {
        assert_eq!(value(&families, name, pairs), expected, "{name} {pairs:?}");
    };
    is("piranha_status_readable", &[("daemon", "pulse")], "1");
    is("piranha_status_age_seconds", &[("daemon", "lvs")], "1.5");
    is("piranha_role", &[("role", "primary")], "1");
    is("piranha_phase", &[("phase", "active")], "1");
    is("piranha_phase", &[("phase", "standby")], "0");
    is("piranha_activations", &[], "3");
    is("piranha_troubles", &[], "1");
    is("piranha_partner_running", &[], "0");
    is("piranha_partner_configuration_same", &[], "1");
    is("piranha_path_alive", &[("path", "public")], "1");
    is("piranha_path_alive", &[("path", "private")], "0");
    is("piranha_heartbeats_refused", &[("reason", "forged")], "5");
    is("piranha_vip_conflicts", &[], "2");
    is("piranha_table_servers", &[], "4");
    is("piranha_table_batches", &[], "9");
    is("piranha_table_operations", &[], "21");
    is("piranha_table_audit_seconds", &[], "0.0125");
    let web = [
        ("virtual", "web \"one\" \\ two"),
        ("service", "-t 192.0.2.80:80"),
    ];
    is("piranha_service_connections", &web, "18446744073709551615");
    is(
        "piranha_service_servers",
        &[web[0], web[1], ("verdict", "down")],
        "1",
    );
    is(
        "piranha_service_bytes",
        &[web[0], web[1], ("direction", "out")],
        "13",
    );
    let of_web = |name, address| [web[0], web[1], ("server", name), ("address", address)];
    let alpha = of_web("alpha", "10.1.0.1:80");
    let beta = of_web("beta", "10.1.0.2:80");
    is("piranha_server_up", &alpha, "1");
    is("piranha_server_up", &beta, "0");
    is("piranha_server_verdict_changes", &alpha, "5");
    is("piranha_server_check_seconds", &alpha, "0.0015");
    is("piranha_server_weight", &alpha, "3");
    is("piranha_server_drained", &alpha, "1");
    is(
        "piranha_server_open_connections",
        &[&alpha[..], &[("state", "inactive")]].concat(),
        "6",
    );
    // Not known: not told.
    let up = &families["piranha_server_up"].samples;
    assert_eq!(up.len(), 2, "gamma has no verdict yet");
    assert_eq!(families["piranha_server_weight"].samples.len(), 1);
}

#[test]
fn servers_of_two_services_with_one_name_stay_apart() {
    let service = |id, weight| {
        serde_json::json!({ "name": "dns", "service": id, "present": true, "servers": [{
            "name": "one", "server": "10.1.0.1:53", "verdict": "up", "changes": 0, "nanny": 7,
            "weight": weight, "configured_weight": weight, "check_ms": 1.0,
            "active_connections": 1, "inactive_connections": 2,
            "counters": {
                "connections": 1, "in_packets": 1, "out_packets": 1, "in_bytes": 1, "out_bytes": 1,
            },
        }] })
    };
    let services = [
        service("-t 192.0.2.53:53", 1),
        service("-u 192.0.2.53:53", 2),
    ];
    let status = serde_json::json!({ "version": "1", "mode": "active", "services": services });
    let families = read(&of(&serde_json::to_vec(&status).unwrap())).unwrap();
    for (id, weight) in [("-t 192.0.2.53:53", "1"), ("-u 192.0.2.53:53", "2")] {
        let server = [
            ("virtual", "dns"),
            ("service", id),
            ("server", "one"),
            ("address", "10.1.0.1:53"),
        ];
        assert_eq!(value(&families, "piranha_server_weight", &server), weight);
    }
}

#[test]
fn each_family_says_what_it_is() {
    for (name, family) in read(&full(Form::OpenMetrics)).unwrap() {
        assert!(name.starts_with("piranha_"), "{name}");
        assert!(
            family.help.is_some_and(|help| help.ends_with('.')),
            "{name} has no help"
        );
        assert!(!family.samples.is_empty(), "{name} is empty");
        for unit in ["seconds", "bytes"] {
            let named = name.ends_with(unit);
            assert_eq!(named, family.unit.as_deref() == Some(unit), "{name}");
        }
    }
}

#[test]
fn without_daemons_that_is_all_that_is_said() {
    let missing = render(Form::OpenMetrics, |_| None);
    for text in [missing, of(b"{\"pid\": 7, \"ph"), of(b"")] {
        let families = read(&text).unwrap();
        let names: Vec<_> = families.keys().collect();
        assert_eq!(names, ["piranha_status_readable"]);
        for daemon in ["pulse", "lvs"] {
            let readable = value(&families, "piranha_status_readable", &[("daemon", daemon)]);
            assert_eq!(readable, "0");
        }
    }
}

/// The older form: the same samples, without what it does not know.
#[test]
fn a_router_as_a_textfile() {
    let (new, old) = (full(Form::OpenMetrics), full(Form::Textfile));
    let samples = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(samples(&new), samples(&old));
    let mut known = BTreeMap::new();
    for line in old.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(known.insert(name, kind).is_none(), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (name, ..) = sample(line).unwrap();
            assert!(known.contains_key(name.as_str()), "{line}");
        }
    }
}

/// Every metric that the dashboard and the rules name.
fn named(file: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    let names = regex::Regex::new("piranha_[a-z_]+").unwrap();
    names
        .find_iter(&text)
        .map(|found| found.as_str().to_owned())
        .collect()
}

#[test]
fn dashboard_rules_and_manual_name_metrics_that_exist() {
    let text = full(Form::Textfile);
    let exist: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| sample(line).unwrap().0)
        .collect();
    for file in [
        "etc/grafana/piranha.json",
        "etc/prometheus/piranha.rules.yml",
        "tests/prometheus/piranha.rules.test.yml",
        "docs/metrics.md",
    ] {
        let named = named(file);
        assert!(named.len() > 8, "{file} names {named:?} only");
        let unknown: Vec<_> = named.difference(&exist).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
    let told = named("docs/metrics.md");
    let untold: Vec<_> = exist.difference(&told).collect();
    assert!(
        untold.is_empty(),
        "docs/metrics.md does not name {untold:?}"
    );
}

proptest! {
    #[test]
    fn any_name_comes_back_as_it_was(name in ".*", other in "[\\\\\"\n{}, =#]*") {
        let status = serde_json::json!({
            "version": name, "mode": other,
            "services": [{ "name": name, "service": other, "present": true, "servers": [] }],
        });
        let content = serde_json::to_vec(&status).unwrap();
        let families = read(&of(&content)).unwrap();
        let present = value(
            &families,
            "piranha_service_present",
            &[("virtual", &name), ("service", &other)],
        );
        prop_assert_eq!(present, "1");
    }

    #[test]
    fn any_content_is_survived(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&of(&content)).is_ok());
    }
}
