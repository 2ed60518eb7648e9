//! Which page answers which path.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::app::App;
use crate::guard::guard;
use crate::pages;

/// All pages behind the guard.
pub(crate) fn router(app: Arc<App>) -> Router {
    let outside = Router::new()
        .route("/", get(pages::login::welcome))
        .route("/login", get(pages::login::form).post(pages::login::log_in))
        .route("/logout", post(pages::login::log_out))
        .route("/about-login", get(pages::login::about))
        .route("/preferences", post(pages::login::preferences))
        .route("/health", get(|| async { "ok\n" }))
        .route("/static/{file}", get(pages::assets::file));
    let monitoring = Router::new()
        .route("/secure/control", get(pages::control::page))
        .route("/secure/parts", get(pages::control::parts))
        .route("/secure/live", get(pages::live::stream))
        .route("/secure/service", get(pages::service::page))
        .route("/secure/partner", get(pages::partner::page))
        .route("/secure/status.json", get(pages::control::json))
        .route("/metrics", get(pages::metrics::metrics))
        .route("/secure/introduction", get(pages::info::introduction))
        .route("/secure/help", get(pages::info::help))
        .route("/secure/password", get(pages::info::password));
    let forms = Router::new()
        .route(
            "/secure/global",
            get(pages::settings::global).post(pages::settings::save_global),
        )
        .route(
            "/secure/redundancy",
            get(pages::settings::redundancy).post(pages::settings::save_redundancy),
        )
        .route(
            "/secure/virtuals",
            get(pages::list::virtuals).post(pages::list::change_virtuals),
        )
        .route(
            "/secure/virtual",
            get(pages::block::virtual_server).post(pages::block::save_virtual),
        )
        .route(
            "/secure/servers",
            get(pages::list::servers).post(pages::list::change_servers),
        )
        .route(
            "/secure/server",
            get(pages::block::real_server).post(pages::block::save_real),
        )
        .route(
            "/secure/scripts",
            get(pages::scripts::page).post(pages::scripts::save),
        )
        .route("/secure/apply", post(pages::change::apply))
        .route(
            "/secure/drain",
            get(pages::act::drain_form).post(pages::act::drain),
        )
        .route("/secure/enable", post(pages::act::enable))
        .route(
            "/secure/hand-over",
            get(pages::act::hand_over_form).post(pages::act::hand_over),
        )
        .route("/secure/history", get(pages::history::page))
        .route("/secure/version", get(pages::history::version))
        .route("/secure/undo", post(pages::history::undo))
        .route("/secure/file", get(pages::history::file))
        .route("/secure/send", post(pages::history::send));
    outside
        .merge(monitoring)
        .merge(forms)
        .fallback(pages::not_found)
        .method_not_allowed_fallback(pages::not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app)
}
