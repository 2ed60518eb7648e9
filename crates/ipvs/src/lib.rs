//! The IPVS table as values, its text form, the difference of two tables, and the kernel's wire format.
//!
//! Knows nothing of lvs.cf. Only `client` opens a socket.

mod client;
pub mod codec;
mod diff;
mod error;
mod model;
mod state;
pub mod text;

pub use client::{Client, Datagrams, KernelLink, Link};
pub use diff::{apply, diff};
pub use error::Error;
pub use model::*;
pub use state::*;

#[cfg(test)]
mod arbitrary;
