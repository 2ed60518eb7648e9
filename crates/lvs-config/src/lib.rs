//! lvs.cf, the one file that configures a router pair: grammar, meaning, checks, messages.
//!
//! Owns everything that is known about the file. Never touches the network or the clock.

mod block_checks;
mod change;
pub mod check;
mod checks;
mod diagnostic;
pub mod difference;
pub mod draw;
pub mod edit;
mod field;
pub mod file;
mod hints;
mod keywords;
mod layout;
mod lexer;
pub mod manual;
mod meaning;
mod model;
mod notes;
mod original;
mod parse;
mod place;
#[cfg(test)]
mod properties;
mod reader;
mod services;
pub mod show;
mod value;
pub mod write;

pub use diagnostic::Code;
pub use diagnostic::Diagnostic;
pub use diagnostic::ParseError;
pub use diagnostic::Severity;
pub use difference::Difference;
pub use edit::Editor;
pub use keywords::Level;
pub use model::*;
pub use parse::Checked;
pub use parse::Parsed;
pub use parse::parse;
pub use parse::parse_all;
pub use place::Place;
pub use place::PlaceError;
pub use services::tcp_port;
