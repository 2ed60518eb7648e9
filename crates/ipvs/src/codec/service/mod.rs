//! Services: requests about one, and what an answer tells.

mod attribute;
mod message;

pub use attribute::ServiceAttribute;
pub use message::{add, change, delete, edit, get, key, list, value, zero};

pub(in crate::codec) use message::owner;
pub(crate) use message::read;
