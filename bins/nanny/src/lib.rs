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

use daemon::log::set_field;
use daemon::mode::{self, StartMode};
use events::Events;
use options::{Options, Service};
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
    name_in_journal(&options);
    monitor.notices.iter().for_each(|notice| info!("{notice}"));
    match options.service {
        Service::Failover => failover::run(&monitor, &mut events),
        Service::Lvs => checker::run(&options, monitor, &mut events),
    }
}

/// Which server the messages are about: under lvs by the names of lvs.cf, `SERVICE/SERVER`.
fn name_in_journal(options: &Options) {
    let real = format!("{}:{}", options.server, options.real_port);
    let name = std::env::var("PIRANHA_NAME").unwrap_or_default();
    match name.split_once('/') {
        Some((service, server)) => {
            set_field("service", service);
            set_field("server", server);
        }
        None => {
            let address = options.virtual_address.as_deref().unwrap_or_default();
            let service = format!("{}:{}", address.to_string_lossy(), options.port);
            set_field("service", &service);
            set_field("server", &real);
        }
    }
    set_field("address", &real);
}

fn refuse(text: &str) -> u8 {
    eprintln!("nanny: {text}");
    FAILED
}
