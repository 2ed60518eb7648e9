//! What the partner's daemons say of the pair and its services, beside what those here say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use change::protocol::{Reply, Request, Said};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::applier;
use crate::memory;
use crate::monitor::Snapshot;
use crate::monitoring::{
    Audience, Part, html, part, partner_state, phase_name, role, verdict, verdict_class,
};
use crate::pages::control::{audience, query, rate};
use crate::pages::{Shell, Tab, show};
use crate::status::{Lvs, Pulse};
use crate::texts::{Texts, told};
use crate::visitor::{Language, Visitor};

/// A page that is loaded shows nothing older.
const FRESH: Duration = Duration::from_secs(2);

struct Row<'a> {
    service: &'a str,
    /// Protocol, address and port.
    identity: &'a str,
    server: &'a str,
    here: (&'static str, &'static str),
    there: (&'static str, &'static str),
    reason: &'a str,
}

/// The state of a daemon of the partner, or why there is none; in JSON as those of the daemons here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Told<T> {
    Content(T),
    Why(String),
}

impl<T: DeserializeOwned> Told<T> {
    fn new(said: Said) -> Self {
        let read = match said {
            Said::Status(value) => serde_json::from_value(value).map_err(|error| error.to_string()),
            Said::Silent(why) => Err(why),
        };
        read.map_or_else(Self::Why, Self::Content)
    }
}

/// As much of the partner's `lvs.json` as is shown beside what is known here: all of it takes much memory
/// where there are thousands of servers.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Services {
    services: Vec<Theirs>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Theirs {
    name: Box<str>,
    service: Box<str>,
    servers: Box<[TheirServer]>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct TheirServer {
    name: Box<str>,
    server: Box<str>,
    health: Box<str>,
    reason: Box<str>,
}

/// What the partner's daemons said when they were asked.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// Seconds since 1970.
    asked: u64,
    pulse: Told<Pulse>,
    lvs: Told<Services>,
}

/// The partner's state as it was told last. Whoever asks keeps the applier for as long as ssh takes: so
/// all visitors share an answer, and only one asks.
#[derive(Debug)]
pub(crate) struct View {
    turn: Arc<Semaphore>,
    last: Mutex<Option<(Instant, Arc<Answer>)>>,
}

impl View {
    pub(crate) fn new() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            last: Mutex::default(),
        }
    }

    /// The last answer, however old.
    pub(crate) fn last(&self) -> Option<Arc<Answer>> {
        Some(Arc::clone(&self.known()?.1))
    }

    fn keep(&self, answer: Answer) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), Arc::new(answer)));
        drop(last);
        memory::trim();
    }

    fn known(&self) -> Option<(Instant, Arc<Answer>)> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}

/// Asks the partner if the last answer is older than that and nobody asks already; gives what ends with
/// the new answer. The turn is kept to the end of ssh, also when nobody waits for it any more.
pub(crate) fn refresh(app: &Arc<App>, oldest: Duration) -> Option<JoinHandle<()>> {
    let is_new = app
        .partner
        .known()
        .is_some_and(|(at, _)| at.elapsed() < oldest);
    let turn = Arc::clone(&app.partner.turn).try_acquire_owned();
    let turn = turn.ok().filter(|_| !is_new)?;
    let app = Arc::clone(app);
    Some(tokio::spawn(async move {
        let nothing = |why: String| (Told::Why(why), Told::Why(String::new()));
        let (pulse, lvs) = match applier::ask(&app.applier, &Request::PartnerStatus).await {
            Ok(Reply::Status { pulse, lvs }) => (Told::new(pulse), Told::new(lvs)),
            Ok(Reply::Error { message }) => nothing(message),
            Ok(_) => nothing(String::new()),
            Err(silence) => nothing(silence.to_string()),
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let answer = Answer {
            asked: since.unwrap_or_default().as_secs(),
            pulse,
            lvs,
        };
        app.partner.keep(answer);
        drop(turn);
    }))
}

#[derive(Template)]
#[template(path = "partner.html")]
struct Page<'a> {
    t: &'static Texts,
    shell: Shell<'a>,
    rate: u64,
    parts: String,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    if let Some(asked) = refresh(&app, FRESH) {
        // It ends with an answer, whatever that is.
        let _ = asked.await;
    }
    let t = visitor.texts();
    let parts = parts(&app, &app.monitor.snapshot(), audience(&visitor), false);
    let page = Page {
        t,
        shell: Shell::new(&visitor, Tab::Control, t.partner_view, "/secure/partner"),
        rate: rate(&query(&uri)),
        parts: html(&parts),
    };
    show(StatusCode::OK, &page)
}

/// When it was asked.
#[derive(Template)]
#[template(path = "partner_asked.html")]
struct Asked {
    t: &'static Texts,
    oob: bool,
    at: Option<u64>,
}

