//! What acts on the running pair: drain and enable a server, hand over the active role.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use change::protocol::{Reply, Request};

use crate::app::App;
use crate::applier;
use crate::form::Form;
use crate::pages::change::{origin, result, silent};
use crate::pages::control::query;
use crate::pages::{Shell, Tab, refusal, show};
use crate::texts::{Forms, Texts};
use crate::visitor::Visitor;

const CONTROL: &str = "/secure/control";

/// How long a server may be drained: seconds and label; 0: until it is enabled.
const TIMES: [(u64, &str); 6] = [
    (0, ""),
    (900, "15 min"),
    (3600, "1 h"),
    (4 * 3600, "4 h"),
    (86_400, "24 h"),
    (7 * 86_400, "7 d"),
];

/// Characters of a reason, as the form's field has it, too.
const LONGEST_REASON: usize = 200;

#[derive(Template)]
#[template(path = "drain.html")]
struct DrainPage<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    server: &'a str,
    is_drained: bool,
    times: [(u64, &'static str); 6],
    /// What was typed and chosen, and what is wrong with it.
    why: &'a str,
    seconds: Option<u64>,
    why_error: Option<&'static str>,
    seconds_error: Option<&'static str>,
}

pub(crate) async fn drain_form(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let (t, f) = (visitor.texts(), visitor.language.forms());
    let query = query(&uri);
    let name = query.text("server");
    let snapshot = app.monitor.snapshot();
    let services = snapshot
        .lvs
        .content()
        .into_iter()
        .flat_map(|lvs| &lvs.services);
    let mut servers = services.flat_map(|service| {
        let of_service = service.servers.iter();
        of_service.filter(|server| {
            let rest = name.strip_prefix(service.name.as_str());
            rest.and_then(|rest| rest.strip_prefix('/')) == Some(server.name.as_str())
        })
    });
    let Some(server) = servers.next() else {
        return refusal(&visitor, StatusCode::NOT_FOUND, t.gone);
    };
    let is_drained = server.drained.is_some();
    let title = if is_drained {
        f.enable_title
    } else {
        f.drain_title
    };
    let page = DrainPage {
        t,
        f,
        shell: Shell::new(&visitor, Tab::Control, title, uri.to_string()),
        server: name,
        is_drained,
        times: TIMES,
        why: "",
        seconds: None,
        why_error: None,
        seconds_error: None,
    };
    show(StatusCode::OK, &page)
}

/// Where the form of a server is.
fn drain_path(server: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("server", server);
    format!("/secure/drain?{}", query.finish())
}

pub(crate) async fn drain(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    Extension(form): Extension<Form>,
) -> Response {
    let (t, f) = (visitor.texts(), visitor.language.forms());
    let (server, why) = (form.text("server"), form.text("why").trim());
    let why_is_bad = why.chars().any(char::is_control) || why.chars().count() > LONGEST_REASON;
    let chosen = match form.text("seconds") {
        // Scripts of administrators may leave it out.
        "" => Some(0),
        text => text.parse::<u64>().ok(),
    };
    let Some(seconds) = chosen.filter(|_| !why_is_bad) else {
        let page = DrainPage {
            t,
            f,
            shell: Shell::new(&visitor, Tab::Control, f.drain_title, drain_path(server)),
            server,
            is_drained: false,
            times: TIMES,
            why,
            seconds: chosen,
            why_error: why_is_bad.then_some(f.drain_reason_bad),
            seconds_error: chosen.is_none().then_some(f.drain_time_bad),
        };
        return show(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let request = Request::Drain {
        server: server.to_owned(),
        seconds: Some(seconds).filter(|seconds| *seconds > 0),
        why: why.to_owned(),
        origin: origin(&visitor),
    };
    act(&app, &visitor, &request, f.drain_title).await
}

pub(crate) async fn enable(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    Extension(form): Extension<Form>,
) -> Response {
    let request = Request::Enable {
        server: form.text("server").to_owned(),
        origin: origin(&visitor),
    };
    act(
        &app,
        &visitor,
        &request,
        visitor.language.forms().enable_title,
    )
    .await
}

/// Asks for something that is done or not.
async fn act(app: &App, visitor: &Visitor, request: &Request, title: &str) -> Response {
    act_and_return(app, visitor, request, title, CONTROL).await
}

/// The same, leading on to another page.
pub(crate) async fn act_and_return(
    app: &App,
    visitor: &Visitor,
    request: &Request,
    title: &str,
    next: &str,
) -> Response {
    let f = visitor.language.forms();
    match applier::ask_for(app, visitor, request).await {
        Ok(Reply::Done(outcome)) => {
            let word = if outcome.done { f.done } else { f.not_done };
            let texts = vec![word.to_owned(), outcome.text];
            result(visitor, outcome.done, title, texts, next)
        }
        Ok(Reply::Error { message }) => result(
            visitor,
            false,
            title,
            vec![f.not_done.to_owned(), message],
            next,
        ),
        Ok(_) => result(visitor, false, title, vec![f.not_done.to_owned()], next),
        Err(error) => silent(visitor, &error),
    }
}

#[derive(Template)]
#[template(path = "hand_over.html")]
struct HandOverPage<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    is_second: bool,
    wrong: Option<&'static str>,
}

fn ask_hand_over(visitor: &Visitor, is_second: bool, wrong: Option<&'static str>) -> Response {
    let f = visitor.language.forms();
    let page = HandOverPage {
        t: visitor.texts(),
        f,
        shell: Shell::new(
            visitor,
            Tab::Control,
            f.hand_over_title,
            "/secure/hand-over",
        ),
        is_second,
        wrong,
    };
    show(StatusCode::OK, &page)
}

pub(crate) async fn hand_over_form(Extension(visitor): Extension<Visitor>) -> Response {
    ask_hand_over(&visitor, false, None)
}

/// Asked twice: the box, then the button.
pub(crate) async fn hand_over(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    Extension(form): Extension<Form>,
) -> Response {
    let f = visitor.language.forms();
    match (form.has("sure"), form.text("step")) {
        (true, "2") => {
            let request = Request::HandOver {
                origin: origin(&visitor),
            };
            act(&app, &visitor, &request, f.hand_over_title).await
        }
        (true, _) => ask_hand_over(&visitor, true, None),
        (false, _) => ask_hand_over(&visitor, false, Some(f.tick_first)),
    }
}
