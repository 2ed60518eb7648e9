//! What the metrics need of the status files. Unknown fields are for others; what an `Option` or a default
//! stands for may be missing, a file without any other field counts as missing.

use std::borrow::Cow;

use serde::Deserialize;

/// The content of `pulse.json`; `None` where it is not that.
pub(crate) fn pulse(content: &[u8]) -> Option<Pulse<'_>> {
    serde_json::from_slice(content).ok()
}

/// The content of `lvs.json`; `None` where it is not that.
pub(crate) fn lvs(content: &[u8]) -> Option<Lvs<'_>> {
    serde_json::from_slice(content).ok()
}

#[derive(Deserialize)]
pub(crate) struct Pulse<'a> {
    #[serde(borrow)]
    pub(crate) role: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) phase: Cow<'a, str>,
    pub(crate) since: Option<u64>,
    pub(crate) epoch: Option<u64>,
    pub(crate) serving: Option<bool>,
    pub(crate) activations: Option<u64>,
    #[serde(default, borrow)]
    pub(crate) trouble: Vec<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub(crate) partner: Partner<'a>,
    #[serde(default, borrow)]
    pub(crate) paths: Vec<Way<'a>>,
    #[serde(default, borrow)]
    pub(crate) vips: Vec<Vip<'a>>,
    #[serde(borrow)]
    pub(crate) configuration: Option<Configuration<'a>>,
    pub(crate) witness: Option<bool>,
    #[serde(default)]
    pub(crate) refused: Refused,
    pub(crate) conflicts: Option<u64>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Partner<'a> {
    #[serde(borrow)]
    pub(crate) says: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) configuration: Option<Configuration<'a>>,
    pub(crate) able: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct Configuration<'a> {
    pub(crate) serial_no: i32,
    #[serde(borrow)]
    pub(crate) digest: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(crate) struct Way<'a> {
    #[serde(borrow)]
    pub(crate) path: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) state: Cow<'a, str>,
    pub(crate) last_heard: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Vip<'a> {
    #[serde(borrow)]
    pub(crate) address: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) device: Cow<'a, str>,
    pub(crate) up: bool,
}

#[derive(Deserialize, Default)]
pub(crate) struct Refused {
    pub(crate) stranger: Option<u64>,
    pub(crate) short: Option<u64>,
    pub(crate) incompatible: Option<u64>,
    pub(crate) untagged: Option<u64>,
    pub(crate) forged: Option<u64>,
    pub(crate) reflected: Option<u64>,
    pub(crate) replayed: Option<u64>,
    pub(crate) stale: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Lvs<'a> {
    #[serde(borrow)]
    pub(crate) version: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) mode: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(crate) services: Vec<Service<'a>>,
    pub(crate) audit: Option<Audit>,
    pub(crate) table: Option<Table>,
    pub(crate) batches: Option<Batches>,
}

#[derive(Deserialize)]
pub(crate) struct Audit {
    pub(crate) count: u64,
    pub(crate) last_ms: f64,
}

#[derive(Deserialize)]
pub(crate) struct Table {
    pub(crate) services: u64,
    pub(crate) servers: u64,
}

#[derive(Deserialize)]
pub(crate) struct Batches {
    pub(crate) count: u64,
    pub(crate) operations: u64,
}

#[derive(Deserialize)]
pub(crate) struct Service<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    /// As options of ipvsadm: `-t 192.0.2.80:80`.
    #[serde(borrow)]
    pub(crate) service: Cow<'a, str>,
    pub(crate) present: bool,
    #[serde(borrow)]
    pub(crate) refused: Option<Cow<'a, str>>,
    pub(crate) counters: Option<Counters>,
    #[serde(default, borrow)]
    pub(crate) servers: Vec<Server<'a>>,
    pub(crate) sorry_server: Option<Sorry>,
}

#[derive(Deserialize)]
pub(crate) struct Server<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) server: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) verdict: Cow<'a, str>,
    pub(crate) weight: Option<i32>,
    pub(crate) configured_weight: Option<i32>,
    pub(crate) nanny: Option<i32>,
    pub(crate) changes: Option<u64>,
    pub(crate) check_ms: Option<f64>,
    pub(crate) active_connections: Option<u64>,
    pub(crate) inactive_connections: Option<u64>,
    pub(crate) counters: Option<Counters>,
    pub(crate) drained: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Clone, Copy)]
pub(crate) struct Counters {
    pub(crate) connections: u64,
    pub(crate) in_packets: u64,
    pub(crate) out_packets: u64,
    pub(crate) in_bytes: u64,
    pub(crate) out_bytes: u64,
}

#[derive(Deserialize)]
pub(crate) struct Sorry {
    pub(crate) in_use: bool,
}
