//! The command line of piranha-passwd.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use account::{DEFAULT_USER, FILE, Role};
use clap::Command;
use daemon::cli::{path, switch, word};

/// Who owns the file where no option names another.
const OWNER: &str = "piranha";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Set a password.
    Set {
        /// The role; absent: as it is, or admin.
        role: Option<Role>,
        /// The password comes from standard input.
        stdin: bool,
    },
    /// Remove the account.
    Delete,
    /// Show the accounts.
    List,
}

/// What the command line asks for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) act: Act,
    pub(crate) user: String,
    pub(crate) file: PathBuf,
    pub(crate) owner: String,
}

/// Reads the command line; the status to end with when that is all.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    let matches = daemon::cli::parse(command(), "piranha-passwd", version, args)
        .inspect_err(|status| hint(*status))?;
    let flag = |name: &str| matches.get_flag(name);
    let text = |name: &str, default: &str| {
        let given = matches.get_one::<String>(name).cloned();
        given.unwrap_or_else(|| default.to_owned())
    };
    let role = matches.get_one::<Role>("role").copied();
    let stdin = flag("stdin");
    let act = match (flag("delete"), flag("list"), role.is_some() || stdin) {
        (false, false, _) => Act::Set { role, stdin },
        (true, false, false) => Act::Delete,
        (false, true, false) => Act::List,
        _ => {
            let usage = "one of --delete, --list, or a new password with [--role ROLE] [--stdin]";
            let _ = writeln!(std::io::stderr(), "piranha-passwd: {usage}");
            return Err(ExitCode::FAILURE);
        }
    };
    let file = matches.get_one::<PathBuf>("file").cloned();
    Ok(Options {
        act,
        user: text("user", DEFAULT_USER),
        file: file.unwrap_or_else(|| PathBuf::from(FILE)),
        owner: text("owner", OWNER),
    })
}

/// Piranha took a password as argument, where everybody on the machine could see it.
fn hint(status: ExitCode) {
    if status != ExitCode::SUCCESS {
        let text = "a password is never an argument: it is asked for, or comes by --stdin";
        let _ = writeln!(std::io::stderr(), "piranha-passwd: {text}");
    }
}

/// The one table of options.
pub fn command() -> Command {
    Command::new("piranha-passwd").args([
        word("user", "name", "The account (piranha)"),
        word("role", "role", "admin or read-only; a new account is admin")
            .value_parser(|text: &str| text.parse::<Role>()),
        switch("stdin", "Read the password from standard input"),
        switch("delete", "Remove the account"),
        switch("list", "Show accounts and roles"),
        path("file", "file", "The file of accounts"),
        word("owner", "name", "The web tool's user, who owns the file"),
    ])
}
