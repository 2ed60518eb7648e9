//! The command line of piranha-applier.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Command;
use daemon::cli::{path, switch, word};
use daemon::mode::StartMode;

/// lvs.cf where no option names another.
const CONFIG: &str = "/etc/sysconfig/ha/lvs.cf";
/// The web process's account where no option names another.
const USER: &str = "piranha";
/// How the partner is reached.
const SSH: &str = "/usr/bin/ssh";

/// What the command line asks for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// lvs.cf.
    pub(crate) config: PathBuf,
    /// How to start.
    pub(crate) mode: StartMode,
    /// Debug messages too.
    pub(crate) verbose: bool,
    /// Run-time folder.
    pub(crate) run_dir: Option<PathBuf>,
    /// State folder.
    pub(crate) state_dir: Option<PathBuf>,
    /// Who may ask, besides root.
    pub(crate) user: String,
    /// Folders below which programs may be named.
    pub(crate) folders: Vec<PathBuf>,
    /// The program by which the file may be sent to the partner.
    pub(crate) ssh: Option<PathBuf>,
    /// Take a file from the partner's applier instead of serving.
    pub(crate) receive: bool,
}

/// Reads the command line; the status to end with when that is all.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    let matches = daemon::cli::parse(command(), "piranha-applier", version, args)?;
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let folders = path("allow-programs").unwrap_or_default();
    let send = matches.get_flag("send-to-partner");
    Ok(Options {
        config: path("configfile").unwrap_or_else(|| PathBuf::from(CONFIG)),
        mode: StartMode::from_options(matches.get_flag("nodaemon"), matches.get_flag("nofork")),
        verbose: matches.get_flag("verbose"),
        run_dir: path("run-dir"),
        state_dir: path("state-dir"),
        user: matches
            .get_one::<String>("user")
            .cloned()
            .unwrap_or_else(|| USER.to_owned()),
        folders: std::env::split_paths(&folders)
            .filter(|folder| folder.is_absolute())
            .collect(),
        ssh: send.then(|| path("ssh").unwrap_or_else(|| PathBuf::from(SSH))),
        receive: matches.get_flag("receive"),
    })
}

/// The one table of options.
pub fn command() -> Command {
    Command::new("piranha-applier").args([
        path("configfile", "file", "The lvs.cf that is changed").short('c'),
        switch("nodaemon", "Don't run as a daemon").short('n'),
        switch("nofork", "Don't fork, but do disassociate"),
        switch("verbose", "Verbose output").short('v'),
        path("run-dir", "folder", "Folder of sockets"),
        path(
            "state-dir",
            "folder",
            "Folder of earlier versions and of the log of changes",
        ),
        word("user", "name", "Who may ask, besides root"),
        path(
            "allow-programs",
            "folder:folder",
            "Let programs below these folders be named in lvs.cf from the web",
        ),
        switch(
            "send-to-partner",
            "Let lvs.cf be sent to the other router, where rsh_command is ssh",
        ),
        path("ssh", "program", "The program to send it with"),
        switch(
            "receive",
            "Take lvs.cf from standard input, as the other router's applier sends it",
        ),
    ])
}
