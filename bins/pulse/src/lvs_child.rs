//! The lvs process: started with its pipes, spoken to, watched, ended.
//!
//! Owns the forms of both channels. Must not decide when lvs is started again.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::time::Duration;

use daemon::child::{Child, ChildError, Output, Report, Spec, Stdin};
use daemon::lines::{LINE_LIMIT, Lines};
use daemon::mode::StartMode;
use daemon::{Signal, paths};
use nix::unistd::Pid;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::command;
use crate::options::Options;

/// Number of the report descriptor in lvs.
const REPORT: i32 = 3;
/// lvs says `alive` every 5 s; three missed, and it hangs.
const SILENCE: Duration = Duration::from_secs(15);

/// What lvs says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Ready,
    Reloaded,
    Refused(String),
    Alive,
    /// From a newer lvs.
    Unknown(String),
}

impl Message {
    fn parse(line: &str) -> Self {
        match line.split_once(' ') {
            None if line == "ready" => Self::Ready,
            None if line == "reloaded" => Self::Reloaded,
            None if line == "alive" => Self::Alive,
            Some(("refused", rest)) => Self::Refused(match rest.split_once(' ') {
                Some((line, text)) => format!("line {line}: {text}"),
                None => rest.to_owned(),
            }),
            _ => Self::Unknown(line.to_owned()),
        }
    }
}

/// What becomes of lvs.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It cannot be run.
    NotStarted(ChildError),
    Said(Message),
    /// It ended without having been asked to.
    Died(Pid, Result<ExitStatus, ChildError>),
}

/// A running lvs. Dropping it closes its standard input: lvs then exits and leaves the table.
#[derive(Debug)]
pub(crate) struct Lvs {
    orders: UnboundedSender<Vec<u8>>,
    stop: Option<oneshot::Sender<Stop>>,
}

#[derive(Debug)]
struct Stop {
    grace: Duration,
    done: oneshot::Sender<Result<ExitStatus, ChildError>>,
}

/// The program to run: the option, else what stands beside pulse. In a folder of system programs
/// that is only `lvsd`: `lvs` is LVM's there.
fn program(options: &Options) -> std::path::PathBuf {
    if let Some(program) = &options.lvs {
        return program.clone();
    }
    let lvsd = paths::program("lvsd");
    let lvs = paths::program("lvs");
    let is_system = lvs.parent().is_some_and(|folder| {
        ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
            .iter()
            .any(|system| folder.as_os_str() == *system)
    });
    if lvsd.is_file() || is_system {
        lvsd
    } else {
        lvs
    }
}

/// How lvs is started (`piranha-daemons.md` appendix B), with its two channels.
pub(crate) fn spec(options: &Options) -> Spec {
    let foreground = options.mode == StartMode::NoDaemon;
    let output = if foreground {
        Output::Inherit
    } else {
        Output::Null
    };
    let mode = if foreground { "--nodaemon" } else { "--nofork" };
    let mut args: Vec<OsString> =
        vec![mode.into(), "-c".into(), options.config_file.clone().into()];
    if options.verbose {
        args.push("-v".into());
    }
    for (name, folder) in [
        ("--run-dir", &options.run_dir),
        ("--state-dir", &options.state_dir),
    ] {
        if let Some(folder) = folder {
            args.extend([name.into(), folder.clone().into()]);
        }
    }
    Spec {
        args,
        env: vec![("PIRANHA_CONTROL".into(), REPORT.to_string().into())],
        stdin: Stdin::Pipe,
        stdout: output,
        stderr: output,
        report: Some(Report { fd: REPORT }),
        own_session: true,
        ..Spec::new(program(options))
    }
}

impl Lvs {
    /// Has it started; `report` is called with what becomes of it. To be called within the event
    /// loop. What it is told before it runs waits for it.
    pub(crate) fn start(spec: Spec, report: impl Fn(Outcome) + 'static) -> Self {
        let (orders, queue) = unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        tokio::task::spawn_local(async move {
            let mut child = match command::start(spec).await {
                Ok(child) => child,
                Err(error) => return report(Outcome::NotStarted(error)),
            };
            if let Some(stdin) = child.stdin.take() {
                tokio::task::spawn_local(write_orders(stdin, queue));
            }
            watch(child, stopped, report).await;
        });
        Self {
            orders,
            stop: Some(stop),
        }
    }

    /// Passes on the accepted configuration.
    pub(crate) fn configure(&self, bytes: &[u8]) {
        self.order([format!("config {}\n", bytes.len()).as_bytes(), bytes].concat());
    }

    /// `active`, `standby` or `reload`.
    pub(crate) fn say(&self, word: &str) {
        self.order(format!("{word}\n").into_bytes());
    }

    fn order(&self, bytes: Vec<u8>) {
        // Refused only when it has died, which is reported by itself.
        let _ = self.orders.send(bytes);
    }

    /// Has it withdraw its table and end; killed after `grace`.
    pub(crate) async fn stop(mut self, grace: Duration) -> Result<(), String> {
        let (done, outcome) = oneshot::channel();
        let asked = self.stop.take().map(|stop| stop.send(Stop { grace, done }));
        if !matches!(asked, Some(Ok(()))) {
            return Ok(());
        }
        match outcome.await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("lvs {}", daemon::child::describe(status))),
            Ok(Err(error)) => Err(error.to_string()),
            // It died at the same moment.
            Err(_) => Ok(()),
        }
    }
}

/// Apart from the rest, since lvs may not be reading.
async fn write_orders(
    mut stdin: tokio::process::ChildStdin,
    mut queue: UnboundedReceiver<Vec<u8>>,
) {
    while let Some(bytes) = queue.recv().await {
        if stdin.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn watch(mut child: Child, mut stopped: oneshot::Receiver<Stop>, report: impl Fn(Outcome)) {
    let mut lines = child.report.take().map(|pipe| Lines::new(pipe, LINE_LIMIT));
    let mut heard = tokio::time::Instant::now();
    loop {
        tokio::select! {
            // What it said counts before its silence.
            biased;
            line = next_line(&mut lines) => match line {
                Some(line) => {
                    heard = tokio::time::Instant::now();
                    report(Outcome::Said(Message::parse(&line)));
                }
                None => lines = None,
            },
            stop = &mut stopped => {
                // Without an order the other side is gone, and with it lvs's standard input.
                let Ok(stop) = stop else { return };
                let _ = stop.done.send(child.stop(stop.grace).await);
                return;
            }
            status = child.wait() => {
                report(Outcome::Died(child.pid, status));
                return;
            }
            () = tokio::time::sleep_until(heard + SILENCE) => {
                tracing::info!("lvs hangs: killing process {}", child.pid);
                let _ = child.signal(Signal::SIGKILL);
                heard = tokio::time::Instant::now();
            }
        }
    }
}

/// Never comes once the pipe has ended: its end is told by the process's.
async fn next_line<R>(lines: &mut Option<Lines<R>>) -> Option<String>
where
    R: tokio::io::AsyncRead + Unpin,
{
    match lines {
        Some(lines) => lines.line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        assert_eq!(Message::parse("ready"), Message::Ready);
        assert_eq!(Message::parse("alive"), Message::Alive);
        assert_eq!(Message::parse("reloaded"), Message::Reloaded);
        assert_eq!(
            Message::parse("refused 7 unknown command"),
            Message::Refused("line 7: unknown command".to_owned())
        );
        assert_eq!(
            Message::parse("hello you"),
            Message::Unknown("hello you".to_owned())
        );
    }
}
