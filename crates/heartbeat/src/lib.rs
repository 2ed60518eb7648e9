//! Heartbeats between two routers and the decisions that follow from them.
//!
//! Owns the wire format and the failover state machine of pulse: `(now, event) → actions`.
//! Must not touch sockets, clocks, logging or an executor: time is an argument.

pub mod auth;
mod clash;
mod counters;
mod events;
mod extended;
mod links;
mod lvs_watch;
mod mac;
mod machine;
mod partner;
mod path;
mod settings;
mod vip_watch;
pub mod wire;

pub use clash::{Clash, Stand};
pub use counters::Counters;
pub use events::{Action, Cause, Event, Notice};
pub use extended::Extended;
pub use links::Links;
pub use mac::{Mac, Macs};
pub use machine::{Identity, Machine};
pub use path::{Path, PathHealth, PathStatus};
pub use settings::{Configuration, Phase, Role, Settings};
pub use wire::{Heartbeat, WireError, Word};
