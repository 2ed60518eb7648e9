//! When the addresses may follow: the rule of `ready` without its time limit.
//!
//! Looks at values only.

use ipvs::Table;

use crate::health::{Health, HealthMap};
use crate::plan::Plan;

/// Whether each service has a server in the table that takes connections, or else has no check outstanding.
pub fn ready(plan: &Plan, health: &HealthMap, actual: &Table) -> bool {
    plan.services.iter().all(|(id, service)| {
        let served = actual
            .get(id)
            .is_some_and(|entry| entry.servers.values().any(|server| server.weight > 0));
        served
            || service
                .servers
                .keys()
                .all(|server| health.get(&(*id, *server)) != Health::Unknown)
    })
}
