//! EDIT MONITORING SCRIPTS: how a service is checked.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use change::{Edit, FieldError, Item, Name};
use lvs_config::Place;

use crate::app::App;
use crate::configuration::Loaded;
use crate::edits;
use crate::fields::{Control, Definition, SCRIPTS};
use crate::form::Form;
use crate::pages::change::{Wish, preview};
use crate::pages::control::query;
use crate::pages::panel::{
    Banner, Field, SubTab, banners, fields, find_service, key, may_change, path, place_errors,
    subtabs, virtual_shell,
};
use crate::pages::{Shell, refusal, show};
use crate::texts::{Forms, Texts};
use crate::visitor::Visitor;

struct Row {
    field: Field,
    current: String,
    clear_label: &'static str,
}

#[derive(Template)]
#[template(path = "scripts.html")]
struct Scripts<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    subtabs: Vec<SubTab>,
    banners: Vec<Banner>,
    heading: String,
    base: String,
    hidden: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    regex: Field,
    may_change: bool,
}

pub(crate) async fn page(
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    uri: Uri,
) -> Response {
    match find_service(&query(&uri), &loaded) {
        Some((service, _, place)) => draw(&visitor, &loaded, &service, place, None, &[], None),
        None => refusal(&visitor, StatusCode::NOT_FOUND, visitor.texts().gone),
    }
}

fn draw(
    visitor: &Visitor,
    loaded: &Loaded,
    service: &Name,
    place: Place,
    typed: Option<&Form>,
    errors: &[FieldError],
    banner: Option<Banner>,
) -> Response {
    let f = visitor.language.forms();
    let mut fields = fields(SCRIPTS, visitor, loaded, place, typed);
    let mut banners = banners(f, loaded);
    banners.extend(banner);
    if !errors.is_empty() {
        banners.push(Banner::error(f.messages_below));
        banners.extend(
            place_errors(&mut fields, errors)
                .into_iter()
                .map(Banner::error),
        );
    }
    let Some(regex) = fields.pop() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let labels = [f.no_send_program, f.blank_send, f.blank_expect];
    let rows = fields
        .into_iter()
        .zip(labels)
        .map(|(mut field, clear_label)| {
            let mut current = loaded
                .config
                .written(place, field.keyword)
                .unwrap_or_default();
            // It may hold passwords (R17).
            if !visitor.is_admin() && !current.is_empty() {
                f.hidden.clone_into(&mut current);
            }
            if typed.is_none() {
                field.value.clear();
            }
            Row {
                field,
                current,
                clear_label,
            }
        });
    let page = Scripts {
        t: visitor.texts(),
        f,
        shell: virtual_shell(
            visitor,
            f.edit_scripts,
            path("scripts", &[("service", service)]),
        ),
        subtabs: subtabs(f, service, "scripts"),
        banners,
        heading: service.to_string(),
        base: loaded.digest.clone(),
        hidden: vec![("service", key(service))],
        rows: rows.collect(),
        regex,
        may_change: may_change(visitor, loaded),
    };
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    show(
        if errors.is_empty() {
            StatusCode::OK
        } else {
            wrong
        },
        &page,
    )
}

pub(crate) async fn save(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    Extension(form): Extension<Form>,
) -> Response {
    let Some((service, item, place)) = find_service(&form, &loaded) else {
        return refusal(&visitor, StatusCode::NOT_FOUND, visitor.texts().gone);
    };
    if form.text("action") == "cancel" {
        return Redirect::to(&path("virtual", &[("service", &service)])).into_response();
    }
    let next = path("scripts", &[("service", &service)]);
    let edits = wanted(&form, &loaded, place, &item);
    match preview(&app, &visitor, form.text("base"), edits, &next).await {
        Wish::Page(page) => page,
        Wish::Fields(errors) => draw(
            &visitor,
            &loaded,
            &service,
            place,
            Some(&form),
            &errors,
            None,
        ),
        Wish::Unchanged => {
            let banner = Banner {
                class: "done",
                text: visitor.language.forms().unchanged.to_owned(),
            };
            draw(&visitor, &loaded, &service, place, None, &[], Some(banner))
        }
    }
}

/// A button clears its row; an empty field leaves the old value.
fn wanted(form: &Form, loaded: &Loaded, place: Place, item: &Item) -> Vec<Edit> {
    if let Some(cleared) = form.get("clear") {
        let row = SCRIPTS.iter().filter(|it| it.parameter == cleared);
        return row
            .map(|it| Edit::Unset {
                at: item.clone(),
                keyword: it.keyword.to_owned(),
            })
            .collect();
    }
    let is_filled =
        |it: &&Definition| it.control == Control::Flag || !form.text(it.parameter).is_empty();
    let filled = SCRIPTS.iter().filter(is_filled);
    filled
        .flat_map(|definition| {
            let one = std::slice::from_ref(definition);
            edits::edits(form, one, &loaded.config, place, item)
        })
        .collect()
}
