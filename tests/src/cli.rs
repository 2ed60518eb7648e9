//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::error::Result;
use crate::interrupt;
use crate::kernel::{Job, Kernel, init};

/// The test laboratory.
#[derive(Debug, Parser)]
#[command(name = "cargo lab")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a command as root on a kernel with IPVS.
    Run {
        /// Command and arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// First process of the kernel.
    #[command(name = "__init", hide = true)]
    Init {
        /// Folder shared with the outside.
        folder: PathBuf,
    },
}

/// Parses and runs.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<ExitCode> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return Ok(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)));
        }
    };
    match cli.command {
        Command::Run { command } => {
            interrupt::watch()?;
            let job = Job {
                command,
                ipvs: true,
                interactive: false,
                limit: Some(Duration::from_secs(600)),
            };
            Ok(ExitCode::from(Kernel::choose().run(&job)?))
        }
        Command::Init { folder } => Ok(ExitCode::from(init::run(&folder)?)),
    }
}
