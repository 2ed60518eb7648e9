//! Children: signals, descriptors, pipes, ends.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use daemon::Signal;
use daemon::child::{Child, ChildError, Credentials, Output, Report, Spec, Stdin, describe};
use daemon::lines::Lines;
use daemon::runtime::Signals;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{SigSet, SigmaskHow, raise};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{LIMIT, PART, Test, command, in_loop};

pub(crate) const TESTS: &[Test] = &[
    ("B64_child_has_clean_signals", child_has_clean_signals),
    (
        "child_has_only_its_descriptors",
        child_has_only_its_descriptors,
    ),
    (
        "report_pipe_works_on_any_number",
        report_pipe_works_on_any_number,
    ),
    ("missing_program_is_an_error", missing_program_is_an_error),
    (
        "child_talks_through_its_pipes",
        child_talks_through_its_pipes,
    ),
    ("B39_stop_is_bounded", stop_is_bounded),
    ("B39_child_dies_with_its_parent", child_dies_with_its_parent),
    (
        "own_variables_are_not_passed_on",
        own_variables_are_not_passed_on,
    ),
    ("descriptor_limit_is_restored", descriptor_limit_is_restored),
    ("child_runs_as_another_user", child_runs_as_another_user),
    (
        "another_user_gains_nothing_by_a_program",
        another_user_gains_nothing_by_a_program,
    ),
    (
        "script_without_interpreter_runs",
        script_without_interpreter_runs,
    ),
    ("dropped_child_is_reaped", dropped_child_is_reaped),
    ("signals_are_one_stream", signals_are_one_stream),
];

/// This program in another part.
pub(crate) fn this_program(part: &str, folder: &Path) -> Spec {
    let mut spec = Spec::new(std::env::current_exe().unwrap());
    spec.env = vec![
        (PART.into(), part.into()),
        ("FOLDER".into(), folder.into()),
        ("PIRANHA_REPORT".into(), "3".into()),
    ];
    spec
}

fn shell(script: &str) -> Spec {
    let mut spec = Spec::new("/bin/sh");
    spec.args = vec!["-c".into(), script.into()];
    spec.stdout = Output::Pipe;
    spec
}

async fn output(spec: &Spec) -> String {
    let mut child = spec.spawn().unwrap();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .await
        .unwrap();
    assert!(child.wait().await.unwrap().success());
    text
}

async fn report_of(child: &mut Child) -> Option<String> {
    Lines::new(child.report.take().unwrap(), 100)
        .line()
        .await
        .unwrap()
}

fn child_has_clean_signals() {
    // What a parent such as the original lvsd leaves: a blocked mask. Rust itself ignores PIPE.
    let mut blocked = SigSet::empty();
    blocked.add(Signal::SIGTERM);
    blocked.add(Signal::SIGHUP);
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).unwrap();
    in_loop(async {
        let text = output(&shell("exec cat /proc/self/status")).await;
        for name in ["SigBlk:\t", "SigIgn:\t", "SigCgt:\t"] {
            let bits = text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            let bits = u64::from_str_radix(bits, 16).unwrap();
            // The C library keeps signals 32 and 33 for itself and ignores them in what it spawns.
            assert_eq!(bits & !0x1_8000_0000, 0, "{name}{bits:x}");
        }
    });
    before.thread_set_mask().unwrap();
}

