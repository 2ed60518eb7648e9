//! A running nanny, the server it checks and the tool it calls. Everything is waited for by
//! reading from pipes; a wait that is not answered fails the test.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "each test program uses a part of it; a test may stop at the first surprise"
)]

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{Shutdown, shutdown};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Only the first check and those after HUP; each is a weight step. No check runs into its limit.
pub const SLOW: (&str, &str) = ("PIRANHA_TIMEOUT_MS", "600000");

/// Lines of something, read by a thread of their own.
pub struct Lines(Receiver<String>);

impl Lines {
    pub fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self(receiver)
    }

    /// The next line.
    pub fn next(&self) -> String {
        self.0.recv_timeout(PATIENCE).expect("a line comes in time")
    }

    /// The next line that contains `part`.
    pub fn find(&self, part: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(part) {
                return line;
            }
        }
    }

    /// All lines up to the end.
    pub fn rest(&self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok(line) => lines.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => return lines,
                Err(error) => panic!("no end in sight: {error}"),
            }
        }
    }

    /// What is there now.
    pub fn ready(&self) -> Vec<String> {
        self.0.try_iter().collect()
    }
}

/// A stand-in for ipvsadm that writes each call into a pipe and can be told to fail.
pub struct Tool {
    folder: TempDir,
    pub calls: Lines,
}

impl Tool {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("calls");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        // Opened for writing too, so that it has no end between two calls.
        let calls = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&fifo)
            .unwrap();
        let script = "#!/bin/sh\nhere=${0%/*}\necho \"$PPID $*\" > $here/calls\n\
            if [ -f $here/fail$1 ]; then cat $here/fail$1 >&2; exit 255; fi\n";
        let path = folder.path().join("ipvsadm");
        executable(&path, script);
        Self {
            folder,
            calls: Lines::of(calls),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("ipvsadm")
    }

    /// From now on this command fails with this text.
    pub fn fail(&self, command: &str, text: &str) {
        fs::write(
            self.folder.path().join(format!("fail{command}")),
            format!("{text}\n"),
        )
        .unwrap();
    }

    /// The arguments of the next call.
    pub fn next(&self) -> String {
        self.next_with_caller().1
    }

    /// Process id of the caller, and the arguments.
    pub fn next_with_caller(&self) -> (i32, String) {
        let line = self.calls.next();
        let (pid, arguments) = line.split_once(' ').unwrap();
        (pid.parse().unwrap(), arguments.to_owned())
    }
}

/// A listener that comes and goes. Its address is on the loopback, but not the one from which
/// connections start, so that nobody takes its port meanwhile.
pub struct Server {
    pub host: String,
    pub port: u16,
    listener: Option<TcpListener>,
}

impl Server {
    pub fn new(host: &str) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            host: host.to_owned(),
            port,
            listener: Some(listener),
        }
    }

    /// Refuses from now on. Closing alone would not do: a process that another test starts in this
    /// moment may hold a copy.
    pub fn stop(&mut self) {
        let listener = self.listener.take().unwrap();
        shutdown(listener.as_raw_fd(), Shutdown::Both).unwrap();
    }

    pub fn start(&mut self) {
        self.listener = Some(TcpListener::bind((self.host.as_str(), self.port)).unwrap());
    }

    /// Waits until the checker has connected.
    pub fn accept(&self) -> std::net::TcpStream {
        self.listener.as_ref().unwrap().accept().unwrap().0
    }

    pub fn real(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// A nanny. Killed when dropped.
pub struct Nanny {
    pub child: Child,
    /// Its standard output.
    pub log: Lines,
    /// What it reports, under a stand-in for lvs.
    pub report: Option<Lines>,
}

impl Nanny {
    /// In the foreground, without lvs.
    pub fn alone(arguments: &[impl AsRef<OsStr>], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanny"));
        command.args(arguments).arg("-n").stdout(Stdio::piped());
        Self::spawn(command, environment)
    }

    /// As lvs starts it: descriptor 3 is the report pipe.
    pub fn reporting(arguments: &[impl AsRef<OsStr>], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args([
            "-c",
            "exec 3>&1 1>&2; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_nanny"),
        ]);
        command
            .args(arguments)
            .args(["-c", "-n"])
            .env("PIRANHA_REPORT", "3");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut nanny = Self::spawn(command, environment);
        nanny.report = Some(std::mem::replace(
            &mut nanny.log,
            Lines::of(nanny.child.stderr.take().unwrap()),
        ));
        nanny
    }

    fn spawn(mut command: Command, environment: &[(&str, &str)]) -> Self {
        command
            .envs(environment.iter().copied())
            .stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let log = Lines::of(child.stdout.take().unwrap());
        Self {
            child,
            log,
            report: None,
        }
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    pub fn report(&self) -> &Lines {
        self.report.as_ref().unwrap()
    }

    /// Its status, when it has ended.
    pub fn end(&mut self) -> ExitStatus {
        // The log ends with the process; only then is there something to wait for.
        let start = Instant::now();
        self.log.rest();
        assert!(start.elapsed() < PATIENCE);
        self.child.wait().unwrap()
    }

    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.end().code()
    }
}

