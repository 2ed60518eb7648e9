//! One run of the tool as a process: started, given its input, awaited.
//!
//! Knows nothing of tables; what the words mean is the business of the module above.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::Signal;
use daemon::child::{Child, Output, Spec, Stdin};
use nix::fcntl::{FcntlArg, fcntl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Failure;

/// A tool that has not ended by then is killed.
const LIMIT: Duration = Duration::from_secs(30);
/// Room of the pipes from the tool; what the kernel allows to everybody.
const PIPE: i32 = 1 << 20;

/// A run that has begun.
#[derive(Debug)]
pub(super) struct Call {
    path: PathBuf,
    child: Child,
}

impl Call {
    /// Starts the program; `stdin`: it will be given input.
    pub(super) fn start(path: &Path, args: &[OsString], stdin: Stdin) -> Result<Self, Failure> {
        let spec = Spec {
            args: args.to_vec(),
            stdin,
            stdout: Output::Pipe,
            stderr: Output::Pipe,
            // A batch that outlives lvs would write into the table of its successor.
            die_with_parent: Some(Signal::SIGKILL),
            // Ctrl-C at a terminal is for lvs, which has its last batch to write then.
            own_session: true,
            ..Spec::new(path)
        };
        let child = spec.spawn().map_err(|error| {
            let missing = !path.exists();
            not_run(path, error.to_string(), missing)
        })?;
        Ok(Self {
            path: path.to_owned(),
            child,
        })
    }

    /// Gives it its input and waits for its end.
    pub(super) async fn finish(mut self, input: Option<String>) -> Result<Ended, Failure> {
        let child = &mut self.child;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // A tool that stops reading says why on its standard error.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let work = async {
            let (_, stdout, stderr) = tokio::join!(feed, text(stdout), text(stderr));
            (child.wait().await, stdout, stderr)
        };
        match tokio::time::timeout(LIMIT, work).await {
            Ok((Ok(status), stdout, stderr)) => Ok(Ended {
                success: status.success(),
                code: status.code(),
                stdout,
                stderr,
            }),
            Ok((Err(error), ..)) => Err(not_run(&self.path, error.to_string(), false)),
            Err(_) => {
                let _ = self.child.signal(Signal::SIGKILL);
                let _ = self.child.wait().await;
                let reason = format!("not ended after {} s", LIMIT.as_secs());
                Err(not_run(&self.path, reason, false))
            }
        }
    }

    /// Waits for an end that came before any input. Can be cancelled.
    pub(super) async fn ended(&mut self) {
        let _ = self.child.wait().await;
    }
}

fn not_run(path: &Path, reason: String, missing: bool) -> Failure {
    Failure::Start {
        program: path.display().to_string(),
        reason,
        missing,
    }
}

/// How a call ended.
pub(super) struct Ended {
    pub(super) success: bool,
    code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ended {
    pub(super) fn failure(&self, path: &Path) -> Failure {
        let program = name(path);
        let lines: Vec<&str> = self
            .stderr
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let message = match (lines.as_slice(), self.code) {
            ([], Some(code)) => format!("ended with status {code}"),
            ([], None) => "killed by a signal".to_owned(),
            (lines, _) => lines.join("; "),
        };
        // What modprobe says before it helps nobody.
        let unusable = lines
            .iter()
            .find(|line| line.contains("Can't initialize ipvs"));
        if let Some(line) = unusable {
            let why = if line.contains("Permission denied") {
                "IPVS refuses access: run as root in the initial user namespace"
            } else {
                "this kernel has no IPVS: load the module (modprobe ip_vs) or boot a kernel that has it"
            };
            return Failure::Unusable(format!("{why} ({program}: {line})"));
        }
        Failure::Said { program, message }
    }
}

pub(super) fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(OsStr::new("ipvsadm"))
        .to_string_lossy()
        .into_owned()
}

async fn text(stream: Option<impl AsyncReadExt + AsFd + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // A long table passes in few turns; a kernel that gives no more room is no matter.
        let _ = fcntl(stream.as_fd(), FcntlArg::F_SETPIPE_SZ(PIPE));
        let _ = stream.read_to_end(&mut bytes).await;
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
