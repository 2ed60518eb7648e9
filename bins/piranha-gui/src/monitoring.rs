//! The monitoring screen in parts, each of which can be replaced by itself in an open page.

use std::cmp::Reverse;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use askama::Template;

use crate::app::App;
use crate::graph::{self, Figure, History};
use crate::monitor::Snapshot;
use crate::source::Reading;
use crate::status::{Check, Lvs, Pulse, Server, Service};
use crate::texts::Texts;
use crate::visitor::Language;

/// Events that are shown.
const EVENTS: usize = 100;

/// For whom the parts are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Audience {
    pub(crate) language: Language,
    pub(crate) may_change: bool,
}

/// What tells parts apart, and whether one has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digests {
    /// Of what it is about.
    pub(crate) subject: u64,
    /// Of all that it shows.
    pub(crate) whole: u64,
    /// Of what it shows besides figures.
    pub(crate) state: u64,
}

/// A part of the screen.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) digests: Digests,
    /// To be put into a page.
    pub(crate) html: Arc<str>,
}

/// Parts that were drawn, and of what: what stays the same need not be drawn again.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) parts: Arc<[Part]>,
    lvs: Option<Arc<Lvs>>,
    /// Of the graphs.
    step: u64,
}

/// Something that was worth telling; milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Event {
    pub(crate) at: u64,
    pub(crate) source: String,
    pub(crate) text: String,
}

#[derive(Template)]
#[template(path = "state.html")]
struct State<'a> {
    t: &'static Texts,
    oob: bool,
    may_change: bool,
    runs: bool,
    role: &'a str,
    phase: &'a str,
    phase_class: &'a str,
    partner_state: &'a str,
    partner_file: &'a str,
    problems: Vec<String>,
    pulse: Option<&'a Pulse>,
    lvs: Option<&'a Lvs>,
    nannies: usize,
}

#[derive(Template)]
#[template(path = "service.html")]
pub(crate) struct ServicePart<'a> {
    t: &'static Texts,
    oob: bool,
    may_change: bool,
    id: String,
    service: &'a Service,
    class: &'static str,
    up: usize,
    connections_graph: String,
    rate_graph: String,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    server: &'a Server,
    class: &'static str,
    verdict: &'a str,
    key: String,
    weight: String,
    active: String,
    inactive: String,
    checks: String,
    checks_label: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "events.html")]
struct Events<'a> {
    t: &'static Texts,
    oob: bool,
    silent: Option<&'a str>,
    events: &'a [Event],
}

/// All parts in the order of the screen; `before` is what was drawn last for the same audience.
pub(crate) fn parts(
    app: &App,
    snapshot: &Snapshot,
    audience: Audience,
    oob: bool,
    before: Option<&Drawn>,
) -> Drawn {
    let t = audience.language.texts();
    let now = app.monitor.now();
    let step = graph::step(now);
    let history = app.monitor.history();
    let mut parts = vec![part(&state(t, snapshot, audience, oob), &"state", None)];
    let lvs = snapshot.lvs.shared();
    let before = before.filter(|before| before.step == step);
    for (at, service) in lvs.iter().flat_map(|lvs| &lvs.services).enumerate() {
        let known = before.and_then(|before| {
            let same = before.lvs.as_ref()?.services.get(at)? == service;
            before.parts.get(at + 1).filter(|_| same).cloned()
        });
        let draw = || {
            let drawing = service_part(t, &history, now, service, audience, oob);
            part(&drawing, &service.service, Some(service.state()))
        };
        parts.push(known.unwrap_or_else(draw));
    }
    drop(history);
    let (events, silent) = app.monitor.events(snapshot);
    let silent = silent.map(|why| format!("{} {}", t.events_of_pulse_missing, t.told(&why)));
    let events = Events {
        t,
        oob,
        silent: silent.as_deref(),
        events: &events,
    };
    parts.push(part(&events, &"events", None));
    Drawn {
        parts: parts.into(),
        lvs,
        step,
    }
}

/// Without a state of its own, all that it shows is its state.
pub(crate) fn part(template: &impl Template, subject: &impl Hash, state: Option<u64>) -> Part {
    let html = template.render().unwrap_or_default();
    let whole = digest(&html);
    let digests = Digests {
        subject: digest(subject),
        whole,
        state: state.unwrap_or(whole),
    };
    Part {
        digests,
        html: html.into(),
    }
}

