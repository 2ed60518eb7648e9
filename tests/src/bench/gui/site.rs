//! The web tool and its applier, with files of daemons that are not there.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::unistd::{User, geteuid};
use tempfile::TempDir;

use super::client::Client;
use super::state::{State, lvs_cf, pulse_json};
use crate::accounts::Account;
use crate::bench::lvs::usage;
use crate::error::{Context, Error, Result};
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
        let account = Account {
            user: USER,
            password: PASSWORD,
            role: "admin",
        };
        let passwd = programs.join("piranha-passwd");
        account.make(&passwd, None, &path("piranha.passwd"), &user)?;
        answer_as_pulse(&path("pulse.sock"))?;
        let ssh = partner(folder.path())?.display().to_string();

        let mut site = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            programs: Vec::new(),
            folder,
        };
        let applier = ["--nodaemon", "--state-dir", ".", "--user", &user];
        let partner = ["--send-to-partner", "--ssh", &ssh];
        site.run(
            programs,
            "piranha-applier",
            Stdio::null(),
            &[&applier[..], &partner[..]].concat(),
        )?;
        let listen = site.address.to_string();
        let gui = ["--listen", &listen, "--user", &user];
        let accounts = ["--accounts", "piranha.passwd"];
        site.run(
            programs,
            "piranha-gui",
            Stdio::piped(),
            &[&gui[..], &accounts[..]].concat(),
        )?;
        site.address = site.served()?;
        wait::for_it("the applier listens", SOON, || {
            Ok(site.folder.path().join("applier.sock").exists())
        })?;
        Ok(site)
    }

    fn run(
        &mut self,
        programs: &Path,
        name: &str,
        stderr: Stdio,
        arguments: &[&str],
    ) -> Result<()> {
        let child = Command::new(programs.join(name))
            .args(["-c", "lvs.cf", "--run-dir", "."])
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stderr(stderr)
            .spawn()
            .during(format_args!("starting {name}"))?;
        self.programs.push(child);
        Ok(())
    }

    /// Where the web tool says that it serves; the system chose the port.
    fn served(&mut self) -> Result<SocketAddr> {
        let stderr = self.programs.last_mut().and_then(|it| it.stderr.as_mut());
        let mut line = String::new();
        if let Some(stderr) = stderr {
            let read = BufReader::new(stderr).read_line(&mut line);
            read.during("hearing where the web tool serves")?;
        }
        let address = line.trim_end().split_once("http://");
        address
            .and_then(|(_, address)| address.trim_end_matches('/').parse().ok())
            .ok_or_else(|| Error::unmet(format_args!("the web tool says {line:?}")))
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

/// Answers each question to pulse with the state of a pair that is well, until the bench ends.
fn answer_as_pulse(socket: &Path) -> Result<()> {
    let listener = UnixListener::bind(socket).during("listening as pulse")?;
    let answer = format!("{}\n", pulse_json());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut question = String::new();
            let read = BufReader::new(&stream).read_line(&mut question);
            // Who does not wait for the answer asks no more.
            let _ = read.and_then(|_| (&stream).write_all(answer.as_bytes()));
        }
    });
    Ok(())
}

/// What takes the place of ssh: the partner's daemons say the same as those here.
fn partner(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("ssh");
    let at = folder.display();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n*' pulse '*) cat {at}/pulse.json ;;\n*) cat {at}/lvs.json ;;\nesac\n"
    );
    let written = std::fs::write(&path, script)
        .and_then(|()| std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)));
    written.during("writing what takes the place of ssh")?;
    Ok(path)
}
