//! lvs.cf as the forms see it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use change::protocol::{Configuration, Note, Reply, Request};
use lvs_config::{Config, parse_all};

use crate::app::App;
use crate::applier;
use crate::pages::refusal;
use crate::visitor::Visitor;

/// Largest lvs.cf that is shown without the applier.
const SIZE_LIMIT: u64 = 16 << 20;

/// The file, and whether it can be changed.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) text: String,
    pub(crate) config: Config,
    /// What a change is made from.
    pub(crate) digest: String,
    pub(crate) notes: Vec<Note>,
    pub(crate) has_errors: bool,
    /// Programs may be named.
    pub(crate) programs: bool,
    /// Why the applier cannot be asked.
    pub(crate) silence: Option<String>,
}

/// What a page is made from; where it cannot be read, the page says so.
impl FromRequestParts<Arc<App>> for Loaded {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let Some(visitor) = parts.extensions.get::<Visitor>().cloned() else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        load(app).await.map_err(|why| {
            let f = visitor.language.forms();
            let text = format!("{} {}", f.file_unreadable, f.told(&why));
            refusal(&visitor, StatusCode::SERVICE_UNAVAILABLE, &text)
        })
    }
}

/// Reads lvs.cf: through the applier, which may read it in any case, else directly.
///
/// # Errors
/// Why it cannot be read.
async fn load(app: &App) -> Result<Loaded, String> {
    let silence = match applier::ask(&app.applier, &Request::Read).await {
        Ok(Reply::Configuration(configuration)) => return Ok(read(configuration)),
        Ok(Reply::Error { message }) => return Err(message),
        Ok(_) => "it answered something else".to_owned(),
        Err(error) => error.to_string(),
    };
    let path = app.config.clone();
    let bytes = tokio::task::spawn_blocking(move || lvs_config::file::read(&path, SIZE_LIMIT));
    let bytes = bytes.await.map_err(|error| error.to_string())?;
    let bytes = bytes.map_err(|error| error.to_string())?;
    let mut loaded = parsed(String::from_utf8_lossy(&bytes).into_owned());
    loaded.digest = change::digest(&bytes);
    loaded.silence = Some(silence);
    Ok(loaded)
}

fn read(configuration: Configuration) -> Loaded {
    let loaded = parsed(configuration.text);
    Loaded {
        digest: configuration.digest,
        programs: !configuration.program_folders.is_empty(),
        ..loaded
    }
}

fn parsed(text: String) -> Loaded {
    let parsed = parse_all(text.as_bytes());
    // A file without anything is where everybody begins.
    let is_empty = text.trim().is_empty();
    Loaded {
        has_errors: parsed.has_errors() && !is_empty,
        notes: if is_empty {
            Vec::new()
        } else {
            parsed.diagnostics.iter().map(Note::from).collect()
        },
        config: parsed.config,
        text,
        digest: String::new(),
        programs: false,
        silence: None,
    }
}
