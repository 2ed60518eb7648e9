//! What is known of each server: the last verdict of its checker.
//!
//! Holds what was reported; decides nothing.

use std::collections::{BTreeMap, VecDeque};

use ipvs::{ServerId, ServiceId};

use crate::time::Now;

/// A server of a service; the same machine in two services is checked twice.
pub type Key = (ServiceId, ServerId);

/// The last verdict on one server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Health {
    /// No checker has spoken yet; the server's entry stays as it is found.
    #[default]
    Unknown,
    /// In use with this weight.
    Up(i32),
    /// Out of use.
    Down,
}

/// One change of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Now,
    /// What came.
    pub health: Health,
    /// The checker's words, empty when it gave none.
    pub reason: String,
}

/// How many changes are remembered for the status.
const REMEMBERED: usize = 10;

/// The verdict on one server with its history. A checker's death does not change it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The verdict in force.
    pub health: Health,
    /// Newest last.
    pub history: VecDeque<Change>,
    /// How many changes there were, those that are forgotten included.
    pub changes: u64,
}

impl Record {
    /// The change that brought the verdict in force; weight steps do not count.
    pub fn since(&self) -> Option<&Change> {
        let same = std::mem::discriminant(&self.health);
        self.history
            .iter()
            .rev()
            .find(|change| std::mem::discriminant(&change.health) == same)
    }
}

/// All verdicts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthMap(BTreeMap<Key, Record>);

impl HealthMap {
    /// The verdict on a server; [`Health::Unknown`] when nobody has spoken of it.
    pub fn get(&self, key: &Key) -> Health {
        self.0
            .get(key)
            .map(|record| record.health.clone())
            .unwrap_or_default()
    }

    /// The verdict with its history.
    pub fn record(&self, key: &Key) -> Option<&Record> {
        self.0.get(key)
    }

    /// Takes a verdict in; whether it differs from the one before.
    pub fn report(&mut self, at: Now, key: Key, health: Health, reason: String) -> bool {
        let record = self.0.entry(key).or_default();
        let changed = record.health != health;
        let turned = std::mem::discriminant(&record.health) != std::mem::discriminant(&health);
        record.health = health.clone();
        if turned {
            record.changes += 1;
            record.history.push_back(Change { at, health, reason });
            if record.history.len() > REMEMBERED {
                record.history.pop_front();
            }
        }
        changed
    }

    /// Forgets servers that are no longer configured.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key) -> bool) {
        self.0.retain(|key, _| keep(key));
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use ipvs::Family;

    use super::*;

    fn key() -> Key {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        (
            ServiceId::Mark {
                mark: 1,
                family: Family::V4,
            },
            ServerId { address, port: 80 },
        )
    }

    #[test]
    fn weight_steps_are_changes_but_not_history() {
        let mut map = HealthMap::default();
        assert!(map.report(Now::at(1), key(), Health::Up(1), String::new()));
        assert!(map.report(Now::at(2), key(), Health::Up(2), String::new()));
        assert!(!map.report(Now::at(3), key(), Health::Up(2), String::new()));
        assert_eq!(map.record(&key()).unwrap().history.len(), 1);
        assert_eq!(map.record(&key()).unwrap().since().unwrap().at, Now::at(1));
    }

    #[test]
    fn history_is_bounded() {
        let mut map = HealthMap::default();
        for n in 0..50 {
            map.report(Now::at(n), key(), Health::Up(1), String::new());
            map.report(Now::at(n), key(), Health::Down, "refused".into());
        }
        assert_eq!(map.record(&key()).unwrap().history.len(), REMEMBERED);
        assert_eq!(map.record(&key()).unwrap().changes, 100);
    }
}
