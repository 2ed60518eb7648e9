//! Programs that pulse runs for a moment: the administrator's own, and tools.
//!
//! Owns how they are started and how their failure is told. Must not know what they are for.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use daemon::child::{Output, Spec, Stdin, describe};
use tokio::io::AsyncWriteExt;

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

/// Starts the administrator's command and does not wait for it; a failure is logged when it ends.
pub(crate) fn run_in_background(keyword: &'static str, words: &[OsString], stdout: Output) {
    let Some((program, args)) = words.split_first() else {
        return;
    };
    tracing::debug!("DEBUG -- Executing '{}'", shown(words));
    let spec = Spec {
        args: args.to_vec(),
        stdout,
        stderr: stdout,
        own_session: true,
        ..Spec::new(program)
    };
    let mut child = match spec.spawn() {
        Ok(child) => child,
        Err(error) => {
            tracing::info!("{keyword}: {error}");
            return;
        }
    };
    tokio::task::spawn_local(async move {
        match child.wait().await {
            Ok(status) if status.success() => {}
            Ok(status) => tracing::info!("{keyword} {}", describe(status)),
            Err(error) => tracing::info!("{keyword}: {error}"),
        }
    });
}

/// Runs a tool to its end, which has to come within `limit`. An error is one line.
pub(crate) async fn run(mut spec: Spec, input: &[u8], limit: Duration) -> Result<(), String> {
    let name = spec.program.display().to_string();
    spec.stderr = Output::Pipe;
    spec.stdin = if input.is_empty() {
        Stdin::Null
    } else {
        Stdin::Pipe
    };
    let mut child = spec.spawn().map_err(|error| error.to_string())?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let outcome = tokio::time::timeout(limit, async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A tool that does not read is judged by its exit status.
                let _ = stdin.write_all(input).await;
            }
        };
        let ((), said, status) = tokio::join!(write, first_line(stderr), child.wait());
        (said, status)
    })
    .await;
    match outcome {
        Ok((_, Ok(status))) if status.success() => Ok(()),
        Ok((said, Ok(status))) => {
            let said = said.map(|line| format!(": {line}")).unwrap_or_default();
            Err(format!("{name} {}{said}", describe(status)))
        }
        Ok((_, Err(error))) => Err(error.to_string()),
        Err(_) => {
            let _ = child.signal(daemon::Signal::SIGKILL);
            Err(format!("{name} does not end, so it was killed"))
        }
    }
}

async fn first_line(stderr: Option<tokio::process::ChildStderr>) -> Option<String> {
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
