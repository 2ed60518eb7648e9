//! The IPVS table as values, its text form, the difference of two tables, and the kernel's wire format.
//!
//! Knows nothing of lvs.cf. Only `client` opens a socket.

mod model;

pub use model::*;
