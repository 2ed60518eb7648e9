//! What each request must pass before a page sees it, and what each answer carries (R1, R5–R8).
//!
//! Everything is refused that is not allowed here; no page can forget a check.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::{App, same, token};
use crate::form::Form;
use crate::listen::Peer;
use crate::pages::{metrics, refusal};
use crate::visitor::{self, Visitor};

/// Largest form: an lvs.cf with 500 services fits into its preview.
const BODY_LIMIT: usize = 1 << 20;
/// For a form to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// In each answer.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not no-referrer: browsers then send forms with the origin "null".
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let head = *request.method() == Method::HEAD;
    let mut response = pass(&app, request, next).await;
    for (name, value) in HEADERS {
        // Static files say for how long they may be kept.
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if app.is_secure {
        let year = HeaderValue::from_static("max-age=31536000");
        response
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if head {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn pass(app: &App, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let Some(Peer(from)) = peer else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if !names_this_machine(app, request.headers(), request.uri()) {
        return (
            StatusCode::MISDIRECTED_REQUEST,
            "This address is not one of this machine's names (--host-name).\n",
        )
            .into_response();
    }
    let mut visitor = visitor_of(app, from, request.headers());
    let is_open = is_public(request.method(), request.uri().path())
        || metrics::is_allowed(app, request.method(), request.uri(), request.headers());
    if !visitor.is_logged_in() && !is_open {
        return to_log_in(&request);
    }
    if visitor.form_token.is_empty() {
        let Ok(token) = token() else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        visitor.form_token = token;
        visitor.has_new_form_token = true;
    }
    let secure = app.is_secure;
    let form_cookie = visitor
        .has_new_form_token
        .then(|| visitor::cookie(secure, visitor::FORM_COOKIE, &visitor.form_token));
    let request = match admit(request, visitor).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let mut response = next.run(request).await;
    if let Some(cookie) = form_cookie.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The paths and methods for which nobody needs to be logged in.
fn is_public(method: &Method, path: &str) -> bool {
    match *method {
        Method::GET | Method::HEAD => {
            matches!(path, "/" | "/login" | "/about-login" | "/health")
                || path.starts_with("/static/")
        }
        Method::POST => matches!(path, "/login" | "/preferences"),
        _ => false,
    }
}

fn to_log_in(request: &Request) -> Response {
    let wants_page = *request.method() == Method::GET
        && request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
    if wants_page {
        Redirect::to("/login").into_response()
    } else {
        (StatusCode::UNAUTHORIZED, "Log in first.\n").into_response()
    }
}

fn visitor_of(app: &App, from: IpAddr, headers: &HeaderMap) -> Visitor {
    let mut visitor = Visitor::new(from, headers);
    let token = visitor::read_cookie(headers, visitor::session_cookie(app.is_secure));
    if let Some(token) = token {
        let session = app.sessions().uses(app.now(), &token);
        match session {
            Some(session) if app.accounts.still_has(&session.account) => {
                visitor.form_token.clone_from(&session.form_token);
                visitor.session = Some((token, session));
            }
            Some(_) => app.sessions().close(&token),
            None => {}
        }
    }
    visitor
}

/// Checks what changes something, and reads its form.
async fn admit(request: Request, visitor: Visitor) -> Result<Request, Response> {
    let (mut parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => {}
        Method::POST => {
            let read = read_form(&visitor, &parts.uri, &parts.headers, body).await;
            let form = match read {
                Ok(form) => form,
                Err((status, text)) => return Err(refusal(&visitor, status, text)),
            };
            parts.extensions.insert(form);
            parts.extensions.insert(visitor);
            return Ok(Request::from_parts(parts, Body::empty()));
        }
        _ => return Err(StatusCode::METHOD_NOT_ALLOWED.into_response()),
    }
    parts.extensions.insert(visitor);
    Ok(Request::from_parts(parts, Body::empty()))
}

async fn read_form(
    visitor: &Visitor,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Form, (StatusCode, &'static str)> {
    let refuse = |status, text| Err((status, text));
    let texts = visitor.texts();
    if !is_same_origin(headers) {
        return refuse(StatusCode::FORBIDDEN, texts.foreign_form);
    }
    let is_read_only = visitor.is_logged_in() && !visitor.is_admin();
    if is_read_only && !matches!(uri.path(), "/logout" | "/preferences" | "/login") {
        return refuse(StatusCode::FORBIDDEN, texts.read_only_account);
    }
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_LIMIT) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, texts.form_too_large);
    }
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refuse(StatusCode::PAYLOAD_TOO_LARGE, texts.form_too_large),
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, texts.form_too_slow),
    };
    let form = Form::read(&body);
    if !same(form.text("form_token"), &visitor.form_token) {
        return refuse(StatusCode::FORBIDDEN, texts.form_expired);
    }
    Ok(form)
}

/// Names can be made to point here by anybody (DNS rebinding); addresses cannot.
fn names_this_machine(app: &App, headers: &HeaderMap, uri: &Uri) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Some(authority) = host.or_else(|| uri.authority().map(|it| it.as_str())) else {
        return false;
    };
    let host = host_of(authority).to_ascii_lowercase();
    host == "localhost" || host.parse::<IpAddr>().is_ok() || app.host_names.contains(&host)
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// The form was shown by this tool: browsers say so in each form that they send.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else {
        return false;
    };
    let origin = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}
