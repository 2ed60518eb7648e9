//! nanny without lvs: the original's messages and ipvsadm commands, in their order.
#![allow(
    non_snake_case,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests of known bugs are named after them; a test may stop at the first surprise"
)]

mod support;

use nix::sys::signal::Signal;
use support::{SLOW, Scene, Server, Tool, alone};

#[test]
fn up_down_and_back() {
    let mut scene = Scene::alone("127.77.1.1", &[], &[SLOW]);
    let real = scene.server.real();
    let log = &scene.nanny.log;
    assert_eq!(
        log.next(),
        format!("nanny: starting LVS client monitor for 192.0.2.1:81 -> {real}")
    );
    let up = format!("nanny: [ active ] making {real} available");
    assert_eq!(log.next(), up);
    let add = format!("-a -t 192.0.2.1:81 -r {real} -m -w 1");
    assert_eq!(scene.tool.next(), add);
    scene.server.stop();
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(log.next(), "nanny: DEBUG -- removing glasses");
    assert_eq!(
        log.next(),
        format!("nanny: {real} is not available: refused")
    );
    assert_eq!(
        log.next(),
        format!("nanny: [inactive] shutting down {real} due to connection failure")
    );
    assert_eq!(scene.tool.next(), format!("-d -t 192.0.2.1:81 -r {real}"));
    scene.server.start();
    scene.nanny.signal(Signal::SIGHUP);
    log.find(&up);
    assert_eq!(scene.tool.next(), add);
    scene.nanny.signal(Signal::SIGTERM);
    assert_eq!(
        scene.nanny.log.next(),
        "nanny: Terminating due to signal 15"
    );
    assert_eq!(scene.tool.next(), format!("-d -t 192.0.2.1:81 -r {real}"));
    assert_eq!(scene.nanny.end().code(), Some(0));
}

/// Without any signal: the interval alone, which is short enough for a late check to fail.
#[test]
fn the_interval_brings_the_next_check() {
    let pace = ("PIRANHA_TIMEOUT_MS", "500");
    let mut scene = Scene::alone("127.77.1.22", &["-a", "1"], &[pace]);
    let real = scene.server.real();
    let (add, delete) = (
        format!("-a -t 192.0.2.1:81 -r {real} -m -w 1"),
        format!("-d -t 192.0.2.1:81 -r {real}"),
    );
    scene.tool.calls.find(&add);
    scene.server.stop();
    scene.nanny.log.find("is not available: refused");
    scene.tool.calls.find(&delete);
    scene.server.start();
    scene.tool.calls.find(&add);
}

#[test]
fn ramp_and_quiesce() {
    // Two checks a step, and HUP puts the count to 1: each check after HUP is a step.
    let mut scene = Scene::alone(
        "127.77.1.2",
        &["-q", "-w", "64", "-t", "10", "-a", "10"],
        &[],
    );
    let real = scene.server.real();
    assert_eq!(
        scene.tool.next(),
        format!("-a -t 192.0.2.1:81 -r {real} -m -w 2")
    );
    assert_eq!(
        scene.tool.next(),
        format!("-e -t 192.0.2.1:81 -r {real} -m -w 4")
    );
    for weight in [8, 16, 32, 64] {
        scene.nanny.signal(Signal::SIGHUP);
        assert_eq!(
            scene.tool.next(),
            format!("-e -t 192.0.2.1:81 -r {real} -m -w {weight}")
        );
    }
    scene.server.stop();
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(
        scene.tool.next(),
        format!("-e -t 192.0.2.1:81 -r {real} -m -w 0")
    );
    scene.server.start();
    scene.nanny.signal(Signal::SIGHUP);
    assert_eq!(
        scene.tool.next(),
        format!("-e -t 192.0.2.1:81 -r {real} -m -w 2")
    );
    // Quiesced or not, the end is a removal.
    assert_eq!(scene.nanny.stop(), Some(0));
    let calls = scene.tool.calls.find(" -d ");
    assert!(calls.ends_with(&format!("-d -t 192.0.2.1:81 -r {real}")));
}

#[test]
fn marks_datagrams_and_methods() {
    let scene = Scene::alone("127.77.1.3", &["-f", "7", "-M", "-i", "-w", "3"], &[SLOW]);
    let real = scene.server.real();
    assert_eq!(scene.tool.next(), format!("-a -f 7 -r {real} -i -w 1"));
}

#[test]
fn a_service_of_datagrams() {
    let more = ["-u", "-e", "printf OK", "-x", "OK", "-M", "g", "-w", "40"];
    let mut scene = Scene::alone("127.77.1.23", &more, &[("PIRANHA_SLOW_START", "0"), SLOW]);
    let (host, real) = (scene.server.host.clone(), scene.server.real());
    assert_eq!(
        scene.tool.next(),
        format!("-a -u 192.0.2.1:81 -r {real} -g -w 40")
    );
    assert_eq!(scene.nanny.stop(), Some(0));
    assert_eq!(
        scene.tool.next(),
        format!("-d -u 192.0.2.1:81 -r {host}:81")
    );
}

#[test]
fn B29_direct_routing_keeps_the_virtual_port() {
    let mut scene = Scene::alone("127.77.1.4", &["-M", "g"], &[SLOW]);
    let (host, real) = (scene.server.host.clone(), scene.server.real());
    scene
        .nanny
        .log
        .find("direct routing and tunnelling cannot change the port");
    // ipvsadm itself puts the virtual port into what it adds, but not into what it deletes.
    assert_eq!(
        scene.tool.next(),
        format!("-a -t 192.0.2.1:81 -r {real} -g -w 1")
    );
    assert_eq!(scene.nanny.stop(), Some(0));
    assert_eq!(
        scene.tool.next(),
        format!("-d -t 192.0.2.1:81 -r {host}:81")
    );
}

