//! nanny: one process that checks one real server and says whether it may be used.
//!
//! Owns arguments, waiting, and carrying out decisions: under lvs by lines in its report pipe, alone
//! by running ipvsadm. Must not decide (`health`), nor know how a check is made (`probe`).

mod checker;
mod events;
mod failover;
mod memory;
mod options;
mod report;
mod settings;
mod table;

use daemon::mode::{self, StartMode};
use events::Events;
use options::Service;
use settings::Monitor;
use std::ffi::OsString;
use std::process::ExitCode;
use tracing::info;

/// Version printed by `--version`: the original's, which scripts compare.
const VERSION: &str = "1.46";

/// Runs the program with these arguments, its own name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
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
            running.fail(1, &format!("nanny: cannot receive signals: {error}"));
            return ExitCode::from(1);
        }
    };
    running.ready();
    monitor.notices.iter().for_each(|notice| info!("{notice}"));
    memory::give_back();
    match options.service {
        Service::Failover => failover::run(&monitor, &mut events),
        Service::Lvs => checker::run(&options, monitor, &mut events),
    }
}

fn refuse(text: &str) -> ExitCode {
    eprintln!("nanny: {text}");
    ExitCode::from(1)
}
