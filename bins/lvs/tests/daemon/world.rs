//! A folder with a copy of lvs and the stand-ins, and a running lvs in it.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::disk;

/// Nothing here takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) folder: TempDir,
    /// The state folder has a disk of its own.
    disk: bool,
}

impl World {
    /// A folder in which `lvs.cf` is `config`.
    pub(crate) fn new(config: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("lvs-test")
            .tempdir()
            .unwrap();
        let world = Self {
            folder,
            disk: false,
        };
        // Checkers run as another user and write beside themselves.
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(world.folder.path(), open).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_lvs"), world.path("lvs")).unwrap();
        world.script("ipvsadm-rs", include_str!("ipvsadm.sh"));
        world.script("nanny", include_str!("nanny.sh"));
        world.write("lvs.cf", config);
        world
    }

    /// The same with a small disk for the state folder, which lvs alone sees.
    pub(crate) fn on_a_disk(config: &str) -> Self {
        let world = Self {
            disk: true,
            ..Self::new(config)
        };
        disk::make(world.folder.path());
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn script(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A file's text, empty while there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        self.read(name).lines().map(str::to_owned).collect()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.arg("-n");
        if !nix::unistd::geteuid().is_root() {
            command.arg("-r");
        }
        let mut state = self.path("");
        if self.disk {
            state.push("state");
            command.args(["--mount", "--", "sh", "-c", disk::MOUNT]);
            command.arg(self.folder.path());
        } else {
            command.arg("--");
        }
        command.arg(self.path("lvs")).args(args);
        command.arg("--run-dir").arg(self.folder.path());
        command.arg("--state-dir").arg(state);
        command
            .arg("-c")
            .arg(self.path("lvs.cf"))
            .stdout(Stdio::piped());
        command
    }

    /// Starts lvs by hand in the foreground.
    pub(crate) fn by_hand(&self) -> Lvs {
        let mut command = self.command(&["-n"]);
        // A group of its own, as a shell gives to a command in the foreground.
        command.stdin(Stdio::null()).process_group(0);
        Lvs::new(command.spawn().unwrap())
    }

    /// The same as another user, whose processes can be limited.
    pub(crate) fn by_hand_as(&self, user: &str) -> Lvs {
        let inner = self.command(&["-n"]);
        let mut command = Command::new("unshare");
        command.args(["-n", "--", "setpriv", "--clear-groups"]);
        command.args([format!("--reuid={user}"), format!("--regid={user}")]);
        let own = inner.get_args().skip_while(|word| *word != "--");
        command
            .args(own)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        Lvs::new(command.spawn().unwrap())
    }

    /// Starts lvs as pulse does, its standard input and answers given as pipes.
    pub(crate) fn under_pulse(&self) -> (Lvs, Pulse) {
        let mut command = Command::new("sh");
        let inner = self.command(&["-n"]);
        // Descriptor 3 is the answers, 1 the log.
        command.args(["-c", "PIRANHA_CONTROL=3 exec \"$@\" 3>&2", "sh"]);
        command.arg(inner.get_program()).args(inner.get_args());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let orders = child.stdin.take();
        let answers = follow(child.stderr.take().unwrap());
        (Lvs::new(child), Pulse { orders, answers })
    }

    /// Runs lvs to its end: status, output, errors.
    pub(crate) fn run(&self, args: &[&str]) -> (ExitStatus, String, String) {
        let output = self
            .command(args)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status, text(output.stdout), text(output.stderr))
    }

    /// Has the nanny of a server report `text`; waits for that nanny.
    pub(crate) fn verdict(&self, server: &str, text: &str) {
        let pipe = self.path(server);
        wait(&format!("the nanny of {server}"), || pipe.exists());
        // The other end is open as long as the nanny lives; a pipe holds the line till then.
        let mut pipe = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(nix::libc::O_NONBLOCK)
            .open(pipe)
            .unwrap();
        writeln!(pipe, "{text}").unwrap();
        // Kept open until the line is read: the last close would throw it away.
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            drop(pipe);
        });
    }

    /// Waits until the table is `text`.
    pub(crate) fn table(&self, text: &str) {
        wait_for(text, || self.read("table"));
    }

    /// Numbers of the nannies started so far.
    pub(crate) fn nannies(&self) -> Vec<Pid> {
        let number = |line: &String| line.split("pid=").nth(1)?.split(' ').next()?.parse().ok();
        self.lines("starts")
            .iter()
            .filter_map(number)
            .map(Pid::from_raw)
            .collect()
    }
}

/// The other side of lvs's channels.
pub(crate) struct Pulse {
    pub(crate) orders: Option<std::process::ChildStdin>,
    answers: Receiver<String>,
}

impl Pulse {
    pub(crate) fn say(&mut self, text: &str) {
        self.orders
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    pub(crate) fn configure(&mut self, config: &str) {
        self.say(&format!("config {}\n{config}", config.len()));
    }

    /// The next line.
    pub(crate) fn line(&self) -> String {
        self.answers
            .recv_timeout(PATIENCE)
            .expect("an answer of lvs")
    }

    /// The next answer that is no sign of life.
    pub(crate) fn answer(&self) -> String {
        loop {
            let line = self.line();
            if line != "alive" {
                return line;
            }
        }
    }
}

pub(crate) struct Lvs {
    child: Child,
    log: Receiver<String>,
    seen: Vec<String>,
}

impl Lvs {
    fn new(mut child: Child) -> Self {
        let log = follow(child.stdout.take().unwrap());
        Self {
            child,
            log,
            seen: Vec::new(),
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Waits for a line of the log.
    pub(crate) fn logs(&mut self, text: &str) {
        while !self.seen.iter().any(|line| line.contains(text)) {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(_) => panic!("no {text:?} in the log:\n{}", self.seen.join("\n")),
            }
        }
    }

    /// Whether a line with this text was logged so far.
    pub(crate) fn has_logged(&mut self, text: &str) -> bool {
        self.seen.extend(self.log.try_iter());
        self.seen.iter().any(|line| line.contains(text))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let mut status = None;
        wait("the end of lvs", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Lvs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            self.seen.extend(self.log.try_iter());
            eprintln!("log of lvs:\n{}", self.seen.join("\n"));
        }
    }
}

fn follow(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

pub(crate) fn wait(what: &str, mut happened: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn wait_for(wanted: &str, read: impl Fn() -> String) {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = read();
        if found == wanted {
            return;
        }
        assert!(
            Instant::now() < end,
            "found:\n{found}\ninstead of:\n{wanted}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is gone, or a zombie that waits for a parent outside of this test.
pub(crate) fn is_gone(pid: Pid) -> bool {
    match fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")) {
        Ok(stat) => stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z')),
        Err(_) => true,
    }
}
