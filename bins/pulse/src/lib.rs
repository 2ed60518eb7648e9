//! pulse: exchanges heartbeats with the other router, takes over and lets go of the VIPs, and
//! supervises lvs.
//!
//! Owns arguments, start-up and the wiring; decisions are the crate `heartbeat`'s.

mod addresses;
mod announce;
mod ask;
mod command;
mod control;
mod dry_run;
mod identity;
mod letting_go;
mod load;
mod lookout;
mod lvs_child;
mod options;
mod plan;
mod refusal;
mod reload;
mod router;
mod sockets;
mod start;
mod status;
mod syncd;
mod throttle;
mod tool;

pub use options::command;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program with its arguments, its own name first.
pub fn run(args: impl IntoIterator<Item = impl Into<OsString>>) -> ExitCode {
    let options = match options::Options::parse(args) {
        Ok(options) => options,
        Err(status) => return status,
    };
    match &options.tool {
        Some(tool) => tool::run(tool, &options),
        None => start::run(options),
    }
}
