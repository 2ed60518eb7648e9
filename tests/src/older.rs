//! The programs of an earlier commit, as a package: what an upgrade begins with.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Error, Result};
use crate::{package, setup};

/// The package of an earlier commit.
pub fn deb_file() -> Result<PathBuf> {
    Ok(package::folder()?.join("piranha-older.deb"))
}

/// Builds it, from the repository's own history; gives its path.
pub fn build(commit: &str) -> Result<PathBuf> {
    let folder = setup::target()?.join("older");
    let (source, target) = (folder.join("source"), folder.join("target"));
    let name = take_out(commit, &source)?;
    println!("building the programs of {name}");
    let mut command = setup::cargo(&["build", "--workspace", "--exclude", "lab", "--bins"]);
    command
        .current_dir(&source)
        .env("CARGO_TARGET_DIR", &target);
    package::run(command)?;
    let file = deb_file()?;
    package::pack_deb(&source, &target, "dev", &file)?;
    Ok(file)
}

/// Puts the sources of a commit into a folder, unless they are there; gives its hash and title.
fn take_out(commit: &str, source: &Path) -> Result<String> {
    let look = Command::new("git")
        .args([
            "log",
            "-1",
            "--format=%H %s",
            "--end-of-options",
            commit,
            "--",
        ])
        .current_dir(setup::workspace())
        .output()
        .during("running git")?;
    if !look.status.success() {
        return Err(Error::Setup(format!(
            "commit {commit} is not in this repository; of a shallow clone, git fetch --unshallow brings the rest: {}",
            String::from_utf8_lossy(&look.stderr).trim()
        )));
    }
    let name = String::from_utf8_lossy(&look.stdout).trim().to_owned();
    let note = source.with_extension("commit");
    if std::fs::read_to_string(&note).is_ok_and(|there| there == name) {
        return Ok(name);
    }
    if source.exists() {
        std::fs::remove_dir_all(source).during("removing older sources")?;
    }
    std::fs::create_dir_all(source).during("making a folder for older sources")?;
    let mut command = Command::new("sh");
    // Not with the times of the commit: cargo would take what it built of another one for up to date.
    command
        .args(["-ec", r#"git archive "$1" | tar -x -m -C "$2""#, "sh"])
        .args([commit.as_ref(), source.as_os_str()])
        .current_dir(setup::workspace());
    package::run(command)?;
    std::fs::write(note, &name).during("noting which sources these are")?;
    Ok(name)
}
