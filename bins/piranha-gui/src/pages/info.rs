//! INTRODUCTION, HELP and the page on passwords.

use askama::Template;
use axum::Extension;
use axum::http::StatusCode;
use axum::response::Response;

use crate::fields::{self, Definition};
use crate::pages::{Shell, Tab, message, show};
use crate::texts::{FieldText, Texts};
use crate::visitor::Visitor;

pub(crate) async fn introduction(Extension(visitor): Extension<Visitor>) -> Response {
    let t = visitor.texts();
    let shell = Shell::new(&visitor, Tab::None, t.introduction, "/secure/introduction");
    let line = |tab: &str, text: &str| format!("{tab}: {text}");
    let lines = vec![
        t.introduction_text.to_owned(),
        line(t.tab_control, t.intro_control),
        line(t.tab_global, t.intro_global),
        line(t.tab_redundancy, t.intro_redundancy),
        line(t.tab_virtual, t.intro_virtual),
        line(t.tab_history, t.intro_history),
        t.order_of_work.to_owned(),
    ];
    message(shell, lines, &[("/secure/help", t.help)])
}

pub(crate) async fn password(Extension(visitor): Extension<Visitor>) -> Response {
    let t = visitor.texts();
    let shell = Shell::new(&visitor, Tab::None, t.password_page, "/secure/password");
    let lines = [t.password_text, t.password_advice];
    message(
        shell,
        lines.map(str::to_owned).into(),
        &[("/secure/control", t.back)],
    )
}

#[derive(Template)]
#[template(path = "help.html")]
struct Help<'a> {
    t: &'static Texts,
    shell: Shell<'a>,
    panels: Vec<(&'static str, Vec<(&'static FieldText, &'static str)>)>,
}

pub(crate) async fn help(Extension(visitor): Extension<Visitor>) -> Response {
    let t = visitor.texts();
    let forms = visitor.language.forms();
    let of = |definitions: &'static [Definition]| {
        let line = |it: &Definition| ((it.text)(visitor.language.fields()), it.keyword);
        definitions.iter().map(line).collect()
    };
    let page = Help {
        t,
        shell: Shell::new(&visitor, Tab::None, t.help, "/secure/help"),
        panels: vec![
            (t.tab_global, of(fields::GLOBAL)),
            (t.tab_redundancy, of(fields::REDUNDANCY)),
            (forms.edit_virtual, of(fields::VIRTUAL)),
            (forms.edit_server, of(fields::SERVER)),
            (forms.edit_scripts, of(fields::SCRIPTS)),
        ],
    };
    show(StatusCode::OK, &page)
}