/// Parts as they follow each other in a page.
pub(crate) fn html(parts: &[Part]) -> String {
    parts.iter().map(|part| &*part.html).collect()
}

fn digest(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn state<'a>(
    t: &'static Texts,
    snapshot: &'a Snapshot,
    audience: Audience,
    oob: bool,
) -> State<'a> {
    let pulse = snapshot.pulse.content();
    let lvs = snapshot.lvs.content();
    let phase = pulse.map_or("", |pulse| pulse.phase.as_str());
    let nannies = lvs
        .into_iter()
        .flat_map(|lvs| &lvs.services)
        .flat_map(|service| &service.servers);
    State {
        t,
        oob,
        may_change: audience.may_change,
        runs: snapshot.is_pulse_running(),
        role: pulse.map_or("", |pulse| role(t, &pulse.role)),
        phase: phase_name(t, phase),
        phase_class: match phase {
            "active" => "good",
            "standby" => "info",
            _ => "warn",
        },
        partner_state: pulse.map_or("", |pulse| partner_state(t, pulse)),
        partner_file: pulse.map_or("", |pulse| partner_file(t, pulse)),
        problems: problems(t, snapshot),
        pulse,
        lvs,
        nannies: nannies.filter(|server| server.nanny.is_some()).count(),
    }
}

pub(crate) fn role<'a>(t: &'static Texts, role: &'a str) -> &'a str {
    match role {
        "primary" => t.role_primary,
        "backup" => t.role_backup,
        other => other,
    }
}

pub(crate) fn phase_name<'a>(t: &'static Texts, phase: &'a str) -> &'a str {
    match phase {
        "active" => t.phase_active,
        "standby" => t.phase_standby,
        "activating" => t.phase_activating,
        "leaving" => t.phase_leaving,
        other => other,
    }
}

pub(crate) fn partner_state<'a>(t: &'static Texts, pulse: &'a Pulse) -> &'a str {
    let partner = &pulse.partner;
    match (&partner.address, &partner.phase, &partner.says) {
        (None, _, _) => t.partner_none,
        (_, Some(phase), _) => phase_name(t, phase),
        (_, None, Some(says)) => t.word(says),
        (_, None, None) => t.partner_silent,
    }
}

fn partner_file(t: &'static Texts, pulse: &Pulse) -> &'static str {
    match (&pulse.partner.address, &pulse.partner.configuration) {
        (None, _) => "",
        (_, Some(file)) if *file == pulse.configuration => t.partner_same_file,
        (_, Some(_)) => t.partner_other_file,
        (_, None) => t.partner_no_view,
    }
}

fn problems(t: &'static Texts, snapshot: &Snapshot) -> Vec<String> {
    let mut problems = Vec::new();
    match &snapshot.pulse {
        Reading::Missing => problems.push(t.pulse_missing.to_owned()),
        Reading::Unreadable(why) => problems.push(format!("{} {}", t.unreadable, t.told(why))),
        Reading::Broken(why) => problems.push(format!("{} {}", t.broken, t.told(why))),
        Reading::Read(pulse, _) => {
            if !snapshot.is_pulse_running() {
                problems.push(t.pulse_dead.to_owned());
            } else if let Some(silence) = snapshot.silence() {
                problems.push(format!("{} {}", t.pulse_silent, silence.as_secs()));
            }
            let trouble = pulse.trouble.iter();
            problems.extend(trouble.map(|text| t.told(text).into_owned()));
        }
    }
    match &snapshot.lvs {
        Reading::Missing if snapshot.is_pulse_running() => problems.push(t.lvs_missing.to_owned()),
        Reading::Missing => {}
        Reading::Unreadable(why) => problems.push(format!("{} {}", t.unreadable, t.told(why))),
        Reading::Broken(why) => problems.push(format!("{} {}", t.broken, t.told(why))),
        Reading::Read(..) if !snapshot.is_lvs_running() => problems.push(t.lvs_dead.to_owned()),
        Reading::Read(..) => {}
    }
    problems
}

pub(crate) fn service_part<'a>(
    t: &'static Texts,
    history: &History,
    now: std::time::Duration,
    service: &'a Service,
    audience: Audience,
    oob: bool,
) -> ServicePart<'a> {
    let up = service
        .servers
        .iter()
        .filter(|server| server.verdict == "up")
        .count();
    let draw = |figure, title| history.draw(now, &service.service, figure, title);
    ServicePart {
        t,
        oob,
        may_change: audience.may_change,
        id: id(&(&service.name, &service.service)),
        service,
        class: if up == service.servers.len() && up > 0 {
            "good"
        } else if up == 0 {
            "bad"
        } else {
            "warn"
        },
        up,
        connections_graph: draw(Figure::Connections, t.active_connections),
        rate_graph: draw(Figure::Rate, t.connections_per_second),
        rows: service
            .servers
            .iter()
            .map(|server| row(t, service, server))
            .collect(),
    }
}

