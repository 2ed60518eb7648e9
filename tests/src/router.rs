//! One router under test: its private folders, its programs, its lvs.cf, and what can be seen of
//! it from outside: processes, addresses, table, log.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::address::{self, Address};
use crate::error::{Context, Error, Result};
use crate::journal::Journal;
use crate::network::Side;
use crate::node::Node;
use crate::processes::{self, Process};
use crate::table::{self, Service};
use crate::wait;

/// Where the programs under test appear on a router.
pub const PROGRAMS: &str = "/run/lab/bin";
/// The router's configuration.
pub const CONFIGURATION: &str = "/run/lab/lvs.cf";
/// The user `nobody` and its group, the same number on every Debian machine.
const NOBODY: u32 = 65534;
/// The device files that the programs may open.
const DEVICES: [(&str, u64, u64); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// A router.
#[derive(Debug)]
pub struct Router {
    /// Which one.
    pub side: Side,
    /// Its machine.
    pub node: Arc<Node>,
    /// What it logged.
    pub journal: Journal,
    pulse: Option<Child>,
}

impl Router {
    /// Gives a machine its private `/run`, `/var/lib`, `/dev` with a log socket, and the programs.
    pub fn new(side: Side, node: Arc<Node>, programs: &Path) -> Result<Self> {
        let programs = programs.to_owned();
        let log = node.run(move || furnish(&programs))??;
        let journal = Journal::default();
        let written = journal.clone();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            // An empty datagram says that the router is gone.
            while let Ok(length @ 1..) = log.recv(&mut buffer) {
                written.push_datagram(buffer.get(..length).unwrap_or_default());
            }
        });
        Ok(Self {
            side,
            node,
            journal,
            pulse: None,
        })
    }

    /// Path of a program under test on this router.
    pub fn program(name: &str) -> String {
        format!("{PROGRAMS}/{name}")
    }

    /// Writes lvs.cf.
    pub fn configure(&self, text: &str) -> Result<()> {
        let text = text.to_owned();
        self.node
            .run(move || std::fs::write(CONFIGURATION, text))?
            .during("writing lvs.cf")
    }

    /// Shows the programs under test at another path too, as another version of them.
    pub fn show_programs_at(&self, folder: &'static str) -> Result<()> {
        self.node.run(move || {
            std::fs::create_dir_all(folder).during("making a second program folder")?;
            mount(
                Some(PROGRAMS),
                folder,
                None::<&str>,
                MsFlags::MS_BIND,
                None::<&str>,
            )
            .during("showing the programs a second time")
        })?
    }

    /// Starts pulse in the foreground, as systemd does.
    pub fn start(&mut self) -> Result<()> {
        self.start_from(PROGRAMS)
    }

    /// The same with the programs in another folder.
    pub fn start_from(&mut self, folder: &str) -> Result<()> {
        let mut command = Command::new(format!("{folder}/pulse"));
        command
            .args(["--nofork", "-c", CONFIGURATION])
            .env("RUST_BACKTRACE", "1");
        self.start_as(command)
    }

    /// Starts a command as this router's pulse.
    pub fn start_as(&mut self, mut command: Command) -> Result<()> {
        self.collect();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self
            .node
            .run(move || command.spawn())?
            .during("starting pulse")?;
        follow(child.stdout.take(), "stdout", &self.journal);
        follow(child.stderr.take(), "stderr", &self.journal);
        self.pulse = Some(child);
        Ok(())
    }

    /// Collects pulse if it ended.
    fn collect(&mut self) {
        if let Some(child) = &mut self.pulse
            && !matches!(child.try_wait(), Ok(None))
        {
            self.pulse = None;
        }
    }

    /// Reads one of its files.
    pub fn read(&self, path: &str) -> Result<String> {
        let path = path.to_owned();
        self.node
            .run(move || std::fs::read_to_string(&path).during(format_args!("reading {path}")))?
    }

    /// Whether it has this file.
    pub fn has(&self, path: &str) -> Result<bool> {
        let path = path.to_owned();
        self.node.run(move || Path::new(&path).exists())
    }

    /// Waits for pulse to end by itself.
    pub fn wait_for_exit(&mut self, limit: Duration) -> Result<ExitStatus> {
        let side = self.side;
        let child = self
            .pulse
            .as_mut()
            .ok_or_else(|| Error::unmet("pulse was not started"))?;
        let status = wait::until(format_args!("pulse of {side} ends"), limit, || {
            child.try_wait().during("waiting for pulse")
        })?;
        self.pulse = None;
        Ok(status)
    }

    /// Sends pulse a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.one("pulse")?.signal(signal)
    }

    /// All its processes.
    pub fn processes(&self) -> Vec<Process> {
        processes::in_namespace(self.node.inode())
    }

    /// The processes of one program, without those that were forked by it and will be another
    /// program in a moment.
    pub fn running(&self, program: &str) -> Vec<Process> {
        let mut found = self.processes();
        found.retain(|process| process.program == program && process.state != 'Z');
        let all: Vec<i32> = found.iter().map(|process| process.pid).collect();
        found.retain(|process| !all.contains(&process.parent));
        found
    }

    /// The only process of a program.
    pub fn one(&self, program: &str) -> Result<Process> {
        let mut found = self.running(program);
        match (found.pop(), found.pop()) {
            (Some(process), None) => Ok(process),
            (None, _) => Err(Error::unmet(format_args!(
                "no {program} runs on {}",
                self.side
            ))),
            (Some(one), Some(two)) => Err(Error::unmet(format_args!(
                "more than one {program} on {}: {one}; {two}",
                self.side
            ))),
        }
    }

    /// The kernel's IPVS table.
    pub fn table(&self) -> Result<Vec<Service>> {
        table::read(&self.node)
    }

    /// Its addresses.
    pub fn addresses(&self) -> Result<Vec<Address>> {
        address::list(&self.node)
    }

    /// Whether it owns the address.
    pub fn owns(&self, address: Ipv4Addr) -> Result<bool> {
        Ok(self
            .addresses()?
            .iter()
            .any(|entry| entry.address == address))
    }

    /// Runs a program under test to its end, at most for 20 s.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new("timeout");
        command
            .args(["-k", "1", "20", &Self::program(program)])
            .args(arguments);
        self.node.output(command)
    }

    /// Runs it as a user without any right.
    pub fn run_as_nobody(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new("timeout");
        command
            .args(["-k", "1", "20", &Self::program(program)])
            .args(arguments);
        command.uid(NOBODY).gid(NOBODY);
        self.node.output(command)
    }

    /// What `ipvsadm-rs -Ln` prints.
    pub fn listing(&self) -> Result<String> {
        let output = self.run("ipvsadm-rs", &["-Ln"])?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Error::Command {
            command: "ipvsadm-rs -Ln".into(),
            outcome: format!(
                "{}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            ),
        })
    }

    /// Everything that helps to understand a failure.
    pub fn report(&self, since: Instant) -> String {
        let mut command = Command::new("ip");
        command.args(["-4", "addr"]);
        let addresses = self
            .node
            .output(command)
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default();
        let processes: Vec<String> = self.processes().iter().map(Process::to_string).collect();
        format!(
            "  {} log:\n{}  processes:\n    {}\n  addresses:\n{}\n  table: {:?}\n",
            self.side,
            self.journal.print(since),
            processes.join("\n    "),
            indented(&addresses),
            self.table()
        )
    }

    /// Ends every process of the router, as a power cut does.
    pub fn kill_all(&mut self) {
        // A process may start another between the look and the signal.
        for _ in 0..100 {
            let mut alive = self.processes();
            alive.retain(|process| process.state != 'Z');
            if alive.is_empty() {
                break;
            }
            for process in alive {
                let _ = process.signal(Signal::SIGKILL);
            }
            self.collect();
            std::thread::sleep(Duration::from_millis(5));
        }
        if let Some(mut child) = self.pulse.take() {
            let _ = child.wait();
        }
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.kill_all();
        // Wakes the thread that reads the log socket, so that it ends.
        let _ = self.node.run(|| {
            if let Ok(socket) = UnixDatagram::unbound() {
                let _ = socket.send_to(b"", "/dev/log");
            }
        });
    }
}

