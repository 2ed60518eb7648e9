//! The command line of lvs (`piranha-daemons.md` 2.2).

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Command};
use daemon::cli::{path, switch, word};
use daemon::mode::StartMode;

use crate::core::FAILED;
use crate::requests::parse_time;

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
    /// What a running lvs is asked for, instead of a start.
    pub ask: Option<Ask>,
    /// Its answer as JSON.
    pub json: bool,
    /// Execute nothing, print the commands.
    pub test: bool,
    /// Pass `-v` on.
    pub verbose: bool,
    /// Run-time folder.
    pub run_dir: Option<PathBuf>,
    /// State folder.
    pub state_dir: Option<PathBuf>,
}

/// A request to a running lvs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// What it does and why.
    Status,
    /// Read the configuration again.
    Reload,
    /// What a reload would change.
    Plan,
    /// Let a server finish: for how long, and why.
    Drain(String, Option<Duration>, String),
    /// Let it take connections again.
    Enable(String),
}

/// Reads the command line; the status to end with when that is all.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, ExitCode> {
    let matches = daemon::cli::parse(command(), "lvs", VERSION, args)?;
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    Ok(Options {
        config: path("configfile").unwrap_or_else(|| PathBuf::from(CONFIG)),
        mode: StartMode::from_options(flag(&matches, "nodaemon"), flag(&matches, "nofork")),
        ask: ask(&matches)?,
        json: flag(&matches, "json"),
        test: flag(&matches, "test-start"),
        verbose: flag(&matches, "verbose"),
        run_dir: path("run-dir"),
        state_dir: path("state-dir"),
    })
}

fn ask(matches: &ArgMatches) -> Result<Option<Ask>, ExitCode> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let mut asked = Vec::new();
    asked.extend(flag(matches, "status").then_some(Ask::Status));
    asked.extend(flag(matches, "plan").then_some(Ask::Plan));
    asked.extend(flag(matches, "reload").then_some(Ask::Reload));
    let time = matches.get_one::<Duration>("for").copied();
    let why = text("why");
    let details = time.is_some() || why.is_some();
    let drain = text("drain");
    let drains = drain.is_some();
    asked.extend(drain.map(|server| Ask::Drain(server, time, why.unwrap_or_default())));
    asked.extend(text("enable").map(Ask::Enable));
    let json = flag(matches, "json") && !matches!(asked.as_slice(), [Ask::Status | Ask::Plan]);
    if asked.len() > 1 || details && !drains || json {
        let _ = writeln!(
            std::io::stderr(),
            "lvs: one of --status [--json], --plan [--json], --reload, --drain [--for TIME] [--why TEXT], --enable"
        );
        return Err(ExitCode::from(FAILED));
    }
    Ok(asked.pop())
}

fn flag(matches: &ArgMatches, name: &str) -> bool {
    matches.get_flag(name)
}

/// The one table of options.
pub fn command() -> Command {
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
        switch("status", "Show what the running lvs does and why"),
        switch(
            "plan",
            "Show what a reload with the configuration file would change",
        ),
        switch(
            "reload",
            "Have the running lvs read its configuration again; ends when the table follows",
        ),
        switch("json", "Show it as JSON"),
        word(
            "drain",
            "virtual/server",
            "Give a server no new connections",
        ),
        word("enable", "virtual/server", "Give it connections again"),
        word("for", "time", "Drain for so long: 90, 90s, 15m, 2h, 1d").value_parser(parse_time),
        word("why", "text", "Why it is drained"),
    ])
}
