//! External check programs that behave well, badly, or never end.
#![allow(
    non_snake_case,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests of known bugs are named after them; a test may stop at the first surprise"
)]

mod support;

use probe::{Check, Expect, LoadMonitor, LoadOutcome, Outcome, Program};
use std::fs;
use std::io::{Read, Write, pipe};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const REAL: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 7), 8080);
/// A limit that a passing test never reaches.
const AMPLE: Duration = Duration::from_secs(120);

/// Makes an executable file. Another process writes it: a copy of a descriptor open for writing, in
/// a process that another test starts in this moment, would keep it from being run.
fn executable(path: &Path, text: &str) {
    let source = path.with_extension("text");
    fs::write(&source, text).unwrap();
    let status = Command::new("install")
        .args(["-m", "755"])
        .args([&source, path])
        .status();
    assert!(status.unwrap().success());
}

/// A script in a folder of its own.
struct Script {
    folder: TempDir,
}

impl Script {
    fn new(body: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("check");
        executable(&path, &format!("#!/bin/sh\n{body}\n"));
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn check(&self, arguments: &str, expect: Option<&str>, regex: bool) -> Check {
        let line = format!("{} {arguments}", self.path("check").display());
        Check::Program {
            program: Program::new(line.as_bytes()),
            expect: expect.map(|text| Expect::new(text.as_bytes(), regex).unwrap()),
        }
    }

    fn verdict(&self, expect: Option<&str>) -> Result<(), String> {
        verdict(&self.check("", expect, false), AMPLE)
    }
}

fn verdict(check: &Check, limit: Duration) -> Result<(), String> {
    match check.run(REAL, limit, &[]) {
        Outcome::Available => Ok(()),
        Outcome::Unavailable(reason) => Err(reason.to_string()),
        Outcome::Interrupted { .. } => panic!("nothing interrupts"),
    }
}

/// F25: a second after its limit a program is gone, and the reason says so.
fn F25_timed_out(script: &Script, good: impl Fn() -> bool) {
    support::at_its_limit(
        |_| Duration::from_secs(1),
        |limit| {
            let _ = fs::remove_file(script.path("started"));
            let result = verdict(&script.check("", Some("OK"), false), limit);
            (limit, result)
        },
        |(limit, result)| {
            let limit = limit.as_millis();
            let begin = format!("timed out after {limit} ms while running the program");
            good() && matches!(result, Err(reason) if reason.starts_with(&begin))
        },
    );
}

/// Whether a process still runs (a zombie does not).
fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" Z"))
    })
}

/// Processes of a killed group go away by themselves; waits for that.
fn gone(pid: &str) {
    let start = Instant::now();
    while runs(pid) {
        assert!(start.elapsed() < AMPLE, "{pid} still runs");
        std::thread::yield_now();
    }
}

