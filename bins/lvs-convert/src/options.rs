//! The command line.
//!
//! Owns names and defaults of options. Must not act on them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::Format;
use crate::draft::host;
use crate::notes::{Fault, PROGRAM};

/// What the command line asks for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    /// `None`: to be seen from the text.
    pub(crate) from: Option<Format>,
    /// `None`: standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) force: bool,
    /// Of addresses whose interface the file does not tell.
    pub(crate) interface: String,
    pub(crate) primary: Option<String>,
    pub(crate) backup: Option<String>,
}

fn value(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// The one table of options: parser, help and manual page are made from it.
pub fn command() -> Command {
    Command::new(PROGRAM).args([
        value(
            "from",
            "format",
            "Format of the file: keepalived or ldirectord (seen from the text)",
        ),
        value(
            "output",
            "file",
            "Write lvs.cf to this file, not to standard output",
        )
        .short('o')
        .value_parser(value_parser!(PathBuf)),
        Arg::new("force")
            .long("force")
            .help("Replace the file that --output names")
            .action(ArgAction::SetTrue),
        value(
            "interface",
            "name",
            "Interface of VIPs that the file names none for (eth0)",
        ),
        value("primary", "address", "The primary router's own address"),
        value("backup", "address", "The backup router's own address"),
        Arg::new("FILE").value_parser(value_parser!(PathBuf)),
    ])
}

impl Options {
    pub(crate) fn parse(
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Self, ExitCode> {
        let matches = daemon::cli::parse(command(), PROGRAM, env!("CARGO_PKG_VERSION"), args)?;
        Self::from_matches(&matches).map_err(|text| {
            eprintln!("{PROGRAM}: {text}");
            ExitCode::FAILURE
        })
    }

    fn from_matches(matches: &ArgMatches) -> Result<Self, String> {
        let path = |name| matches.get_one::<PathBuf>(name).cloned();
        let text = |name| matches.get_one::<String>(name).cloned();
        let from = match text("from").as_deref() {
            None => None,
            Some("keepalived") => Some(Format::Keepalived),
            Some("ldirectord") => Some(Format::Ldirectord),
            Some(other) => return Err(format!("--from is keepalived or ldirectord, not {other}")),
        };
        Ok(Self {
            file: path("FILE").ok_or("name the file to convert; --help tells more")?,
            from,
            output: path("output"),
            force: matches.get_flag("force"),
            interface: text("interface").unwrap_or_else(|| "eth0".to_owned()),
            primary: text("primary"),
            backup: text("backup"),
        })
    }
}

impl Options {
    /// Whether the values can stand in lvs.cf.
    pub(crate) fn validate(&self) -> Result<(), Fault> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
        let interface = &self.interface;
        if interface.is_empty() || interface.len() > 15 || !interface.chars().all(plain) {
            let text = format!("--interface: {interface} is not the name of an interface");
            return Err(Fault::general(
                text,
                "a name as eth0, without an alias number",
            ));
        }
        for (name, value) in [("primary", &self.primary), ("backup", &self.backup)] {
            if value.as_deref().is_some_and(|value| host(value).is_none()) {
                let text = format!(
                    "--{name}: {} is no address",
                    value.as_deref().unwrap_or_default()
                );
                return Err(Fault::general(text, "an IPv4 address or a host name"));
            }
        }
        Ok(())
    }
}
