//! nanny and the programs that it runs: check programs and load monitors.
#![allow(
    non_snake_case,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests of known bugs are named after them; a test may stop at the first surprise"
)]

mod support;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{SLOW, Scene, Server, Tool, alone};

#[test]
fn a_program_that_hangs_is_killed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (path, started) = support::fifo(&folder, "started");
    let server = Server::new("127.77.1.13");
    let tool = Tool::new();
    let program = format!("sh -c 'echo $$ > {}; exec sleep 1000'", path.display());
    let mut nanny = alone(&server, &tool, &["-e", &program, "-x", "OK"], &[SLOW]);
    let pid: i32 = started.next().parse().unwrap();
    nanny.signal(Signal::SIGINT);
    nanny.log.find(&format!("Killing child {pid}"));
    nanny.log.find("Terminating due to signal 2");
    assert_eq!(nanny.end().code(), Some(0));
    assert!(kill(Pid::from_raw(pid), None).is_err());
}

#[test]
fn a_killed_checker_leaves_no_program_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (path, started) = support::fifo(&folder, "started");
    let server = Server::new("127.77.1.21");
    let tool = Tool::new();
    let program = format!("sh -c 'echo $$ > {}; exec sleep 1000'", path.display());
    let nanny = alone(&server, &tool, &["-e", &program, "-x", "OK"], &[SLOW]);
    let pid: i32 = started.next().parse().unwrap();
    nanny.signal(Signal::SIGKILL);
    let begin = std::time::Instant::now();
    while kill(Pid::from_raw(pid), None).is_ok() && !zombie(pid) {
        assert!(begin.elapsed() < support::PATIENCE, "{pid} still runs");
        std::thread::yield_now();
    }
}

/// Dead, and not yet collected by whoever adopts orphans here.
fn zombie(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" Z"))
    })
}

#[test]
fn check_programs_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slots");
    std::fs::write(&file, "").unwrap();
    let (path, events) = support::fifo(&folder, "events");
    let slots = format!("1:{}", file.display());
    let server = Server::new("127.77.1.20");
    let tool = Tool::new();
    let program = format!(
        "sh -c 'echo begin > {0}; echo end > {0}; echo OK'",
        path.display()
    );
    let nannies: Vec<_> = (0..4)
        .map(|_| {
            let environment = [SLOW, ("PIRANHA_PROGRAM_SLOTS", slots.as_str())];
            alone(&server, &tool, &["-e", &program, "-x", "OK"], &environment)
        })
        .collect();
    for nanny in &nannies {
        nanny.log.find("[ active ]");
    }
    for _ in &nannies {
        assert_eq!(
            (events.next(), events.next()),
            ("begin".into(), "end".into())
        );
    }
}

#[test]
fn a_missing_file_of_turns_is_said_and_the_check_is_done() {
    let server = Server::new("127.77.1.22");
    let tool = Tool::new();
    let environment = [SLOW, ("PIRANHA_PROGRAM_SLOTS", "1:/nonexistent/slots")];
    let nanny = alone(&server, &tool, &["-e", "echo OK", "-x", "OK"], &environment);
    nanny.log.find("cannot open /nonexistent/slots: ");
    nanny.log.find("[ active ]");
}

#[test]
fn load_changes_the_weight() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("load");
    support::executable(&path, "#!/bin/sh\necho \"load average: 0.00, 0, 0\"\n");
    let more = ["-U", path.to_str().unwrap(), "-t", "30", "-w", "10"];
    let scene = Scene::alone("127.77.1.14", &more, &[("PIRANHA_SLOW_START", "0")]);
    let real = scene.server.real();
    assert_eq!(
        scene.tool.next(),
        format!("-a -t 192.0.2.1:81 -r {real} -m -w 10")
    );
    assert_eq!(
        scene.tool.next(),
        format!("-e -t 192.0.2.1:81 -r {real} -m -w 15")
    );
}
