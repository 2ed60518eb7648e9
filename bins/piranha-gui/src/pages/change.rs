//! Each change of lvs.cf: first what it will do, then the writing (R11, R12).

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use change::protocol::{Applied, Change, Conflict, Origin, Plan, Preview, Refused, Reply, Request};
use change::{Edit, FieldError};

use crate::app::App;
use crate::applier;
use crate::form::Form;
use crate::pages::{Message, Shell, Tab, refusal, show};
use crate::texts::{Forms, Texts};
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    preview: Preview,
    change: String,
    next: &'a str,
    is_deletion: bool,
}

#[derive(Template)]
#[template(path = "conflict.html")]
struct ConflictPage<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    conflict: Conflict,
    next: &'a str,
}

/// A line of a difference.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) class: &'static str,
    pub(crate) text: &'a str,
}

/// A unified difference with what each line is.
pub(crate) fn lines(difference: &str) -> Vec<Line<'_>> {
    let class = |text: &str| match text.as_bytes().first() {
        Some(b'+') => "added",
        Some(b'-') => "removed",
        _ => "same",
    };
    let line = |text| Line {
        class: class(text),
        text,
    };
    difference.lines().map(line).collect()
}

/// On whose behalf.
pub(crate) fn origin(visitor: &Visitor) -> Origin {
    Origin {
        who: visitor.user().to_owned(),
        from: visitor.from.to_string(),
    }
}

/// What became of a wish.
pub(crate) enum Wish {
    /// This answers it.
    Page(Response),
    /// These fields are wrong.
    Fields(Vec<FieldError>),
    /// It changes nothing.
    Unchanged,
}

/// Asks what the edits would do. `next` is where to go afterwards.
pub(crate) async fn preview(
    app: &App,
    visitor: &Visitor,
    base: &str,
    edits: Vec<Edit>,
    next: &str,
) -> Wish {
    if edits.is_empty() {
        return Wish::Unchanged;
    }
    preview_change(app, visitor, base, Change::Edits(edits), next).await
}

/// The same for any change.
pub(crate) async fn preview_change(
    app: &App,
    visitor: &Visitor,
    base: &str,
    change: Change,
    next: &str,
) -> Wish {
    let text = serde_json::to_string(&change).unwrap_or_default();
    let is_deletion = matches!(&change, Change::Edits(edits)
        if edits.iter().any(|edit| matches!(edit, Edit::Remove { .. })));
    let request = Request::Preview {
        base: base.to_owned(),
        change,
    };
    match applier::ask_for(app, visitor, &request).await {
        Ok(Reply::Preview(preview)) => {
            let f = visitor.language.forms();
            let page = Confirm {
                t: visitor.texts(),
                f,
                shell: Shell::new(visitor, tab_of(next), f.what_it_does, next),
                preview,
                change: text,
                next,
                is_deletion,
            };
            Wish::Page(show(StatusCode::OK, &page))
        }
        Ok(Reply::Refused(refused)) if !refused.fields.is_empty() => Wish::Fields(refused.fields),
        Ok(Reply::Unchanged) => Wish::Unchanged,
        Ok(reply) => Wish::Page(other(visitor, reply, next)),
        Err(error) => Wish::Page(silent(visitor, &error)),
    }
}

fn tab_of(next: &str) -> Tab {
    let page = next.strip_prefix("/secure/").unwrap_or_default();
    match page.split('?').next().unwrap_or_default() {
        "global" => Tab::Global,
        "redundancy" => Tab::Redundancy,
        "history" => Tab::History,
        "control" => Tab::Control,
        _ => Tab::Virtual,
    }
}

/// The applier cannot be asked.
pub(crate) fn silent(visitor: &Visitor, error: &applier::Silence) -> Response {
    let f = visitor.language.forms();
    let text = format!("{} {}", f.applier_silent, f.told(&error.to_string()));
    refusal(visitor, StatusCode::SERVICE_UNAVAILABLE, &text)
}

fn other(visitor: &Visitor, reply: Reply, next: &str) -> Response {
    let f = visitor.language.forms();
    match reply {
        Reply::Conflict(conflict) => {
            let page = ConflictPage {
                t: visitor.texts(),
                f,
                shell: Shell::new(visitor, tab_of(next), f.conflict, next),
                conflict: *conflict,
                next,
            };
            show(StatusCode::CONFLICT, &page)
        }
        Reply::Refused(refused) => not_done(visitor, &refused, next),
        Reply::Unchanged => result(visitor, true, f.done, vec![f.unchanged.to_owned()], next),
        Reply::Error { message } => result(visitor, false, f.not_done, vec![message], next),
        _ => result(visitor, false, f.not_done, Vec::new(), next),
    }
}

fn not_done(visitor: &Visitor, refused: &Refused, next: &str) -> Response {
    let f = visitor.language.forms();
    let mut texts = vec![refused.message.clone()];
    texts.extend(refused.fields.iter().map(|field| match &field.keyword {
        Some(keyword) => format!("{keyword}: {}", field.message),
        None => field.message.clone(),
    }));
    texts.extend(
        refused
            .notes
            .iter()
            .map(|note| format!("{} {}: {}", f.line, note.line, f.told(&note.message))),
    );
    result(visitor, false, f.not_done, texts, next)
}

/// How something ended, and the way on.
pub(crate) fn result(
    visitor: &Visitor,
    is_done: bool,
    title: &str,
    paragraphs: Vec<String>,
    next: &str,
) -> Response {
    let t = visitor.texts();
    let page = Message {
        t,
        shell: Shell::new(visitor, tab_of(next), title, next),
        is_error: !is_done,
        paragraphs,
        links: vec![(next, visitor.language.forms().next)],
    };
    let status = if is_done {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    show(status, &page)
}

/// A page of this tool to go on with, whatever the form says.
pub(crate) fn next_of(form: &Form) -> String {
    let next = form.text("next");
    let is_own = next.starts_with("/secure/") && next.bytes().all(|byte| byte.is_ascii_graphic());
    if is_own {
        next.to_owned()
    } else {
        "/secure/control".to_owned()
    }
}

pub(crate) async fn apply(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    Extension(form): Extension<Form>,
) -> Response {
    let f = visitor.language.forms();
    let next = next_of(&form);
    let Ok(change) = serde_json::from_str(form.text("change")) else {
        return refusal(
            &visitor,
            StatusCode::BAD_REQUEST,
            visitor.texts().form_expired,
        );
    };
    let request = Request::Apply {
        base: form.text("base").to_owned(),
        change,
        origin: origin(&visitor),
    };
    match applier::ask_for(&app, &visitor, &request).await {
        Ok(Reply::Applied(Applied { serial, reload, .. })) => {
            let texts = vec![
                format!("{} {serial}.", f.saved),
                format!("{} {}", f.reload, reload.text),
            ];
            result(&visitor, true, f.done, texts, &next)
        }
        Ok(reply) => other(&visitor, reply, &next),
        Err(error) => silent(&visitor, &error),
    }
}
