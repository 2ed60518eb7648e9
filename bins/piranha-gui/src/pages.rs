//! The pages: one module a screen.

pub(crate) mod act;
pub(crate) mod assets;
pub(crate) mod block;
pub(crate) mod change;
pub(crate) mod control;
pub(crate) mod history;
pub(crate) mod info;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod metrics;
pub(crate) mod panel;
pub(crate) mod partner;
pub(crate) mod scripts;
pub(crate) mod service;
pub(crate) mod settings;

use askama::Template;
use axum::Extension;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::texts::Texts;
use crate::visitor::Visitor;

/// Which of the panels a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    None,
    Control,
    Global,
    Redundancy,
    Virtual,
    History,
}

/// The frame of a page.
#[derive(Debug)]
pub(crate) struct Shell<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) tab: Tab,
    pub(crate) title: &'a str,
    /// Where the language switch comes back to.
    pub(crate) path: String,
}

impl<'a> Shell<'a> {
    pub(crate) fn new(
        visitor: &'a Visitor,
        tab: Tab,
        title: &'a str,
        path: impl Into<String>,
    ) -> Self {
        Self {
            visitor,
            tab,
            title,
            path: path.into(),
        }
    }

    pub(crate) fn texts(&self) -> &'static Texts {
        self.visitor.texts()
    }

    fn language(&self) -> &'static str {
        self.visitor.language.code()
    }

    fn theme(&self) -> &'static str {
        self.visitor.theme
    }

    fn tabs(&self) -> [(Tab, &'static str, &'static str); 5] {
        let t = self.texts();
        [
            (Tab::Control, "/secure/control", t.tab_control),
            (Tab::Global, "/secure/global", t.tab_global),
            (Tab::Redundancy, "/secure/redundancy", t.tab_redundancy),
            (Tab::Virtual, "/secure/virtuals", t.tab_virtual),
            (Tab::History, "/secure/history", t.tab_history),
        ]
    }

    fn is_tab(&self, tab: &Tab) -> bool {
        self.tab == *tab
    }
}

/// Some paragraphs and a link.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    t: &'static Texts,
    shell: Shell<'a>,
    is_error: bool,
    paragraphs: Vec<String>,
    /// Where it leads, and what that is called.
    links: Vec<(&'a str, &'a str)>,
}

/// The page as an answer.
pub(crate) fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (status, kind, text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A page of text.
pub(crate) fn message(
    shell: Shell<'_>,
    paragraphs: Vec<String>,
    links: &[(&str, &str)],
) -> Response {
    let page = Message {
        t: shell.texts(),
        shell,
        is_error: false,
        paragraphs,
        links: links.to_vec(),
    };
    show(StatusCode::OK, &page)
}

/// Why something is not done.
pub(crate) fn refusal(visitor: &Visitor, status: StatusCode, text: &str) -> Response {
    let t = visitor.texts();
    let back = if visitor.is_logged_in() {
        "/secure/control"
    } else {
        "/"
    };
    let page = Message {
        t,
        shell: Shell::new(visitor, Tab::None, t.error, back),
        is_error: true,
        paragraphs: vec![text.to_owned()],
        links: vec![(back, t.back)],
    };
    show(status, &page)
}

pub(crate) async fn not_found(Extension(visitor): Extension<Visitor>) -> Response {
    refusal(&visitor, StatusCode::NOT_FOUND, visitor.texts().not_found)
}

pub(crate) async fn not_allowed(Extension(visitor): Extension<Visitor>) -> Response {
    refusal(
        &visitor,
        StatusCode::METHOD_NOT_ALLOWED,
        visitor.texts().not_found,
    )
}
