//! The daemons' status files as this tool reads them. What an older or newer daemon does not write
//! is left out; nothing here decides anything.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// `pulse.json`. Times are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pulse {
    pub(crate) pid: u32,
    pub(crate) role: String,
    pub(crate) phase: String,
    pub(crate) since: u64,
    pub(crate) why: Option<String>,
    pub(crate) epoch: u64,
    pub(crate) serving: bool,
    pub(crate) trouble: Vec<String>,
    pub(crate) partner: Partner,
    pub(crate) paths: Vec<Way>,
    pub(crate) vips: Vec<Vip>,
    pub(crate) configuration: File,
    pub(crate) witness: Option<bool>,
    pub(crate) conflicts: u64,
    pub(crate) last_conflict: Option<Conflict>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Partner {
    pub(crate) address: Option<String>,
    pub(crate) says: Option<String>,
    pub(crate) phase: Option<String>,
    pub(crate) configuration: Option<File>,
    pub(crate) able: Option<bool>,
}

/// Which lvs.cf.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    pub(crate) serial_no: i64,
    pub(crate) digest: String,
}

/// A heartbeat path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Way {
    pub(crate) path: String,
    pub(crate) state: String,
    pub(crate) says: Option<String>,
    pub(crate) last_heard: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Vip {
    pub(crate) address: String,
    pub(crate) device: String,
    pub(crate) up: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Conflict {
    pub(crate) address: String,
    pub(crate) mac: String,
    pub(crate) at: u64,
}

/// `lvs.json`. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lvs {
    pub(crate) pid: u32,
    pub(crate) mode: String,
    /// Shared with the version of the file before it where nothing changed.
    pub(crate) services: Vec<Arc<Service>>,
    pub(crate) notes: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) scheduler: String,
    pub(crate) present: bool,
    pub(crate) refused: Option<String>,
    pub(crate) counters: Option<Counters>,
    pub(crate) servers: Vec<Server>,
    pub(crate) leaving: Vec<Leaving>,
    pub(crate) sorry_server: Option<Sorry>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counters {
    pub(crate) connections: u64,
    pub(crate) in_bytes: u64,
    pub(crate) out_bytes: u64,
    pub(crate) connections_per_second: u64,
    pub(crate) in_bytes_per_second: u64,
    pub(crate) out_bytes_per_second: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) check_port: u16,
    pub(crate) health: String,
    pub(crate) verdict: String,
    pub(crate) reason: String,
    pub(crate) since: Option<u64>,
    pub(crate) weight: Option<i64>,
    pub(crate) configured_weight: i64,
    pub(crate) nanny: Option<i32>,
    pub(crate) refused: Option<String>,
    pub(crate) active_connections: Option<u64>,
    pub(crate) inactive_connections: Option<u64>,
    pub(crate) counters: Option<Counters>,
    pub(crate) drained: Option<Drain>,
    pub(crate) history: Vec<Check>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Drain {
    pub(crate) since: u64,
    pub(crate) until: Option<u64>,
    pub(crate) why: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Leaving {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) active_connections: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sorry {
    pub(crate) server: String,
    pub(crate) in_use: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Check {
    pub(crate) at: u64,
    pub(crate) verdict: String,
    pub(crate) reason: String,
}

impl Pulse {
    /// Whether the partner says that it follows another lvs.cf.
    pub(crate) fn has_other_file(&self) -> bool {
        let partner = self.partner.configuration.as_ref();
        partner.is_some_and(|file| *file != self.configuration)
    }
}

impl Service {
    /// A digest of all that is not a figure: what stays the same while connections come and go.
    pub(crate) fn state(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.name, &self.service, self.present, &self.refused).hash(&mut hasher);
        (&self.sorry_server, self.servers.len(), self.leaving.len()).hash(&mut hasher);
        for server in &self.servers {
            server.state().hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Connections of all its servers.
    pub(crate) fn active_connections(&self) -> u64 {
        self.servers
            .iter()
            .filter_map(|server| server.active_connections)
            .sum()
    }
}

impl Server {
    /// A digest of all that is not a figure.
    pub(crate) fn state(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.name, &self.verdict, &self.health, self.weight).hash(&mut hasher);
        (&self.drained, &self.refused, self.since).hash(&mut hasher);
        let last = self.history.last().map(|check| check.at);
        (self.history.len(), last).hash(&mut hasher);
        hasher.finish()
    }
}
