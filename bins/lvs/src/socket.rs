//! The socket for people: takes connections of root, hands their requests to the loop.
//!
//! Decides nothing; what takes long (reading a configuration) is done here, beside the loop.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::lines::Lines;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::load::{self, Names, Source};
use crate::nanny;
use crate::plan::Plan;
use crate::requests::{Answer, LINE_LIMIT, Request};

/// Connections at once; more wait.
const CONNECTIONS: usize = 16;
/// A connection that asks nothing for this time is closed.
const IDLE: Duration = Duration::from_secs(30);
/// Pause after a failure to take a connection.
const PAUSE: Duration = Duration::from_secs(1);

/// A question to the loop.
#[derive(Debug)]
pub(crate) enum Question {
    /// What is needed to answer the others.
    Context(oneshot::Sender<Context>),
    /// The state.
    Status(oneshot::Sender<Answer>),
    /// Read the configuration file again; answered when the table follows.
    Reload(oneshot::Sender<Answer>),
    /// What a reload with this plan would change.
    Preview(Box<Plan>, oneshot::Sender<Answer>),
    /// Drain or enable.
    Change(Request, oneshot::Sender<Answer>),
}

/// What the loop knows and a request needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub names: Names,
    pub options: nanny::Options,
    pub config: PathBuf,
}

/// Opens the socket and serves it until the loop ends.
pub(crate) fn open(path: &Path, questions: mpsc::Sender<Question>) -> io::Result<()> {
    // A dead predecessor's; the instance lock says that none lives.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    tokio::spawn(serve(listener, questions));
    Ok(())
}

async fn serve(listener: UnixListener, questions: mpsc::Sender<Question>) {
    let places = std::sync::Arc::new(Semaphore::new(CONNECTIONS));
    let owner =
        std::fs::metadata("/proc/self").map(|about| std::os::unix::fs::MetadataExt::uid(&about));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let peer = stream.peer_cred().map(|peer| peer.uid()).ok();
        if peer != Some(0) && peer != owner.as_ref().ok().copied() {
            continue;
        }
        let questions = questions.clone();
        tokio::spawn(async move {
            let _ = converse(stream, &questions).await;
            drop(place);
        });
    }
}

async fn converse(stream: UnixStream, questions: &mpsc::Sender<Question>) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = Lines::new(reader, LINE_LIMIT);
    while let Ok(Some(line)) = tokio::time::timeout(IDLE, lines.line()).await? {
        let answer = match serde_json::from_str(&line) {
            Ok(request) => answer(request, questions).await,
            Err(error) => Some(Answer::Error(format!("not a request: {error}"))),
        };
        let Some(answer) = answer else { break };
        let mut bytes = serde_json::to_vec(&answer)?;
        bytes.push(b'\n');
        tokio::time::timeout(IDLE, writer.write_all(&bytes)).await??;
    }
    Ok(())
}

/// The answer, `None` when the loop has ended.
async fn answer(request: Request, questions: &mpsc::Sender<Question>) -> Option<Answer> {
    match request {
        Request::Status => ask(questions, Question::Status).await,
        Request::Reload => ask(questions, Question::Reload).await,
        Request::Plan { config } => {
            let context = ask(questions, Question::Context).await?;
            let source = Source::Pulse(config.into_bytes(), context.config);
            match load::load(source, context.names, context.options).await {
                Ok((plan, _)) => {
                    ask(questions, |reply| Question::Preview(Box::new(plan), reply)).await
                }
                Err(error) => Some(Answer::Error(error.to_string())),
            }
        }
        request => ask(questions, |reply| Question::Change(request, reply)).await,
    }
}

async fn ask<T>(
    questions: &mpsc::Sender<Question>,
    question: impl FnOnce(oneshot::Sender<T>) -> Question,
) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    questions.send(question(reply)).await.ok()?;
    answer.await.ok()
}
