//! The checks of `cargo lab test` that are one command or a few: format, lints, tests, units.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::error::{Context, Error, Result};
use crate::kernel::{Job, Kernel};
use crate::setup;

/// Highest exposure of each unit that `systemd-analyze security` may find.
const EXPOSURE: [(&str, f64); 3] = [
    ("pulse.service", 2.5),
    ("piranha-gui.service", 2.0),
    ("piranha-applier.service", 2.0),
];
/// Limit for the kernel tests: for what hangs, not for what is slow.
const LIMIT: Duration = Duration::from_secs(2400);

/// Runs a command; its output is shown only when it fails.
fn quietly(mut command: Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .during(format_args!("{:?}", command.get_program()))?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() {
        return Ok(text);
    }
    let command = format!("{command:?}").replace('"', "");
    Err(Error::Command {
        command,
        outcome: format!("{}\n{text}", output.status),
    })
}

pub(crate) fn format() -> Result<String> {
    component("fmt", "rustfmt")?;
    quietly(setup::cargo(&["fmt", "--all", "--check"]))?;
    Ok(String::new())
}

pub(crate) fn lints() -> Result<String> {
    component("clippy", "clippy")?;
    quietly(setup::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(String::new())
}

/// Adds a component that a minimal toolchain lacks.
fn component(command: &str, name: &str) -> Result<()> {
    if quietly(setup::cargo(&[command, "--version"])).is_ok() {
        return Ok(());
    }
    println!("installing {name}");
    let mut rustup = Command::new("rustup");
    rustup
        .args(["component", "add", name])
        .current_dir(setup::workspace());
    quietly(rustup).map_err(|error| {
        Error::Setup(format!(
            "cargo {command} is missing; rustup component add {name}: {error}"
        ))
    })?;
    Ok(())
}

pub(crate) fn unit_tests() -> Result<String> {
    let nextest = quietly(setup::cargo(&["nextest", "--version"])).is_ok();
    let text = if nextest {
        quietly(setup::cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--no-fail-fast",
            "--retries",
            "1",
            "--color",
            "never",
        ]))?
    } else {
        quietly(setup::cargo(&["test", "--workspace", "--quiet"]))?
    };
    if nextest {
        Ok(nextest_summary(&text))
    } else {
        Ok(format!("{} tests passed", count_passed(&text)))
    }
}

/// The last line's counts, and the names of tests that passed only at the second attempt: a test that
/// missed its turn on a busy machine does not stop a change, but it is not hidden either.
fn nextest_summary(text: &str) -> String {
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| line.trim_start().starts_with("FLAKY"))
        .map(str::trim)
        .collect();
    lines.sort_unstable();
    lines.dedup();
    let counts = text.lines().rev().find(|line| line.contains("Summary"));
    lines.insert(0, counts.unwrap_or_default().trim());
    lines.join("; ")
}

/// Sum over the `test result: ok. N passed; …` lines.
fn count_passed(text: &str) -> usize {
    text.lines()
        .filter_map(|line| {
            line.strip_prefix("test result: ok. ")?
                .split(' ')
                .next()?
                .parse::<usize>()
                .ok()
        })
        .sum()
}

pub(crate) fn unit_files() -> Result<String> {
    setup::require(setup::SYSTEMD)?;
    let mut found = Vec::new();
    for (unit, limit) in EXPOSURE {
        let mut command = Command::new("systemd-analyze");
        command
            .args(["security", "--no-pager", "--offline=yes"])
            .arg(setup::workspace().join("systemd").join(unit));
        let text = quietly(command)?;
        let value = exposure(&text)
            .ok_or_else(|| Error::unmet(format_args!("no exposure level in:\n{text}")))?;
        if value > limit {
            return Err(Error::unmet(format_args!(
                "exposure of {unit}: {value}, at most {limit} is allowed"
            )));
        }
        found.push(format!("{unit} {value}"));
    }
    Ok(found.join(", "))
}

/// The number in `→ Overall exposure level for pulse.service: 3.4 OK`.
fn exposure(text: &str) -> Option<f64> {
    let line = text
        .lines()
        .find(|line| line.contains("Overall exposure level"))?;
    line.rsplit_once(": ")?.1.split(' ').next()?.parse().ok()
}

/// A test program with tests that need the kernel.
struct TestProgram {
    path: PathBuf,
    folder: PathBuf,
}