/// A part's id in the page: whatever the name, only harmless characters.
pub(crate) fn id(subject: &impl Hash) -> String {
    format!("part-{:016x}", digest(subject))
}

fn row<'a>(t: &'static Texts, service: &Service, server: &'a Server) -> Row<'a> {
    let number = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    let mark = |verdict: &str| match verdict {
        "up" => '✓',
        "down" => '✗',
        _ => '?',
    };
    let verdict = match (&server.drained, server.health.as_str()) {
        (Some(_), _) => t.drained,
        (None, health) => verdict(t, health),
    };
    let reason = match (&server.drained, &server.refused) {
        (Some(drain), _) => drain_text(t, drain),
        (None, Some(refused)) => t.told(refused).into_owned(),
        (None, None) => t.told(&server.reason).into_owned(),
    };
    let weight = match server.weight {
        Some(weight) if weight == server.configured_weight => weight.to_string(),
        Some(weight) => format!("{weight} / {}", server.configured_weight),
        None => format!("– / {}", server.configured_weight),
    };
    let words: Vec<&str> = server
        .history
        .iter()
        .map(|check| t.word(&check.verdict))
        .collect();
    Row {
        server,
        class: if server.drained.is_some() {
            "warn"
        } else {
            verdict_class(&server.health)
        },
        verdict,
        key: format!("{}/{}", service.name, server.name),
        weight,
        active: number(server.active_connections),
        inactive: number(server.inactive_connections),
        checks: server
            .history
            .iter()
            .map(|check| mark(&check.verdict))
            .collect(),
        checks_label: words.join(", "),
        reason,
    }
}

/// Why and until when a server is drained.
pub(crate) fn drain_text(t: &'static Texts, drain: &crate::status::Drain) -> String {
    let until = drain
        .until
        .map(|until| format!("{} {}", t.drained_until, crate::time::millis(&until)));
    [Some(drain.why.clone()).filter(|why| !why.is_empty()), until]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

/// The word for a verdict.
pub(crate) fn verdict(t: &'static Texts, verdict: &str) -> &'static str {
    match verdict {
        "up" => t.up,
        "down" => t.down,
        _ => t.unchecked,
    }
}

/// The colour of a verdict.
pub(crate) fn verdict_class(verdict: &str) -> &'static str {
    match verdict {
        "up" => "good",
        "down" => "bad",
        _ => "quiet",
    }
}

/// The last changes of servers, newest first.
pub(crate) fn events_of(lvs: &Lvs) -> Vec<Event> {
    let mut checks: Vec<Checked<'_>> = Vec::new();
    for service in &lvs.services {
        for server in &service.servers {
            let of = |check| Checked {
                check,
                service,
                server,
            };
            checks.extend(server.history.iter().map(of));
        }
    }
    // Thousands of servers have tens of thousands of checks.
    if checks.len() > EVENTS {
        checks.select_nth_unstable_by(EVENTS, |a, b| a.order().cmp(&b.order()));
        checks.truncate(EVENTS);
    }
    let mut events: Vec<_> = checks.iter().map(Checked::event).collect();
    newest(&mut events);
    events
}

/// A check of a server.
struct Checked<'a> {
    check: &'a Check,
    service: &'a Service,
    server: &'a Server,
}

impl Checked<'_> {
    /// The newest first.
    fn order(&self) -> (Reverse<u64>, &str, &str) {
        let at = Reverse(self.check.at);
        (at, &self.service.name, &self.server.name)
    }

    fn event(&self) -> Event {
        Event {
            at: self.check.at,
            source: format!("{}/{}", self.service.name, self.server.name),
            text: format!("{} {}", self.check.verdict, self.check.reason),
        }
    }
}

/// Keeps the newest, in their order.
pub(crate) fn newest(events: &mut Vec<Event>) {
    events.sort_unstable_by(|a, b| b.at.cmp(&a.at).then_with(|| a.cmp(b)));
    events.truncate(EVENTS);
}