impl Drop for Nanny {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server, a tool, and a nanny between them.
pub struct Scene {
    pub server: Server,
    pub tool: Tool,
    pub nanny: Nanny,
}

impl Scene {
    /// Without lvs. Unless `more` says otherwise the nanny only connects.
    pub fn alone(host: &str, more: &[&str], environment: &[(&str, &str)]) -> Self {
        let (server, tool) = (Server::new(host), Tool::new());
        let nanny = alone(&server, &tool, more, environment);
        Self {
            server,
            tool,
            nanny,
        }
    }

    /// Under a stand-in for lvs.
    pub fn reporting(server: Server, more: &[&str], environment: &[(&str, &str)]) -> Self {
        let tool = Tool::new();
        let arguments = arguments(&server, &tool, more);
        let nanny = Nanny::reporting(&arguments, environment);
        Self {
            server,
            tool,
            nanny,
        }
    }
}

impl Scene {
    /// The next line of the report that says something new.
    pub fn news(&self) -> String {
        loop {
            let line = self.nanny.report().next();
            if !line.starts_with("alive") {
                return line;
            }
        }
    }

    /// The report of an active server.
    pub fn active(&self, weight: u32) -> String {
        format!(
            "[ active ] making {} available weight={weight}",
            self.server.real()
        )
    }

    /// The report of an inactive one.
    pub fn inactive(&self, reason: &str) -> String {
        let real = self.server.real();
        format!("[inactive] shutting down {real} due to connection failure reason={reason}")
    }

    /// Stops it; it must not have called the tool.
    pub fn end(mut self) {
        assert_eq!(self.nanny.stop(), Some(0));
        assert_eq!(self.tool.calls.ready(), Vec::<String>::new());
    }
}

/// A nanny without lvs, for a server and a tool that exist.
pub fn alone(server: &Server, tool: &Tool, more: &[&str], environment: &[(&str, &str)]) -> Nanny {
    Nanny::alone(&arguments(server, tool, more), environment)
}

/// Arguments for a server of the virtual service 192.0.2.1:81.
pub fn arguments(server: &Server, tool: &Tool, more: &[&str]) -> Vec<String> {
    let port = server.port.to_string();
    let path = tool.path().display().to_string();
    let service = [
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
    let all = service.iter().chain(more);
    all.map(|word| (*word).to_owned()).collect()
}

/// A named pipe that a script can write to.
pub fn fifo(folder: &TempDir, name: &str) -> (PathBuf, Lines) {
    let path = folder.path().join(name);
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    (path, Lines::of(file))
}

/// Makes an executable file. Another process writes it: a copy of a descriptor open for writing, in
/// a process that another test starts in this moment, would keep it from being run.
pub fn executable(path: &Path, text: &str) {
    let source = path.with_extension("text");
    fs::write(&source, text).unwrap();
    let status = Command::new("install")
        .args(["-m", "755"])
        .args([&source, path])
        .status();
    assert!(status.unwrap().success());
}
