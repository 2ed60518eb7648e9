//! The program as a process: by itself, and as a service that is started by its socket.
//!
//! Each runs in a network namespace of its own, for the instance lock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may stop at the first surprise"
)]

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Beyond this a test has failed.
const LIMIT: Duration = Duration::from_secs(60);
const FILE: &str = "serial_no = 7\nprimary = 192.0.2.1\n";
/// The kernel gives the shell's process id to the program that takes its place.
const ACTIVATED: &str = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\" 3<&0";

struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lvs.cf"), FILE).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, before: &[&str], stdin: Stdio) -> Child {
        let mut command = Command::new("unshare");
        command.arg("-n");
        if !nix::unistd::geteuid().is_root() {
            command.arg("-r");
        }
        command
            .arg("--")
            .args(before)
            .arg(env!("CARGO_BIN_EXE_piranha-applier"))
            .args(["--nodaemon", "-c"])
            .arg(self.path("lvs.cf"));
        for option in ["--run-dir", "--state-dir"] {
            command.arg(option).arg(self.folder.path());
        }
        command.stdin(stdin).stdout(Stdio::null()).spawn().unwrap()
    }

    fn connect(&self) -> UnixStream {
        let end = Instant::now() + LIMIT;
        loop {
            match UnixStream::connect(self.path("applier.sock")) {
                Ok(stream) => return stream,
                Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// A change of lvs.cf through the socket.
    fn change(&self) {
        let stream = self.connect();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let mut reader = BufReader::new(&stream);
        let mut ask = |request: Value| -> Value {
            writeln!(&stream, "{request}").unwrap();
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            serde_json::from_str(&line).unwrap()
        };
        let base = ask(json!({"request": "read"}));
        let base = base.get("digest").unwrap();
        let change = json!({"text": "primary = 192.0.2.9\n"});
        let origin = json!({"who": "mina", "from": "192.0.2.7"});
        let applied =
            ask(json!({"request": "apply", "base": base, "change": change, "origin": origin}));
        assert_eq!(applied.get("reply"), Some(&json!("applied")), "{applied}");
        let text = std::fs::read_to_string(self.path("lvs.cf")).unwrap();
        assert_eq!(text, "serial_no = 8\nprimary = 192.0.2.9\n");
    }
}

fn end(mut child: Child) {
    kill(
        Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn started_by_itself_it_serves_until_it_is_told_to_end() {
    let world = World::new();
    let child = world.start(&[], Stdio::null());
    world.change();
    end(child);
    assert!(!world.path("applier.sock").exists());
}

#[test]
fn started_by_its_socket_it_uses_that_one() {
    let world = World::new();
    let listener = UnixListener::bind(world.path("applier.sock")).unwrap();
    let passed = Stdio::from(OwnedFd::from(listener));
    let child = world.start(&["sh", "-c", ACTIVATED], passed);
    world.change();
    end(child);
    // It is the service manager's.
    assert!(world.path("applier.sock").exists());
}

#[test]
fn a_place_where_it_cannot_listen_is_told() {
    let world = World::new();
    std::fs::create_dir(world.path("applier.sock")).unwrap();
    let child = world.start(&[], Stdio::null());
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
}
