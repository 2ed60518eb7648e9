//! The web tool and its applier, with files of daemons that are not there.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::unistd::{User, geteuid};
use tempfile::TempDir;

use super::client::Client;
use super::state::{State, lvs_cf, pulse_json};
use crate::bench::lvs::usage;
use crate::error::{Context, Error, Result};
use crate::visitor::Visitor;
use crate::wait;

pub(super) const USER: &str = "piranha";
pub(super) const PASSWORD: &str = "a long pass phrase";
/// For the programs to start.
const SOON: Duration = Duration::from_secs(60);

/// A folder with all files, and the two programs.
pub(super) struct Site {
    address: SocketAddr,
    programs: Vec<Child>,
    folder: TempDir,
}

impl Drop for Site {
    fn drop(&mut self) {
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

impl Site {
    pub(super) fn start(programs: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("lab-gui.").tempdir();
        let folder = folder.during("making a temporary folder")?;
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &[u8]| {
            std::fs::write(path(name), text).during(format_args!("writing {name}"))
        };
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))
            .during("opening the folder to the tool's user")?;
        write("lvs.cf", lvs_cf().as_bytes())?;
        write("pulse.json", pulse_json().to_string().as_bytes())?;
        State::new().write(folder.path())?;
        let user = user()?;
        account(programs, &path("piranha.passwd"), &user)?;

        // The system chooses a port; nobody else takes it in this moment.
        let listener = TcpListener::bind("127.0.0.1:0").during("looking for a free port")?;
        let address = listener.local_addr().during("looking for a free port")?;
        drop(listener);
        let mut site = Self {
            address,
            programs: Vec::new(),
            folder,
        };
        site.run(
            programs,
            "piranha-applier",
            &["--nodaemon", "--state-dir", ".", "--user", &user],
        )?;
        let listen = address.to_string();
        let accounts = ["--accounts", "piranha.passwd"];
        site.run(
            programs,
            "piranha-gui",
            &[&["--listen", &listen, "--user", &user], &accounts[..]].concat(),
        )?;
        wait::for_it("the web tool answers", SOON, || {
            Ok(Visitor::new(address, None)
                .get("/health")
                .is_ok_and(|it| it.text == "ok\n"))
        })?;
        Ok(site)
    }

    fn run(&mut self, programs: &Path, name: &str, arguments: &[&str]) -> Result<()> {
        let child = Command::new(programs.join(name))
            .args(["-c", "lvs.cf", "--run-dir", "."])
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .during(format_args!("starting {name}"))?;
        self.programs.push(child);
        Ok(())
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(super) fn log_in(&self) -> Result<Client> {
        Client::log_in(self.address)
    }

    fn tool(&self) -> Result<i32> {
        let pid = self.programs.last().map(Child::id);
        pid.and_then(|pid| i32::try_from(pid).ok())
            .ok_or_else(|| Error::unmet("the web tool does not run"))
    }

    /// What it used of a processor so far.
    pub(super) fn processor(&self) -> Result<Duration> {
        let threads = format!("/proc/{}/task", self.tool()?);
        let threads = std::fs::read_dir(&threads).during(format_args!("reading {threads}"))?;
        let mut sum = Duration::ZERO;
        for thread in threads.flatten() {
            let pid = thread
                .file_name()
                .to_string_lossy()
                .parse()
                .unwrap_or_default();
            // A thread may end meanwhile.
            sum += usage::processor(pid).unwrap_or_default();
        }
        Ok(sum)
    }

    /// Its resident memory in millions of bytes.
    pub(super) fn memory(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.tool()?);
        let text = std::fs::read_to_string(&path).during(format_args!("reading {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: Option<f64> =
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        kilobytes
            .map(|kilobytes| kilobytes * 1024.0 / 1e6)
            .ok_or_else(|| Error::unmet("the web tool has no memory"))
    }
}

/// Who the tool is to be: nobody special.
fn user() -> Result<String> {
    if geteuid().is_root() {
        return Ok("nobody".to_owned());
    }
    let user = User::from_uid(geteuid()).ok().flatten();
    user.map(|user| user.name)
        .ok_or_else(|| Error::unmet("this user has no name"))
}

fn account(programs: &Path, file: &Path, owner: &str) -> Result<()> {
    let mut child = Command::new(programs.join("piranha-passwd"))
        .args(["--stdin", "--user", USER, "--owner", owner, "--file"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .during("starting piranha-passwd")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin
            .write_all(PASSWORD.as_bytes())
            .during("telling piranha-passwd a password")?;
    }
    let status = child.wait().during("waiting for piranha-passwd")?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Command {
        command: "piranha-passwd".into(),
        outcome: status.to_string(),
    })
}