/// Copies lines to the journal until the writer is gone.
fn follow(
    stream: Option<impl std::io::Read + Send + 'static>,
    tag: &'static str,
    journal: &Journal,
) {
    let Some(stream) = stream else { return };
    let journal = journal.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            journal.push(tag, &line);
        }
    });
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Runs on the machine.
fn furnish(programs: &Path) -> Result<UnixDatagram> {
    let make_private = |folder: &str| {
        let (kind, none) = (Some("tmpfs"), MsFlags::empty());
        mount(kind, folder, kind, none, Some("mode=755")).during(format_args!("mounting {folder}"))
    };
    make_private("/run")?;
    std::fs::create_dir_all(PROGRAMS).during("making the program folder")?;
    mount(
        Some(programs),
        PROGRAMS,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .during("showing the programs")?;
    // Now that the programs are shown, which may be in a folder of these.
    make_private("/var/lib")?;
    make_private("/dev")?;
    make_devices(Path::new("/dev"))?;
    let log = UnixDatagram::bind("/dev/log").during("making the log socket")?;
    std::fs::set_permissions("/dev/log", Permissions::from_mode(0o666))
        .during("making the log socket")?;
    Ok(log)
}

/// Makes the device files that a machine needs.
pub fn make_devices(folder: &Path) -> Result<()> {
    for (name, major, minor) in DEVICES {
        let path = folder.join(name);
        let what = format!("making {}", path.display());
        mknod(&path, SFlag::S_IFCHR, Mode::empty(), makedev(major, minor)).during(&what)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o666)).during(&what)?;
    }
    std::fs::create_dir(folder.join("shm")).during("making /dev/shm")
}
