//! One running checker: its report lines become events, orders become signals.
//!
//! Decides nothing; starts nothing again.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use daemon::Signal;
use daemon::child::{Child, ChildError, Output, Report, Spec, describe};
use daemon::lines::{LINE_LIMIT, Lines};
use tokio::sync::mpsc;

use crate::core::{Event, ProcessId, Start};
use crate::health::Key;
use crate::report;
use crate::user::User;

/// Number of the report pipe in the checker.
const REPORT: i32 = 3;
/// After SIGTERM a checker has this long.
const GRACE: Duration = Duration::from_millis(500);
/// A site's own checker still has to run ipvsadm.
const FOREIGN_GRACE: Duration = Duration::from_secs(2);
/// What a dead checker wrote last is still read for this long: a child of its own may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// What is asked of a checker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// End.
    Stop,
    /// End at once.
    Kill,
}

/// How checkers are started, whatever their servers.
#[derive(Debug)]
pub(crate) struct Manner {
    /// The checker of this project.
    pub nanny: PathBuf,
    /// Their messages go where lvs's own go.
    pub foreground: bool,
    /// The user they run as; `None`: lvs's own.
    pub user: Option<User>,
    /// The file by which they count the programs that they run.
    pub programs: Option<PathBuf>,
}

/// Starts the process. To be called in the main thread, with whose end the checker dies.
pub(crate) fn spawn(start: &Start, manner: &Manner) -> Result<Child, ChildError> {
    let nanny = &start.spec;
    // A site's own program may have to run ipvsadm.
    let user = manner.user.as_ref().filter(|_| nanny.custom.is_none());
    let program = nanny.custom.clone().unwrap_or_else(|| manner.nanny.clone());
    let output = if manner.foreground {
        Output::Inherit
    } else {
        Output::Null
    };
    let mut env = nanny.env.clone();
    env.push(("PIRANHA_REPORT".into(), REPORT.to_string().into()));
    env.push(("PIRANHA_NAME".into(), start.name.clone().into()));
    if let Some(weight) = start.weight {
        env.push(("PIRANHA_WEIGHT".into(), weight.to_string().into()));
    }
    if let (Some(count), Some(file)) = (nanny.programs, &manner.programs) {
        let mut value = OsString::from(format!("{count}:"));
        value.push(file);
        env.push(("PIRANHA_PROGRAM_SLOTS".into(), value));
    }
    if let Some(user) = user {
        env.push(("HOME".into(), user.home.clone().into()));
        env.push(("USER".into(), user.name.clone().into()));
        env.push(("LOGNAME".into(), user.name.clone().into()));
    }
    Spec {
        arg0: Some(nanny.arg0.clone()),
        args: nanny.args.clone(),
        env,
        stdout: output,
        stderr: output,
        report: Some(Report { fd: REPORT }),
        die_with_parent: Some(Signal::SIGKILL),
        credentials: user.map(|user| user.credentials),
        ..Spec::new(program)
    }
    .spawn()
}

/// Follows a checker to its end.
pub(crate) async fn follow(
    mut child: Child,
    (key, id, foreign): (Key, ProcessId, bool),
    events: mpsc::Sender<Event>,
    mut orders: mpsc::Receiver<Order>,
) {
    let mut lines = child.report.take().map(|pipe| Lines::new(pipe, LINE_LIMIT));
    if !foreign {
        // It keeps the pipe to itself, whose end is its own.
        child.release();
    }
    let how = loop {
        tokio::select! {
            biased;
            line = next_line(&mut lines) => match line {
                Some(line) => send(&events, key, id, &line).await,
                None => lines = None,
            },
            order = orders.recv() => {
                break end(&mut child, order, foreign).await;
            }
            status = child.wait(), if foreign || lines.is_none() => break status.map_or_else(|error| error.to_string(), describe),
        }
    };
    while lines.is_some() {
        match tokio::time::timeout(LAST_WORDS, next_line(&mut lines)).await {
            Ok(Some(line)) => send(&events, key, id, &line).await,
            Ok(None) | Err(_) => lines = None,
        }
    }
    let _ = events.send(Event::Ended(key, id, how)).await;
}

async fn next_line(lines: &mut Option<Lines<tokio::net::unix::pipe::Receiver>>) -> Option<String> {
    match lines {
        Some(lines) => lines.line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

async fn send(events: &mpsc::Sender<Event>, key: Key, id: ProcessId, line: &str) {
    if let Some(report) = report::parse(line) {
        let _ = events.send(Event::Reported(key, id, report)).await;
    }
}

async fn end(child: &mut Child, order: Option<Order>, foreign: bool) -> String {
    let grace = match order {
        Some(Order::Kill) => {
            let _ = child.signal(Signal::SIGKILL);
            GRACE
        }
        _ if foreign => FOREIGN_GRACE,
        _ => GRACE,
    };
    child
        .stop(grace)
        .await
        .map_or_else(|error| error.to_string(), describe)
}
