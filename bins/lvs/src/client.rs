//! `lvs --status`, `--plan`, `--reload`, `--drain`, `--enable`: asks the running lvs and prints its answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::core::FAILED;
use crate::listing;
use crate::options::{Ask, Options};
use crate::requests::{Answer, LINE_LIMIT, Request, SOCKET};

/// A running lvs answers by then.
const LIMIT: Duration = Duration::from_secs(60);

/// Carries out what was asked for.
pub(crate) fn run(options: &Options, ask: &Ask) -> ExitCode {
    match answer(options, ask) {
        Ok(text) => {
            let written = io::stdout().write_all(text.as_bytes());
            if written.is_ok() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(FAILED)
            }
        }
        Err(text) => {
            let text = text.strip_prefix("lvs: ").unwrap_or(&text);
            let _ = writeln!(io::stderr(), "lvs: {text}");
            ExitCode::from(FAILED)
        }
    }
}

fn answer(options: &Options, ask: &Ask) -> Result<String, String> {
    match send(options, &request(options, ask)?)? {
        Answer::Status(status) if options.json => pretty(&status),
        Answer::Status(status) => Ok(listing::text(&status, now())),
        Answer::Plan { changes, notes } if options.json => {
            pretty(&serde_json::json!({ "changes": changes, "notes": notes }))
        }
        Answer::Plan { changes, notes } => {
            let notes = notes.iter().map(|note| format!("# {note}\n"));
            let changes = changes.iter().map(|change| format!("{change}\n"));
            Ok(notes.chain(changes).collect())
        }
        Answer::Reloaded { notes } => Ok(notes.iter().map(|note| format!("# {note}\n")).collect()),
        Answer::Done => Ok(String::new()),
        Answer::Error(text) => Err(text),
    }
}

fn request(options: &Options, ask: &Ask) -> Result<Request, String> {
    Ok(match ask {
        Ask::Status => Request::Status,
        Ask::Reload => Request::Reload,
        Ask::Plan => {
            let bytes = crate::load::read(&options.config).map_err(|error| error.to_string())?;
            // Only comments of old files are not UTF-8.
            let config = String::from_utf8_lossy(&bytes).into_owned();
            Request::Plan { config }
        }
        Ask::Drain(server, time, why) => Request::Drain {
            server: server.clone(),
            seconds: time.map(|time| time.as_secs()),
            why: why.clone(),
        },
        Ask::Enable(server) => Request::Enable {
            server: server.clone(),
        },
    })
}

fn send(options: &Options, request: &Request) -> Result<Answer, String> {
    let path = daemon::paths::run_dir(options.run_dir.as_deref()).join(SOCKET);
    let failed = |error: io::Error| {
        format!(
            "cannot ask the running lvs: {}: {error}; is lvs running here, and are you root?",
            path.display()
        )
    };
    let mut stream = UnixStream::connect(&path).map_err(failed)?;
    stream.set_read_timeout(Some(LIMIT)).map_err(failed)?;
    let mut line = serde_json::to_vec(request).map_err(|error| error.to_string())?;
    line.push(b'\n');
    stream.write_all(&line).map_err(failed)?;
    let mut answer = String::new();
    let limit = u64::try_from(LINE_LIMIT).unwrap_or(u64::MAX);
    let read = BufReader::new(stream.take(limit)).read_line(&mut answer);
    read.map_err(failed)?;
    serde_json::from_str(&answer).map_err(|_| "the running lvs gave no answer".to_owned())
}

/// Milliseconds of the Unix epoch.
fn now() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

fn pretty(value: &Value) -> Result<String, String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}
