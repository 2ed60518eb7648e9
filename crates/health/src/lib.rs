//! Decisions about one real server: up, down, re-entry, weight ramp, forced states; and whether a
//! service needs its sorry server.
//!
//! Owns what follows from a verdict. Never opens sockets, reads clocks or writes logs: time is an
//! argument (any monotonic origin), and what shall happen is returned as [`Action`] values.

#![cfg_attr(
    test,
    allow(non_snake_case, reason = "tests of known bugs are named after them")
)]

mod failover;
mod pause;
mod server;
mod settings;
mod sorry;
mod weight;

pub use failover::{Failover, FailoverAction};
pub use server::{Action, Cause, Entry, Force, Removal, Server, Standing, Verdict};
pub use settings::{Settings, SettingsError};
pub use sorry::{Answer, sorry_wanted};
