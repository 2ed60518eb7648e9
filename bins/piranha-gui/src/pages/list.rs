//! The lists of virtual servers and of a virtual server's real servers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use change::{Edit, Item, Name};
use ipvs::ServiceId;
use lvs_config::{Host, Place, Protocol, Server, Virtual};

use crate::app::App;
use crate::configuration::Loaded;
use crate::form::Form;
use crate::monitor::Snapshot;
use crate::monitoring::{verdict, verdict_class};
use crate::pages::change::{Wish, preview};
use crate::pages::control::query;
use crate::pages::panel::{
    Banner, SubTab, banners, find_service, key, may_change, path, read_name, subtabs, virtual_shell,
};
use crate::pages::{Shell, refusal, show};
use crate::status;
use crate::texts::{Forms, Texts};
use crate::visitor::Visitor;

struct Row {
    key: String,
    path: String,
    is_selected: bool,
    class: &'static str,
    status: &'static str,
    live_class: &'static str,
    live: String,
    name: String,
    cells: Vec<String>,
}

#[derive(Template)]
#[template(path = "list.html")]
struct List<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    subtabs: Vec<SubTab>,
    banners: Vec<Banner>,
    heading: String,
    action: &'static str,
    base: String,
    hidden: Vec<(&'static str, String)>,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
    may_change: bool,
    cancel: Option<String>,
}

/// What lvs says of services and servers, by the service's name: that of tcp and that of udp may bear
/// the same one.
struct Live<'s>(HashMap<&'s str, Vec<&'s status::Service>>);

impl<'s> Live<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        let lvs = snapshot.lvs.content().filter(|_| snapshot.is_lvs_running());
        let mut services: HashMap<_, Vec<_>> = HashMap::new();
        for service in lvs
            .into_iter()
            .flat_map(|lvs| &lvs.services)
            .map(Arc::as_ref)
        {
            services
                .entry(service.name.as_str())
                .or_default()
                .push(service);
        }
        Self(services)
    }

    fn of(&self, name: &Name, block: &Virtual) -> Option<&'s status::Service> {
        let named = self.0.get(name.name.as_str())?;
        let is_it = |service: &&&status::Service| is_of(&service.service, block);
        named.iter().find(is_it).copied()
    }

    fn service(&self, name: &Name, block: &Virtual) -> (&'static str, String) {
        let Some(service) = self.of(name, block) else {
            return ("quiet", "–".to_owned());
        };
        let is_up = |server: &&status::Server| server.health == "up";
        let (up, all) = (
            service.servers.iter().filter(is_up).count(),
            service.servers.len(),
        );
        let class = match up {
            0 => "bad",
            up if up == all => "good",
            _ => "warn",
        };
        (class, format!("{up}/{all}"))
    }
}

/// Whether the words that name a service for the kernel are those of this block.
fn is_of(words: &str, block: &Virtual) -> bool {
    let wanted = match block.protocol.value {
        Protocol::Tcp => ipvs::Protocol::Tcp,
        Protocol::Udp => ipvs::Protocol::Udp,
    };
    match ipvs::text::parse_service(words) {
        Ok(ServiceId::Mark { mark, .. }) => mark == block.fwmark.value,
        Ok(ServiceId::Address {
            protocol,
            address,
            port,
        }) => {
            let host = block.address.value.as_ref().map(|it| &it.host);
            block.fwmark.value == 0
                && (protocol, port) == (wanted, block.port.value)
                // A host name became an address meanwhile.
                && host.and_then(Host::address).is_none_or(|host| host == address)
        }
        Err(_) => false,
    }
}

/// What lvs says of a server.
fn live_server(
    t: &'static Texts,
    service: Option<&status::Service>,
    name: &Name,
    block: &Server,
) -> (&'static str, String) {
    let written = block.address.value.as_ref().and_then(Host::address);
    let named = |server: &&status::Server| server.name == name.name;
    let mut servers = service
        .into_iter()
        .flat_map(|service| &service.servers)
        .filter(named);
    let is_it = |server: &&status::Server| {
        let seen = server.server.parse::<SocketAddr>();
        written.is_none_or(|written| seen.is_ok_and(|seen| seen.ip() == written))
    };
    match servers.find(is_it) {
        Some(server) => (
            verdict_class(&server.health),
            verdict(t, &server.health).to_owned(),
        ),
        None => ("quiet", "–".to_owned()),
    }
}

