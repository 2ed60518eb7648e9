//! Earlier versions with undo, the log of changes, the file itself, the partner's copy.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use change::protocol::{Change, Entry, Partner, Reply, Request, Version};

use crate::app::App;
use crate::applier::ask_for;
use crate::configuration::Loaded;
use crate::form::Form;
use crate::pages::act::act_and_return;
use crate::pages::change::{Wish, origin, preview_change, result, silent};
use crate::pages::control::query;
use crate::pages::panel::{Banner, banners, may_change};
use crate::pages::{Shell, Tab, refusal, show};
use crate::texts::{Forms, Texts};
use crate::visitor::Visitor;

const PATH: &str = "/secure/history";
/// Entries of the log that are shown.
const ENTRIES: usize = 50;

#[derive(Template)]
#[template(path = "history.html")]
struct History<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    banners: Vec<Banner>,
    base: String,
    may_change: bool,
    versions: Vec<Version>,
    entries: Vec<Entry>,
    partner: Option<Partner>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
) -> Response {
    let (t, f) = (visitor.texts(), visitor.language.forms());
    let versions = match ask_for(&app, &visitor, &Request::Versions).await {
        Ok(Reply::Versions { versions }) => versions,
        _ => Vec::new(),
    };
    let entries = match ask_for(&app, &visitor, &Request::Audit { most: ENTRIES }).await {
        Ok(Reply::Audit { entries }) => entries,
        _ => Vec::new(),
    };
    let partner = match ask_for(&app, &visitor, &Request::Partner).await {
        Ok(Reply::Partner(partner)) => Some(partner),
        _ => None,
    };
    let page = History {
        t,
        f,
        shell: Shell::new(&visitor, Tab::History, t.tab_history, PATH),
        banners: banners(f, &loaded),
        base: loaded.digest.clone(),
        // A wrong file is what undo is for.
        may_change: may_change(&visitor, &loaded) || visitor.is_admin() && loaded.has_errors,
        versions,
        entries,
        partner,
    };
    show(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "version.html")]
struct VersionPage<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    text: String,
    difference: String,
}

pub(crate) async fn version(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let (t, f) = (visitor.texts(), visitor.language.forms());
    if !visitor.is_admin() {
        return refusal(&visitor, StatusCode::FORBIDDEN, f.hidden_text);
    }
    let query = query(&uri);
    let Ok(number) = query.text("number").parse() else {
        return refusal(&visitor, StatusCode::NOT_FOUND, t.gone);
    };
    match ask_for(&app, &visitor, &Request::Version { number }).await {
        Ok(Reply::Version {
            text, difference, ..
        }) => {
            let title = format!("{} {number}", f.version);
            let page = VersionPage {
                t,
                f,
                shell: Shell::new(&visitor, Tab::History, &title, uri.to_string()),
                text,
                difference,
            };
            show(StatusCode::OK, &page)
        }
        Ok(_) => refusal(&visitor, StatusCode::NOT_FOUND, t.gone),
        Err(error) => silent(&visitor, &error),
    }
}

pub(crate) async fn undo(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    Extension(form): Extension<Form>,
) -> Response {
    let (t, f) = (visitor.texts(), visitor.language.forms());
    let Ok(number) = form.text("number").parse() else {
        return refusal(&visitor, StatusCode::NOT_FOUND, t.gone);
    };
    let change = Change::Version(number);
    match preview_change(&app, &visitor, form.text("base"), change, PATH).await {
        Wish::Page(page) => page,
        Wish::Fields(errors) => {
            let texts = errors.into_iter().map(|error| error.message).collect();
            result(&visitor, false, f.not_done, texts, PATH)
        }
        Wish::Unchanged => result(&visitor, true, f.done, vec![f.unchanged.to_owned()], PATH),
    }
}

/// lvs.cf as it is (R20); it may hold passwords (R17).
pub(crate) async fn file(Extension(visitor): Extension<Visitor>, loaded: Loaded) -> Response {
    if !visitor.is_admin() {
        let text = visitor.language.forms().hidden_text;
        return refusal(&visitor, StatusCode::FORBIDDEN, text);
    }
    let kind = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"lvs.cf\""),
    ];
    (kind, loaded.text).into_response()
}

pub(crate) async fn send(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let request = Request::SendToPartner {
        origin: origin(&visitor),
    };
    let title = visitor.language.forms().send_to_partner;
    act_and_return(&app, &visitor, &request, title, PATH).await
}
