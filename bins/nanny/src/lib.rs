//! nanny: one process that checks one real server and says whether it may be used.
//!
//! Owns arguments, waiting, and carrying out decisions: under lvs by lines in its report pipe, alone
//! by running ipvsadm. Must not decide (`health`), nor know how a check is made (`probe`).

mod checker;
mod events;
mod failover;
mod given;
mod options;
mod report;
mod settings;
mod table;

pub use given::command;

use daemon::mode::{self, StartMode};
use events::Events;
use options::Service;
use settings::Monitor;
use std::ffi::OsString;
use tracing::info;

/// Version printed by `--version`: the original's, which scripts compare.
const VERSION: &str = "1.46";

/// Status of most failures.
const FAILED: u8 = 1;

/// Runs the program with these arguments, its own name first, and gives its exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> i32 {
    start(args).into()
}

fn start(args: impl IntoIterator<Item = OsString>) -> u8 {
    let options = match options::parse(args) {
        Ok(options) => options,
        Err(status) => return status,
    };
    // Early: the number must still be the parent's descriptor.
    let report = match daemon::inherited::descriptor("PIRANHA_REPORT") {
        Ok(report) => report,
        Err(error) => return refuse(&error.to_string()),
    };
    let monitor = match Monitor::new(&options, report.is_some()) {
        Ok(monitor) => monitor,
        Err(error) => return refuse(&error.to_string()),
    };
    let start = StartMode::from_options(options.nodaemon, options.nofork);
    daemon::log::init_both("nanny", "nanny", start, options.verbose);
    let mut running = match mode::enter(start, None) {
        Ok(running) => running,
        Err(error) => return refuse(&error.to_string()),
    };
    let mut events = match Events::open(report) {
        Ok(events) => events,
        Err(error) => {
            running.fail(FAILED, &format!("nanny: cannot receive signals: {error}"));
            return FAILED;
        }
    };
    running.ready();
    monitor.notices.iter().for_each(|notice| info!("{notice}"));
    match options.service {
        Service::Failover => failover::run(&monitor, &mut events),
        Service::Lvs => checker::run(&options, monitor, &mut events),
    }
}

fn refuse(text: &str) -> u8 {
    eprintln!("nanny: {text}");
    FAILED
}
