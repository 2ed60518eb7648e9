//! piranha-applier: the one program that changes lvs.cf for the web process, which may not (R15).
//!
//! Runs as root, takes requests from one user over a Unix socket, and does nothing that the rules of
//! `change` and the administrator's options do not allow. Knows no passwords, sessions or pages.

mod applier;
mod audit;
mod daemons;
mod listen;
mod options;
mod partner;
mod programs;
mod receive;
mod serve;
mod versions;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use daemon::{lock, log, mode, paths};
use nix::sys::signal::{SigSet, Signal};

pub use applier::{Applier, Settings};
pub use options::command;
pub use serve::serve;

use crate::options::Options;

/// Runs the program.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match options::parse(args) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.receive {
        return receive::run(&applier(&options));
    }
    match start(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let _ = writeln!(std::io::stderr(), "piranha-applier: {text}");
            ExitCode::FAILURE
        }
    }
}

fn applier(options: &Options) -> Applier {
    Applier::new(Settings {
        config: options.config.clone(),
        run_dir: paths::run_dir(options.run_dir.as_deref()),
        state_dir: paths::state_dir(options.state_dir.as_deref()),
        program_folders: options.folders.clone(),
        ssh: options.ssh.clone(),
    })
}

fn start(options: &Options) -> Result<(), String> {
    let _lock = lock::InstanceLock::acquire("applier").map_err(|error| error.to_string())?;
    let applier = Arc::new(applier(options));
    let run_dir = paths::run_dir(options.run_dir.as_deref());
    let (listener, path) = listen::open(&run_dir, &options.user)?;
    log::init(
        "piranha-applier",
        "piranha-applier",
        options.mode,
        options.verbose,
    );
    let pid_file = run_dir.join("piranha-applier.pid");
    let mut running =
        mode::enter(options.mode, Some(&pid_file)).map_err(|error| error.to_string())?;
    // Before other threads: they must not take the signals.
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGTERM);
    ends.add(Signal::SIGINT);
    ends.thread_block().map_err(|error| error.to_string())?;
    let allowed = listen::allowed(&options.user);
    let served = Arc::clone(&applier);
    std::thread::Builder::new()
        .name("accept".to_owned())
        .spawn(move || serve(&listener, &served, &allowed))
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    running.ready();
    daemon::notify::notify("READY=1");
    tracing::debug!("DEBUG -- serving {}", options.config.display());
    let _ = ends.wait();
    // A change that has begun is finished, reload and log included.
    applier.finish();
    if let Some(path) = path {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}
