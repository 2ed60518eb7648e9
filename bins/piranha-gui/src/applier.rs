//! The way to piranha-applier: one request, one answer, over its Unix socket.

use std::path::Path;
use std::time::Duration;

use change::protocol::{Plan, Reply, Request};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::app::App;
use crate::texts::told;
use crate::visitor::Visitor;

/// Longest answer: a configuration and its differences.
const LONGEST_REPLY: u64 = 32 << 20;
/// A partner may let a hand-over lapse, a reload may have to resolve names.
const PATIENCE: Duration = Duration::from_secs(300);
/// For what only reads.
const SOON: Duration = Duration::from_secs(20);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Silence {
    /// The socket takes nothing or gives nothing.
    #[error("{0}")]
    Socket(#[from] std::io::Error),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    /// An answer of another version.
    #[error("an answer that this version does not understand: {0}")]
    Unknown(#[from] serde_json::Error),
}

/// Asks for a visitor; what is said to people is in the visitor's language.
///
/// # Errors
/// As for [`ask`].
pub(crate) async fn ask_for(
    app: &App,
    visitor: &Visitor,
    request: &Request,
) -> Result<Reply, Silence> {
    let mut reply = ask(&app.applier, request).await?;
    let tell = |text: &mut String| *text = told(visitor.language, text).into_owned();
    match &mut reply {
        Reply::Refused(refused) => {
            tell(&mut refused.message);
            refused
                .fields
                .iter_mut()
                .for_each(|it| tell(&mut it.message));
        }
        Reply::Preview(preview) => {
            if let Plan::Unknown(why) = &mut preview.plan {
                tell(why);
            }
        }
        Reply::Done(outcome) => tell(&mut outcome.text),
        Reply::Applied(applied) => tell(&mut applied.reload.text),
        Reply::Partner(partner) => tell(&mut partner.can_send.text),
        Reply::Audit { entries } => {
            entries.iter_mut().for_each(|it| tell(&mut it.outcome.text));
        }
        Reply::Error { message } => tell(message),
        _ => {}
    }
    Ok(reply)
}

/// Asks.
///
/// # Errors
/// [`Silence`]: what was asked for may have been done all the same.
pub(crate) async fn ask(socket: &Path, request: &Request) -> Result<Reply, Silence> {
    let patience = match request {
        Request::Apply { .. } | Request::HandOver { .. } | Request::Reload { .. } => PATIENCE,
        Request::SendToPartner { .. } | Request::PartnerStatus => PATIENCE,
        Request::Preview { .. } => PATIENCE,
        _ => SOON,
    };
    let answer = tokio::time::timeout(patience, converse(socket, request)).await;
    answer.unwrap_or(Err(Silence::Late(patience)))
}

async fn converse(socket: &Path, request: &Request) -> Result<Reply, Silence> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    let mut reader = BufReader::new(stream.take(LONGEST_REPLY));
    if reader.read_until(b'\n', &mut answer).await? == 0 {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    Ok(serde_json::from_slice(&answer)?)
}
