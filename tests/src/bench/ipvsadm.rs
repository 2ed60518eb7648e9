//! ipvsadm-rs against Debian's ipvsadm: the same work by each in turn, on one kernel. Figures are
//! ratios of ours to the original's, since the kernel that runs as a process has its own pace.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use serde_json::Value;

use super::measure::{Work, medians};
use super::report;
use crate::error::{Context, Error, Result};
use crate::kernel::{Job, Kernel};
use crate::setup;

/// Servers of each service; with the service's own line eleven rules.
const SERVERS: usize = 10;
/// The program's greatest size in megabytes, and without the live view.
const SIZE: f64 = 3.0;
const SIZE_BARE: f64 = 1.5;
/// Limit for the whole measurement inside the kernel.
const LIMIT: Duration = Duration::from_secs(1800);

pub(super) fn run() -> Result<bool> {
    setup::require(setup::BASE)?;
    setup::require(setup::UML)?;
    setup::require(setup::IPVSADM)?;
    let original = setup::find("ipvsadm").ok_or_else(|| Error::Setup("no ipvsadm".into()))?;
    let bare = size(&release_build(&["--no-default-features"])?)?;
    let mut good = report("size without --watch, megabytes", bare, SIZE_BARE, "");
    let ours = release_build(&[])?;
    good &= report("size, megabytes", size(&ours)?, SIZE, "");
    let job = Job::own(&[Path::new("__bench"), &ours, &original], LIMIT)?;
    Ok(Kernel::choose().run(&job)? == 0 && good)
}

fn size(program: &Path) -> Result<f64> {
    let size = std::fs::metadata(program).during("asking for the program's size")?;
    Ok(size.len() as f64 / 1e6)
}

