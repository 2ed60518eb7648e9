//! One attempt of one check: TCP or UDP with send and expect, an external program, a load query.
//!
//! Owns sockets, child processes and the time limit of that attempt. Never decides what follows
//! from the outcome, never logs, and returns at once when one of the given descriptors speaks.

#![cfg_attr(
    test,
    allow(non_snake_case, reason = "tests of known bugs are named after them")
)]

mod check;
mod escape;
mod expect;
mod load;
mod pattern;
mod program;
mod reason;
mod service;
mod slots;
mod system;
mod wait;
mod words;

pub use check::{Check, Outcome};
pub use escape::decode;
pub use expect::Expect;
pub use load::{LoadMonitor, LoadOutcome, parse_load};
pub use pattern::{Pattern, PatternError};
pub use program::Program;
pub use reason::{Reason, Step};
pub use service::{Protocol, Service};
pub use slots::{Slot, Slots};
pub use words::{split, substitute};
