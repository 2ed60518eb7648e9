//! Programs that pulse runs for a moment: the administrator's own, and tools.
//!
//! Owns how they are started, beside the event loop, and how their failure is told. Must not know
//! what they are for.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use daemon::child::{Child, ChildError, Output, Spec, Stdin, describe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::task::JoinHandle;

/// Splits at blanks; single and double quotes keep blanks in a word (B58). No shell, no escapes.
pub(crate) fn words(text: &[u8]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    for &byte in text {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, b' ' | b'\t') => words.extend(word.take().map(OsString::from_vec)),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word.map(OsString::from_vec));
    words
}

/// Starts a program in a thread of its own: whoever starts one waits until the child has become it,
/// and on a busy machine that takes longer than a heartbeat may be late.
pub(crate) async fn start(spec: Spec) -> Result<Child, ChildError> {
    let program = spec.program.clone();
    let started = tokio::task::spawn_blocking(move || spec.spawn()).await;
    started.unwrap_or_else(|error| {
        let source = std::io::Error::other(error.to_string());
        Err(ChildError::Start { program, source })
    })
}

/// Runs the administrator's command beside everything else; a failure is logged when it ends. The
/// result is there for who wants to wait for its end.
///
/// Where systemd runs pulse, the command gets a unit of its own: outside pulse's sandbox, as old
/// sites expect, and not ended with pulse.
pub(crate) fn run_in_background(
    keyword: &'static str,
    words: &[OsString],
    stdout: Output,
) -> JoinHandle<()> {
    tracing::debug!("DEBUG -- Executing '{}'", shown(words));
    let words = words.to_vec();
    tokio::task::spawn_local(async move {
        if is_run_by_systemd() {
            match run_in_unit(&words).await {
                Ok(InUnit::Ended(outcome)) => return log_failure(keyword, outcome),
                Ok(InUnit::NotStarted(reason)) => {
                    tracing::info!("{keyword}: {reason}: run within pulse's own unit");
                }
                Err(error) => tracing::info!("{keyword}: {error}: run within pulse's own unit"),
            }
        }
        log_failure(keyword, run_directly(&words, stdout).await);
    })
}

fn log_failure(keyword: &str, outcome: Result<(), String>) {
    if let Err(text) = outcome {
        tracing::info!("{keyword} {text}");
    }
}

async fn run_directly(words: &[OsString], stdout: Output) -> Result<(), String> {
    let Some((program, args)) = words.split_first() else {
        return Ok(());
    };
    let spec = Spec {
        args: args.to_vec(),
        stdout,
        stderr: stdout,
        own_session: true,
        ..Spec::new(program)
    };
    let mut child = start(spec).await.map_err(|error| error.to_string())?;
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(describe(status)),
        Err(error) => Err(error.to_string()),
    }
}

/// systemd sets both for its services.
fn is_run_by_systemd() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some();
    set("NOTIFY_SOCKET") && set("INVOCATION_ID")
}

/// What became of a command that was to have a unit of its own.
enum InUnit {
    Ended(Result<(), String>),
    NotStarted(String),
}

async fn run_in_unit(words: &[OsString]) -> Result<InUnit, ChildError> {
    // Without default dependencies it is also started while the machine is going down.
    let options = [
        "--quiet",
        "--collect",
        "--wait",
        "--property=DefaultDependencies=no",
        "--",
    ];
    let mut args: Vec<OsString> = options.map(OsString::from).to_vec();
    args.extend(words.iter().cloned());
    let spec = Spec {
        args,
        stderr: Output::Pipe,
        own_session: true,
        ..Spec::new("systemd-run")
    };
    let mut child = start(spec).await?;
    let stderr = child.stderr.take();
    let (said, status) = tokio::join!(first_line(stderr), child.wait());
    let status = status?;
    Ok(match said {
        _ if status.success() => InUnit::Ended(Ok(())),
        Some(line) if line.starts_with("Failed to") => InUnit::NotStarted(line),
        _ => InUnit::Ended(Err(describe(status))),
    })
}

/// Runs a tool to its end, which has to come within `limit`. An error is one line.
pub(crate) async fn run(spec: Spec, input: &[u8], limit: Duration) -> Result<String, String> {
    Waiting::start(spec, !input.is_empty())
        .await?
        .finish(input, limit)
        .await
}

/// A tool that was started and waits for its input.
#[derive(Debug)]
pub(crate) struct Waiting {
    name: String,
    child: Child,
}

impl Waiting {
    pub(crate) async fn start(mut spec: Spec, has_input: bool) -> Result<Self, String> {
        spec.stdout = Output::Pipe;
        spec.stderr = Output::Pipe;
        spec.stdin = if has_input { Stdin::Pipe } else { Stdin::Null };
        Ok(Self {
            name: spec.program.display().to_string(),
            child: start(spec).await.map_err(|error| error.to_string())?,
        })
    }

    /// Gives it its input and waits for its end; gives what it printed.
    pub(crate) async fn finish(self, input: &[u8], limit: Duration) -> Result<String, String> {
        let Self { name, mut child } = self;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let outcome = tokio::time::timeout(limit, async {
            let write = async {
                if let Some(mut stdin) = stdin {
                    // A tool that does not read is judged by its exit status.
                    let _ = stdin.write_all(input).await;
                }
            };
            let ((), printed, said, status) =
                tokio::join!(write, printed(stdout), first_line(stderr), child.wait());
            (printed, said, status)
        })
        .await;
        match outcome {
            Ok((printed, _, Ok(status))) if status.success() => Ok(printed),
            Ok((_, said, Ok(status))) => {
                let said = said.map(|line| format!(": {line}")).unwrap_or_default();
                Err(format!("{name} {}{said}", describe(status)))
            }
            Ok((_, _, Err(error))) => Err(error.to_string()),
            Err(_) => {
                let _ = child.signal(daemon::Signal::SIGKILL);
                Err(format!("{name} does not end, so it was killed"))
            }
        }
    }
}

/// What is of use of it; the rest is read away.
const PRINTED: usize = 64 * 1024;

async fn printed(stdout: Option<ChildStdout>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stdout) = stdout {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stdout.read(&mut buffer).await {
            if bytes.len() < PRINTED {
                bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn first_line(stderr: Option<ChildStderr>) -> Option<String> {
    let mut lines = daemon::lines::Lines::new(stderr?, daemon::lines::LINE_LIMIT);
    let first = lines.line().await.ok().flatten();
    // The rest is read away, or the tool would wait for room in the pipe.
    while let Ok(Some(_)) = lines.line().await {}
    first
}

/// A command as people write it.
pub(crate) fn shown(words: &[OsString]) -> String {
    words
        .iter()
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b58_words_respect_quotes() {
        let split = |text: &str| {
            words(text.as_bytes())
                .into_iter()
                .map(|word| word.into_string().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(split("/bin/x  a\tb "), ["/bin/x", "a", "b"]);
        assert_eq!(split("/x 'a b' \"c 'd\" e'f'"), ["/x", "a b", "c 'd", "ef"]);
        assert_eq!(split("/x ''"), ["/x", ""]);
        assert_eq!(split("  "), Vec::<String>::new());
        assert_eq!(split("/x 'open end"), ["/x", "open end"]);
    }
}
