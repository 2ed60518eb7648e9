//! Changes of lvs.cf that people ask for from outside: what can be asked, what comes of it, and what
//! may not be asked.
//!
//! Owns the forms of requests and answers between the web process and the applier, the way from a
//! list of edits to a new text, and the rules on names, values and programs. Must not touch files,
//! sockets or clocks.

mod compare;
mod digest;
mod edit;
mod field;
mod item;
mod programs;
mod propose;
pub mod protocol;

pub use compare::{compare, hide_secrets};
pub use digest::{digest, pair_digest};
pub use edit::{Edit, FieldError};
pub use field::{refuse_name, refuse_value};
pub use item::{Item, Name};
pub use programs::{Guarded, Program, guarded, new_programs, program_path};
pub use propose::{Proposal, Refusal, Rules, Wanted, propose};
