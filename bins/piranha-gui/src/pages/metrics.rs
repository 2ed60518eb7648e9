//! `/metrics`: the router's numbers for Prometheus, which shows a token instead of logging in.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use metrics::Form;

use crate::app::{App, same};

/// Where the numbers are.
pub(crate) const PATH: &str = "/metrics";
/// Fewer characters can be tried out.
const SHORTEST: usize = 16;

/// The token in a file.
///
/// # Errors
/// There is none, or others can read it.
pub(crate) fn token(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("cannot read --metrics-token {shown}: {error}");
    let mode = path.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(format!("everybody can read {shown}: chmod 600 {shown}"));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let token = text.trim();
    let is_word = token.bytes().all(|byte| byte.is_ascii_graphic());
    if token.len() < SHORTEST || !is_word {
        return Err(format!(
            "{shown} must hold one word of at least {SHORTEST} characters: openssl rand -hex 32 makes one"
        ));
    }
    Ok(token.to_owned())
}

/// Whether a request for the numbers, and for nothing else, shows the token.
pub(crate) fn is_allowed(app: &App, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(token) = &app.metrics_token else {
        return false;
    };
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    uri.path() == PATH
        && (*method == Method::GET || *method == Method::HEAD)
        && shown.is_some_and(|shown| same(shown, token))
}

pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let form = Form::OpenMetrics;
    // A disk may be slow, and 2,000 servers take some milliseconds.
    let rendered = tokio::task::spawn_blocking(move || {
        let read = |name: &str| daemon::status::read(&app.run_dir.join(name)).ok();
        metrics::render(form, read)
    });
    match rendered.await {
        Ok(text) => ([(header::CONTENT_TYPE, form.media_type())], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
