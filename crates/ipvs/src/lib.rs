//! The IPVS table as values, its text form, the difference of two tables, and the kernel's wire format.
//!
//! Knows nothing of lvs.cf. Only `client` opens a socket.

mod diff;
mod model;
pub mod text;

pub use diff::{apply, diff};
pub use model::*;

#[cfg(test)]
mod arbitrary;
