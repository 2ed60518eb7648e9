//! The sample files: good ones mean exactly what the original understood, bad ones are refused
//! at its line with its text.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use lvs_config::parse;
use lvs_config::parse_all;
use lvs_config::show;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

fn rows(name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    text.lines()
        .skip(1)
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

/// Of the large file only these blocks are listed.
fn is_listed(file: &str, key: &str) -> bool {
    let listed = [
        "global.",
        "virtual[1].",
        "virtual[10].",
        "virtual[25].",
        "virtual[50].",
    ];
    !file.contains("large") || listed.iter().any(|prefix| key.starts_with(prefix))
}

#[test]
fn good_files_mean_what_the_original_understood() {
    let mut expected: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows("values.tsv") {
        expected
            .entry(row[0].clone())
            .or_default()
            .push((row[1].clone(), row[2].clone()));
    }
    assert_eq!(expected.len(), 20);
    for (file, expected) in expected {
        let text = std::fs::read(folder().join(&file)).unwrap();
        let checked = parse(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut values = show::values(&checked.config);
        values.retain(|(key, _)| is_listed(&file, key));
        for (value, expected) in values.iter().zip(&expected) {
            assert_eq!(value, expected, "{file}");
        }
        assert_eq!(values.len(), expected.len(), "{file}");
    }
}

#[test]
fn the_manifest_is_right_about_each_file() {
    let manifest = rows("manifest.tsv");
    assert_eq!(manifest.len(), 32);
    for row in manifest {
        let file = &row[0];
        let text = std::fs::read(folder().join(file)).unwrap();
        let all = parse_all(&text);
        match parse(&text) {
            Ok(checked) => {
                assert_eq!(row[5], "-", "{file} should be refused");
                assert!(!all.has_errors(), "{file}");
                assert_eq!(all.config, checked.config, "{file}");
                let servers: usize = checked
                    .config
                    .virtuals
                    .iter()
                    .map(|v| v.servers.len())
                    .sum();
                let counts = [
                    checked.config.virtuals.len(),
                    servers,
                    checked.config.failovers.len(),
                ];
                assert_eq!(counts.map(|n| n.to_string()), row[2..5], "{file}");
            }
            Err(error) => {
                assert_eq!(
                    (&error.line.to_string(), &error.message),
                    (&row[5], &row[6]),
                    "{file}"
                );
                let first = all
                    .diagnostics
                    .iter()
                    .find(|d| d.code.original_text().is_some());
                assert_eq!(first, Some(&*error.diagnostic), "{file}");
                assert_eq!(
                    error.first_line("pulse", "FILE"),
                    format!("pulse: error parsing FILE at line {}: {}", row[5], row[6]),
                );
            }
        }
    }
}