pub(crate) async fn virtuals(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    uri: Uri,
) -> Response {
    draw_virtuals(&app, &visitor, &loaded, query(&uri).text("selected"), None)
}

fn draw_virtuals(
    app: &App,
    visitor: &Visitor,
    loaded: &Loaded,
    selected: &str,
    wrong: Option<&str>,
) -> Response {
    let (t, f) = (visitor.texts(), visitor.language.forms());
    let snapshot = app.monitor.snapshot();
    let live = Live::new(&snapshot);
    let virtuals = &loaded.config.virtuals;
    let names = Name::of_virtuals(virtuals);
    let rows = virtuals.iter().zip(&names).map(|(service, name)| {
        let (live_class, live) = live.service(name, service);
        Row {
            live_class,
            live,
            cells: virtual_cells(f, service),
            ..row(
                f,
                service.active.value,
                name,
                path("virtual", &[("service", name)]),
            )
        }
    });
    let page = List {
        t,
        f,
        shell: virtual_shell(visitor, t.tab_virtual, "/secure/virtuals".to_owned()),
        subtabs: Vec::new(),
        banners: with(banners(f, loaded), wrong),
        heading: t.tab_virtual.to_owned(),
        action: "/secure/virtuals",
        base: loaded.digest.clone(),
        hidden: Vec::new(),
        columns: vec![
            f.status,
            f.live,
            f.name,
            f.vip,
            f.netmask,
            f.port,
            f.protocol,
            f.interface,
        ],
        rows: select(rows.collect(), selected),
        may_change: may_change(visitor, loaded),
        cancel: None,
    };
    show(StatusCode::OK, &page)
}

fn row(f: &'static Forms, is_active: bool, name: &Name, path: String) -> Row {
    Row {
        key: key(name),
        path,
        is_selected: false,
        class: if is_active { "info" } else { "bad" },
        status: if is_active { f.up } else { f.down },
        live_class: "",
        live: String::new(),
        name: name.to_string(),
        cells: Vec::new(),
    }
}

fn with(mut banners: Vec<Banner>, wrong: Option<&str>) -> Vec<Banner> {
    banners.extend(wrong.map(Banner::error));
    banners
}

fn virtual_cells(f: &'static Forms, service: &Virtual) -> Vec<String> {
    let address = service.address.value.as_ref();
    let mask = service.vip_nmask.value.map(|mask| mask.to_string());
    let vip = match (address, service.fwmark.value) {
        (None, 0) => String::new(),
        (None, mark) => format!("fwmark {mark}"),
        (Some(address), 0) => address.host.to_string(),
        (Some(address), mark) => format!("{} (fwmark {mark})", address.host),
    };
    vec![
        vip,
        mask.unwrap_or_else(|| f.unused.to_owned()),
        match service.port.value {
            0 => f.not_available.to_owned(),
            port => port.to_string(),
        },
        match service.protocol.value {
            Protocol::Tcp => "tcp".to_owned(),
            Protocol::Udp => "udp".to_owned(),
        },
        address
            .map(|address| address.device.clone())
            .unwrap_or_default(),
    ]
}

/// The wanted row, else the first.
fn select(mut rows: Vec<Row>, selected: &str) -> Vec<Row> {
    let at = rows.iter().position(|row| row.key == selected).unwrap_or(0);
    if let Some(row) = rows.get_mut(at) {
        row.is_selected = true;
    }
    rows
}

pub(crate) async fn servers(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    uri: Uri,
) -> Response {
    draw_servers(&app, &visitor, &loaded, &query(&uri), None)
}

fn draw_servers(
    app: &App,
    visitor: &Visitor,
    loaded: &Loaded,
    query: &Form,
    wrong: Option<&str>,
) -> Response {
    let (t, f) = (visitor.texts(), visitor.language.forms());
    let Some((service, _, Place::Virtual(at))) = find_service(query, loaded) else {
        return refusal(visitor, StatusCode::NOT_FOUND, t.gone);
    };
    let Some(block) = loaded.config.virtuals.get(at) else {
        return refusal(visitor, StatusCode::NOT_FOUND, t.gone);
    };
    let snapshot = app.monitor.snapshot();
    let seen = Live::new(&snapshot).of(&service, block);
    let names = Name::of_servers(&block.servers);
    let rows = block.servers.iter().zip(&names).map(|(server, name)| {
        let (live_class, live) = live_server(t, seen, name, server);
        Row {
            live_class,
            live,
            cells: server_cells(server),
            ..row(
                f,
                server.active.value,
                name,
                path("server", &[("service", &service), ("server", name)]),
            )
        }
    });
    let own = path("servers", &[("service", &service)]);
    let page = List {
        t,
        f,
        shell: virtual_shell(visitor, f.edit_server, own),
        subtabs: subtabs(f, &service, "servers"),
        banners: with(banners(f, loaded), wrong),
        heading: format!("{} — {service}", f.edit_server),
        action: "/secure/servers",
        base: loaded.digest.clone(),
        hidden: vec![("service", key(&service))],
        columns: vec![f.status, f.live, f.name, f.address, f.port, f.weight],
        rows: select(rows.collect(), query.text("selected")),
        may_change: may_change(visitor, loaded),
        cancel: Some(path("virtual", &[("service", &service)])),
    };
    show(StatusCode::OK, &page)
}

