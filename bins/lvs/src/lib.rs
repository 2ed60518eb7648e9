//! lvs: keeps the kernel's IPVS table equal to lvs.cf times health.
//!
//! Starts one checker per real server, computes the desired table from their verdicts and sends the
//! difference to ipvsadm. The only writer of the table; never touches services of others.

mod checker;
mod client;
pub mod connections;
pub mod control;
pub mod core;
pub mod desired;
pub mod drains;
pub mod health;
pub mod identity;
mod listing;
pub mod load;
pub mod nanny;
mod options;
pub mod owned;
pub mod plan;
pub mod ready;
pub mod report;
pub mod requests;
pub mod restart;
mod shell;
mod socket;
pub mod status;
mod test_start;
pub mod time;
pub mod tool;
mod user;
pub mod window;

pub use options::command;

use std::ffi::OsString;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use daemon::mode::{self, StartMode};
use daemon::{child, inherited, lock, log, paths, runtime};

use crate::core::FAILED;
use crate::options::Options;
use crate::shell::{Pulse, Setup};

/// The pid file where no option names another folder.
const PID_FILE: &str = "/var/run/lvs.pid";

/// Descriptors that are asked for: one for each checker, and room.
const DESCRIPTORS: u64 = 65_536;

/// How long an lvs started by pulse waits for the end of another one.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Runs the program.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match options::parse(args) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if let Some(ask) = &options.ask {
        return client::run(&options, ask);
    }
    if options.test {
        return test_start::run(&options);
    }
    let mut answers = match inherited::descriptor("PIRANHA_CONTROL") {
        Ok(answers) => answers,
        Err(error) => return refuse(&mut None, &error.to_string()),
    };
    match start(&options, &mut answers) {
        Ok(status) => ExitCode::from(status),
        Err(text) => refuse(&mut answers, &text),
    }
}

fn start(options: &Options, answers: &mut Option<OwnedFd>) -> Result<u8, String> {
    if answers.is_none() {
        // Whoever starts lvs by hand learns of a wrong file from the terminal.
        load::explain(&options.config)?;
    }
    let _lock = acquire_lock(answers.is_some())?;
    let run_dir = paths::run_dir(options.run_dir.as_deref());
    let state_dir = paths::state_dir(options.state_dir.as_deref());
    log::init("lvsd", "lvs", options.mode, options.verbose);
    let pid_file = pid_file(options, &run_dir);
    let running = if answers.is_some() {
        mode::enter_keeping_stdin(options.mode, pid_file.as_deref())
    } else {
        mode::enter(options.mode, pid_file.as_deref())
    }
    .map_err(|error| error.to_string())?;
    if let Err(error) = child::raise_descriptor_limit(DESCRIPTORS) {
        tracing::info!("cannot raise the limit of open files: {error}");
    }
    let pulse = match answers.take() {
        Some(answers) => {
            let orders = inherited::stdin().map_err(|error| error.to_string())?;
            Some(Pulse { orders, answers })
        }
        None => None,
    };
    let setup = Setup {
        options: options.clone(),
        running,
        pulse,
        run_dir,
        state_dir,
    };
    let runtime = runtime::build().map_err(|error| error.to_string())?;
    let status = runtime.block_on(shell::run(setup));
    // A name that is still being resolved must not hold up the end.
    runtime.shutdown_background();
    Ok(status)
}

/// The instance lock. An lvs whose pulse has died is about to end: its successor under a new pulse waits.
fn acquire_lock(wait: bool) -> Result<lock::InstanceLock, String> {
    let end = Instant::now() + if wait { LOCK_WAIT } else { Duration::ZERO };
    loop {
        match lock::InstanceLock::acquire("lvs") {
            Err(lock::LockError::Held { .. }) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(10));
            }
            outcome => return outcome.map_err(|error| error.to_string()),
        }
    }
}

fn pid_file(options: &Options, run_dir: &Path) -> Option<PathBuf> {
    match (options.mode, &options.run_dir) {
        (StartMode::NoDaemon, _) => None,
        (_, Some(_)) => Some(run_dir.join("lvs.pid")),
        (_, None) => Some(PathBuf::from(PID_FILE)),
    }
}

/// An end before the start: one line on standard error, and to pulse.
fn refuse(answers: &mut Option<OwnedFd>, text: &str) -> ExitCode {
    let text = text.strip_prefix("lvs: ").unwrap_or(text);
    let _ = writeln!(std::io::stderr(), "lvs: {text}");
    if let Some(answers) = answers.take() {
        let _ = writeln!(std::fs::File::from(answers), "refused 0 {text}");
    }
    ExitCode::from(FAILED)
}
