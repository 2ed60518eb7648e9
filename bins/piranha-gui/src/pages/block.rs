//! The forms of one virtual server and of one real server, new or not.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use change::{Edit, FieldError, Item, Name};
use lvs_config::Place;

use crate::app::App;
use crate::configuration::Loaded;
use crate::edits::{self, edits};
use crate::fields::{self, Definition};
use crate::form::Form;
use crate::pages::change::{Wish, preview};
use crate::pages::control::query;
use crate::pages::panel::{
    Banner, Button, Field, Panel, find_service, is_second, key, path, read_name, subtabs,
    virtual_shell,
};
use crate::pages::refusal;
use crate::visitor::Visitor;

/// What a new virtual server begins with.
const NEW_VIRTUAL: &[(&str, &str)] = &[
    ("device", "eth0:1"),
    ("port", "80"),
    ("protocol", "tcp"),
    ("reentry", "15"),
    ("timeout", "6"),
    ("load", "none"),
    ("sched", "wlc"),
    ("quiesce_server", "0"),
    ("retries", "1"),
    ("slow_start", "1"),
];
/// Its check, which is not on the form.
const NEW_CHECK: [(&str, &str); 2] = [("send", "GET / HTTP/1.0\\r\\n\\r\\n"), ("expect", "HTTP")];

/// What a form is about.
enum Block {
    NewVirtual,
    Virtual(Name, Item, Place),
    NewServer(Name),
    Server(Name, Name, Item, Place),
}

impl Block {
    fn of_virtual(form: &Form, loaded: &Loaded) -> Option<Self> {
        if form.has("new") {
            return Some(Self::NewVirtual);
        }
        find_service(form, loaded).map(|(name, item, place)| Self::Virtual(name, item, place))
    }

    fn of_server(form: &Form, loaded: &Loaded) -> Option<Self> {
        let (service, ..) = find_service(form, loaded)?;
        if form.has("new") {
            return Some(Self::NewServer(service));
        }
        let server = read_name(form, "server")?;
        let item = Item::Server {
            service: service.clone(),
            server: server.clone(),
        };
        let place = item.place(&loaded.config)?;
        Some(Self::Server(service, server, item, place))
    }

    const fn definitions(&self) -> &'static [Definition] {
        match self {
            Self::NewVirtual | Self::Virtual(..) => fields::VIRTUAL,
            Self::NewServer(_) | Self::Server(..) => fields::SERVER,
        }
    }

    const fn place(&self) -> Option<Place> {
        match self {
            Self::Virtual(_, _, place) | Self::Server(_, _, _, place) => Some(*place),
            Self::NewVirtual | Self::NewServer(_) => None,
        }
    }

    fn path(&self) -> String {
        match self {
            Self::NewVirtual => "/secure/virtual?new=1".to_owned(),
            Self::Virtual(service, ..) => path("virtual", &[("service", service)]),
            Self::NewServer(service) => {
                format!("{}&new=1", path("server", &[("service", service)]))
            }
            Self::Server(service, server, ..) => {
                path("server", &[("service", service), ("server", server)])
            }
        }
    }

    /// Where CANCEL leads to.
    fn list(&self) -> String {
        match self {
            Self::NewVirtual => "/secure/virtuals".to_owned(),
            Self::Virtual(service, ..) => path("virtuals", &[("selected", service)]),
            Self::NewServer(service) => path("servers", &[("service", service)]),
            Self::Server(service, server, ..) => {
                path("servers", &[("service", service), ("selected", server)])
            }
        }
    }

    /// Where a change that gives it this name leads to.
    fn after(&self, name: &str) -> String {
        let named = Name::new(name);
        match self {
            Self::NewVirtual => path("virtual", &[("service", &named)]),
            Self::NewServer(_) => self.list(),
            Self::Virtual(old, ..) if old.name == name => self.path(),
            Self::Virtual(..) => path("virtual", &[("service", &named)]),
            Self::Server(_, old, ..) if old.name == name => self.path(),
            Self::Server(service, ..) => {
                path("server", &[("service", service), ("server", &named)])
            }
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Virtual(name, ..) | Self::Server(_, name, ..) => &name.name,
            Self::NewVirtual | Self::NewServer(_) => "",
        }
    }

    fn hidden(&self) -> Vec<(&'static str, String)> {
        let new = || ("new", "1".to_owned());
        match self {
            Self::NewVirtual => vec![new()],
            Self::Virtual(service, ..) => vec![("service", key(service))],
            Self::NewServer(service) => vec![("service", key(service)), new()],
            Self::Server(service, server, ..) => {
                vec![("service", key(service)), ("server", key(server))]
            }
        }
    }
}

type Find = fn(&Form, &Loaded) -> Option<Block>;

pub(crate) async fn virtual_server(
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    uri: Uri,
) -> Response {
    page(&visitor, &loaded, &query(&uri), Block::of_virtual)
}

pub(crate) async fn real_server(
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    uri: Uri,
) -> Response {
    page(&visitor, &loaded, &query(&uri), Block::of_server)
}

pub(crate) async fn save_virtual(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    Extension(form): Extension<Form>,
) -> Response {
    save(&app, &visitor, &loaded, &form, Block::of_virtual).await
}

pub(crate) async fn save_real(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    Extension(form): Extension<Form>,
) -> Response {
    save(&app, &visitor, &loaded, &form, Block::of_server).await
}

