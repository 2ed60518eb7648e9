//! Servers that finish what they have: drained by people, or made inactive in lvs.cf.
//!
//! The former keep weight 0 until they are enabled; the latter are removed when their connections are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use ipvs::Operation;

use super::{Action, Core, Line};
use crate::connections::Connections;
use crate::desired::{Mode, desired, restricted};
use crate::drains::{Drain, Drains};
use crate::health::{Health, HealthMap, Key};
use crate::plan::Plan;
use crate::time::Now;

/// The longest reason that is kept, in characters.
const WHY: usize = 500;

impl Core {
    /// Takes in what an earlier run was asked for.
    pub fn set_drains(&mut self, drains: Drains) {
        self.drains = drains;
        self.find_finishing();
    }

    /// What people asked for, by `VIRTUAL/SERVER`.
    pub const fn drains(&self) -> &Drains {
        &self.drains
    }

    /// Whether a server takes no new connections.
    pub fn is_finishing(&self, key: &Key) -> bool {
        self.finishing.contains(key)
    }

    /// Lets a server finish what it has, for so long or until it is enabled.
    pub fn drain(
        &mut self,
        now: Now,
        name: &str,
        time: Option<Duration>,
        why: &str,
    ) -> Result<(), String> {
        let known = self.plan.in_order().any(|service| {
            let mut servers = service.servers.values();
            servers.any(|server| format!("{}/{}", service.name, server.name) == name)
        });
        if !known {
            return Err(format!("no active server {name}"));
        }
        // One line of the log, whatever the text.
        let why: String = why
            .chars()
            .filter(|letter| !letter.is_control())
            .take(WHY)
            .collect();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let drain = Drain {
            since: now.wall,
            until: time.map(|time| now.wall.saturating_add(millis(time))),
            why: why.clone(),
        };
        let reason = if why.is_empty() {
            String::new()
        } else {
            format!(" ({why})")
        };
        self.log(Line::about(name, format!("draining {name}{reason}")));
        self.drains.insert(name.to_owned(), drain);
        self.drains_changed(now);
        Ok(())
    }

    /// Lets a drained server take connections again.
    pub fn enable(&mut self, now: Now, name: &str) -> Result<(), String> {
        if self.drains.remove(name).is_none() {
            return Err(format!("{name} is not drained"));
        }
        self.log(Line::about(name, format!("enabling {name}")));
        self.drains_changed(now);
        Ok(())
    }

    /// Ends drains whose time is over.
    pub(super) fn end_drains(&mut self, now: Now) {
        let over = |drain: &Drain| drain.until.is_some_and(|until| until <= now.wall);
        let ended: Vec<String> = self
            .drains
            .iter()
            .filter(|(_, drain)| over(drain))
            .map(|(name, _)| name.clone())
            .collect();
        for name in &ended {
            self.drains.remove(name);
            let text = format!("enabling {name}: the time of its drain is over");
            self.log(Line::about(name, text));
        }
        if !ended.is_empty() {
            self.drains_changed(now);
        }
    }

    fn drains_changed(&mut self, now: Now) {
        self.actions.push_back(Action::Drains(self.drains.clone()));
        self.find_finishing();
        self.table.window.urgent(now.steady);
        self.changed = true;
    }

    pub(super) fn find_finishing(&mut self) {
        self.finishing = finishing(&self.plan, &self.drains, self.departing.keys());
    }

    /// Servers of `old` that the plan has as inactive leave when their connections are gone.
    pub(super) fn depart(&mut self, now: Now, old: &Plan) {
        let plan = &self.plan;
        self.departing.retain(|key, _| plan.is_inactive(key));
        let record = self.table.record();
        let stands = |key: &Key| {
            let entry = record.get(&key.0);
            entry.is_some_and(|entry| entry.servers.contains_key(&key.1))
        };
        for key in newly_inactive(old, plan).into_iter().filter(stands) {
            self.departing.entry(key).or_insert(now.steady);
        }
        if !self.departing.is_empty() {
            self.count_soon(now.steady);
        }
        self.find_finishing();
    }

    /// After a start: inactive servers that an earlier run left in the table.
    pub(super) fn depart_found(&mut self, now: Duration) {
        for (id, service) in &self.plan.services {
            let Some(entry) = self.table.record().get(id) else {
                continue;
            };
            for server in service.inactive.keys() {
                if entry.servers.contains_key(server) {
                    self.departing.insert((*id, *server), now);
                }
            }
        }
        self.find_finishing();
    }

