//! CONTROL/MONITORING: what the pair does now, and why.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;

use crate::app::App;
use crate::form::Form;
use crate::graph::Hour;
use crate::monitoring::{self, Audience, Event};
use crate::pages::live::Subject;
use crate::pages::partner::Answer;
use crate::pages::{Shell, Tab, show};
use crate::source::Reading;
use crate::status::{Lvs, Pulse};
use crate::texts::Texts;
use crate::visitor::Visitor;

/// Seconds between two updates of figures, unless more are asked for (R18).
const LEAST: u64 = 10;
const MOST: u64 = 3600;

/// Seconds between two updates.
pub(crate) fn rate(query: &Form) -> u64 {
    query
        .text("rate")
        .trim()
        .parse()
        .unwrap_or(LEAST)
        .clamp(LEAST, MOST)
}

/// The parts of an address behind the question mark.
pub(crate) fn query(uri: &Uri) -> Form {
    Form::read(uri.query().unwrap_or_default().as_bytes())
}

pub(crate) fn audience(visitor: &Visitor) -> Audience {
    Audience {
        language: visitor.language,
        may_change: visitor.is_admin(),
    }
}

#[derive(Template)]
#[template(path = "control.html")]
struct Control<'a> {
    t: &'static Texts,
    shell: Shell<'a>,
    auto_update: bool,
    rate: u64,
    /// What was typed instead of a number.
    wrong: Option<&'a str>,
    parts: String,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let t = visitor.texts();
    let query = query(&uri);
    let typed = query.text("rate").trim();
    let wrong = Some(typed).filter(|typed| !typed.is_empty() && typed.parse::<u64>().is_err());
    let page = Control {
        t,
        shell: Shell::new(&visitor, Tab::Control, t.tab_control, uri.to_string()),
        // A first visit is live; who sent the form decides.
        auto_update: query.has("auto_update") || !query.has("rate"),
        rate: rate(&query),
        wrong,
        parts: together(&app, &visitor),
    };
    let status = match wrong {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    show(status, &page)
}

/// The parts anew: of this screen, of a service's page, or of the partner's view.
pub(crate) async fn parts(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let html = match Subject::of(&query(&uri)) {
        Subject::Screen => together(&app, &visitor),
        subject => {
            let parts = subject.parts(&app, &app.monitor.snapshot(), audience(&visitor), false);
            match parts.is_empty() {
                true => format!("<p class=\"card\">{}</p>", visitor.texts().gone),
                false => monitoring::html(&parts),
            }
        }
    };
    Html(html).into_response()
}

fn together(app: &App, visitor: &Visitor) -> String {
    let t = visitor.texts();
    let snapshot = app.monitor.snapshot();
    let drawn = monitoring::parts(app, &snapshot, audience(visitor), false, None);
    let parts = &drawn.parts;
    let mut html = String::with_capacity(parts.iter().map(|part| part.html.len()).sum());
    for (at, part) in parts.iter().enumerate() {
        if at == 1 {
            html += &format!("<h2 class=\"table\">{}</h2>", t.routing_table);
            if parts.len() == 2 {
                html += &format!("<p class=\"card\">{}</p>", t.no_services);
            }
        }
        html += &part.html;
    }
    html
}

/// A status file in the JSON of the screen.
#[derive(Serialize)]
struct Source<'a, T> {
    file: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<u64>,
    running: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a T>,
}

impl<'a, T> Source<'a, T> {
    fn new(reading: &'a Reading<T>, running: bool) -> Self {
        let (file, why) = match reading {
            Reading::Missing => ("missing", None),
            Reading::Unreadable(why) => ("unreadable", Some(why.as_str())),
            Reading::Broken(why) => ("broken", Some(why.as_str())),
            Reading::Read(..) => ("read", None),
        };
        let written = match reading {
            Reading::Read(_, written) => written.duration_since(UNIX_EPOCH).ok(),
            _ => None,
        };
        Self {
            file,
            why,
            written: written.map(|written| written.as_secs()),
            running,
            content: reading.content(),
        }
    }
}

/// The whole screen as JSON.
#[derive(Serialize)]
struct Everything<'a> {
    pulse: Source<'a, Pulse>,
    lvs: Source<'a, Lvs>,
    events: Vec<Event>,
    /// Why those of pulse are not among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_missing: Option<String>,
    history: Hour<'a>,
    /// What the partner said when it was asked last.
    partner: Option<&'a Answer>,
}

/// All that the screen shows; with `service=` the last hour of that service and each of its servers.
pub(crate) async fn json(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let snapshot = app.monitor.snapshot();
    let query = query(&uri);
    let services = snapshot.lvs.content().map(|lvs| lvs.services.as_slice());
    let services = services.unwrap_or_default();
    let partner = app.partner.last();
    let (events, events_missing) = app.monitor.events(&snapshot);
    let history = app.monitor.history();
    let now = app.monitor.now();
    let text = serde_json::to_vec(&Everything {
        pulse: Source::new(&snapshot.pulse, snapshot.is_pulse_running()),
        lvs: Source::new(&snapshot.lvs, snapshot.is_lvs_running()),
        events,
        events_missing,
        history: match query.has("service") {
            true => history.of_service(now, services, query.text("service")),
            false => history.of_services(now, services),
        },
        partner: partner.as_deref(),
    });
    drop(history);
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