/// Runs the ignored tests: those with `WITHOUT` in their name on a kernel without IPVS, all
/// others on one with it.
pub(crate) fn kernel_tests() -> Result<String> {
    let text = quietly_stdout(setup::cargo(&[
        "test",
        "--workspace",
        "--no-run",
        "--quiet",
        "--message-format",
        "json",
    ]))?;
    setup::build()?;
    let programs: Vec<TestProgram> = text.lines().filter_map(test_program).collect();
    let with = ignored_tests(Kernel::choose(), &programs, true)?;
    let without = ignored_tests(Kernel::Uml, &programs, false)?;
    Ok(format!("{with} tests passed, {without} without IPVS"))
}

/// Runs the ignored tests of one kind; gives their number, which is not 0.
fn ignored_tests(kernel: Kernel, programs: &[TestProgram], ipvs: bool) -> Result<usize> {
    /// In the names of tests that need a kernel without IPVS.
    const WITHOUT: &str = "without_ipvs";
    let kind: &[&str] = if ipvs {
        &["--skip", WITHOUT]
    } else {
        &[WITHOUT]
    };
    let mut count = 0;
    let mut script = String::from("status=0\n");
    for program in programs {
        let mut command = Command::new(&program.path);
        command
            .args(["--ignored", "--list", "--format", "terse"])
            .args(kind)
            .current_dir(&program.folder);
        let tests = quietly(command)?
            .lines()
            .filter(|line| line.ends_with(": test"))
            .count();
        if tests == 0 {
            continue;
        }
        count += tests;
        script.push_str(&format!(
            "cd '{}' && '{}' --ignored --test-threads=1 {} >/run/tests.log 2>&1 || \
             {{ status=1; cat /run/tests.log; }}\n",
            program.folder.display(),
            program.path.display(),
            kind.join(" ")
        ));
    }
    if count == 0 {
        return Err(Error::unmet("there is no test for the kernel"));
    }
    script.push_str("exit $status\n");
    let job = Job {
        command: vec!["/bin/sh".into(), "-c".into(), script],
        ipvs,
        interactive: false,
        limit: Some(LIMIT),
        tap: None,
    };
    let status = match kernel.run(&job) {
        Err(Error::Kernel(reason)) => {
            println!("the kernel ended during the kernel tests; once more in a new one: {reason}");
            kernel.run(&job)?
        }
        other => other?,
    };
    match status {
        0 => Ok(count),
        status => Err(Error::unmet(format_args!(
            "tests failed: exit status {status}"
        ))),
    }
}

/// Like `quietly`, but gives standard output alone.
fn quietly_stdout(mut command: Command) -> Result<String> {
    let output = command
        .stderr(Stdio::piped())
        .output()
        .during("running cargo")?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::Command {
        command: "cargo test --no-run".into(),
        outcome: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The test program that a line of cargo's JSON tells of, if it does.
fn test_program(line: &str) -> Option<TestProgram> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message.get("reason")? != "compiler-artifact" || message.get("profile")?.get("test")? != true
    {
        return None;
    }
    let path = PathBuf::from(message.get("executable")?.as_str()?);
    let folder = Path::new(message.get("manifest_path")?.as_str()?)
        .parent()?
        .to_owned();
    Some(TestProgram { path, folder })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exposure_is_read() {
        let text = "NAME\n→ Overall exposure level for pulse.service: 3.4 OK :-)\n";
        assert_eq!(exposure(text), Some(3.4));
        assert_eq!(exposure("nothing"), None);
    }

    #[test]
    fn test_programs_are_picked_from_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/w/bins/x/Cargo.toml","profile":{"test":true},"executable":"/t/x-1"}"#;
        let program = test_program(line).unwrap();
        assert_eq!(program.path, Path::new("/t/x-1"));
        assert_eq!(program.folder, Path::new("/w/bins/x"));
        assert!(test_program(r#"{"reason":"build-finished"}"#).is_none());
    }

    #[test]
    fn tests_that_passed_late_are_named() {
        let text = "  FLAKY 2/2 [ 0.1s] netdev::namespace x\n   Summary [ 1.0s] 5 tests run: 5 passed (1 flaky)\n  FLAKY 2/2 [ 0.1s] netdev::namespace x\n";
        assert_eq!(
            nextest_summary(text),
            "Summary [ 1.0s] 5 tests run: 5 passed (1 flaky); FLAKY 2/2 [ 0.1s] netdev::namespace x"
        );
    }

    #[test]
    fn passed_tests_are_counted() {
        let text = "test result: ok. 3 passed; 0 failed\nx\ntest result: ok. 4 passed; 0 failed\n";
        assert_eq!(count_passed(text), 7);
    }
}
