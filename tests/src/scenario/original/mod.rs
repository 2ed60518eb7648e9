//! Our ipvsadm-rs beside the original and in its place: the same tables by both programs, and what
//! Debian installs on top of ipvsadm.
//!
//! Owns the machine on which both stand; what is compared is text, byte for byte.

mod dice;
mod ldirectord;
mod scripts;
mod tables;
mod text;

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::mount::{MsFlags, mount};
use tempfile::TempDir;

use super::Scenario;
use crate::error::{Context, Error, Result};
use crate::node::Node;
use crate::{pair, setup};

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "tables",
        shows: "200 random tables, programmed by ipvsadm and by ipvsadm-rs, list alike with both",
        ipvs: true,
        run: tables::run,
    },
    Scenario {
        name: "service-script",
        shows: "Debian's ipvsadm service script and wrappers work with ipvsadm-rs in its place",
        ipvs: true,
        run: scripts::run,
    },
    Scenario {
        name: "ldirectord",
        shows: "Debian's ldirectord works with ipvsadm-rs in ipvsadm's place",
        ipvs: true,
        run: ldirectord::run,
    },
];

/// What one run of a program gave.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    /// What was written, when all went well.
    fn done(self, what: &str) -> Result<String> {
        if self.status == Some(0) && self.stderr.is_empty() {
            return Ok(self.stdout);
        }
        Err(Error::unmet(format_args!("{what}: {self:?}")))
    }
}

/// A machine with both programs.
struct Machine {
    node: Arc<Node>,
    /// Files that are private to it, mounted over the system's.
    folder: TempDir,
    ours: PathBuf,
    /// Where the original is installed.
    installed: PathBuf,
    /// A copy of it, which stays when ours takes its place.
    original: PathBuf,
}

impl Machine {
    /// A machine with loopback, on which names come from a file only.
    fn new(hosts: &str) -> Result<Self> {
        let node = Node::new("director")?;
        node.ip("link set lo up\n")?;
        Self::on(Arc::new(node), hosts)
    }

    /// The same on a machine that is there.
    fn on(node: Arc<Node>, hosts: &str) -> Result<Self> {
        let folder = tempfile::tempdir().during("making a temporary folder")?;
        let installed = setup::find("ipvsadm").ok_or_else(|| Error::Setup("no ipvsadm".into()))?;
        let original = folder.path().join("original");
        std::fs::copy(&installed, &original).during("copying ipvsadm")?;
        let machine = Self {
            node,
            folder,
            ours: pair::programs()?.join("ipvsadm-rs"),
            installed,
            original,
        };
        machine.put("/etc/hosts", hosts)?;
        machine.put("/etc/nsswitch.conf", "hosts: files\nservices: files\n")?;
        Ok(machine)
    }

    /// Puts a file with this text over one of the system's, for this machine only.
    fn put(&self, path: &str, text: &str) -> Result<()> {
        let own = self.own(path);
        std::fs::write(&own, text).during(format_args!("writing {}", own.display()))?;
        self.cover(path, &own)
    }

    /// The file of this machine's own that lies over one of the system's.
    fn own(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.replace('/', "-"))
    }

    fn cover(&self, path: &str, with: &Path) -> Result<()> {
        let (path, with) = (PathBuf::from(path), with.to_owned());
        if !path.exists() {
            return Err(Error::Setup(format!("{} is missing", path.display())));
        }
        self.node
            .run(move || {
                let none: Option<&str> = None;
                mount(Some(&with), &path, none, MsFlags::MS_BIND, none)
            })?
            .during("mounting a file over another")
    }

    /// Puts our program in the original's place.
    fn replace_original(&self) -> Result<()> {
        self.cover(&self.installed.to_string_lossy(), &self.ours)?;
        let mut command = Command::new(&self.installed);
        command.args(["-L", "--json"]);
        // Which the original does not know.
        self.run(command, "")?
            .done("ipvsadm-rs in ipvsadm's place")?;
        Ok(())
    }

    /// Runs one of the programs under the original's name.
    fn tool(&self, program: &Path, arguments: &[&str], input: &str) -> Result<Outcome> {
        let mut command = Command::new(program);
        command.arg0("ipvsadm").args(arguments);
        self.run(command, input)
    }

    fn ours(&self, arguments: &[&str], input: &str) -> Result<Outcome> {
        self.tool(&self.ours, arguments, input)
    }

    fn original(&self, arguments: &[&str], input: &str) -> Result<Outcome> {
        self.tool(&self.original, arguments, input)
    }

    /// Runs a command with this input, which is short, to its end.
    fn run(&self, mut command: Command, input: &str) -> Result<Outcome> {
        let what = format!("running {:?}", command.get_program());
        let input = input.to_owned();
        let output = self
            .node
            .run(move || {
                let mut child = command
                    .env("LC_ALL", "C")
                    .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()?;
                if let Some(mut stdin) = child.stdin.take() {
                    // A program that ends early does not read all of it.
                    let _ = stdin.write_all(input.as_bytes());
                }
                child.wait_with_output()
            })?
            .during(what)?;
        Ok(Outcome {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// Fails with the first line in which two outcomes differ.
fn same(what: &str, original: &Outcome, ours: &Outcome) -> Result<()> {
    if original == ours {
        return Ok(());
    }
    let texts = [
        (&original.stdout, &ours.stdout),
        (&original.stderr, &ours.stderr),
    ];
    let pairs = texts.iter().flat_map(|(left, right)| {
        let longer = left.lines().count().max(right.lines().count());
        let left = left.lines().map(Some).chain(std::iter::repeat(None));
        let right = right.lines().map(Some).chain(std::iter::repeat(None));
        left.zip(right).take(longer)
    });
    let first = pairs.into_iter().find(|(left, right)| left != right);
    Err(Error::unmet(format_args!(
        "{what}: status {:?} and {:?}, first difference {first:?}",
        original.status, ours.status
    )))
}
