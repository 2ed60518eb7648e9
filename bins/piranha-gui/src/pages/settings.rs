//! GLOBAL SETTINGS and REDUNDANCY.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use change::{Edit, FieldError, Item};
use lvs_config::{Network, Place};

use crate::app::App;
use crate::configuration::Loaded;
use crate::edits::edits;
use crate::fields::{self, Definition};
use crate::form::Form;
use crate::pages::change::{Wish, preview};
use crate::pages::panel::{Banner, Button, Field, Panel};
use crate::pages::{Shell, Tab};
use crate::visitor::Visitor;

/// One of the two pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Global,
    Redundancy,
}

impl Page {
    const fn path(self) -> &'static str {
        match self {
            Self::Global => "/secure/global",
            Self::Redundancy => "/secure/redundancy",
        }
    }

    const fn definitions(self) -> &'static [Definition] {
        match self {
            Self::Global => fields::GLOBAL,
            Self::Redundancy => fields::REDUNDANCY,
        }
    }
}

pub(crate) async fn global(Extension(visitor): Extension<Visitor>, loaded: Loaded) -> Response {
    draw(Page::Global, &visitor, &loaded, None, &[], Vec::new())
}

pub(crate) async fn redundancy(Extension(visitor): Extension<Visitor>, loaded: Loaded) -> Response {
    draw(Page::Redundancy, &visitor, &loaded, None, &[], Vec::new())
}

pub(crate) async fn save_global(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    Extension(form): Extension<Form>,
) -> Response {
    save(Page::Global, &app, &visitor, &loaded, &form).await
}

pub(crate) async fn save_redundancy(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    Extension(form): Extension<Form>,
) -> Response {
    save(Page::Redundancy, &app, &visitor, &loaded, &form).await
}

fn draw(
    page: Page,
    visitor: &Visitor,
    loaded: &Loaded,
    typed: Option<&Form>,
    errors: &[FieldError],
    banners: Vec<Banner>,
) -> Response {
    let (t, f) = (visitor.texts(), visitor.language.forms());
    let (tab, title, heading) = match page {
        Page::Global => (Tab::Global, t.tab_global, f.environment),
        Page::Redundancy => (Tab::Redundancy, t.tab_redundancy, t.tab_redundancy),
    };
    let is_on = loaded.config.global.backup_active.value;
    let fields = match page {
        Page::Redundancy if !is_on => Vec::new(),
        page => shown(page, visitor, loaded, typed),
    };
    let shell = Shell::new(visitor, tab, title, page.path());
    let mut panel = Panel::new(shell, loaded, page.path(), heading, fields);
    panel.banners.extend(banners);
    if page == Page::Redundancy {
        panel.state = Some((f.backup, is_on, if is_on { f.active } else { f.inactive }));
        let button = |action, label| Button {
            action,
            label,
            class: "",
        };
        if is_on {
            panel.buttons.push(button("disable", f.disable));
            panel.buttons.push(button("reset", f.reset));
        } else {
            panel.buttons = vec![button("enable", f.enable)];
        }
    }
    panel.show(errors)
}

/// Fields that mean something with what the file says.
fn shown(page: Page, visitor: &Visitor, loaded: &Loaded, typed: Option<&Form>) -> Vec<Field> {
    let global = &loaded.config.global;
    let place = Place::Global;
    let mut fields = crate::pages::panel::fields(page.definitions(), visitor, loaded, place, typed);
    let is_nat = global.network.value == Network::Nat;
    let has_private = global.primary_private.is_written();
    fields.retain(|field| match field.keyword {
        "nat_router" | "nat_nmask" => is_nat,
        "backup_private" => has_private || global.backup_private.is_written(),
        _ => true,
    });
    fields
}

async fn save(page: Page, app: &App, visitor: &Visitor, loaded: &Loaded, form: &Form) -> Response {
    let edits = wanted(page, form, loaded);
    match preview(app, visitor, form.text("base"), edits, page.path()).await {
        Wish::Page(page) => page,
        Wish::Fields(errors) => draw(page, visitor, loaded, Some(form), &errors, Vec::new()),
        Wish::Unchanged => {
            let banner = Banner {
                class: "done",
                text: visitor.language.forms().unchanged.to_owned(),
            };
            draw(page, visitor, loaded, None, &[], vec![banner])
        }
    }
}

fn wanted(page: Page, form: &Form, loaded: &Loaded) -> Vec<Edit> {
    let set = |keyword: &str, value: &str| Edit::Set {
        at: Item::Global,
        keyword: keyword.to_owned(),
        value: value.to_owned(),
    };
    let config = &loaded.config;
    match (page, form.text("action")) {
        (Page::Redundancy, "enable") => vec![set("backup_active", "1")],
        (Page::Redundancy, "disable") => vec![set("backup_active", "0")],
        (Page::Redundancy, "reset") => {
            let mut edits = vec![
                set("backup", "0.0.0.0"),
                set("keepalive", "6"),
                set("deadtime", "18"),
                set("heartbeat_port", "539"),
            ];
            if config.global.backup_private.is_written() {
                edits.push(Edit::Unset {
                    at: Item::Global,
                    keyword: "backup_private".to_owned(),
                });
            }
            edits
        }
        (page, _) => {
            let mut edits = edits(
                form,
                page.definitions(),
                config,
                Place::Global,
                &Item::Global,
            );
            // As ever: who has a backup has heartbeats.
            if page == Page::Redundancy && !edits.is_empty() && !config.global.heartbeat.value {
                edits.push(set("heartbeat", "1"));
            }
            edits
        }
    }
}
