//! Each of the tool's requirements has a test that is named after it.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::path::Path;

/// The requirements are R1 to this one.
const LAST: u32 = 23;

fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn each_requirement_has_a_test_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut text = String::new();
    for folder in [
        "bins/piranha-gui",
        "bins/piranha-applier",
        "bins/piranha-passwd",
    ] {
        sources(&root.join(folder), &mut text);
    }
    for folder in ["crates/account", "crates/change"] {
        sources(&root.join(folder), &mut text);
    }
    // `r11_r12_…` is named after both.
    let names = text
        .split("fn r")
        .skip(1)
        .filter_map(|rest| rest.split('(').next());
    let names: Vec<&str> = names.collect();
    let has = |number: u32| {
        let first = format!("{number}_");
        let second = format!("_r{number}_");
        names
            .iter()
            .any(|name| name.starts_with(&first) || name.contains(&second))
    };
    let missing: Vec<u32> = (1..=LAST).filter(|number| !has(*number)).collect();
    assert_eq!(missing, [] as [u32; 0]);
    assert!(!has(LAST + 1));
}