#[derive(Template)]
#[template(path = "partner_view.html")]
struct Seen<'a> {
    t: &'static Texts,
    oob: bool,
    /// Why there is no view.
    none: Option<String>,
    pulse: Option<&'a Pulse>,
    /// Why its lvs says nothing.
    silent: Option<String>,
    rows: Vec<Row<'a>>,
}

impl Seen<'_> {
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

/// The page in parts: when the partner was asked, and what it said.
pub(crate) fn parts(app: &App, snapshot: &Snapshot, audience: Audience, oob: bool) -> Vec<Part> {
    let answer = app.partner.last();
    let asked = Asked {
        t: audience.language.texts(),
        oob,
        at: answer.as_ref().map(|answer| answer.asked),
    };
    let seen = drawing(audience.language, snapshot, answer.as_deref(), oob);
    // The time alone is no news.
    vec![part(&asked, &"asked", Some(0)), part(&seen, &"seen", None)]
}

fn drawing<'a>(
    language: Language,
    snapshot: &Snapshot,
    answer: Option<&'a Answer>,
    oob: bool,
) -> Seen<'a> {
    let t = language.texts();
    let mut seen = Seen {
        t,
        oob,
        none: None,
        pulse: None,
        silent: None,
        rows: Vec::new(),
    };
    match answer.map(|answer| (&answer.pulse, &answer.lvs)) {
        None => seen.none = Some(t.partner_view_asked.to_owned()),
        // One reason is enough.
        Some((Told::Why(why), Told::Why(_))) => seen.none = Some(told(language, why).into_owned()),
        Some((pulse, lvs)) => {
            match pulse {
                Told::Content(pulse) => seen.pulse = Some(pulse),
                Told::Why(why) => seen.none = Some(told(language, why).into_owned()),
            }
            match lvs {
                Told::Content(lvs) => seen.rows = rows(t, snapshot.lvs.content(), lvs),
                Told::Why(why) => seen.silent = Some(told(language, why).into_owned()),
            }
        }
    }
    seen
}

fn rows<'a>(t: &'static Texts, here: Option<&Lvs>, there: &'a Services) -> Vec<Row<'a>> {
    let seen = |health: &str| (verdict_class(health), verdict(t, health));
    // Names do not tell servers apart: the service of tcp and that of udp may bear the same one.
    let here: HashMap<_, _> = here
        .into_iter()
        .flat_map(|lvs| &lvs.services)
        .flat_map(|service| {
            let servers = service.servers.iter();
            servers.map(|it| ((&*service.service, &*it.server), it.health.as_str()))
        })
        .collect();
    let mut rows = Vec::new();
    for service in &there.services {
        rows.extend(service.servers.iter().map(|server| {
            let known = here.get(&(&*service.service, &*server.server));
            Row {
                service: &service.name,
                identity: &service.service,
                server: &server.name,
                here: known.map_or(("quiet", "–"), |health| seen(health)),
                there: seen(&server.health),
                reason: &server.reason,
            }
        }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Monitor;

    #[test]
    fn the_partners_verdicts_stand_beside_those_here() {
        let snapshot = Monitor::new().snapshot();
        let pulse = serde_json::json!({"role": "backup", "phase": "standby", "since": 1_700_000_000,
            "partner": {"address": "192.0.2.1", "phase": "active"}});
        let lvs = serde_json::json!({"services": [{"name": "web", "servers": [
            {"name": "<one>", "health": "down", "reason": "connection refused"}]}]});
        let answer = Answer {
            asked: 1_700_000_000,
            pulse: Told::new(Said::Status(pulse)),
            lvs: Told::new(Said::Status(lvs)),
        };
        let page = |answer| drawing(Language::English, &snapshot, answer, false).render();
        let text = page(Some(&answer)).unwrap();
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
        let answer = Answer {
            pulse: Told::new(silent()),
            lvs: Told::new(silent()),
            ..answer
        };
        let text = page(Some(&answer)).unwrap();
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
            serde_json::json!({ "services": services })
        };
        let t = crate::visitor::Language::English.texts();
        let here: Lvs = serde_json::from_value(lvs("down", "up")).unwrap();
        let there: Services = serde_json::from_value(lvs("up", "down")).unwrap();
        let rows = rows(t, Some(&here), &there);
        let seen = |row: &Row<'_>| (row.identity.to_owned(), row.here.1, row.there.1);
        let row = |identity: &str, here: &'static str, there: &'static str| {
            (identity.to_owned(), here, there)
        };
        let expected = [
            row("-t 192.0.2.80:53", t.down, t.up),
            row("-u 192.0.2.80:53", t.up, t.down),
        ];
        assert_eq!(rows.iter().map(seen).collect::<Vec<_>>(), expected);
    }
}
