//! The test laboratory: a real kernel with IPVS, a client, a pair of routers and real servers in
//! network namespaces, a demonstration and the end-to-end runs.
//! It judges the programs from outside and shares no code with them.

pub mod address;
pub mod bench;
pub mod cli;
pub mod client;
pub mod configuration;
pub mod demo;
pub mod error;
pub mod interrupt;
pub mod journal;
pub mod kernel;
pub mod network;
pub mod node;
pub mod pair;
pub mod processes;
pub mod router;
pub mod scenario;
pub mod setup;
pub mod shell;
pub mod suite;
pub mod table;
pub mod wait;
pub mod web;
pub mod wire;

use std::ffi::OsString;
use std::process::ExitCode;

/// The whole program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
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
