//! Accounts of the web tool, made as an administrator makes them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Context, Error, Result};
use crate::node::Node;

/// Somebody who may log in.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The name.
    pub user: &'a str,
    /// What is typed at the log-in.
    pub password: &'a str,
    /// `admin` or `read-only`.
    pub role: &'a str,
}

impl Account<'_> {
    /// Puts it into a file that `owner` may read, by this piranha-passwd; on a machine, or here.
    pub fn make(
        &self,
        piranha_passwd: &Path,
        node: Option<&Node>,
        file: &Path,
        owner: &str,
    ) -> Result<()> {
        let mut command = Command::new(piranha_passwd);
        command
            .args(["--stdin", "--user", self.user, "--role", self.role])
            .args(["--owner", owner, "--file"])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let started = match node {
            Some(node) => node.run(move || command.spawn())?,
            None => command.spawn(),
        };
        let mut child = started.during("starting piranha-passwd")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin
                .write_all(self.password.as_bytes())
                .during("telling piranha-passwd a password")?;
        }
        let status = child.wait().during("waiting for piranha-passwd")?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Command {
            command: "piranha-passwd".into(),
            outcome: status.to_string(),
        })
    }
}
