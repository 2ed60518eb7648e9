//! What the partner's daemons say of the pair and its services, beside what those here say.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use change::protocol::{Reply, Request, Said};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::applier;
use crate::monitor::Snapshot;
use crate::monitoring::{partner_state, phase_name, role, verdict_class};
use crate::pages::{Shell, Tab, show};
use crate::status::{Lvs, Pulse, Server, Service};
use crate::texts::Texts;
use crate::visitor::Visitor;

struct Row {
    service: String,
    /// Protocol, address and port.
    identity: String,
    server: String,
    here: (&'static str, String),
    there: (&'static str, String),
    reason: String,
}

#[derive(Template)]
#[template(path = "partner.html")]
struct Partner<'a> {
    t: &'static Texts,
    shell: Shell<'a>,
    /// Why there is no view.
    none: Option<String>,
    pulse: Option<Pulse>,
    /// Why its lvs says nothing.
    silent: Option<String>,
    rows: Vec<Row>,
}

impl Partner<'_> {
    fn role<'p>(&self, pulse: &'p Pulse) -> &'p str {
        role(self.t, &pulse.role)
    }

    fn phase<'p>(&self, pulse: &'p Pulse) -> &'p str {
        phase_name(self.t, &pulse.phase)
    }

    fn sees<'p>(&self, pulse: &'p Pulse) -> &'p str {
        partner_state(self.t, pulse)
    }
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let (pulse, lvs) = match ask(&app, &visitor).await {
        Ok(Reply::Status { pulse, lvs }) => (read::<Pulse>(pulse), read::<Lvs>(lvs)),
        Ok(Reply::Error { message }) | Err(message) => (Err(message), Err(String::new())),
        Ok(_) => (Err(String::new()), Err(String::new())),
    };
    show(
        StatusCode::OK,
        &drawing(&visitor, &app.monitor.snapshot(), pulse, lvs),
    )
}

/// Asks the partner, unless somebody does. The place is kept to the end of that, also when the browser
/// does not wait for it: ssh runs on then.
async fn ask(app: &Arc<App>, visitor: &Visitor) -> Result<Reply, String> {
    let Ok(place) = Arc::clone(&app.partner).try_acquire_owned() else {
        return Err(visitor.texts().partner_view_asked.to_owned());
    };
    let (app, visitor) = (Arc::clone(app), visitor.clone());
    let asked = tokio::spawn(async move {
        let reply = applier::ask_for(&app, &visitor, &Request::PartnerStatus).await;
        drop(place);
        reply
    });
    let reply = asked.await.map_err(|error| error.to_string())?;
    reply.map_err(|error| error.to_string())
}

fn read<T: DeserializeOwned>(said: Said) -> Result<T, String> {
    match said {
        Said::Status(value) => serde_json::from_value(value).map_err(|error| error.to_string()),
        Said::Silent(why) => Err(why),
    }
}

fn drawing<'a>(
    visitor: &'a Visitor,
    snapshot: &Snapshot,
    pulse: Result<Pulse, String>,
    lvs: Result<Lvs, String>,
) -> Partner<'a> {
    let t = visitor.texts();
    let (pulse, none) = match pulse {
        Ok(pulse) => (Some(pulse), None),
        Err(why) => (None, Some(why)),
    };
    let (rows, silent) = match (lvs, &pulse) {
        (Ok(lvs), _) => (rows(t, snapshot.lvs.content(), &lvs), None),
        (Err(why), Some(_)) => (Vec::new(), Some(why)),
        // One reason is enough.
        (Err(_), None) => (Vec::new(), None),
    };
    Partner {
        t,
        shell: Shell::new(visitor, Tab::Control, t.partner_view, "/secure/partner"),
        none,
        pulse,
        silent,
        rows,
    }
}

fn rows(t: &'static Texts, here: Option<&Lvs>, there: &Lvs) -> Vec<Row> {
    let verdict = |health: &str| {
        let word = match health {
            "up" => t.up,
            "down" => t.down,
            _ => t.unchecked,
        };
        (verdict_class(health), word.to_owned())
    };
    let here: HashMap<_, _> = here
        .into_iter()
        .flat_map(|lvs| &lvs.services)
        .flat_map(|service| {
            let servers = service.servers.iter();
            servers.map(|server| (key(service, server), server.health.as_str()))
        })
        .collect();
    let mut rows = Vec::new();
    for service in &there.services {
        for server in &service.servers {
            let known = here.get(&key(service, server));
            rows.push(Row {
                service: service.name.clone(),
                identity: service.service.clone(),
                server: server.name.clone(),
                here: known.map_or(("quiet", "–".to_owned()), |health| verdict(health)),
                there: verdict(&server.health),
                reason: server.reason.clone(),
            });
        }
    }
    rows
}

/// What tells a server of a service from all others, on both routers. Names do not: the service of
/// tcp and that of udp may bear the same one.
fn key<'a>(service: &'a Service, server: &'a Server) -> (&'a str, &'a str) {
    (&service.service, &server.server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Monitor;

    #[test]
    fn the_partners_verdicts_stand_beside_those_here() {
        let visitor = Visitor::new("127.0.0.1".parse().unwrap(), &axum::http::HeaderMap::new());
        let snapshot = Monitor::new().snapshot();
        let pulse = serde_json::json!({"role": "backup", "phase": "standby", "since": 1_700_000_000,
            "partner": {"address": "192.0.2.1", "phase": "active"}});
        let lvs = serde_json::json!({"services": [{"name": "web", "servers": [
            {"name": "<one>", "health": "down", "reason": "connection refused"}]}]});
        let page = drawing(
            &visitor,
            &snapshot,
            read(Said::Status(pulse)),
            read(Said::Status(lvs)),
        );
        let text = page.render().unwrap();
        for part in [
            "backup",
            "standby",
            "connection refused",
            "&#60;one&#62;",
            ">–<",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let silent = || Said::Silent("no route to host".to_owned());
        let page = drawing(&visitor, &snapshot, read(silent()), read(silent()));
        let text = page.render().unwrap();
        let said = "There is no view of the partner: no route to host";
        assert!(text.contains(said), "{text}");
    }

    #[test]
    fn services_of_one_name_are_told_apart() {
        let lvs = |tcp: &str, udp: &str| {
            let service = |service: &str, health: &str| {
                let server =
                    serde_json::json!({"name": "one", "server": "10.0.0.11:53", "health": health});
                serde_json::json!({"name": "dns", "service": service, "servers": [server]})
            };
            let services = [
                service("-t 192.0.2.80:53", tcp),
                service("-u 192.0.2.80:53", udp),
            ];
            serde_json::from_value::<Lvs>(serde_json::json!({"services": services})).unwrap()
        };
        let t = crate::visitor::Language::English.texts();
        let rows = rows(t, Some(&lvs("down", "up")), &lvs("up", "down"));
        let seen = |row: &Row| {
            (
                row.identity.clone(),
                row.here.1.clone(),
                row.there.1.clone(),
            )
        };
        let row = |identity: &str, here: &str, there: &str| {
            (identity.to_owned(), here.to_owned(), there.to_owned())
        };
        let expected = [
            row("-t 192.0.2.80:53", t.down, t.up),
            row("-u 192.0.2.80:53", t.up, t.down),
        ];
        assert_eq!(rows.iter().map(seen).collect::<Vec<_>>(), expected);
    }
}
