//! Real servers (the kernel calls them destinations): requests about one, and what an answer tells.

mod attribute;
mod message;

pub use attribute::DestinationAttribute;
pub(crate) use message::read;
pub use message::{add, delete, edit, list, value};
