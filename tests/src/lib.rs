//! The test laboratory: a real kernel with IPVS, a client, a pair of routers and real servers in
//! network namespaces, a demonstration and the end-to-end runs.
//! It judges the programs from outside and shares no code with them; only the stand-in of ipvsadm-rs
//! is that program over another table.

pub mod accounts;
pub mod address;
pub mod bench;
pub mod book;
pub mod browser;
mod checks;
pub mod cli;
pub mod client;
pub mod configuration;
pub mod demo;
pub mod error;
pub mod interrupt;
pub mod journal;
pub mod kernel;
pub mod machine;
mod manuals;
pub mod network;
pub mod node;
pub mod older;
pub mod package;
pub mod pair;
pub mod ping;
pub mod processes;
pub mod router;
mod rules;
pub mod scenario;
pub mod setup;
pub mod shell;
pub mod source;
pub mod stall;
pub mod stand_in;
pub mod storm;
pub mod suite;
pub mod table;
pub mod terminal;
pub mod tree;
pub mod visitor;
pub mod wait;
pub mod web;
pub mod wire;

use std::ffi::OsString;
use std::process::ExitCode;

/// The whole program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter().peekable();
    if arguments
        .peek()
        .is_some_and(|name| stand_in::is_called_by(name))
    {
        let status = stand_in::run(arguments);
        return ExitCode::from(u8::try_from(status & 0xff).unwrap_or(u8::MAX));
    }
    match cli::run(arguments) {
        Ok(code) => code,
        Err(error::Error::Interrupted) => {
            eprintln!("lab: interrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("lab: {error}");
            ExitCode::FAILURE
        }
    }
}
