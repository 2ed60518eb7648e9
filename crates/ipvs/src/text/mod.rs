//! The text form of the table: what `ipvsadm -S` prints and `ipvsadm -R` reads.
//!
//! Owns the words of the options; numbers only. Facts: `ipvsadm.md` 1.3, 2.7, 2.8.

mod error;
mod parse;
mod print;

pub use error::{TextError, TextErrorKind};
pub use parse::{parse_service, parse_table};
pub use print::{
    NameAddress, numeric, print_table, scheduler_flag_names, write_ipv6, write_numeric,
    write_saved_server, write_saved_service,
};

#[cfg(test)]
mod tests;
