//! Each input of the fuzz targets' corpora, on the ordinary toolchain (`docs/fuzzing.md`).

#![allow(clippy::panic, reason = "a test may stop at the first surprise")]

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[path = "../fuzz/bodies/lvs_cf.rs"]
mod lvs_cf;
#[path = "../fuzz/bodies/lvs_convert.rs"]
mod lvs_convert;
#[path = "../fuzz/bodies/netlink_answers.rs"]
mod netlink_answers;
#[path = "../fuzz/bodies/restore_lines.rs"]
mod restore_lines;

/// Runs the target over its corpus; names the inputs for which something does not hold.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    let fails = |input: &&PathBuf| {
        let bytes = fs::read(input).unwrap_or_else(|error| panic!("{}: {error}", input.display()));
        catch_unwind(|| run(&bytes)).is_err()
    };
    let failed: Vec<_> = inputs.iter().filter(fails).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn lvs_cf_holds_for_its_corpus() {
    replay("lvs_cf", lvs_cf::run);
}

#[test]
fn lvs_convert_holds_for_its_corpus() {
    replay("lvs_convert", lvs_convert::run);
}

#[test]
fn netlink_answers_holds_for_its_corpus() {
    replay("netlink_answers", netlink_answers::run);
}

#[test]
fn restore_lines_holds_for_its_corpus() {
    replay("restore_lines", restore_lines::run);
}
