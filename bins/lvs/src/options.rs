//! The command line of lvs (`piranha-daemons.md` 2.2).

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use daemon::mode::StartMode;

/// The version that `--version` prints: the original's, which scripts compare.
const VERSION: &str = "1.38";
/// lvs.cf where no option names another.
const CONFIG: &str = "/etc/sysconfig/ha/lvs.cf";

/// What the command line asks for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// lvs.cf.
    pub config: PathBuf,
    /// How to start.
    pub mode: StartMode,
    /// Execute nothing, print the commands.
    pub test: bool,
    /// Pass `-v` on.
    pub verbose: bool,
    /// Run-time folder.
    pub run_dir: Option<PathBuf>,
    /// State folder.
    pub state_dir: Option<PathBuf>,
}

/// Reads the command line; the status to end with when that is all.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, ExitCode> {
    let matches = daemon::cli::parse(command(), "lvs", VERSION, args)?;
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    Ok(Options {
        config: path("configfile").unwrap_or_else(|| PathBuf::from(CONFIG)),
        mode: StartMode::from_options(flag(&matches, "nodaemon"), flag(&matches, "nofork")),
        test: flag(&matches, "test-start"),
        verbose: flag(&matches, "verbose"),
        run_dir: path("run-dir"),
        state_dir: path("state-dir"),
    })
}

fn flag(matches: &ArgMatches, name: &str) -> bool {
    matches.get_flag(name)
}

fn command() -> Command {
    let path = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .value_parser(value_parser!(PathBuf))
            .help(help)
    };
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    Command::new("lvs").args([
        path("configfile", "configfile", "Configuration file").short('c'),
        switch("nodaemon", "Don't run as a daemon").short('n'),
        switch("nofork", "Don't fork, but do disassociate"),
        switch(
            "test-start",
            "Display what commands would be run, but don't run them",
        )
        .short('t'),
        switch("verbose", "Verbose output").short('v'),
        path("run-dir", "folder", "Folder of status files and sockets"),
        path("state-dir", "folder", "Folder of what survives a restart"),
    ])
}
