//! The socket by which people ask a running pulse: one JSON object a line, one line in answer.
//!
//! Owns its place, permissions and forms. What is answered is the router's.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use daemon::lines::{LINE_LIMIT, Lines};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};

/// Connections at a time; more wait in the kernel.
const CONNECTIONS: usize = 16;
/// For a question to be asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// What this router is, and what happened of late.
    Status,
    /// Let the partner serve; answered when it does.
    HandOver,
    /// Read the configuration again; answered when it is followed, or refused.
    Reload,
}

/// How a request that changes something ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) done: bool,
    pub(crate) text: String,
}

/// A request, and where its answer goes: one line of JSON without its end.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) answer: oneshot::Sender<String>,
}

pub(crate) fn socket(run_dir: &Path) -> PathBuf {
    run_dir.join("pulse.sock")
}

/// Takes the place of what an earlier run left; to be called by the only pulse of this network
/// namespace, within the event loop.
pub(crate) fn open(run_dir: &Path) -> std::io::Result<UnixListener> {
    let path = socket(run_dir);
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until the router ends; `ask` hands a request to it.
pub(crate) async fn serve(listener: UnixListener, ask: impl Fn(Asked) + Clone + 'static) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let ask = ask.clone();
                tokio::task::spawn_local(async move {
                    converse(stream, ask).await;
                    drop(place);
                });
            }
            // Out of descriptors: others may become free.
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

async fn converse(mut stream: UnixStream, ask: impl Fn(Asked)) {
    // The permissions came a moment after the socket.
    let is_trusted = |uid: u32| uid == 0 || uid == nix::unistd::geteuid().as_raw();
    if !stream.peer_cred().is_ok_and(|peer| is_trusted(peer.uid())) {
        return;
    }
    let (reader, mut writer) = stream.split();
    let mut lines = Lines::new(reader, LINE_LIMIT);
    while let Ok(Ok(Some(line))) = tokio::time::timeout(PATIENCE, lines.line()).await {
        let answer = match serde_json::from_str(&line) {
            Ok(request) => {
                let (answer, answered) = oneshot::channel();
                ask(Asked { request, answer });
                // The router is ending.
                let Ok(answer) = answered.await else { return };
                answer
            }
            Err(error) => serde_json::json!({ "error": error.to_string() }).to_string(),
        };
        let answer = format!("{answer}\n");
        if writer.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named_by_their_words() {
        let read = |text: &str| serde_json::from_str::<Request>(text).ok();
        assert_eq!(read(r#"{"request":"status"}"#), Some(Request::Status));
        assert_eq!(read(r#"{"request":"hand-over"}"#), Some(Request::HandOver));
        assert_eq!(read(r#"{"request":"reload"}"#), Some(Request::Reload));
        assert_eq!(read(r#"{"request":"reboot"}"#), None);
    }
}
