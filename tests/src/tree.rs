//! The clean Debian tree that machines are made of, fetched once.

use std::path::Path;
use std::process::Command;

use crate::error::{Context, Error, Result};
use crate::{interrupt, machine, setup};

/// What it has beside the least: what a router is expected to have, and what old scripts call.
const PACKAGES: &[&str] = &[
    "systemd",
    "systemd-sysv",
    "dbus",
    "kmod",
    "iproute2",
    "procps",
    "psmisc",
    "logrotate",
    "iptables",
    "curl",
    "openssl",
];
/// A mirror may be busy.
const ATTEMPTS: u32 = 3;

/// Makes it, with these packages more, unless it is there with them.
pub fn make(more: &[&str]) -> Result<()> {
    let tree = machine::tree()?;
    let (mirror, release) = origin()?;
    let packages = [PACKAGES, more].concat();
    let made = tree.with_extension("made");
    let found = std::fs::read_to_string(&made).unwrap_or_default();
    if has(&found, &release, &packages) {
        return Ok(());
    }
    setup::require(setup::MMDEBSTRAP)?;
    println!("fetching a clean {release}");
    let mut attempt = 1;
    loop {
        let fetched = fetch(&tree, &mirror, &release, &packages);
        interrupt::check()?;
        match fetched {
            Ok(()) => break,
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(error) => println!("once more: {error}"),
        }
        attempt += 1;
    }
    let recipe = format!("{release} {}\n", packages.join(" "));
    std::fs::write(&made, recipe).during("noting what the tree was made of")
}

/// Whether a tree made so is of this release and has these packages.
fn has(recipe: &str, release: &str, packages: &[&str]) -> bool {
    let words: Vec<&str> = recipe.split_whitespace().collect();
    words.split_first().is_some_and(|(first, there)| {
        *first == release && packages.iter().all(|package| there.contains(package))
    })
}

fn fetch(tree: &Path, mirror: &str, release: &str, packages: &[&str]) -> Result<()> {
    if tree.exists() {
        std::fs::remove_dir_all(tree).during("removing an unfinished tree")?;
    }
    let output = Command::new("mmdebstrap")
        .args(["--mode=root", "--variant=minbase"])
        .arg(format!("--include={}", packages.join(",")))
        .args(["--aptopt=Acquire::Retries \"3\"", release])
        .arg(tree)
        .arg(mirror)
        .output()
        .during("running mmdebstrap")?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Command {
        command: "mmdebstrap".into(),
        outcome: format!(
            "{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ),
    })
}

/// Where this machine has its own packages from, and of which release.
fn origin() -> Result<(String, String)> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format"])
        .args(["$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"])
        .arg("Created-By: Packages")
        .output()
        .during("asking apt for its sources")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    first_debian(&text).ok_or_else(|| {
        Error::Setup("apt has no source of Debian's main packages on this machine".into())
    })
}

/// The first plain release among lines of address, release, component and origin.
fn first_debian(text: &str) -> Option<(String, String)> {
    text.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [address, release, "main", "Debian"] if !release.contains('-') => {
                Some(((*address).to_owned(), (*release).to_owned()))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_release_is_taken() {
        let text = "http://a/ stable-updates main Debian\nhttp://b/ node main Other\nhttp://c/ stable main Debian\n";
        assert_eq!(
            first_debian(text),
            Some(("http://c/".to_owned(), "stable".to_owned()))
        );
        assert_eq!(first_debian(""), None);
    }

    #[test]
    fn a_tree_with_more_than_asked_for_is_good_enough() {
        assert!(has("stable a b rpm\n", "stable", &["a", "b"]));
        assert!(!has("stable a b\n", "stable", &["a", "b", "rpm"]));
        assert!(!has("stable a b\n", "testing", &["a"]));
        assert!(!has("", "stable", &[]));
    }
}
