//! piranha-passwd: makes, changes and removes the accounts of the web tool.
//!
//! Owns where a password comes from (never the command line, CVE-2000-0322) and how the file is
//! replaced. Form and hashes are the crate account's.

mod options;
mod store;
mod terminal;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use account::{Account, PASSWORD_LIMIT, Role};

pub use crate::options::command;
use crate::options::{Act, Options};
use crate::store::Store;
use crate::terminal::Terminal;

/// Runs the program.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match options::parse(args) {
        Ok(options) => options,
        Err(status) => return status,
    };
    match perform(&options) {
        Ok(text) => {
            // A reader that went away is no failure.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(text) => {
            let _ = writeln!(io::stderr(), "piranha-passwd: {text}");
            ExitCode::FAILURE
        }
    }
}

fn perform(options: &Options) -> Result<String, String> {
    let user = options.user.as_str();
    match options.act {
        Act::List => {
            let accounts = Store::look(&options.file)?;
            let line = |account: &Account| format!("{}\t{}\n", account.user(), account.role());
            Ok(accounts.iter().map(line).collect())
        }
        Act::Delete => {
            let mut store = Store::open(&options.file)?;
            if !store.accounts.remove(user) {
                return Err(format!("there is no account {user}"));
            }
            store.save(&options.owner)?;
            Ok(format!("account {user} removed\n"))
        }
        Act::Set { role, stdin } => {
            // A wrong file is told before anybody types.
            Store::look(&options.file)?;
            let password = if stdin {
                from_stdin()?
            } else {
                from_terminal()?
            };
            set(options, role, &password)
        }
    }
}

fn set(options: &Options, role: Option<Role>, password: &str) -> Result<String, String> {
    let user = options.user.as_str();
    let mut store = Store::open(&options.file)?;
    let role = role
        .or_else(|| store.accounts.get(user).map(Account::role))
        .unwrap_or(Role::Admin);
    let account = Account::new(user, role, password).map_err(|error| error.to_string())?;
    store.accounts.set(account);
    store.save(&options.owner)?;
    Ok(format!("password of {user} ({role}) set\n"))
}

/// The first line, which need not have an end.
fn from_stdin() -> Result<String, String> {
    let mut bytes = Vec::new();
    let most = PASSWORD_LIMIT as u64 + 2;
    io::stdin()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read standard input: {error}"))?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.contains(&0) {
        return Err("a password cannot contain a zero byte".to_owned());
    }
    String::from_utf8(line.to_vec()).map_err(|_| "the password is not UTF-8".to_owned())
}

fn from_terminal() -> Result<String, String> {
    let mut terminal = Terminal::open()
        .map_err(|error| format!("there is no terminal to ask at (see --stdin): {error}"))?;
    let mut ask = |prompt: &str| {
        terminal
            .ask(prompt)
            .map_err(|error| format!("nothing was changed: {error}"))
    };
    let password = ask("New Password: ")?;
    if password.is_empty() {
        return Err("an empty password is none; nothing was changed".to_owned());
    }
    if ask("Verify: ")? != password {
        return Err("the two passwords differ; nothing was changed".to_owned());
    }
    Ok(password)
}
