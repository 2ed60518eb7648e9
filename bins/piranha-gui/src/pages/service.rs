//! One service with the graphs and checks of each server.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use crate::app::App;
use crate::graph::{Figure, History, server_key};
use crate::monitor::Snapshot;
use crate::monitoring::{self, Audience, Part, id, part};
use crate::pages::control::{audience, query, rate};
use crate::pages::{Shell, Tab, refusal, show};
use crate::status::{Server, Service};
use crate::texts::Texts;
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "server_part.html")]
struct ServerPart<'a> {
    t: &'static Texts,
    oob: bool,
    id: String,
    server: &'a Server,
    connections_graph: String,
    rate_graph: String,
    drain: Option<String>,
}

#[derive(Template)]
#[template(path = "service_page.html")]
struct ServicePage<'a> {
    t: &'static Texts,
    shell: Shell<'a>,
    rate: u64,
    service: &'a str,
    parts: String,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let t = visitor.texts();
    let query = query(&uri);
    let name = query.text("service");
    let snapshot = app.monitor.snapshot();
    let Some(service) = find(&snapshot, name) else {
        return refusal(&visitor, StatusCode::NOT_FOUND, t.gone);
    };
    let parts = parts(&app, service, audience(&visitor), false);
    let page = ServicePage {
        t,
        shell: Shell::new(&visitor, Tab::Control, &service.name, uri.to_string()),
        rate: rate(&query),
        service: name,
        parts: monitoring::html(&parts),
    };
    show(StatusCode::OK, &page)
}

/// The service that is called so: protocol, address and port, or a firewall mark.
pub(crate) fn find<'s>(snapshot: &'s Snapshot, name: &str) -> Option<&'s Service> {
    let lvs = snapshot.lvs.content()?;
    let mut services = lvs.services.iter().map(Arc::as_ref);
    services.find(|service| service.service == name)
}

/// The page in parts: the service, and each of its servers.
pub(crate) fn parts(app: &App, service: &Service, audience: Audience, oob: bool) -> Vec<Part> {
    let t = audience.language.texts();
    let now = app.monitor.now();
    let history = app.monitor.history();
    let whole = monitoring::service_part(t, &history, now, service, audience, oob);
    let mut parts = vec![part(&whole, &service.service, Some(service.state()))];
    parts.extend(service.servers.iter().map(|server| {
        let key = server_key(&service.service, &server.server);
        let drawing = server_part(t, &history, app, &key, server, oob);
        part(&drawing, &key, Some(server.state()))
    }));
    parts
}

fn server_part<'a>(
    t: &'static Texts,
    history: &History,
    app: &App,
    key: &str,
    server: &'a Server,
    oob: bool,
) -> ServerPart<'a> {
    let draw = |figure, title| history.draw(app.monitor.now(), key, figure, title);
    let drain = server.drained.as_ref();
    ServerPart {
        t,
        oob,
        id: id(&key),
        server,
        connections_graph: draw(Figure::Connections, t.active_connections),
        rate_graph: draw(Figure::Rate, t.connections_per_second),
        drain: drain.map(|drain| format!("{} {}", t.drained, monitoring::drain_text(t, drain))),
    }
}