fn child_has_only_its_descriptors() {
    // A descriptor that a careless library left inheritable.
    let careless = std::fs::File::open("/dev/zero").unwrap();
    fcntl(&careless, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    in_loop(async {
        let mut spec = shell("ls -l /proc/$$/fd");
        spec.report = Some(Report { fd: 3 });
        let text = output(&spec).await;
        assert!(!text.contains("/dev/zero"), "{text}");
        assert_eq!(
            text.lines().filter(|line| line.contains(" -> ")).count(),
            4,
            "{text}"
        );
    });
}

fn report_pipe_works_on_any_number() {
    let folder = tempfile::tempdir().unwrap();
    in_loop(async {
        for number in (3..24).chain([200]) {
            let mut spec = this_program("reporter", folder.path());
            spec.report = Some(Report { fd: number });
            spec.env
                .push(("PIRANHA_REPORT".into(), number.to_string().into()));
            spec.env
                .push(("SAY".into(), format!("hello on {number}").into()));
            let mut child = spec.spawn().unwrap();
            let mut lines = Lines::new(child.report.take().unwrap(), 100);
            assert_eq!(
                lines.line().await.unwrap().unwrap(),
                format!("hello on {number}")
            );
            // The end of the child is the end of the file: nobody else holds the pipe.
            assert_eq!(lines.line().await.unwrap(), None);
            assert!(child.wait().await.unwrap().success());
        }
        let mut spec = shell("true");
        spec.report = Some(Report { fd: 1 });
        assert!(matches!(spec.spawn(), Err(ChildError::Start { .. })));
    });
}

/// Also when the pipe that tells of it could have had the report pipe's number.
fn missing_program_is_an_error() {
    in_loop(async {
        for number in 3..24 {
            let mut spec = Spec::new("/nonexistent/nanny");
            spec.report = Some(Report { fd: number });
            let error = spec.spawn().unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("cannot run /nonexistent/nanny: "),
                "{error}"
            );
        }
    });
}

fn child_talks_through_its_pipes() {
    in_loop(async {
        let mut spec = shell("read word; echo \"$0 $word\"; echo wrong >&2; exit 3");
        spec.args.push("lvsd".into());
        spec.stdin = Stdin::Pipe;
        spec.stderr = Output::Pipe;
        let mut child = spec.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"reload\n")
            .await
            .unwrap();
        let mut text = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .await
            .unwrap();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .await
            .unwrap();
        assert_eq!(text, "lvsd reload\nwrong\n");
        let status = child.wait().await.unwrap();
        assert_eq!(describe(status), "exited with status 3");
        assert_eq!(child.wait().await.unwrap(), status);
        child.signal(Signal::SIGTERM).unwrap();

        let mut spec = shell("tr '\\0' ' ' < /proc/$$/cmdline");
        spec.arg0 = Some(OsString::from("lvsd"));
        assert!(output(&spec).await.starts_with("lvsd -c "));
    });
}

fn stop_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    in_loop(async {
        let mut spec = this_program("sleeper", folder.path());
        spec.report = Some(Report { fd: 3 });
        let mut child = spec.spawn().unwrap();
        assert_eq!(report_of(&mut child).await.unwrap(), "up");
        let status = child.stop(LIMIT).await.unwrap();
        assert_eq!(describe(status), "terminated with signal 15");

        let mut spec = this_program("stubborn", folder.path());
        spec.report = Some(Report { fd: 3 });
        let mut child = spec.spawn().unwrap();
        assert_eq!(report_of(&mut child).await.unwrap(), "deaf");
        let status = child.stop(Duration::from_millis(50)).await.unwrap();
        assert_eq!(status.signal(), Some(9));

        // With its own session the whole group is killed: the grandchild holds the pipe open.
        let mut spec = shell("trap '' TERM; sleep 60 & echo up; wait; sleep 60");
        spec.own_session = true;
        let mut child = spec.spawn().unwrap();
        let mut lines = Lines::new(child.stdout.take().unwrap(), 100);
        assert_eq!(lines.line().await.unwrap().unwrap(), "up");
        child.stop(Duration::from_millis(50)).await.unwrap();
        assert_eq!(lines.line().await.unwrap(), None);
    });
}

