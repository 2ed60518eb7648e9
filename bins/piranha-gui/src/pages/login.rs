//! Pages outside of the panels: welcome, log-in, log-out, language and colours.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::{App, token};
use crate::form::Form;
use crate::pages::{Shell, Tab, message, show};
use crate::texts::Texts;
use crate::visitor::{self, Language, Visitor, cookie};

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    t: &'static Texts,
    shell: Shell<'a>,
    user: &'a str,
    error: Option<String>,
}

pub(crate) async fn welcome(Extension(visitor): Extension<Visitor>) -> Response {
    if visitor.is_logged_in() {
        return Redirect::to("/secure/control").into_response();
    }
    let t = visitor.texts();
    let shell = Shell::new(&visitor, Tab::None, t.welcome, "/");
    message(
        shell,
        vec![t.welcome_text.to_owned()],
        &[("/login", t.log_in), ("/about-login", t.help_on_logging_in)],
    )
}

pub(crate) async fn about(Extension(visitor): Extension<Visitor>) -> Response {
    let t = visitor.texts();
    let shell = Shell::new(&visitor, Tab::None, t.about_login, "/about-login");
    let tips = [t.about_password, t.about_port, t.about_service];
    message(
        shell,
        tips.map(str::to_owned).into(),
        &[("/login", t.log_in)],
    )
}

pub(crate) async fn form(Extension(visitor): Extension<Visitor>) -> Response {
    ask(&visitor, StatusCode::OK, "", None)
}

fn ask(visitor: &Visitor, status: StatusCode, user: &str, error: Option<String>) -> Response {
    let t = visitor.texts();
    let page = Login {
        t,
        shell: Shell::new(visitor, Tab::None, t.log_in, "/login"),
        user,
        error,
    };
    show(status, &page)
}

pub(crate) async fn log_in(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    Extension(form): Extension<Form>,
) -> Response {
    let t = visitor.texts();
    let user = form.text("user").to_owned();
    let refuse = |status, text: String| ask(&visitor, status, &user, Some(text));
    let Ok(_place) = app.log_ins.try_acquire() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, t.busy_log_in.to_owned());
    };
    // One after the other: a failure counts before the next one is looked at.
    let Ok(_hashing) = app.hashing.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let waits = app.attempts().wait(app.now(), visitor.from);
    if let Some(wait) = waits {
        let text = format!("{} {}", t.wait_before, wait.as_secs() + 1);
        return refuse(StatusCode::TOO_MANY_REQUESTS, text);
    }
    let accounts = app.accounts.read();
    let (name, password) = (user.clone(), form.text("password").to_owned());
    let checked = tokio::task::spawn_blocking(move || {
        let role = accounts.verify(&name, &password);
        role.and_then(|_| accounts.get(&name).cloned())
    });
    let Some(account) = checked.await.ok().flatten() else {
        let now = app.now();
        app.attempts().failed(now, visitor.from);
        return refuse(StatusCode::FORBIDDEN, t.wrong_password.to_owned());
    };
    app.attempts().succeeded(visitor.from);
    let (Ok(session), Ok(form_token)) = (token(), token()) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    if let Some((old, _)) = &visitor.session {
        app.sessions().close(old);
    }
    let now = app.now();
    app.sessions()
        .open(now, session.clone(), form_token, account);
    let name = visitor::session_cookie(app.is_secure);
    with_cookie(
        Redirect::to("/secure/control"),
        &cookie(app.is_secure, name, &session),
    )
}

pub(crate) async fn log_out(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    if let Some((token, _)) = &visitor.session {
        app.sessions().close(token);
    }
    let name = visitor::session_cookie(app.is_secure);
    let gone = format!("{}; Max-Age=0", cookie(app.is_secure, name, ""));
    with_cookie(Redirect::to("/"), &gone)
}

pub(crate) async fn preferences(
    State(app): State<Arc<App>>,
    Extension(form): Extension<Form>,
) -> Response {
    let back = form.text("back");
    // Only to this tool's own pages.
    let is_own = back.starts_with('/')
        && !back.starts_with("//")
        && back
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let back = Redirect::to(if is_own { back } else { "/" });
    let language = Language::from_code(form.text("language"));
    let theme = ["light", "dark", "auto"]
        .into_iter()
        .find(|theme| *theme == form.text("theme"));
    let chosen = match (language, theme) {
        (Some(language), _) => (visitor::LANGUAGE_COOKIE, language.code()),
        (None, Some(theme)) => (visitor::THEME_COOKIE, theme),
        (None, None) => return back.into_response(),
    };
    let year = format!(
        "{}; Max-Age=31536000",
        cookie(app.is_secure, chosen.0, chosen.1)
    );
    with_cookie(back, &year)
}

fn with_cookie(redirect: Redirect, text: &str) -> Response {
    let mut response = redirect.into_response();
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}
