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

/// What was typed and chosen, and what is wrong with it.
#[derive(Default)]
struct Typed<'a> {
    why: &'a str,
    seconds: &'a str,
    why_error: Option<String>,
    seconds_error: Option<&'static str>,
}

impl Typed<'_> {
    const fn is_right(&self) -> bool {
        self.why_error.is_none() && self.seconds_error.is_none()
    }
}

#[derive(Template)]
#[template(path = "drain.html")]
struct DrainPage<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    server: &'a str,
    is_drained: bool,
    /// Value, label, and whether it is chosen.
    times: Vec<(String, String, bool)>,
    typed: Typed<'a>,
}

/// The form of a server: drain it, or enable it again.
fn ask_drain(visitor: &Visitor, server: &str, is_drained: bool, typed: Typed<'_>) -> Response {
    let f = visitor.language.forms();
    let title = if is_drained {
        f.enable_title
    } else {
        f.drain_title
    };
    let status = if typed.is_right() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = DrainPage {
        t: visitor.texts(),
        f,
        shell: Shell::new(visitor, Tab::Control, title, drain_path(server)),
        server,
        is_drained,
        times: times(f, typed.seconds),
        typed,
    };
    show(status, &page)
}

/// The times, with what was chosen too when it is none of them.
fn times(f: &'static Forms, chosen: &str) -> Vec<(String, String, bool)> {
    let time = |(seconds, label): (u64, &str)| {
        let label = if label.is_empty() { f.for_ever } else { label };
        let value = seconds.to_string();
        let is_chosen = value == chosen;
        (value, label.to_owned(), is_chosen)
    };
    let mut times: Vec<_> = TIMES.into_iter().map(time).collect();
    if !chosen.is_empty() && !times.iter().any(|(.., is_chosen)| *is_chosen) {
        times.push((chosen.to_owned(), chosen.to_owned(), true));
    }
    times
}

pub(crate) async fn drain_form(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
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
        return refusal(&visitor, StatusCode::NOT_FOUND, visitor.texts().gone);
    };
    ask_drain(&visitor, name, server.drained.is_some(), Typed::default())
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
    let f = visitor.language.forms();
    let (server, why) = (form.text("server"), form.text("why").trim());
    let why_is_bad = why.chars().any(char::is_control) || why.chars().count() > LONGEST_REASON;
    let seconds = match form.text("seconds") {
        // Scripts of administrators may leave it out.
        "" => Some(0),
        text => text.parse::<u64>().ok(),
    };
    let typed = Typed {
        why,
        seconds: form.text("seconds"),
        why_error: why_is_bad.then(|| format!("{} {LONGEST_REASON}", f.drain_reason_bad)),
        seconds_error: seconds.is_none().then_some(f.drain_time_bad),
    };
    let Some(seconds) = seconds.filter(|_| typed.is_right()) else {
        return ask_drain(&visitor, server, false, typed);
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
    let status = match wrong {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    show(status, &page)
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
