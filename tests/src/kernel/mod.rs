//! A kernel with IPVS to run a part of the laboratory on, as root and alone: the host's own, else
//! User-Mode Linux. Both start the same first process (`init`) with the same `Spec`, stream what
//! it prints and pass on its exit status. Nothing outlives a run.

mod host;
pub mod init;
mod uml;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Context, Result};
use crate::{interrupt, setup};

/// The kernel's packet of work, handed to its first process in a file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Spec {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Its environment, complete.
    pub environment: BTreeMap<String, String>,
    /// Its working directory.
    pub directory: PathBuf,
    /// Terminal for a shell inside, where there is one.
    pub terminal: Option<PathBuf>,
    /// Load the IPVS modules.
    pub ipvs: bool,
    /// Where the modules of this kernel are, when not in `/lib/modules`.
    pub modules: Option<PathBuf>,
    /// Power the machine off at the end: it is one of its own.
    pub power_off: bool,
}

/// What to run and how.
#[derive(Debug, Clone)]
pub struct Job {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// With the IPVS modules. Without them, the kernel is always User-Mode Linux.
    pub ipvs: bool,
    /// A person's terminal is connected to a shell inside.
    pub interactive: bool,
    /// After this time the kernel is taken down; none for a person's session.
    pub limit: Option<Duration>,
    /// A tap device of the network namespace in which the kernel is started; it is the kernel's `eth0`.
    /// The kernel is then always User-Mode Linux.
    pub tap: Option<String>,
}

impl Job {
    /// A part of the laboratory itself, by its hidden command and that one's arguments.
    pub fn own<W: AsRef<OsStr>>(words: &[W], limit: Duration) -> Result<Self> {
        let mut command = vec![setup::own_program()?.to_string_lossy().into_owned()];
        command.extend(
            words
                .iter()
                .map(|word| word.as_ref().to_string_lossy().into_owned()),
        );
        Ok(Self {
            command,
            ipvs: true,
            interactive: false,
            limit: Some(limit),
            tap: None,
        })
    }
}

/// Which kernel is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// The one that runs already, in fresh namespaces.
    Host,
    /// User-Mode Linux.
    Uml,
}

impl Kernel {
    /// The host's own when it has IPVS and lets us use it, else User-Mode Linux.
    pub fn choose() -> Self {
        if host::has_ipvs() {
            Self::Host
        } else {
            Self::Uml
        }
    }

    /// Runs the job to its end and returns its exit status.
    pub fn run(self, job: &Job) -> Result<u8> {
        let folder = tempfile::Builder::new()
            .prefix("lab.")
            .tempdir()
            .during("making a temporary folder")?;
        match self {
            Self::Host if job.ipvs && job.tap.is_none() => host::run(job, folder.path()),
            _ => uml::run(job, folder.path()),
        }
    }
}

impl std::fmt::Display for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Host => "this machine's kernel",
            Self::Uml => "User-Mode Linux",
        })
    }
}

/// Files that the outside and the first process inside share.
struct Shared<'a>(&'a Path);

impl Shared<'_> {
    fn spec(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    fn output(&self) -> PathBuf {
        self.0.join("output")
    }

    fn status(&self) -> PathBuf {
        self.0.join("status")
    }

    fn write_spec(&self, spec: &Spec) -> Result<()> {
        let text = serde_json::to_vec(spec).map_err(std::io::Error::from);
        std::fs::write(self.spec(), text.during("writing the job")?).during("writing the job")?;
        std::fs::write(self.output(), b"").during("making the output file")
    }

    /// The exit status that the first process left, if it came so far.
    fn read_status(&self) -> Option<u8> {
        std::fs::read_to_string(self.status())
            .ok()?
            .trim()
            .parse()
            .ok()
    }
}

/// The part of our environment that goes on to the inside.
fn environment() -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = std::env::vars()
        .filter(|(name, _)| {
            matches!(
                name.as_str(),
                "HOME" | "LANG" | "TERM" | "COLUMNS" | "NO_COLOR" | "RUST_BACKTRACE" | "CI"
            ) || name.starts_with("LAB_")
        })
        .collect();
    if std::io::IsTerminal::is_terminal(&std::io::stdout())
        && std::env::var_os("NO_COLOR").is_none()
    {
        kept.insert("LAB_COLOUR".into(), "1".into());
    }
    kept.insert(
        "PATH".into(),
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
    );
    kept
}

/// How a run ended.
enum End {
    /// The kernel's process is gone.
    Gone,
    /// The time limit was reached.
    OutOfTime,
}

/// Copies the output file to our standard output as it grows, until the kernel is gone.
fn stream(
    shared: &Shared<'_>,
    limit: Option<Duration>,
    mut gone: impl FnMut() -> Result<bool>,
) -> Result<End> {
    let mut file = File::open(shared.output()).during("opening the output file")?;
    let started = Instant::now();
    let mut buffer = vec![0; 1 << 16];
    loop {
        interrupt::check()?;
        let finished = gone()?;
        loop {
            let length = file.read(&mut buffer).during("reading the output file")?;
            if length == 0 {
                break;
            }
            let mut out = std::io::stdout().lock();
            out.write_all(buffer.get(..length).unwrap_or_default())
                .during("writing output")?;
            out.flush().during("writing output")?;
        }
        if finished {
            return Ok(End::Gone);
        }
        if limit.is_some_and(|limit| started.elapsed() > limit) {
            return Ok(End::OutOfTime);
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}
