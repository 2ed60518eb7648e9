//! nanny under lvs: lines in the report pipe, and never a call of ipvsadm.
#![allow(
    non_snake_case,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests of known bugs are named after them; a test may stop at the first surprise"
)]

mod support;

use nix::sys::signal::Signal;
use support::{SLOW, Scene, Server};

fn scene(host: &str, more: &[&str], environment: &[(&str, &str)]) -> Scene {
    Scene::reporting(Server::new(host), more, environment)
}

#[test]
fn changes_are_told_with_the_whole_state() {
    let mut scene = scene("127.77.2.1", &[], &[SLOW]);
    assert_eq!(scene.news(), "nanny 1");
    assert_eq!(scene.news(), scene.active(1));
    scene.server.stop();
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(scene.news(), scene.inactive("refused"));
    scene.server.start();
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(scene.news(), scene.active(1));
    scene.end();
}

#[test]
fn a_first_check_that_fails_is_told() {
    let mut server = Server::new("127.77.2.2");
    server.stop();
    let scene = Scene::reporting(server, &[], &[SLOW]);
    assert_eq!(scene.news(), "nanny 1");
    assert_eq!(scene.news(), scene.inactive("refused"));
    scene.end();
}

#[test]
fn f13_without_descriptors_a_check_fails_with_the_reason_and_the_next_one_is_made() {
    let scene = scene("127.77.2.9", &[], &[SLOW]);
    assert_eq!(scene.news(), "nanny 1");
    assert_eq!(scene.news(), scene.active(1));
    let limit = |descriptors: u32| {
        let limited = std::process::Command::new("prlimit")
            .arg(format!("--pid={}", scene.nanny.pid()))
            .arg(format!("--nofile={descriptors}:"))
            .status();
        assert!(limited.unwrap().success());
    };
    limit(3);
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(
        scene.news(),
        scene.inactive("Too many open files while making a socket")
    );
    limit(1024);
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(scene.news(), scene.active(1));
    scene.end();
}

#[test]
fn a_line_at_a_time_tells_the_ramp() {
    let scene = scene("127.77.2.3", &["-w", "64", "-t", "10", "-a", "10"], &[]);
    scene.nanny.report().find("nanny 1");
    assert_eq!(scene.news(), scene.active(2));
    assert_eq!(scene.news(), scene.active(4));
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(scene.news(), scene.active(8));
    scene.end();
}

#[test]
fn a_restarted_checker_goes_on_from_the_table() {
    let found = ("PIRANHA_WEIGHT", "64");
    let mut scene = scene("127.77.2.4", &["-w", "64"], &[SLOW, found]);
    assert_eq!(scene.news(), "nanny 1");
    assert_eq!(scene.news(), scene.active(64));
    scene.server.stop();
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(scene.news(), scene.inactive("refused"));
    scene.end();
}

#[test]
fn forced_states_are_told() {
    let scene = scene("127.77.2.5", &["-w", "64"], &[SLOW]);
    scene.nanny.report().find("weight=4");
    scene.nanny.signal(Signal::SIGUSR1);
    assert_eq!(scene.news(), scene.inactive("forced down by signal"));
    scene.nanny.signal(Signal::SIGUSR2);
    assert_eq!(scene.news(), scene.active(64));
    scene.end();
}

#[test]
fn B53_a_failure_within_the_retries_is_only_logged() {
    let mut scene = scene(
        "127.77.2.6",
        &["-x", "HTTP"],
        &[SLOW, ("PIRANHA_RETRIES", "2")],
    );
    use std::io::Write;
    scene
        .server
        .accept()
        .write_all(b"HTTP/1.0 200 OK\r\n")
        .unwrap();
    scene.nanny.report().find("nanny 1");
    assert_eq!(scene.news(), scene.active(1));
    scene.nanny.log.find("[ active ]");
    scene.nanny.signal(Signal::SIGHUP);
    scene.server.accept().write_all(b"SSH-2.0\r\n").unwrap();
    scene
        .nanny
        .log
        .find(r#"is not available: got "SSH-2.0\r\n" instead of "HTTP""#);
    assert_eq!(scene.nanny.stop(), Some(0));
    assert!(
        scene
            .nanny
            .report()
            .rest()
            .iter()
            .all(|line| line.starts_with("alive"))
    );
    scene.server.stop();
}

#[test]
fn it_says_that_it_is_alive_also_while_forced() {
    // At this pace a check is never late enough to matter, and `alive` lines are 5 s apart.
    let scene = scene(
        "127.77.2.7",
        &["-a", "1"],
        &[("PIRANHA_TIMEOUT_MS", "5000")],
    );
    scene.nanny.report().find("[ active ]");
    scene.nanny.signal(Signal::SIGUSR1);
    scene.nanny.report().find("[inactive]");
    assert_eq!(scene.nanny.report().next(), "alive");
    assert_eq!(scene.nanny.report().next(), "alive");
    scene.end();
}

#[test]
fn without_a_reader_it_ends() {
    let server = Server::new("127.77.2.8");
    // The shell's `read` is the reader; it ends when it has read the greeting.
    let script = format!(
        "({{ PIRANHA_REPORT=3 timeout -s KILL 20 {} -h {} -p {} -V 192.0.2.1 -I /bin/false -t 600 \
         -n --lvs 3>&1 >&2; echo status $? >&2; }}) | read greeting",
        env!("CARGO_BIN_EXE_nanny"),
        server.host,
        server.port,
    );
    let mut shell = std::process::Command::new("/bin/sh")
        .args(["-c", &script])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let log = support::Lines::of(shell.stderr.take().unwrap());
    log.find("the report pipe is closed");
    log.find("status 0");
    shell.wait().unwrap();
}

#[test]
fn a_report_pipe_that_is_none() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_nanny"))
        .args(["-h", "127.0.0.1", "-V", "192.0.2.1", "--lvs"])
        .env("PIRANHA_REPORT", "99")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("nanny: PIRANHA_REPORT=99: "), "{text}");
}
