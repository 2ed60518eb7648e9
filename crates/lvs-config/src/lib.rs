//! lvs.cf, the one file that configures a router pair: grammar, meaning, checks, messages.
//!
//! Owns everything that is known about the file. Never touches the network or the clock.

mod model;

pub use model::*;
