//! The table as lvs.cf and the verdicts want it.
//!
//! One function answers for start, reload, repair and recovery alike; it reads no clock and writes nothing.

use std::collections::BTreeSet;

use ipvs::{Entry, ServerId, ServiceId, Table};

use crate::health::{Health, HealthMap, Key};
use crate::plan::{Plan, ServerPlan, ServicePlan};

/// Whether the services are to be in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are served here.
    Active,
    /// The partner serves them; checks may run, the table stays empty.
    Standby,
}

/// The table that should be, as far as it is lvs's own: every service of the plan, or none.
///
/// A server without a verdict stays as it is in `actual`, present or absent.
///
/// Servers that are `finishing` take no new connections: inactive ones stay with weight 0 where they are found.
pub fn desired(
    plan: &Plan,
    health: &HealthMap,
    finishing: &BTreeSet<Key>,
    actual: &Table,
    mode: Mode,
) -> Table {
    match mode {
        Mode::Standby => Table::new(),
        Mode::Active => plan
            .services
            .iter()
            .map(|(id, service)| (*id, entry(service, health, finishing, actual.get(id))))
            .collect(),
    }
}

/// The part of a table that lvs may write: its own services.
pub fn restricted(table: &Table, own: &BTreeSet<ServiceId>) -> Table {
    table
        .iter()
        .filter(|(id, _)| own.contains(id))
        .map(|(id, entry)| (*id, entry.clone()))
        .collect()
}

fn entry(
    plan: &ServicePlan,
    health: &HealthMap,
    finishing: &BTreeSet<Key>,
    actual: Option<&Entry>,
) -> Entry {
    let found = |id: &ServerId| actual.and_then(|entry| entry.servers.get(id));
    let mut wanted = Entry {
        service: plan.service.clone(),
        servers: Default::default(),
    };
    let mut undecided = false;
    for (id, server) in &plan.servers {
        let key = (plan.service.id, *id);
        let verdict = health.get(&key);
        undecided |= verdict == Health::Unknown;
        // The sorry server's entry is no sign that the real server of the same address is in use.
        let found = found(id).filter(|_| plan.sorry.as_ref().is_none_or(|sorry| sorry.id != *id));
        if let Some(weight) = weight(plan, verdict, found) {
            let weight = if finishing.contains(&key) { 0 } else { weight };
            wanted.servers.insert(
                *id,
                ipvs::Server {
                    weight,
                    ..server.entry.clone()
                },
            );
        }
    }
    for (id, (_, server)) in &plan.inactive {
        if finishing.contains(&(plan.service.id, *id)) && found(id).is_some() {
            let (weight, server) = (0, server.clone());
            wanted
                .servers
                .insert(*id, ipvs::Server { weight, ..server });
        }
    }
    if let Some(sorry) = &plan.sorry {
        let usable = wanted.servers.values().any(|server| server.weight > 0);
        let needed = !usable && (!undecided || found(&sorry.id).is_some());
        if needed {
            wanted.servers.insert(sorry.id, sorry.clone());
        }
    }
    wanted
}

/// The weight a server should have in the table; `None`: it should not be there.
fn weight(plan: &ServicePlan, verdict: Health, found: Option<&ipvs::Server>) -> Option<i32> {
    match verdict {
        Health::Unknown => found.map(|server| server.weight),
        Health::Up(weight) => Some(weight),
        // What is not there needs no weight 0: nothing would be kept by it.
        Health::Down => found.filter(|_| plan.quiesce).map(|_| 0),
    }
}

/// The weight of a server in use after its weight in lvs.cf changed: at once, but a server that is still
/// being ramped up goes on from where it is.
pub fn reweighted(current: i32, old: &ServerPlan, new: &ServerPlan) -> i32 {
    if current >= old.entry.weight {
        new.entry.weight
    } else {
        current.min(new.entry.weight)
    }
}