fn child_dies_with_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    let status = command("parent", folder.path()).status().unwrap();
    assert_eq!(status.signal(), Some(6));
    let child = std::fs::read_to_string(folder.path().join("child")).unwrap();
    let start = Instant::now();
    let stat = format!("/proc/{child}/stat");
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(start.elapsed() < LIMIT / 2, "process {child} does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn own_variables_are_not_passed_on() {
    // This program again, for it must have the variables from its start.
    if std::env::var_os("WATCHDOG_USEC").is_none() {
        let status = Command::new(std::env::current_exe().unwrap())
            .arg("own_variables")
            .env("WATCHDOG_USEC", "1000000")
            .env("PIRANHA_REPORT", "3")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    in_loop(async {
        let mut spec = shell("env");
        spec.env.push(("PIRANHA_WEIGHT".into(), "4".into()));
        let text = output(&spec).await;
        assert!(
            !text.contains("WATCHDOG_USEC") && !text.contains("PIRANHA_REPORT"),
            "{text}"
        );
        assert!(text.contains("PIRANHA_WEIGHT=4\n"), "{text}");
    });
}

fn descriptor_limit_is_restored() {
    in_loop(async {
        let (soft, hard) =
            nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
        let lower = soft.min(512);
        nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, lower, hard)
            .unwrap();
        assert_eq!(daemon::child::raise_descriptor_limit(0).unwrap(), hard);
        assert_eq!(output(&shell("ulimit -Sn")).await, format!("{lower}\n"));
    });
}

fn child_runs_as_another_user() {
    assert!(
        nix::unistd::Uid::effective().is_root(),
        "this test needs root"
    );
    in_loop(async {
        let mut spec = shell("id -u; id -g; id -G");
        spec.credentials = Some(Credentials {
            uid: 65534,
            gid: 65534,
        });
        spec.die_with_parent = Some(Signal::SIGKILL);
        assert_eq!(output(&spec).await, "65534\n65534\n65534\n");
    });
}

fn another_user_gains_nothing_by_a_program() {
    in_loop(async {
        let mut spec = shell("exec cat /proc/self/status");
        spec.credentials = Some(Credentials {
            uid: 65534,
            gid: 65534,
        });
        let text = output(&spec).await;
        for line in [
            "CapPrm:\t0000000000000000",
            "CapEff:\t0000000000000000",
            "CapAmb:\t0000000000000000",
            "NoNewPrivs:\t1",
            "Groups:\t ",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    });
}

fn script_without_interpreter_runs() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("old-script");
    std::fs::write(&script, "echo \"$0 $1\"\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    in_loop(async {
        let mut spec = Spec::new(&script);
        spec.args = vec!["word".into()];
        spec.stdout = Output::Pipe;
        assert_eq!(output(&spec).await, format!("{} word\n", script.display()));
        // Without a slash it is searched.
        let mut spec = Spec::new("sh");
        spec.args = vec!["-c".into(), "echo found".into()];
        spec.stdout = Output::Pipe;
        assert_eq!(output(&spec).await, "found\n");
        let error = Spec::new("no-such-program").spawn().unwrap_err();
        assert!(error.to_string().contains("No such file"), "{error}");
    });
}

fn dropped_child_is_reaped() {
    in_loop(async {
        for release in [false, true] {
            let mut child = shell("exit 3").spawn().unwrap();
            let place = format!("/proc/{}", child.pid);
            if release {
                child.release();
            }
            drop(child);
            let start = Instant::now();
            while Path::new(&place).exists() {
                assert!(start.elapsed() < LIMIT, "{place} stays");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        let mut child = shell("exit 3").spawn().unwrap();
        child.release();
        assert_eq!(child.wait().await.unwrap().code(), Some(3));
        child.release();
        assert_eq!(child.wait().await.unwrap().code(), Some(3));
    });
}

fn signals_are_one_stream() {
    in_loop(async {
        let mut signals =
            Signals::handle(&[Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1]).unwrap();
        raise(Signal::SIGHUP).unwrap();
        assert_eq!(signals.next().await, Signal::SIGHUP);
        raise(Signal::SIGUSR1).unwrap();
        raise(Signal::SIGTERM).unwrap();
        let both = [signals.next().await, signals.next().await];
        assert!(
            both.contains(&Signal::SIGTERM) && both.contains(&Signal::SIGUSR1),
            "{both:?}"
        );
    });
}
