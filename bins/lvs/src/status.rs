//! `lvs.json`: what lvs does and why, for people and other programs.
//!
//! A picture of the state; decides nothing. Times are milliseconds of the Unix epoch.

use serde::Serialize;

use crate::connections::{Connections, Count, Counters};
use crate::core::{Batches, Core};
use crate::desired::Mode;
use crate::drains::Drain;
use crate::health::{Health, Key, Record};
use crate::identity;
use crate::plan::{ServerPlan, ServicePlan};

/// File name in the run-time folder.
pub const FILE: &str = "lvs.json";

#[derive(Serialize)]
struct Status<'a> {
    version: &'static str,
    pid: u32,
    mode: &'static str,
    table: Size,
    batches: Batches,
    services: Vec<Service<'a>>,
    notes: &'a [String],
    audit: Audit,
}

#[derive(Serialize)]
struct Audit {
    count: u64,
    /// Milliseconds from asking for the table to having compared it.
    last_ms: f64,
}

/// Of the table as last read or written, with the services of others.
#[derive(Serialize)]
struct Size {
    services: usize,
    servers: usize,
}

#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
    service: String,
    scheduler: &'a str,
    /// Whether it is in the table.
    present: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<&'a Counters>,
    servers: Vec<Server<'a>>,
    /// Inactive servers that still have connections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    leaving: Vec<Leaving<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sorry_server: Option<Sorry>,
}

#[derive(Serialize)]
struct Server<'a> {
    name: &'a str,
    server: String,
    check_port: u16,
    health: &'static str,
    /// The last verdict, which stands while no checker runs.
    verdict: &'static str,
    reason: &'a str,
    since: Option<u64>,
    /// Weight in the table; absent: not there.
    weight: Option<i32>,
    configured_weight: i32,
    nanny: Option<i32>,
    /// How often the verdict changed.
    changes: u64,
    /// How long the last check took.
    #[serde(skip_serializing_if = "Option::is_none")]
    check_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_connections: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inactive_connections: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<Counters>,
    /// Taken out of service by people, here only.
    #[serde(skip_serializing_if = "Option::is_none")]
    drained: Option<&'a Drain>,
    history: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Leaving<'a> {
    name: &'a str,
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_connections: Option<u64>,
}

#[derive(Serialize)]
struct Change<'a> {
    at: u64,
    verdict: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Sorry {
    server: String,
    in_use: bool,
}

/// The content of the file.
pub fn content(core: &Core) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(&picture(core)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The same as a value.
pub fn value(core: &Core) -> serde_json::Value {
    serde_json::to_value(picture(core)).unwrap_or_default()
}

fn picture(core: &Core) -> Status<'_> {
    let connections = core.connections();
    Status {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        mode: match core.mode() {
            Some(Mode::Active) => "active",
            Some(Mode::Standby) => "standby",
            Some(Mode::Relaying(_)) => "relaying",
            None => "waiting",
        },
        table: Size {
            services: core.record().len(),
            servers: core
                .record()
                .values()
                .map(|entry| entry.servers.len())
                .sum(),
        },
        batches: core.batches(),
        services: core
            .plan()
            .in_order()
            .map(|plan| service(core, plan, connections))
            .collect(),
        notes: &core.plan().notes,
        audit: Audit {
            count: core.audits().count,
            last_ms: core.audits().last.as_secs_f64() * 1_000.0,
        },
    }
}

fn service<'a>(
    core: &'a Core,
    plan: &'a ServicePlan,
    connections: Option<&'a Connections>,
) -> Service<'a> {
    let id = plan.service.id;
    let entry = core.record().get(&id);
    Service {
        name: &plan.name,
        service: identity::service_text(&id),
        scheduler: &plan.service.scheduler,
        present: entry.is_some(),
        refused: core
            .troubles()
            .get(&(id, None))
            .map(|trouble| trouble.message.as_str()),
        counters: connections.and_then(|connections| connections.services.get(&id)),
        servers: plan
            .servers
            .values()
            .map(|server| self::server(core, plan, server, connections))
            .collect(),
        leaving: plan
            .inactive
            .iter()
            .filter(|(server, _)| core.is_finishing(&(id, **server)))
            .map(|(server, (name, _))| Leaving {
                name,
                server: identity::server_text(server),
                active_connections: count(connections, &(id, *server)).map(|count| count.active),
            })
            .collect(),
        sorry_server: plan.sorry.as_ref().map(|sorry| Sorry {
            server: identity::server_text(&sorry.id),
            in_use: !plan.servers.contains_key(&sorry.id)
                && entry.is_some_and(|entry| entry.servers.contains_key(&sorry.id)),
        }),
    }
}

fn count<'a>(connections: Option<&'a Connections>, key: &Key) -> Option<&'a Count> {
    connections?.servers.get(key)
}

fn server<'a>(
    core: &'a Core,
    service_plan: &'a ServicePlan,
    plan: &'a ServerPlan,
    connections: Option<&Connections>,
) -> Server<'a> {
    let service = service_plan.service.id;
    let key: Key = (service, plan.entry.id);
    let record = core.health().record(&key);
    let since = record.and_then(Record::since);
    let verdict = word(&core.health().get(&key));
    let slot = core.slot(&key);
    let nanny = slot.and_then(|slot| slot.process.pid());
    let entry = core
        .record()
        .get(&service)
        .and_then(|entry| entry.servers.get(&key.1));
    let place = (service, Some(key.1));
    let count = count(connections, &key);
    Server {
        name: &plan.name,
        server: identity::server_text(&key.1),
        check_port: plan.check_port,
        health: if nanny.is_some() { verdict } else { "unknown" },
        verdict,
        reason: since.map_or("", |change| &change.reason),
        since: since.map(|change| change.at.wall),
        weight: entry.map(|server| server.weight),
        configured_weight: plan.entry.weight,
        nanny,
        changes: record.map_or(0, |record| record.changes),
        check_ms: slot
            .and_then(|slot| slot.took)
            .map(|took| took.as_secs_f64() * 1_000.0),
        refused: core
            .troubles()
            .get(&place)
            .map(|trouble| trouble.message.as_str()),
        active_connections: count.map(|count| count.active),
        inactive_connections: count.map(|count| count.inactive),
        counters: count.and_then(|count| count.counters),
        drained: core
            .is_finishing(&key)
            .then(|| {
                let name = format!("{}/{}", service_plan.name, plan.name);
                core.drains().get(&name)
            })
            .flatten(),
        history: record.map(history).unwrap_or_default(),
    }
}

fn history(record: &Record) -> Vec<Change<'_>> {
    let change = |change: &'_ crate::health::Change| (change.at.wall, word(&change.health));
    record
        .history
        .iter()
        .map(|entry| {
            let (at, verdict) = change(entry);
            Change {
                at,
                verdict,
                reason: &entry.reason,
            }
        })
        .collect()
}

const fn word(health: &Health) -> &'static str {
    match health {
        Health::Unknown => "unknown",
        Health::Up(_) => "up",
        Health::Down => "down",
    }
}
