//! lvs.cf, the one file that configures a router pair: grammar, meaning, checks, messages.
//!
//! Owns everything that is known about the file. Never touches the network or the clock.

mod block_checks;
pub mod check;
mod checks;
mod diagnostic;
pub mod difference;
pub mod draw;
mod field;
pub mod file;
mod hints;
mod keywords;
mod lexer;
mod meaning;
mod model;
mod parse;
mod services;
pub mod show;
mod value;

pub use diagnostic::Code;
pub use diagnostic::Diagnostic;
pub use diagnostic::ParseError;
pub use diagnostic::Severity;
pub use difference::Difference;
pub use keywords::Level;
pub use model::*;
pub use parse::Checked;
pub use parse::Parsed;
pub use parse::parse;
pub use parse::parse_all;
