//! The monitoring screen's changes as server-sent events.
//!
//! Changes of state are sent at once, figures at the interval asked for; of either only the parts that
//! changed. All browsers of one language and role share what is drawn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use account::Account;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::app::App;
use crate::monitor::Snapshot;
use crate::monitoring::{self, Audience, Drawn, Part};
use crate::pages::control::{audience, query, rate};
use crate::visitor::Visitor;

/// A sign of life, by which a dead connection is found.
const SIGN: Duration = Duration::from_secs(20);
/// Shortest time between two messages to one browser.
const SHORTEST: Duration = Duration::from_millis(100);

/// What was drawn last, by audience, and of which snapshot.
#[derive(Debug, Default)]
pub(crate) struct Drawings(Mutex<BTreeMap<Audience, (u64, Drawn)>>);

impl Drawings {
    fn of(&self, app: &App, snapshot: &Snapshot, audience: Audience) -> Arc<[Part]> {
        let mut drawings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = drawings.get(&audience);
        if let Some((number, drawn)) = last
            && *number == snapshot.number
        {
            return Arc::clone(&drawn.parts);
        }
        let before = last.map(|(_, drawn)| drawn);
        let drawn = monitoring::parts(app, snapshot, audience, true, before);
        let parts = Arc::clone(&drawn.parts);
        drawings.insert(audience, (snapshot.number, drawn));
        parts
    }
}

/// One open browser.
struct Listener {
    app: Arc<App>,
    token: String,
    account: Account,
    audience: Audience,
    rate: Duration,
    changes: watch::Receiver<Arc<Snapshot>>,
    /// What the browser has: digests of each part, and of its state.
    shown: Vec<(u64, u64)>,
    turn: u64,
    sent_at: Instant,
    /// When the browser got all figures.
    figures_at: Instant,
    _place: OwnedSemaphorePermit,
}

pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let Ok(place) = Arc::clone(&app.live).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let Some((token, session)) = &visitor.session else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let listener = Listener {
        token: token.clone(),
        account: session.account.clone(),
        audience: audience(&visitor),
        rate: Duration::from_secs(rate(&query(&uri))),
        changes: app.monitor.changes(),
        shown: Vec::new(),
        turn: 0,
        sent_at: Instant::now(),
        figures_at: Instant::now(),
        app,
        _place: place,
    };
    let messages = stream::unfold(listener, |mut listener| async move {
        let message = listener.next().await?;
        Some((Ok::<_, std::convert::Infallible>(message), listener))
    });
    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    (kind, Body::from_stream(messages)).into_response()
}

impl Listener {
    /// The next message; none when the session has ended.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            // The first message goes out at once, with what changed since the page was drawn.
            if !self.shown.is_empty() {
                self.wait().await?;
            }
            let is_open = self.app.sessions().is_open(self.app.now(), &self.token);
            if !is_open || !self.app.accounts.still_has(&self.account) {
                return None;
            }
            let snapshot = Arc::clone(&self.changes.borrow_and_update());
            let is_due = self.figures_at.elapsed() >= self.rate || self.shown.is_empty();
            if snapshot.turn == self.turn && !is_due {
                if self.sent_at.elapsed() >= SIGN {
                    return Some(Bytes::from_static(b": here\n\n"));
                }
                continue;
            }
            self.turn = snapshot.turn;
            self.sent_at = Instant::now();
            if is_due {
                self.figures_at = self.sent_at;
            }
            let parts = self.app.drawings.of(&self.app, &snapshot, self.audience);
            return Some(self.message(&parts, is_due));
        }
    }

    /// For a change, or for the time of the next message.
    async fn wait(&mut self) -> Option<()> {
        tokio::time::sleep_until(self.sent_at + SHORTEST).await;
        let at = (self.figures_at + self.rate).min(Instant::now() + SIGN);
        tokio::select! {
            changed = self.changes.changed() => changed.ok(),
            () = tokio::time::sleep_until(at) => Some(()),
        }
    }

    /// Each part whose state changed; when figures are due, each that changed at all.
    fn message(&mut self, parts: &[Part], with_figures: bool) -> Bytes {
        if self.shown.len() != parts.len() {
            // Other services than before: the browser loads all parts.
            self.shown = parts.iter().map(|part| (part.digest, part.state)).collect();
            return Bytes::from_static(b"event: structure\ndata: \n\n");
        }
        let mut message = String::from("event: fragments\ndata: ");
        for (part, (digest, state)) in parts.iter().zip(&mut self.shown) {
            let differs = if with_figures {
                part.digest != *digest
            } else {
                part.state != *state
            };
            if differs {
                (*digest, *state) = (part.digest, part.state);
                message.extend(part.html.lines().flat_map(|line| [line, " "]));
            }
        }
        message += "\n\n";
        Bytes::from(message)
    }
}