fn page(visitor: &Visitor, loaded: &Loaded, query: &Form, find: Find) -> Response {
    match find(query, loaded) {
        Some(block) => draw(visitor, loaded, &block, None, &[], None),
        None => refusal(visitor, StatusCode::NOT_FOUND, visitor.texts().gone),
    }
}

fn draw(
    visitor: &Visitor,
    loaded: &Loaded,
    block: &Block,
    typed: Option<&Form>,
    errors: &[FieldError],
    banner: Option<Banner>,
) -> Response {
    let f = visitor.language.forms();
    let (title, action) = match block {
        Block::NewVirtual | Block::Virtual(..) => (f.edit_virtual, "/secure/virtual"),
        Block::NewServer(_) | Block::Server(..) => (f.edit_server, "/secure/server"),
    };
    let heading = match block {
        Block::NewVirtual => f.add.to_owned(),
        Block::Virtual(name, ..) => name.to_string(),
        Block::NewServer(service) => format!("{service} — {}", f.add),
        Block::Server(service, server, ..) => format!("{service} — {server}"),
    };
    let shell = virtual_shell(visitor, title, block.path());
    let mut panel = Panel::new(
        shell,
        loaded,
        action,
        heading,
        shown(visitor, loaded, block, typed),
    );
    panel.subtabs = match block {
        Block::NewVirtual => Vec::new(),
        Block::Virtual(service, ..) => subtabs(f, service, "virtual"),
        Block::NewServer(service) | Block::Server(service, ..) => subtabs(f, service, "servers"),
    };
    panel.hidden = block.hidden();
    panel.banners.extend(banner);
    panel.buttons.push(Button {
        action: "cancel",
        label: f.cancel,
        class: "",
    });
    panel.show(errors)
}

fn shown(visitor: &Visitor, loaded: &Loaded, block: &Block, typed: Option<&Form>) -> Vec<Field> {
    let start;
    let typed = match (block, typed) {
        (Block::NewVirtual, None) => {
            start = Form::of(NEW_VIRTUAL);
            Some(&start)
        }
        (Block::NewServer(_), None) => {
            start = Form::of(&[("weight", "1")]);
            Some(&start)
        }
        (_, typed) => typed,
    };
    let place = block.place().unwrap_or(Place::Global);
    let mut fields =
        crate::pages::panel::fields(block.definitions(), visitor, loaded, place, typed);
    if typed.is_none()
        && let Some(field) = fields.iter_mut().find(|field| field.keyword == "name")
    {
        field.value = block.name().to_owned();
    }
    fields
}

async fn save(app: &App, visitor: &Visitor, loaded: &Loaded, form: &Form, find: Find) -> Response {
    let Some(block) = find(form, loaded) else {
        return refusal(visitor, StatusCode::NOT_FOUND, visitor.texts().gone);
    };
    if form.text("action") == "cancel" {
        return Redirect::to(&block.list()).into_response();
    }
    let parameter = if matches!(block, Block::NewVirtual | Block::Virtual(..)) {
        "hostname"
    } else {
        "name"
    };
    // As ever, an empty name keeps the old one.
    let name = edits::name(form, parameter).unwrap_or_else(|| block.name().to_owned());
    let edits = wanted(form, loaded, &block, &name);
    match preview(app, visitor, form.text("base"), edits, &block.after(&name)).await {
        Wish::Page(page) => page,
        Wish::Fields(errors) => draw(visitor, loaded, &block, Some(form), &errors, None),
        Wish::Unchanged => {
            let banner = Banner {
                class: "done",
                text: visitor.language.forms().unchanged.to_owned(),
            };
            draw(visitor, loaded, &block, None, &[], Some(banner))
        }
    }
}

fn wanted(form: &Form, loaded: &Loaded, block: &Block, name: &str) -> Vec<Edit> {
    let definitions = block.definitions();
    match block {
        Block::NewVirtual => {
            let mut keywords = new_keywords(form, definitions);
            // An original reads the check of a UDP service otherwise.
            if form.text("protocol") != "udp" {
                keywords.extend(NEW_CHECK.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            vec![Edit::AddVirtual {
                name: name.to_owned(),
                keywords,
            }]
        }
        Block::NewServer(service) => vec![Edit::AddServer {
            service: service.clone(),
            name: name.to_owned(),
            keywords: new_keywords(form, definitions),
        }],
        Block::Virtual(old, item, place) | Block::Server(_, old, item, place) => {
            let mut edits = edits(form, definitions, &loaded.config, *place, item);
            // Last: until then the block has its old name.
            if old.name != name {
                edits.push(Edit::Rename {
                    at: item.clone(),
                    name: name.to_owned(),
                });
            }
            edits
        }
    }
}

/// Keywords of a new block: all that the form fills in. It is not active until somebody says so.
fn new_keywords(form: &Form, definitions: &[Definition]) -> Vec<(String, String)> {
    let mut keywords = vec![("active".to_owned(), "0".to_owned())];
    for definition in definitions {
        if definition.keyword == "name" || is_second(definition) {
            continue;
        }
        let value = edits::wanted(form, definitions, definition);
        let says_nothing = definition.is_extension && value == definition.default;
        if !value.is_empty() && !says_nothing {
            keywords.push((definition.keyword.to_owned(), value));
        }
    }
    keywords
}
