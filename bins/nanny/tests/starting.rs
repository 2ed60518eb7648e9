//! How nanny is started: options, the check it settles on, modes, refusals.
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
use support::{Lines, Nanny, SLOW, Server, Tool, alone};

/// Failover mode knows no way to be asked for a check: a pace at which none is too late.
const PACE: (&str, &str) = ("PIRANHA_TIMEOUT_MS", "3000");

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
    let nanny = alone(
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
    let mut nanny = Nanny::alone(&arguments, &[PACE]);
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
    let mut nanny = Nanny::alone(&arguments, &[PACE]);
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
