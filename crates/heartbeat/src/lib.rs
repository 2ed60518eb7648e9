//! Heartbeats between two routers and the decisions that follow from them.
//!
//! Owns the wire format and the failover state machine of pulse: `(now, event) → actions`.
//! Must not touch sockets, clocks, logging or an executor: time is an argument.

pub mod auth;
mod events;
mod extended;
mod links;
mod lvs_watch;
mod machine;
mod partner;
mod path;
mod settings;
pub mod wire;

pub use events::{Action, Cause, Event, Notice};
pub use extended::Extended;
pub use links::Links;
pub use machine::{Identity, Machine};
pub use path::{Path, PathHealth, PathStatus};
pub use settings::{Phase, Role, Settings};
pub use wire::{Heartbeat, WireError, Word};