fn server_cells(server: &Server) -> Vec<String> {
    let address = server.address.value.as_ref();
    vec![
        address.map(ToString::to_string).unwrap_or_default(),
        server.port.value.to_string(),
        server.weight.value.to_string(),
    ]
}

pub(crate) async fn change_virtuals(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    Extension(form): Extension<Form>,
) -> Response {
    if form.text("action") == "add" {
        return Redirect::to("/secure/virtual?new=1").into_response();
    }
    let selected = form.text("selected");
    let Some(service) = read_name(&form, "selected") else {
        let wrong = visitor.language.forms().nothing_selected;
        return draw_virtuals(&app, &visitor, &loaded, selected, Some(wrong));
    };
    if form.text("action") == "edit" {
        return Redirect::to(&path("virtual", &[("service", &service)])).into_response();
    }
    let item = Item::Virtual {
        service: service.clone(),
    };
    let next = path("virtuals", &[("selected", &service)]);
    match edits(&form, &loaded, item) {
        None => refusal(&visitor, StatusCode::NOT_FOUND, visitor.texts().gone),
        Some(edits) => match preview(&app, &visitor, form.text("base"), edits, &next).await {
            Wish::Page(page) => page,
            Wish::Fields(errors) => {
                let wrong = errors.first().map(|error| error.message.as_str());
                draw_virtuals(&app, &visitor, &loaded, selected, wrong)
            }
            Wish::Unchanged => draw_virtuals(&app, &visitor, &loaded, selected, None),
        },
    }
}

pub(crate) async fn change_servers(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    loaded: Loaded,
    Extension(form): Extension<Form>,
) -> Response {
    let Some(service) = read_name(&form, "service") else {
        return refusal(&visitor, StatusCode::NOT_FOUND, visitor.texts().gone);
    };
    if form.text("action") == "add" {
        let new = path("server", &[("service", &service)]);
        return Redirect::to(&format!("{new}&new=1")).into_response();
    }
    let Some(server) = read_name(&form, "selected") else {
        let wrong = visitor.language.forms().nothing_selected;
        return draw_servers(&app, &visitor, &loaded, &form, Some(wrong));
    };
    let names = [("service", &service), ("server", &server)];
    if form.text("action") == "edit" {
        return Redirect::to(&path("server", &names)).into_response();
    }
    let next = path("servers", &[("service", &service), ("selected", &server)]);
    let item = Item::Server {
        service: service.clone(),
        server: server.clone(),
    };
    match edits(&form, &loaded, item) {
        None => refusal(&visitor, StatusCode::NOT_FOUND, visitor.texts().gone),
        Some(edits) => match preview(&app, &visitor, form.text("base"), edits, &next).await {
            Wish::Page(page) => page,
            Wish::Fields(errors) => {
                let wrong = errors.first().map(|error| error.message.as_str());
                draw_servers(&app, &visitor, &loaded, &form, wrong)
            }
            Wish::Unchanged => draw_servers(&app, &visitor, &loaded, &form, None),
        },
    }
}

/// DELETE or (DE)ACTIVATE of a block; `None`: it is not there.
fn edits(form: &Form, loaded: &Loaded, item: Item) -> Option<Vec<Edit>> {
    let place = item.place(&loaded.config)?;
    Some(match form.text("action") {
        "delete" => vec![Edit::Remove { at: item }],
        "toggle" => {
            let is_active = loaded.config.written(place, "active").as_deref() == Some("1");
            vec![Edit::Set {
                at: item,
                keyword: "active".to_owned(),
                value: u8::from(!is_active).to_string(),
            }]
        }
        _ => Vec::new(),
    })
}
