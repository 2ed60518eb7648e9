//! The command line (`piranha-daemons.md` 2.2).
//!
//! Owns names and defaults of options. Must not act on them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use daemon::cli::{path, switch};
use daemon::mode::StartMode;

/// What the command line asks for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) config_file: PathBuf,
    pub(crate) mode: StartMode,
    pub(crate) test_start: bool,
    pub(crate) verbose: bool,
    pub(crate) force_active: bool,
    /// `--lvsd`, or `--lvs` as the older generation called it.
    pub(crate) lvs: Option<PathBuf>,
    pub(crate) run_dir: Option<PathBuf>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) tool: Option<Tool>,
}

/// Instead of running as a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `--check`
    Check {
        format: Option<String>,
        against: Option<PathBuf>,
    },
    /// `--show-config`
    ShowConfig { format: Option<String> },
    /// `--status`
    Status { json: bool },
    /// `--metrics`
    Metrics { to: Option<PathBuf> },
    /// `--reload`
    Reload,
    /// `--hand-over`
    HandOver,
}

/// The one table of options.
pub fn command() -> Command {
    Command::new("pulse").args([
        path("configfile", "configfile", "Configuration file").short('c'),
        switch("nodaemon", "Don't run as a daemon").short('n'),
        switch("nofork", "Don't fork, but do detach"),
        switch("test-start", "Print every command, execute none").short('t'),
        switch("norun", "The same as --test-start"),
        switch("verbose", "Verbose debugging output").short('v'),
        switch("forceactive", "Become active at once"),
        path("lvs", "path", "Path to the lvs program"),
        path("lvsd", "path", "Path to the lvs program"),
        path(
            "fos",
            "path",
            "Path to the fos program (failover services are not supported)",
        ),
        path("run-dir", "folder", "Folder for sockets and status files"),
        path(
            "state-dir",
            "folder",
            "Folder for what must survive a restart",
        ),
        switch(
            "check",
            "Check the configuration file and say what is wrong with it",
        ),
        Arg::new("format")
            .long("format")
            .value_name("format")
            .help("With --check and --show-config: text or json"),
        path(
            "against",
            "configfile",
            "With --check: also tell what changes from this file",
        ),
        switch(
            "show-config",
            "Print what the configuration file means, defaults included",
        ),
        switch(
            "status",
            "Ask the running pulse what it is: exit 0 active, 3 standby, 4 trouble",
        ),
        switch("json", "With --status: as one line of JSON"),
        switch(
            "metrics",
            "Print what the status files of pulse and lvs say as metrics for Prometheus",
        ),
        path(
            "to",
            "file",
            "With --metrics: replace this file instead, for node_exporter's textfile collector",
        ),
        switch(
            "reload",
            "Have the running pulse read the configuration again: exit 0 followed, 1 refused",
        ),
        switch(
            "hand-over",
            "Have the running pulse hand over to its partner",
        ),
    ])
}

impl Options {
    pub(crate) fn parse(
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Self, ExitCode> {
        let version = env!("CARGO_PKG_VERSION");
        let matches = daemon::cli::parse(command(), "pulse", version, args)?;
        match misplaced(&matches) {
            Some(text) => {
                eprintln!("pulse: {text}");
                Err(ExitCode::FAILURE)
            }
            None => Ok(Self::from(&matches)),
        }
    }
}

/// An option that means nothing without another one: whoever forgot that one does not want a daemon.
fn misplaced(matches: &ArgMatches) -> Option<&'static str> {
    let (check, show) = (matches.get_flag("check"), matches.get_flag("show-config"));
    if matches.contains_id("against") && !check {
        Some("--against is for --check")
    } else if matches.contains_id("format") && !check && !show {
        Some("--format is for --check and --show-config")
    } else if matches.get_flag("json") && !matches.get_flag("status") {
        Some("--json is for --status")
    } else if matches.contains_id("to") && !matches.get_flag("metrics") {
        Some("--to is for --metrics")
    } else {
        None
    }
}

impl From<&ArgMatches> for Options {
    fn from(matches: &ArgMatches) -> Self {
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let flag = |name: &str| matches.get_flag(name);
        let format = matches.get_one::<String>("format").cloned();
        let tool = if flag("check") {
            Some(Tool::Check {
                format,
                against: path("against"),
            })
        } else if flag("status") {
            Some(Tool::Status { json: flag("json") })
        } else if flag("metrics") {
            Some(Tool::Metrics { to: path("to") })
        } else if flag("reload") {
            Some(Tool::Reload)
        } else if flag("hand-over") {
            Some(Tool::HandOver)
        } else {
            flag("show-config").then_some(Tool::ShowConfig { format })
        };
        Self {
            config_file: path("configfile")
                .unwrap_or_else(|| PathBuf::from("/etc/sysconfig/ha/lvs.cf")),
            mode: StartMode::from_options(flag("nodaemon"), flag("nofork")),
            test_start: flag("test-start") || flag("norun"),
            verbose: flag("verbose"),
            force_active: flag("forceactive"),
            lvs: path("lvsd").or_else(|| path("lvs")),
            run_dir: path("run-dir"),
            state_dir: path("state-dir"),
            tool,
        }
    }
}