#[test]
fn B30_weight_zero() {
    let scene = Scene::alone("127.77.1.5", &["-w", "0"], &[SLOW]);
    let real = scene.server.real();
    assert_eq!(
        scene.tool.next(),
        format!("-a -t 192.0.2.1:81 -r {real} -m -w 0")
    );
}

#[test]
fn B45_forced_states() {
    let mut scene = Scene::alone("127.77.1.6", &["-w", "64", "-q"], &[SLOW]);
    let real = scene.server.real();
    let (tool, nanny) = (&scene.tool, &mut scene.nanny);
    assert_eq!(tool.next(), format!("-a -t 192.0.2.1:81 -r {real} -m -w 2"));
    assert_eq!(tool.next(), format!("-e -t 192.0.2.1:81 -r {real} -m -w 4"));
    nanny.signal(Signal::SIGUSR1);
    nanny.log.find("opaque glasses on");
    assert_eq!(tool.next(), format!("-d -t 192.0.2.1:81 -r {real}"));
    nanny.signal(Signal::SIGUSR2);
    nanny.log.find("rose-colored glasses on");
    assert_eq!(
        tool.next(),
        format!("-a -t 192.0.2.1:81 -r {real} -m -w 64")
    );
    nanny.signal(Signal::SIGUSR1);
    assert_eq!(tool.next(), format!("-d -t 192.0.2.1:81 -r {real}"));
    nanny.signal(Signal::SIGHUP);
    nanny.log.find("DEBUG -- removing glasses");
    assert_eq!(tool.next(), format!("-a -t 192.0.2.1:81 -r {real} -m -w 2"));
    assert_eq!(tool.next(), format!("-e -t 192.0.2.1:81 -r {real} -m -w 4"));
    assert_eq!(nanny.stop(), Some(0));
}

#[test]
fn B68_what_others_did_to_the_table() {
    let server = Server::new("127.77.1.7");
    let tool = Tool::new();
    tool.fail("-a", "Destination already exists");
    tool.fail("-d", "No such destination");
    let mut nanny = alone(&server, &tool, &[], &[SLOW]);
    let real = server.real();
    assert_eq!(tool.next(), format!("-a -t 192.0.2.1:81 -r {real} -m -w 1"));
    assert_eq!(tool.next(), format!("-e -t 192.0.2.1:81 -r {real} -m -w 1"));
    nanny.signal(Signal::SIGUSR1);
    assert_eq!(tool.next(), format!("-d -t 192.0.2.1:81 -r {real}"));
    tool.fail("-e", "No such destination");
    nanny.signal(Signal::SIGHUP);
    assert_eq!(tool.next(), format!("-a -t 192.0.2.1:81 -r {real} -m -w 1"));
    assert_eq!(nanny.end().code(), Some(255));
}

#[test]
fn a_failing_tool() {
    let server = Server::new("127.77.1.8");
    let tool = Tool::new();
    tool.fail("-a", "Memory allocation problem");
    let mut nanny = alone(&server, &tool, &[], &[SLOW]);
    let path = tool.path().display().to_string();
    assert_eq!(
        nanny.log.find("command failed!"),
        format!("nanny: {path} command failed!")
    );
    assert_eq!(
        nanny.log.next(),
        format!("nanny: {path}: Memory allocation problem")
    );
    assert_eq!(nanny.end().code(), Some(255));
}

#[test]
fn a_failing_tool_at_the_end() {
    let mut scene = Scene::alone("127.77.1.9", &[], &[SLOW]);
    scene.tool.next();
    scene.tool.fail("-d", "Memory allocation problem");
    assert_eq!(scene.nanny.stop(), Some(1));
}

#[test]
fn a_missing_tool() {
    let server = Server::new("127.77.1.10");
    // An empty expected string still needs the server to say something.
    let more = ["-I", "/nonexistent/ipvsadm", "-s", "", "-x", ""];
    let mut nanny = alone(&server, &Tool::new(), &more, &[SLOW]);
    drop(server.accept());
    nanny.log.find("/nonexistent/ipvsadm command failed!");
    assert_eq!(nanny.end().code(), Some(255));
}

#[test]
fn nothing_is_run_on_request() {
    let mut scene = Scene::alone("127.77.1.11", &["--norun"], &[SLOW]);
    scene.nanny.log.find("[ active ]");
    assert_eq!(scene.nanny.stop(), Some(0));
    assert_eq!(scene.tool.calls.ready(), Vec::<String>::new());
}

#[test]
fn signals_act_during_a_check() {
    let server = Server::new("127.77.1.12");
    let tool = Tool::new();
    let mut nanny = alone(&server, &tool, &["-x", "HTTP"], &[SLOW]);
    let real = server.real();
    // Accepted, never answered: the check would take ten minutes.
    let first = server.accept();
    nanny.signal(Signal::SIGUSR2);
    assert_eq!(tool.next(), format!("-a -t 192.0.2.1:81 -r {real} -m -w 1"));
    nanny.signal(Signal::SIGHUP);
    let second = server.accept();
    nanny.signal(Signal::SIGTERM);
    assert_eq!(tool.next(), format!("-d -t 192.0.2.1:81 -r {real}"));
    assert_eq!(nanny.end().code(), Some(0));
    drop((first, second));
}
