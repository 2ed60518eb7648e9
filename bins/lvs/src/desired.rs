//! The table as lvs.cf and the verdicts want it.
//!
//! One function answers for start, reload, repair and recovery alike; it reads no clock and writes nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipvs::{Entry, Family, Forward, Server, ServerId, Service, ServiceId, Table};

use crate::health::{Health, HealthMap, Key};
use crate::plan::{Plan, ServerPlan, ServicePlan};

/// Whether the services are to be in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are served here.
    Active,
    /// The partner serves them; checks may run, the table stays empty.
    Standby,
    /// What is connected is served here, new connections go to another router that has the same
    /// services.
    Relaying(Ipv4Addr),
}

impl Mode {
    /// Whether lvs.cf's services are in the table.
    pub const fn serves(self) -> bool {
        matches!(self, Self::Active | Self::Relaying(_))
    }
}

/// Schedulers that find a server by hashing, also one with weight 0.
const HASHING: [&str; 3] = ["dh", "sh", "mh"];

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
    if mode == Mode::Standby {
        return Table::new();
    }
    let wanted = |(id, service): (&ServiceId, &ServicePlan)| {
        let entry = entry(service, health, finishing, actual.get(id));
        match mode {
            Mode::Relaying(router) => (*id, relayed(*id, entry, router)),
            Mode::Active | Mode::Standby => (*id, entry),
        }
    };
    plan.services.iter().map(wanted).collect()
}

/// The servers keep their connections; the only one that gets new ones is the other router, with the
/// packets as they came.
fn relayed(id: ServiceId, mut entry: Entry, router: Ipv4Addr) -> Entry {
    let port = match id {
        ServiceId::Address { port, .. } => port,
        ServiceId::Mark { .. } => 0,
    };
    if id.family() != Family::V4 {
        return entry;
    }
    for server in entry.servers.values_mut() {
        server.weight = 0;
    }
    let address = IpAddr::V4(router);
    let server = Server {
        id: ServerId { address, port },
        forward: Forward::DirectRoute,
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
    };
    entry.servers.insert(server.id, server);
    let hashing = HASHING.contains(&entry.service.scheduler.as_str());
    if hashing {
        entry.service.scheduler = "wlc".to_owned();
        entry.service.scheduler_flags = 0;
    }
    if port != 0 {
        // It would send clients to the servers that they had; the kernel asks for it where the
        // port is any.
        entry.service = Service {
            persistence: None,
            engine: None,
            ..entry.service
        };
    }
    entry
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
