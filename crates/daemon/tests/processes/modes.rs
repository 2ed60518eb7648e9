//! The ways of starting, and the log in the foreground.

use std::io::Read;
use std::process::Stdio;

use crate::{Test, command, wait_for};

pub(crate) const TESTS: &[Test] = &[
    (
        "daemon_starter_waits_until_ready",
        daemon_starter_waits_until_ready,
    ),
    (
        "daemon_failure_reaches_the_starter",
        daemon_failure_reaches_the_starter,
    ),
    (
        "daemon_that_dies_is_a_failed_start",
        daemon_that_dies_is_a_failed_start,
    ),
    ("nofork_detaches_but_stays", nofork_detaches_but_stays),
    (
        "unwritable_pid_file_is_no_failure",
        unwritable_pid_file_is_no_failure,
    ),
    ("nodaemon_changes_nothing", nodaemon_changes_nothing),
    ("B70_message_is_no_format", message_is_no_format),
    (
        "log_never_blocks_on_a_full_pipe",
        log_never_blocks_on_a_full_pipe,
    ),
];

fn daemon_starter_waits_until_ready() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut starter = command("daemon", folder)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&folder.join("description"));
    assert!(
        starter.try_wait().unwrap().is_none(),
        "the starter did not wait"
    );
    std::fs::write(folder.join("go"), "").unwrap();
    assert_eq!(starter.wait().unwrap().code(), Some(0));
    let description = std::fs::read_to_string(folder.join("description")).unwrap();
    let words: Vec<&str> = description.split(' ').collect();
    assert_ne!(words[0], starter.id().to_string());
    assert_ne!(words[0], words[1], "a session leader could get a terminal");
    assert_ne!(words[1], nix::unistd::getsid(None).unwrap().to_string());
    assert_eq!(words[2..], ["/dev/null"; 3]);
    let pid_file = folder.join("test.pid");
    assert_eq!(
        std::fs::read_to_string(&pid_file).unwrap(),
        format!("{}\n", words[0])
    );
    std::fs::write(folder.join("end"), "").unwrap();
    wait_for(&folder.join("ended"));
    assert!(!pid_file.exists());
}

fn daemon_failure_reaches_the_starter() {
    let folder = tempfile::tempdir().unwrap();
    let output = command("daemon-fail", folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "pulse: no carrier 100%s\n"
    );
    assert!(!folder.path().join("test.pid").exists());
}

fn daemon_that_dies_is_a_failed_start() {
    let folder = tempfile::tempdir().unwrap();
    let output = command("daemon-die", folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("died while starting"));
}

fn nofork_detaches_but_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = command("nofork", folder.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&folder.path().join("description"));
    let description = std::fs::read_to_string(folder.path().join("description")).unwrap();
    let words: Vec<&str> = description.split(' ').collect();
    let pid = process.id().to_string();
    assert_eq!(words[..2], [pid.as_str(), pid.as_str()]);
    assert!(words[2].starts_with("pipe:"), "{description}");
    assert_eq!(words[3..], ["/dev/null"; 2]);
    let pid_file = folder.path().join("test.pid");
    assert_eq!(
        std::fs::read_to_string(&pid_file).unwrap(),
        format!("{pid}\n")
    );
    drop(process.stdin.take());
    assert!(process.wait().unwrap().success());
    assert!(!pid_file.exists());
}

fn unwritable_pid_file_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        command("nofork-no-pid-file", folder.path())
            .status()
            .unwrap()
            .success()
    );
    assert!(folder.path().join("went-on").exists());
}

fn nodaemon_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = command("nodaemon", folder.path()).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "still here\n");
}

fn message_is_no_format() {
    let folder = tempfile::tempdir().unwrap();
    let output = command("log", folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "lvs: 100%s\\nof it\nlvs: down\n"
    );
}

fn log_never_blocks_on_a_full_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = command("log-flood", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads the pipe, yet it gets to the end.
    wait_for(&folder.path().join("flooded"));
    let mut pipe = process.stdout.take().unwrap();
    let mut text = vec![0; 100_000];
    let length = pipe.read(&mut text).unwrap();
    text.truncate(length);
    std::fs::write(folder.path().join("go"), "").unwrap();
    pipe.read_to_end(&mut text).unwrap();
    assert!(process.wait().unwrap().success());
    let text = String::from_utf8(text).unwrap();
    let mut last = text.lines().rev();
    assert_eq!(last.next(), Some("lvs: the end"));
    let lost = last.next().unwrap().strip_prefix("lvs: ").unwrap();
    let (count, rest) = lost.split_once(' ').unwrap();
    assert_eq!(rest, "messages were lost because nobody took them");
    let written = text
        .lines()
        .filter(|line| line.starts_with("lvs: message"))
        .count();
    assert_eq!(count.parse::<usize>().unwrap() + written, 10_000);
}
