//! nanny without lvs: the original's messages and ipvsadm commands, in their order.
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
use std::process::{Command, Stdio};
use support::{Lines, Nanny, Server, Tool};

/// Checks every tenth of a second; all other settings are the test's.
const QUICK: (&str, &str) = ("PIRANHA_TIMEOUT_MS", "100");
/// Only the first check and those after HUP; each is a weight step.
const SLOW: (&str, &str) = ("PIRANHA_TIMEOUT_MS", "600000");

/// Arguments for a server of the virtual service 192.0.2.1:80.
fn arguments<'a>(
    server: &'a Server,
    port: &'a str,
    tool: &'a str,
    more: &[&'a str],
) -> Vec<&'a str> {
    let mut arguments = vec![
        "-h",
        &server.host,
        "-p",
        "80",
        "-r",
        port,
        "-I",
        tool,
        "-V",
        "192.0.2.1",
        "-x",
        "",
        "-s",
        "",
        "--lvs",
    ];
    arguments.extend(more);
    arguments
}

struct Scene {
    server: Server,
    tool: Tool,
    nanny: Nanny,
}

/// Starts a server and a nanny for it that only connects.
fn scene(host: &str, more: &[&str], environment: &[(&str, &str)]) -> Scene {
    let server = Server::new(host);
    let tool = Tool::new();
    let nanny = start(&server, &tool, more, environment);
    Scene {
        server,
        tool,
        nanny,
    }
}

fn start(server: &Server, tool: &Tool, more: &[&str], environment: &[(&str, &str)]) -> Nanny {
    let port = server.port.to_string();
    let path = tool.path().display().to_string();
    let mut arguments = vec![
        "-h",
        &server.host,
        "-p",
        "81",
        "-r",
        &port,
        "-I",
        &path,
        "-V",
        "192.0.2.1",
        "--lvs",
    ];
    arguments.extend(more);
    Nanny::alone(&arguments, environment)
}

#[test]
fn up_down_and_back() {
    let mut scene = scene("127.77.1.1", &["-a", "1"], &[QUICK]);
    let real = scene.server.real();
    let log = &scene.nanny.log;
    assert_eq!(
        log.next(),
        format!("nanny: starting LVS client monitor for 192.0.2.1:81 -> {real}")
    );
    assert_eq!(
        log.next(),
        format!("nanny: [ active ] making {real} available")
    );
    assert_eq!(
        scene.tool.next(),
        format!("-a -t 192.0.2.1:81 -r {real} -m -w 1")
    );
    scene.server.stop();
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
    assert_eq!(
        log.next(),
        format!("nanny: [ active ] making {real} available")
    );
    assert_eq!(
        scene.tool.next(),
        format!("-a -t 192.0.2.1:81 -r {real} -m -w 1")
    );
    scene.nanny.signal(Signal::SIGTERM);
    assert_eq!(
        scene.nanny.log.next(),
        "nanny: Terminating due to signal 15"
    );
    assert_eq!(scene.tool.next(), format!("-d -t 192.0.2.1:81 -r {real}"));
    assert_eq!(scene.nanny.end().code(), Some(0));
}

