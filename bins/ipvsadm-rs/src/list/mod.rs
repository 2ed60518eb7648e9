//! Listings of services and servers (`ipvsadm.md` 2.1 to 2.4).
//!
//! Owns their exact text and order.

mod number;
mod order;
mod table;

pub use order::{sort_servers, sort_services};
pub use table::print;
#[cfg(feature = "watch")]
pub(crate) use table::{forward_name, write_service_name};