#[test]
fn B33_output_with_and_without_a_newline() {
    assert_eq!(Script::new("echo OK").verdict(Some("OK")), Ok(()));
    assert_eq!(Script::new("printf OK").verdict(Some("OK")), Ok(()));
    let two = Script::new("printf 'OK\\n\\n'").verdict(Some("OK"));
    assert_eq!(two, Err(r#"got "OK\n" instead of "OK""#.into()));
    let longer = Script::new("echo OK2").verdict(Some("OK"));
    assert_eq!(longer, Err(r#"got "OK2" instead of "OK""#.into()));
}

#[test]
fn B31_a_program_that_fails_is_a_failed_check() {
    assert_eq!(
        Script::new("echo OK; exit 3").verdict(Some("OK")),
        Err("exit status 3".into())
    );
    assert_eq!(
        Script::new("echo OK; kill -9 $$").verdict(Some("OK")),
        Err("killed by signal 9".into())
    );
    let missing = Check::Program {
        program: Program::new(b"/nonexistent/check %h"),
        expect: Some(Expect::new(b"OK", false).unwrap()),
    };
    let reason = verdict(&missing, AMPLE).unwrap_err();
    assert!(
        reason.starts_with("cannot run /nonexistent/check: No such file"),
        "{reason}"
    );
    let none = Check::Program {
        program: Program::new(b" "),
        expect: None,
    };
    assert_eq!(verdict(&none, AMPLE), Err("no program to run".into()));
}

#[test]
fn without_an_expected_string_nothing_counts() {
    let some = Script::new("echo OK").verdict(None);
    assert_eq!(some, Err(r#"got "OK" though nothing is expected"#.into()));
    assert!(Script::new("true").verdict(None).is_err());
}

#[test]
fn B66_arguments_and_expressions() {
    let script = Script::new(r#"for word; do printf '<%s>' "$word"; done"#);
    let check = script.check(
        r#"%h http://%h:%p/ "a b" $HOME"#,
        Some("<192.0.2.7><http://192.0.2.7:8080/><a b><$HOME>"),
        false,
    );
    assert_eq!(verdict(&check, AMPLE), Ok(()));
    assert_eq!(
        verdict(&script.check("x12", Some("^<x[0-9]+>$"), true), AMPLE),
        Ok(())
    );
    assert!(verdict(&script.check("x", Some("^<x[0-9]+>$"), true), AMPLE).is_err());
    assert_eq!(verdict(&script.check("x", Some("*"), false), AMPLE), Ok(()));
}

#[test]
fn B32_a_program_that_hangs_and_its_children_are_killed() {
    let script = Script::new(
        "trap '' TERM; cd $(dirname $0); echo $$ > leader; sh -c 'echo $$ > child; >started; sleep 1000' & wait",
    );
    // Both have started: each line is whole when there is a second file.
    let started = || script.path("started").exists();
    F25_timed_out(&script, started);
    for name in ["leader", "child"] {
        gone(&fs::read_to_string(script.path(name)).unwrap());
    }
}

#[test]
fn B32_a_gigabyte_of_output() {
    let script = Script::new("head -c 1000000000 /dev/zero | tr '\\0' x; printf '\\nOK'");
    let result = script.verdict(Some("OK")).unwrap_err();
    assert!(result.len() < 200, "{result}");
    assert!(result.starts_with("got \"xxx"), "{result}");
}

#[test]
fn B32_output_without_end() {
    F25_timed_out(&Script::new("yes"), || true);
}

#[test]
fn a_child_that_keeps_the_output_open_delays_nothing() {
    let script = Script::new("sleep 1000 & echo $! > $(dirname $0)/child; echo OK");
    assert_eq!(script.verdict(Some("OK")), Ok(()));
    gone(&fs::read_to_string(script.path("child")).unwrap());
}

#[test]
fn a_program_that_closes_its_output_is_waited_for() {
    let script = Script::new("echo OK; exec >&-; sleep 0.1; exit 5");
    assert_eq!(script.verdict(Some("OK")), Err("exit status 5".into()));
}

#[test]
fn B64_signals_are_reset_in_the_program() {
    // Of the signals that are ignored only the first 31 concern us.
    let script = Script::new("grep SigBlk /proc/self/status; grep SigIgn /proc/self/status");
    let mut mask = nix::sys::signal::SigSet::all();
    mask.remove(nix::sys::signal::Signal::SIGABRT);
    let old = mask
        .thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK)
        .unwrap();
    let check = script.check(
        "",
        Some("SigBlk:\t0{16}\nSigIgn:\t[0-9a-f]{8}[08]0{7}"),
        true,
    );
    let result = verdict(&check, AMPLE);
    old.thread_set_mask().unwrap();
    assert_eq!(result, Ok(()));
}

#[test]
fn an_interruption_kills_the_program() {
    let script = Script::new("echo $$ > $1; exec sleep 1000");
    let fifo = script.path("started");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (reader, mut writer) = pipe().unwrap();
    let check = script.check(&fifo.display().to_string(), Some("OK"), false);
    let (outcome, pid) = std::thread::scope(|scope| {
        let interrupter = scope.spawn(|| {
            let mut pid = String::new();
            fs::File::open(&fifo)
                .unwrap()
                .read_to_string(&mut pid)
                .unwrap();
            writer.write_all(b"x").unwrap();
            pid
        });
        (
            check.run(REAL, AMPLE, &[reader.as_fd()]),
            interrupter.join().unwrap(),
        )
    });
    let expected: u32 = pid.trim().parse().unwrap();
    assert_eq!(
        outcome,
        Outcome::Interrupted {
            killed: Some(expected)
        }
    );
    assert!(!runs(&pid));
}

#[test]
fn load_monitors() {
    let run = |body: &str| {
        let script = Script::new(body);
        let path = script.path("check").display().to_string();
        LoadMonitor::new(path.as_bytes())
            .unwrap()
            .run(REAL, AMPLE, &[])
    };
    let uptime = r#"[ "$*" = 192.0.2.7 ] && echo "up 1 day, load average: 0.25, 0.1, 0.1""#;
    assert_eq!(run(uptime), LoadOutcome::Load(0.25));
    assert_eq!(run("echo what"), LoadOutcome::Unreadable("what\\n".into()));
    assert!(matches!(run("exit 1"), LoadOutcome::Failed(_)));
}
