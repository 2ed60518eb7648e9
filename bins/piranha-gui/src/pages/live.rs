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
use crate::form::Form;
use crate::monitor::Snapshot;
use crate::monitoring::{self, Audience, Digests, Drawn, Part};
use crate::pages::control::{audience, query, rate};
use crate::pages::{partner, service};
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

/// What a page follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The monitoring screen.
    Screen,
    /// A service, by protocol, address and port or its firewall mark.
    Service(String),
    /// The partner's view.
    Partner,
}

impl Subject {
    pub(crate) fn of(query: &Form) -> Self {
        if query.has("service") {
            Self::Service(query.text("service").to_owned())
        } else if query.has("partner") {
            Self::Partner
        } else {
            Self::Screen
        }
    }

    /// The parts of its page; a service that is gone has none.
    pub(crate) fn parts(
        &self,
        app: &App,
        snapshot: &Snapshot,
        audience: Audience,
        oob: bool,
    ) -> Arc<[Part]> {
        match self {
            Self::Screen => monitoring::parts(app, snapshot, audience, oob, None).parts,
            Self::Service(name) => service::find(snapshot, name)
                .map(|service| service::parts(app, service, audience, oob))
                .unwrap_or_default()
                .into(),
            Self::Partner => partner::parts(app, snapshot, audience, oob).into(),
        }
    }
}

/// One open browser.
struct Listener {
    subject: Subject,
    app: Arc<App>,
    token: String,
    account: Account,
    audience: Audience,
    rate: Duration,
    changes: watch::Receiver<Arc<Snapshot>>,
    /// What the browser has: digests of each part, and of its state.
    shown: Option<Vec<Digests>>,
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
    let query = query(&uri);
    let listener = Listener {
        subject: Subject::of(&query),
        token: token.clone(),
        account: session.account.clone(),
        audience: audience(&visitor),
        rate: Duration::from_secs(rate(&query)),
        changes: app.monitor.changes(),
        shown: None,
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
            if self.shown.is_some() {
                self.wait().await?;
            }
            let is_open = self.app.sessions().is_open(self.app.now(), &self.token);
            if !is_open || !self.app.accounts.still_has(&self.account) {
                return None;
            }
            let snapshot = Arc::clone(&self.changes.borrow_and_update());
            let is_due = self.figures_at.elapsed() >= self.rate || self.shown.is_none();
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
            if self.subject == Subject::Partner && is_due {
                // Its answer is shown with the next message.
                partner::refresh(&self.app, self.rate / 2);
            }
            let parts = match &self.subject {
                Subject::Screen => self.app.drawings.of(&self.app, &snapshot, self.audience),
                other => other.parts(&self.app, &snapshot, self.audience, true),
            };
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
        let is_same = |shown: &Vec<Digests>| {
            let subjects = parts.iter().map(|part| part.digests.subject);
            shown.iter().map(|it| it.subject).eq(subjects)
        };
        let Some(shown) = self.shown.as_mut().filter(|shown| is_same(shown)) else {
            // At first, and with other services than before, the browser loads all parts.
            self.shown = Some(parts.iter().map(|part| part.digests).collect());
            return Bytes::from_static(b"event: structure\ndata: \n\n");
        };
        let mut message = String::from("event: fragments\ndata: ");
        for (part, shown) in parts.iter().zip(shown) {
            let differs = if with_figures {
                part.digests.whole != shown.whole
            } else {
                part.digests.state != shown.state
            };
            if differs {
                *shown = part.digests;
                message.extend(part.html.lines().flat_map(|line| [line, " "]));
            }
        }
        message += "\n\n";
        Bytes::from(message)
    }
}
