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
use crate::graph::{Figure, server_key};
use crate::monitoring::{self, Audience, Event};
use crate::pages::{Shell, Tab, refusal, show};
use crate::source::Reading;
use crate::status::{Check, Lvs, Pulse, Server, Service};
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
    parts: String,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let t = visitor.texts();
    let query = query(&uri);
    let page = Control {
        t,
        shell: Shell::new(&visitor, Tab::Control, t.tab_control, uri.to_string()),
        // A first visit is live; who sent the form decides.
        auto_update: query.has("auto_update") || !query.has("rate"),
        rate: rate(&query),
        parts: together(&app, &visitor),
    };
    show(StatusCode::OK, &page)
}

pub(crate) async fn parts(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    Html(together(&app, &visitor)).into_response()
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

struct ServerGraphs<'a> {
    name: &'a str,
    address: &'a str,
    connections_graph: String,
    rate_graph: String,
    drain: Option<String>,
    checks: Vec<&'a Check>,
}

#[derive(Template)]
#[template(path = "service_page.html")]
struct ServicePage<'a> {
    t: &'static Texts,
    shell: Shell<'a>,
    part: Arc<str>,
    servers: Vec<ServerGraphs<'a>>,
}

/// One service with the graphs and checks of each server.
pub(crate) async fn service(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let t = visitor.texts();
    let query = query(&uri);
    let snapshot = app.monitor.snapshot();
    let services = snapshot.lvs.content().map(|lvs| lvs.services.as_slice());
    let mut services = services.unwrap_or_default().iter();
    let Some(service) = services.find(|service| service.service == query.text("service")) else {
        return refusal(&visitor, StatusCode::NOT_FOUND, t.gone);
    };
    let page = ServicePage {
        t,
        shell: Shell::new(&visitor, Tab::Control, &service.name, uri.to_string()),
        part: monitoring::service_alone(&app, service, audience(&visitor)),
        servers: service
            .servers
            .iter()
            .map(|server| graphs(&app, t, service, server))
            .collect(),
    };
    show(StatusCode::OK, &page)
}

fn graphs<'a>(
    app: &App,
    t: &'static Texts,
    service: &Service,
    server: &'a Server,
) -> ServerGraphs<'a> {
    let history = app.monitor.history.lock();
    let history = history.unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = server_key(&service.service, &server.server);
    let draw = |figure, title| history.draw(app.monitor.now(), &key, figure, title);
    ServerGraphs {
        name: &server.name,
        address: &server.server,
        connections_graph: draw(Figure::Connections, t.active_connections),
        rate_graph: draw(Figure::Rate, t.connections_per_second),
        drain: server
            .drained
            .as_ref()
            .map(|drain| format!("{} {}", t.drained, monitoring::drain_text(t, drain))),
        checks: server.history.iter().rev().collect(),
    }
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
}

/// All that the screen shows.
pub(crate) async fn json(State(app): State<Arc<App>>) -> Response {
    let snapshot = app.monitor.snapshot();
    let everything = Everything {
        pulse: Source::new(&snapshot.pulse, snapshot.is_pulse_running()),
        lvs: Source::new(&snapshot.lvs, snapshot.is_lvs_running()),
        events: app.monitor.events(&snapshot).0,
    };
    match serde_json::to_vec(&everything) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