/// Builds the program as it is installed and gives its path.
fn release_build(features: &[&str]) -> Result<PathBuf> {
    let arguments = ["build", "--release", "--package", "ipvsadm-rs", "--quiet"];
    let output = setup::cargo(&arguments)
        .args(features)
        .args(["--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .during("running cargo build")?;
    if !output.status.success() {
        return Err(Error::Command {
            command: "cargo build".into(),
            outcome: output.status.to_string(),
        });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().find_map(executable);
    found.ok_or_else(|| Error::unmet("cargo build made no program"))
}

/// The program that a line of cargo's JSON tells of.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let path = message.get("executable")?.as_str()?;
    Some(PathBuf::from(path))
}

/// The two programs and a folder for inputs.
struct Pair<'a> {
    ours: &'a Path,
    original: &'a Path,
    folder: tempfile::TempDir,
    /// Networks that samples were taken in.
    left: RefCell<Vec<File>>,
}

pub(super) fn inside(ours: &Path, original: &Path) -> Result<bool> {
    // On the memory file system: reading the input shall cost both alike, and little.
    let folder = tempfile::tempdir_in("/run").during("making a temporary folder")?;
    let pair = Pair {
        ours,
        original,
        folder,
        left: RefCell::default(),
    };
    let mut good = pair.small()?;
    good &= pair.restore(1_000)?;
    good &= pair.listings()?;
    good &= pair.sync()?;
    good &= pair.restore(4_000)?;
    Ok(good)
}

impl Pair<'_> {
    fn clear(&self) -> Result<()> {
        quietly(Command::new(self.original).arg("-C"))
    }

    /// Enters a network of its own with an empty table. The kernel keeps deleted servers for two minutes
    /// and looks through them whenever one is added: after `-C` the same work costs several times as
    /// much. The networks left behind are kept to the end, so that nothing is cleaned up meanwhile.
    fn fresh(&self) -> Result<()> {
        let network = File::open("/proc/self/ns/net").during("opening the network")?;
        self.left.borrow_mut().push(network);
        unshare(CloneFlags::CLONE_NEWNET).during("making a network")?;
        quietly(Command::new("ip").args(["link", "set", "lo", "up"]))
    }

    /// Measures the same work by both programs; `before` prepares each sample.
    fn compare(
        &self,
        name: &str,
        work: Work<'_>,
        bar: f64,
        before: impl Fn() -> Result<()>,
    ) -> Result<bool> {
        let (ours, original) = medians(
            || before().and_then(|()| work.time(self.ours)),
            || before().and_then(|()| work.time(self.original)),
        )?;
        Ok(judged(name, ours, original, bar, "ipvsadm"))
    }

    /// Start-up: one change, one listing of nothing.
    fn small(&self) -> Result<bool> {
        self.fresh()?;
        let listing = Work {
            arguments: &["-Ln"],
            input: None,
            repeat: 10,
        };
        let mut good = self.compare("-Ln of an empty table", listing, 1.0, || Ok(()))?;
        let change = Work {
            arguments: &["-A", "-t", "10.0.0.1:80", "-s", "rr"],
            input: None,
            repeat: 1,
        };
        // Each must find the table empty, so a sample is the sum of single runs.
        let each = |program: &Path| {
            let mut total = Duration::ZERO;
            for _ in 0..10 {
                self.clear()?;
                total += change.time(program)?;
            }
            Ok(total / 10)
        };
        let (ours, original) = medians(|| each(self.ours), || each(self.original))?;
        good &= judged("one -A", ours, original, 1.0, "ipvsadm");
        self.clear()?;
        Ok(good)
    }

    fn restore(&self, services: usize) -> Result<bool> {
        let file = self.folder.path().join("rules");
        std::fs::write(&file, rules(services)).during("writing rules")?;
        let work = Work {
            arguments: &["-R"],
            input: Some(&file),
            repeat: 1,
        };
        let name = format!("-R of {} rules", services * (SERVERS + 1));
        self.compare(&name, work, 1.0 / 6.0, || self.fresh())
    }

    /// Of the table that the last restore left.
    fn listings(&self) -> Result<bool> {
        let mut good = true;
        for arguments in [&["-Ln"][..], &["-Ln", "--stats"], &["-Sn"]] {
            let work = Work {
                arguments,
                input: None,
                repeat: 1,
            };
            let name = format!("{} of 11000 rows", arguments.join(" "));
            good &= self.compare(&name, work, 1.0 / 3.0, || Ok(()))?;
        }
        Ok(good)
    }

    /// A declarative restore that finds nothing to do, against our own listing of the same.
    fn sync(&self) -> Result<bool> {
        let saved = Command::new(self.ours)
            .arg("-Sn")
            .output()
            .during("saving the table")?;
        let file = self.folder.path().join("table");
        std::fs::write(&file, saved.stdout).during("saving the table")?;
        let sync = Work {
            arguments: &["-R", "--sync"],
            input: Some(&file),
            repeat: 1,
        };
        let save = Work {
            arguments: &["-Sn"],
            input: None,
            repeat: 1,
        };
        let dry = Command::new(self.ours)
            .args(["-R", "--sync", "--dry-run"])
            .stdin(File::open(&file).during("opening the table")?)
            .output()
            .during("comparing the table")?;
        if !dry.status.success() || !dry.stdout.is_empty() {
            return Err(Error::unmet("an unchanged table is not found unchanged"));
        }
        let (sync, save) = medians(|| sync.time(self.ours), || save.time(self.ours))?;
        Ok(judged(
            "-R --sync of 11000 rows",
            sync,
            save,
            1.0,
            "own -Sn",
        ))
    }
}

fn judged(name: &str, ours: Duration, other: Duration, bar: f64, whose: &str) -> bool {
    let [ours, other] = [ours, other].map(|time| time.as_secs_f64());
    let note = format!("{:.1} ms; {whose} {:.1} ms", ours * 1e3, other * 1e3);
    report(name, ours / other, bar, &note)
}

/// Services with ten servers each, in the form that `-S -n` prints.
pub(super) fn rules(services: usize) -> String {
    let mut text = String::new();
    for service in 0..services {
        let (high, low) = (service / 250, service % 250 + 1);
        // Writing to a string does not fail.
        let _ = writeln!(text, "-A -t 10.1.{high}.{low}:80 -s wlc");
        for server in 1..=SERVERS {
            let _ = writeln!(
                text,
                "-a -t 10.1.{high}.{low}:80 -r 10.2.{high}.{server}:80 -m -w {server}"
            );
        }
    }
    text
}

fn quietly(command: &mut Command) -> Result<()> {
    let status = command.status().during(format_args!("{command:?}"))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Command {
        command: format!("{command:?}"),
        outcome: status.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_eleven_rules_for_each_service() {
        assert_eq!(rules(1000).lines().count(), 11_000);
        assert!(rules(1).starts_with("-A -t 10.1.0.1:80 -s wlc\n-a -t 10.1.0.1:80 -r 10.2.0.1:80"));
    }

    #[test]
    fn the_program_is_picked_from_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","executable":"/t/x"}"#;
        assert_eq!(executable(line), Some("/t/x".into()));
        assert_eq!(executable(r#"{"executable":null}"#), None);
    }
}
