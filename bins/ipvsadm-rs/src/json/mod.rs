//! Listings as JSON.
//!
//! Owns the names of the fields and the few lines that print JSON.

mod listing;
mod value;

pub(crate) use listing::{daemons, table, timeouts};
pub(crate) use value::Json;
