//! Static files, all of them within the program.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(crate) async fn file(Path(name): Path<String>) -> Response {
    let (kind, content) = match name.as_str() {
        "style.css" => (
            "text/css; charset=utf-8",
            include_str!("../../static/style.css"),
        ),
        "page.js" => (SCRIPT, include_str!("../../static/page.js")),
        "htmx.js" => (SCRIPT, include_str!("../../static/htmx/htmx-2.0.11.min.js")),
        "sse.js" => (SCRIPT, include_str!("../../static/htmx/sse-2.2.4.min.js")),
        "icon.svg" => ("image/svg+xml", include_str!("../../static/icon.svg")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    // Short, so that a new version of the program is seen soon.
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (headers, content).into_response()
}
