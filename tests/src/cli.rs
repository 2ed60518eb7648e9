//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::error::{Error, Result};
use crate::kernel::{Job, Kernel, init};
use crate::network::Method;
use crate::storm::Storm;
use crate::{bench, browser, demo, interrupt, older, package, scenario, setup, storm, suite};

/// The test laboratory.
#[derive(Debug, Parser)]
#[command(name = "cargo lab")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a router pair at work: balancing, a server's death, a router's death.
    Demo {
        /// Forwarding method.
        #[arg(long, value_enum, default_value = "nat")]
        network: Method,
        /// Leave a shell among the machines at the end.
        #[arg(long)]
        keep: bool,
    },
    /// Check everything: formatting, lints, unit tests, kernel tests, end-to-end runs, unit file.
    Test {
        /// Only what has this name, or begins with it when it ends in `*`; may be repeated.
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
        /// Print all names.
        #[arg(long)]
        list: bool,
    },
    /// Measure what the programs cost, against the bars of the design.
    Bench {
        /// Only this.
        #[arg(value_enum)]
        subject: Option<bench::Subject>,
        #[command(flatten)]
        options: bench::Options,
    },
    /// Build the packages for Debian and for distributions with rpm, and install, upgrade and erase the latter.
    Package {
        /// Instead: upgrade a pair under traffic from the Debian package of this earlier commit, and go back to it.
        #[arg(long, value_name = "COMMIT")]
        upgrade_from: Option<String>,
    },
    /// Kill nannies and lvs at random moments under established connections.
    Storm(Storm),
    /// Run a command as root on a kernel with IPVS.
    Run {
        /// Command and arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// The comparison of two ipvsadm programs, inside the kernel.
    #[command(name = "__bench", hide = true)]
    BenchInside {
        /// The program of this project.
        ours: PathBuf,
        /// The original.
        original: PathBuf,
    },
    /// The rows about fail-over that need the kernel's table, inside the kernel.
    #[command(name = "__bench-failover", hide = true)]
    BenchFailoverInside {
        /// Folder of the programs.
        programs: PathBuf,
        /// How often each is measured.
        rounds: u32,
        /// Which.
        rows: Vec<String>,
    },
    /// The rows about lvs that need the kernel's table, inside the kernel.
    #[command(name = "__bench-lvs", hide = true)]
    BenchLvsInside {
        /// Folder of the programs.
        programs: PathBuf,
        /// Which.
        rows: Vec<String>,
    },
    /// A storm, inside the kernel.
    #[command(name = "__storm", hide = true)]
    StormInside(Storm),
    /// The pair that a browser outside looks at, inside the kernel.
    #[command(name = "__browser", hide = true)]
    BrowserInside,
    /// The demonstration, inside the kernel.
    #[command(name = "__demo", hide = true)]
    DemoInside {
        /// Forwarding method.
        network: Method,
        /// Leave a shell.
        #[arg(long)]
        keep: bool,
    },
    /// The end-to-end runs, inside the kernel.
    #[command(name = "__scenarios", hide = true)]
    Scenarios {
        /// File for the outcomes.
        results: PathBuf,
        /// Which.
        names: Vec<String>,
    },
    /// First process of the kernel.
    #[command(name = "__init", hide = true)]
    Init {
        /// Folder shared with the outside.
        folder: PathBuf,
    },
}

/// Whether these words behind `cargo` can be run; else what is wrong with them.
pub fn accepts(words: &[&str]) -> std::result::Result<(), String> {
    match Cli::try_parse_from(words) {
        Ok(_) => Ok(()),
        Err(error) if !error.use_stderr() => Ok(()),
        Err(error) => Err(error.to_string()),
    }
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
    setup::own_program()?;
    match cli.command {
        Command::Demo { network, keep } => {
            interrupt::watch()?;
            Ok(exit_code(demo::run(network, keep)?))
        }
        Command::DemoInside { network, keep } => Ok(exit_code(demo::inside(network, keep)?)),
        Command::Test { list: true, .. } => {
            suite::list();
            Ok(ExitCode::SUCCESS)
        }
        Command::Test { only, .. } => {
            interrupt::watch()?;
            Ok(exit_code(suite::run(&only)?))
        }
        Command::Bench { subject, options } => {
            interrupt::watch()?;
            Ok(exit_code(bench::run(subject, &options)?))
        }
        Command::BenchInside { ours, original } => Ok(exit_code(bench::inside(&ours, &original)?)),
        Command::BenchLvsInside { programs, rows } => {
            Ok(exit_code(bench::lvs_inside(&programs, &rows)?))
        }
        Command::Package {
            upgrade_from: Some(commit),
        } => {
            interrupt::watch()?;
            println!("{}", older::build(&commit)?.display());
            Ok(exit_code(suite::upgrade_from()?))
        }
        Command::Package { .. } => {
            interrupt::watch()?;
            for file in package::build()? {
                println!("{}", file.display());
            }
            Ok(exit_code(suite::packages()?))
        }
        Command::Storm(storm) => {
            interrupt::watch()?;
            Ok(exit_code(storm::run(&storm)?))
        }
        Command::StormInside(storm) => {
            let result = storm::inside(&storm);
            if let Err(Error::Explained { report, .. }) = &result {
                println!("{report}");
            }
            println!("PASS  storm: {}", result?);
            Ok(ExitCode::SUCCESS)
        }
        Command::BenchFailoverInside {
            programs,
            rounds,
            rows,
        } => Ok(exit_code(bench::failover_inside(&programs, rounds, &rows)?)),
        Command::Run { command } => {
            interrupt::watch()?;
            setup::require(setup::BASE)?;
            setup::require(setup::UML)?;
            let job = Job {
                command,
                ipvs: true,
                interactive: false,
                limit: Some(Duration::from_secs(600)),
                tap: None,
            };
            Ok(ExitCode::from(Kernel::choose().run(&job)?))
        }
        Command::BrowserInside => {
            browser::inside()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Scenarios { results, names } => Ok(exit_code(scenario::run(&names, &results)?)),
        Command::Init { folder } => Ok(ExitCode::from(init::run(&folder)?)),
    }
}

fn exit_code(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