#[test]
fn ramp_and_quiesce() {
    // Two checks a step, and HUP puts the count to 1: each check after HUP is a step.
    let mut scene = scene(
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
    let scene = scene("127.77.1.3", &["-f", "7", "-M", "-i", "-w", "3"], &[SLOW]);
    let real = scene.server.real();
    assert_eq!(scene.tool.next(), format!("-a -f 7 -r {real} -i -w 1"));
}

#[test]
fn B29_direct_routing_keeps_the_virtual_port() {
    let mut scene = scene("127.77.1.4", &["-M", "g"], &[SLOW]);
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
    let scene = scene("127.77.1.5", &["-w", "0"], &[SLOW]);
    let real = scene.server.real();
    assert_eq!(
        scene.tool.next(),
        format!("-a -t 192.0.2.1:81 -r {real} -m -w 0")
    );
}

#[test]
fn B45_forced_states() {
    let mut scene = scene("127.77.1.6", &["-w", "64", "-q"], &[SLOW]);
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
    let mut nanny = start(&server, &tool, &[], &[SLOW]);
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
    let mut nanny = start(&server, &tool, &[], &[SLOW]);
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
    let mut scene = scene("127.77.1.9", &[], &[SLOW]);
    scene.tool.next();
    scene.tool.fail("-d", "Memory allocation problem");
    assert_eq!(scene.nanny.stop(), Some(1));
}

#[test]
fn a_missing_tool() {
    let server = Server::new("127.77.1.10");
    let port = server.port.to_string();
    let arguments = arguments(&server, &port, "/nonexistent/ipvsadm", &[]);
    // An empty expected string still needs the server to say something.
    let mut nanny = Nanny::alone(&arguments, &[SLOW]);
    drop(server.accept());
    nanny.log.find("/nonexistent/ipvsadm command failed!");
    assert_eq!(nanny.end().code(), Some(255));
}

#[test]
fn nothing_is_run_on_request() {
    let mut scene = scene("127.77.1.11", &["--norun"], &[SLOW]);
    scene.nanny.log.find("[ active ]");
    assert_eq!(scene.nanny.stop(), Some(0));
    assert_eq!(scene.tool.calls.ready(), Vec::<String>::new());
}

#[test]
fn signals_act_during_a_check() {
    let server = Server::new("127.77.1.12");
    let tool = Tool::new();
    let mut nanny = start(&server, &tool, &["-x", "HTTP"], &[SLOW]);
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

#[test]
fn a_program_that_hangs_is_killed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (path, started) = support::fifo(&folder, "started");
    let server = Server::new("127.77.1.13");
    let tool = Tool::new();
    let program = format!("sh -c 'echo $$ > {}; exec sleep 1000'", path.display());
    let mut nanny = start(&server, &tool, &["-e", &program, "-x", "OK"], &[SLOW]);
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
    let nanny = start(&server, &tool, &["-e", &program, "-x", "OK"], &[SLOW]);
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
            start(&server, &tool, &["-e", &program, "-x", "OK"], &environment)
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
fn load_changes_the_weight() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("load");
    support::executable(&path, "#!/bin/sh\necho \"load average: 0.00, 0, 0\"\n");
    let more = ["-U", path.to_str().unwrap(), "-t", "30", "-w", "10"];
    let scene = scene("127.77.1.14", &more, &[("PIRANHA_SLOW_START", "0")]);
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

#[test]
fn the_default_check_of_port_80() {
    let server = Server::new("127.77.1.15");
    let tool = Tool::new();
    let (port, path) = (server.port.to_string(), tool.path().display().to_string());
    let nanny = Nanny::alone(
        &[
            "-h",
            &server.host,
            "-r",
            &port,
            "-V",
            "192.0.2.1",
            "-I",
            &path,
            "--lvs",
        ],
        &[SLOW],
    );
    let text = "nanny: nanny: no monitor configured, assuming web service on port 80";
    assert_eq!(nanny.log.next(), text);
    use std::io::{Read, Write};
    let mut stream = server.accept();
    let mut request = [0; 18];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(&request, b"GET / HTTP/1.0\r\n\r\n");
    stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
    assert!(tool.next().starts_with("-a -t 192.0.2.1:80 "));
}

#[test]
fn B22_any_backslash_is_survived() {
    let server = Server::new("127.77.1.16");
    let tool = Tool::new();
    let nanny = start(
        &server,
        &tool,
        &["-s", r"a\.b\", "-x", r"^\d?x\\.$", "--regex"],
        &[SLOW],
    );
    use std::io::{Read, Write};
    let mut stream = server.accept();
    let mut request = [0; 5];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(&request, br"a\.b\");
    stream.write_all(b"x.").unwrap();
    nanny.log.find("[ active ]");
}

#[test]
fn detached_it_goes_on_alone() {
    let server = Server::new("127.77.1.17");
    let tool = Tool::new();
    let (port, path) = (server.port.to_string(), tool.path().display().to_string());
    let status = Command::new(env!("CARGO_BIN_EXE_nanny"))
        .args([
            "-h",
            &server.host,
            "-p",
            "81",
            "-r",
            &port,
            "-V",
            "192.0.2.1",
            "-I",
            &path,
            "--lvs",
        ])
        .envs([SLOW])
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    let (pid, call) = tool.next_with_caller();
    assert!(call.starts_with("-a "), "{call}");
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    assert!(tool.next().starts_with("-d "));
}

#[test]
fn failover_mode_lost() {
    let mut server = Server::new("127.77.1.18");
    let (port, real) = (server.port.to_string(), server.real());
    let arguments = ["-h", &server.host, "-V", "192.0.2.1", "-p", &port, "--fos"];
    let mut nanny = Nanny::alone(&arguments, &[QUICK]);
    let text = format!("nanny: Failover service monitor for 192.0.2.1:{port} started");
    assert_eq!(nanny.log.next(), text);
    assert_eq!(
        nanny.log.next(),
        format!("nanny: Remote service {real} is available")
    );
    server.stop();
    nanny
        .log
        .find(&format!("Exiting due to connection failure of {real}"));
    assert_eq!(nanny.end().code(), Some(0));
}

#[test]
fn failover_mode_never_came() {
    let mut server = Server::new("127.77.1.19");
    server.stop();
    let port = server.port.to_string();
    let arguments = ["-h", &server.host, "-V", "192.0.2.1", "-p", &port, "--fos"];
    let mut nanny = Nanny::alone(&arguments, &[QUICK]);
    nanny.log.find("No service active & available...");
    nanny
        .log
        .find("Timeout waiting for remote service -- triggering failover!");
    assert_eq!(nanny.end().code(), Some(1));
}

fn refusal(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_nanny"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn refusals_and_their_texts() {
    assert_eq!(
        refusal(&[]),
        "nanny: No address supplied. Use '--help' for help. \n"
    );
    assert_eq!(
        refusal(&["-h", "web", "--lvs"]),
        "nanny: bad IP address -- web\n"
    );
    assert_eq!(
        refusal(&["-h", "10.0.0.1"]),
        "nanny: unknown service type\n"
    );
    assert_eq!(refusal(&["-z"]), "nanny: bad argument -z: unknown option\n");
    assert_eq!(refusal(&["x"]), "nanny: unexpected arguments\n");
    let service = ["-h", "10.0.0.1", "-V", "192.0.2.1", "--lvs"];
    let with = |more: &[&str]| refusal(&[&service, more].concat());
    assert_eq!(with(&["-t", "0"]), "nanny: bad interval -- 0\n");
    assert_eq!(with(&["-w", "-1"]), "nanny: bad weight -- -1\n");
    assert_eq!(
        refusal(&["-h", "10.0.0.1", "--lvs"]),
        "nanny: No virtual address supplied. Use '--help' for help.\n"
    );
}

#[test]
fn version_and_help_have_precedence() {
    let print = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_nanny"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        Lines::of(std::io::Cursor::new(output.stdout)).rest()
    };
    let version = print(&["--version"]);
    assert_eq!(version.len(), 3);
    assert_eq!(version.first().unwrap(), "Program Version:\tnanny 1.46");
    assert_eq!(print(&["-?"]).first().unwrap(), "Usage: nanny [OPTION...]");
}
