//! User-Mode Linux: a whole kernel as one process group of ours, with the host's file tree as its
//! root. Owns that group: whatever happens, it is gone when `run` returns.

use std::fs::{File, OpenOptions, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{Pid, getpgrp, tcsetpgrp};

use super::{End, Job, Shared, Spec, environment, stream};
use crate::error::{Context, Error, Result};
use crate::setup;

/// Memory of the machine; a limit only: what is not used is not taken.
const MEMORY: u64 = 1 << 30;

/// Times are measured inside, so other work on this machine should not show in them: as root, the
/// kernel goes before it, in its session and among the sessions. Then runs its arguments.
const PRECEDENCE: &str = r#"
[ "$(id -u)" = 0 ] || exec "$@"
[ "$0" = session ] && { echo -10 >/proc/self/autogroup; } 2>/dev/null
exec nice -n -10 "$@"
"#;

/// Where Debian's package puts the kernel's modules.
pub(super) const MODULES: &str = "/usr/lib/uml/modules";

/// A running kernel. Dropping it ends the whole process group.
struct Machine {
    child: Child,
}

impl Machine {
    /// Its process group, which it leads.
    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    fn gone(&mut self) -> Result<bool> {
        Ok(self
            .child
            .try_wait()
            .during("waiting for the kernel")?
            .is_some())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let group = self.group();
        // TERM first: the kernel then puts its terminal and files in order.
        if !self.gone().unwrap_or(true) {
            let _ = killpg(group, Signal::SIGTERM);
            let limit = Instant::now() + Duration::from_secs(1);
            while Instant::now() < limit && !self.gone().unwrap_or(true) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its other processes became ours when it ended: none is left as a zombie.
        while nix::sys::wait::waitpid(Pid::from_raw(-group.as_raw()), None).is_ok() {}
    }
}

/// A person's terminal, put back as it was at the end.
struct Terminal {
    file: File,
    before: Termios,
}

impl Terminal {
    fn open() -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .during("opening the terminal")?;
        let before = tcgetattr(&file).during("asking for the terminal's settings")?;
        // The kernel's process inherits it.
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).during("sharing the terminal")?;
        Ok(Self { file, before })
    }

    /// Makes another process group the one that reads from it.
    fn lend(&self, group: Pid) -> Result<()> {
        // Taking it back comes from the background, which would stop this program.
        let mut background = SigSet::empty();
        background.add(Signal::SIGTTOU);
        background.thread_block().during("blocking a signal")?;
        let lent = tcsetpgrp(&self.file, group).during("lending the terminal");
        background.thread_unblock().during("unblocking a signal")?;
        lent
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.lend(getpgrp());
        let _ = tcsetattr(&self.file, SetArg::TCSANOW, &self.before);
    }
}

pub(super) fn run(job: &Job, folder: &Path) -> Result<u8> {
    let shared = Shared(folder);
    let terminal = if job.interactive {
        Some(Terminal::open()?)
    } else {
        None
    };
    shared.write_spec(&Spec {
        command: job.command.clone(),
        environment: environment(),
        directory: std::env::current_dir().during("asking for the working directory")?,
        terminal: terminal.as_ref().map(|_| PathBuf::from("/dev/tty1")),
        ipvs: job.ipvs,
        modules: Some(PathBuf::from(MODULES)),
        power_off: true,
    })?;
    let console = folder.join("console");
    let mut machine = Machine {
        child: boot(job, folder, &console, terminal.as_ref())?,
    };
    if let Some(terminal) = &terminal {
        terminal.lend(machine.group())?;
    }
    let end = stream(&shared, job.limit, || machine.gone())?;
    drop(machine);
    drop(terminal);
    match (end, shared.read_status()) {
        (End::Gone, Some(status)) => Ok(status),
        // The terminal's interrupt key reaches the kernel instead of us.
        (End::Gone, None) if job.interactive => Err(Error::Interrupted),
        (End::Gone, None) => Err(Error::Kernel(format!(
            "the kernel ended without an exit status; its console:\n{}",
            last_lines(&console)
        ))),
        (End::OutOfTime, _) => Err(Error::Kernel(format!(
            "not finished within {} s; the kernel's console:\n{}",
            job.limit.unwrap_or_default().as_secs(),
            last_lines(&console)
        ))),
    }
}

fn boot(job: &Job, folder: &Path, console: &Path, terminal: Option<&Terminal>) -> Result<Child> {
    let init = folder.join("init");
    let program = setup::own_program()?;
    let script = format!(
        "#!/bin/sh\nexec {} __init {}\n",
        quoted(&program.to_string_lossy()),
        quoted(&folder.to_string_lossy())
    );
    std::fs::write(&init, script).during("writing the first process")?;
    std::fs::set_permissions(&init, Permissions::from_mode(0o755))
        .during("writing the first process")?;
    let output = File::create(console).during("making the console file")?;
    nix::sys::prctl::set_child_subreaper(true).during("becoming the parent of orphans")?;
    // A terminal can be lent only within our session; without one the kernel gets its own.
    let mut command = if terminal.is_some() {
        let mut command = Command::new("sh");
        command.process_group(0);
        command
    } else {
        let mut command = Command::new("setsid");
        command.arg("sh");
        command
    };
    command
        .args([
            "-c",
            PRECEDENCE,
            if terminal.is_some() { "sh" } else { "session" },
        ])
        // The parent-death signal covers an end of ours that no destructor sees.
        .args(["setpriv", "--pdeathsig", "TERM", "linux.uml"])
        .args(["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw"])
        .args([
            "con=null",
            "con0=null,fd:1",
            "quiet",
            "loglevel=3",
            "panic=-1",
        ])
        .arg(format!("mem={}M", MEMORY >> 20))
        .arg(format!("init={}", init.display()))
        .arg(format!("umid=lab{}", std::process::id()))
        .arg(format!("uml_dir={}", folder.display()))
        .env("TMPDIR", memory_folder(folder))
        .env("LD_PRELOAD", setup::build_xstate()?)
        .stdin(Stdio::null())
        .stdout(output.try_clone().during("making the console file")?)
        .stderr(output);
    if let Some(tap) = &job.tap {
        command.arg(format!("eth0=tuntap,{tap}"));
    }
    if let Some(terminal) = terminal {
        let fd = terminal.file.as_raw_fd();
        command.arg(format!("con1=fd:{fd},fd:{fd}"));
    }
    command.spawn().during("starting linux.uml")
}

/// Where the file behind the machine's memory goes: `/dev/shm` unless it is small, as in containers.
fn memory_folder(otherwise: &Path) -> PathBuf {
    let shm = Path::new("/dev/shm");
    let free = nix::sys::statvfs::statvfs(shm)
        .map(|stat| stat.blocks_available() * stat.fragment_size())
        .unwrap_or(0);
    if free > MEMORY && nix::unistd::access(shm, nix::unistd::AccessFlags::W_OK).is_ok() {
        shm.to_owned()
    } else {
        otherwise.to_owned()
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn last_lines(file: &Path) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(40)..)
        .unwrap_or_default()
        .join("\n")
}