    /// When the time of the first of those that leave is over.
    pub(super) fn departures_end(&self) -> Option<Duration> {
        let first = self.departing.values().min()?;
        Some(*first + self.plan.drain_limit)
    }

    /// Lets those go whose time is over.
    pub(super) fn end_departures(&mut self, now: Duration) {
        let limit = self.plan.drain_limit;
        let over: Vec<Key> = self
            .departing
            .iter()
            .filter(|(_, since)| now.saturating_sub(**since) >= limit)
            .map(|(key, _)| *key)
            .collect();
        self.departed(now, &over, "its time is over");
    }

    /// Lets those of the `quiet` servers go that have no connection left.
    pub(super) fn end_quiet(
        &mut self,
        now: Duration,
        quiet: &BTreeSet<Key>,
        connections: &Connections,
    ) {
        let count = |key: &Key| connections.servers.get(key);
        let busy = |key: &Key| count(key).is_some_and(|count| count.active > 0);
        let done: Vec<Key> = self
            .departing
            .keys()
            .filter(|key| quiet.contains(key) && !busy(key))
            .copied()
            .collect();
        self.departed(now, &done, "no connection is left");
    }

    fn departed(&mut self, now: Duration, keys: &[Key], why: &str) {
        for key in keys {
            self.departing.remove(key);
            let service = self.plan.services.get(&key.0);
            let name = service.and_then(|service| {
                let (server, _) = service.inactive.get(&key.1)?;
                Some(format!("{}/{server}", service.name))
            });
            if let Some(name) = name {
                let text = format!("removing {name}, which is inactive: {why}");
                self.log(Line::about(&name, text));
            }
        }
        if !keys.is_empty() {
            self.find_finishing();
            self.table.window.urgent(now);
            self.changed = true;
        }
    }

    /// The changes of the table that a reload with `plan` would make now.
    pub fn preview(&self, plan: &Plan) -> Vec<Operation> {
        let mode = self.mode.unwrap_or(Mode::Standby);
        let mut health = self.health.clone();
        reweight(&mut health, Now::default(), &self.plan, plan);
        health.retain(|key| plan.server_name(key).is_some());
        let mut departing: BTreeSet<Key> = newly_inactive(&self.plan, plan).into_iter().collect();
        let leaving = self.departing.keys().filter(|key| plan.is_inactive(key));
        departing.extend(leaving);
        let finishing = finishing(plan, &self.drains, departing.iter());
        let record = self.table.record();
        let wanted = desired(plan, &health, &finishing, record, mode);
        let own = self.table.own(plan, mode);
        ipvs::diff(&restricted(record, &own), &wanted)
    }
}

fn finishing<'a>(
    plan: &Plan,
    drains: &Drains,
    departing: impl Iterator<Item = &'a Key>,
) -> BTreeSet<Key> {
    let mut finishing: BTreeSet<Key> = departing.copied().collect();
    if drains.is_empty() {
        return finishing;
    }
    for (id, service) in &plan.services {
        for (server, server_plan) in &service.servers {
            if drains.contains_key(&format!("{}/{}", service.name, server_plan.name)) {
                finishing.insert((*id, *server));
            }
        }
    }
    finishing
}

/// Servers of `old` that are inactive in `new`.
fn newly_inactive(old: &Plan, new: &Plan) -> Vec<Key> {
    let mut keys = Vec::new();
    for (id, service) in &new.services {
        let Some(before) = old.services.get(id) else {
            continue;
        };
        let left = service.inactive.keys();
        let left = left.filter(|server| before.servers.contains_key(server));
        keys.extend(left.map(|server| (*id, *server)));
    }
    keys
}

/// Weights of lvs.cf that changed apply at once to servers in use (B25).
pub(super) fn reweight(health: &mut HealthMap, now: Now, old: &Plan, new: &Plan) {
    let mut reports = Vec::new();
    for (id, service) in &new.services {
        let Some(before) = old.services.get(id) else {
            continue;
        };
        for (server, new) in &service.servers {
            let Some(old) = before.servers.get(server) else {
                continue;
            };
            let key = (*id, *server);
            if let Health::Up(current) = health.get(&key)
                && old.entry.weight != new.entry.weight
            {
                let weight = crate::desired::reweighted(current, old, new);
                reports.push((key, Health::Up(weight)));
            }
        }
    }
    for (key, verdict) in reports {
        health.report(now, key, verdict, String::new());
    }
}
