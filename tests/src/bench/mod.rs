//! `cargo lab bench`: what the programs cost, against the bars that the design sets.
//!
//! One line for each figure, with its bar and whether it is met. Nothing is measured once.

mod failover;
mod gui;
mod ipvsadm;
mod lvs;
mod lvs_config;
mod measure;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::error::{Context, Error, Result};
use crate::setup;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// What clients notice of a router's death or stop, beside keepalived.
    Failover,
    /// The web tool with 500 virtual servers and 2,000 real servers.
    Gui,
    /// ipvsadm-rs against Debian's ipvsadm, in one boot of the kernel.
    Ipvsadm,
    /// lvs and its nannies: memory, time and processor, beside keepalived.
    Lvs,
    /// Reading a large lvs.cf.
    LvsConfig,
}

/// How much is measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only these rows of the subject; separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    rows: Vec<String>,
    /// How often a row is measured that is measured several times.
    #[arg(long)]
    rounds: Option<u32>,
    /// How long a row lasts that is a matter of time.
    #[arg(long)]
    minutes: Option<u32>,
}

impl Options {
    fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(20).max(1)
    }

    fn minutes(&self) -> u32 {
        self.minutes.unwrap_or(1).max(1)
    }
}

/// Measures one subject, or all. True when every bar is met.
pub fn run(subject: Option<Subject>, options: &Options) -> Result<bool> {
    let wanted = |it| subject.is_none_or(|subject| subject == it);
    let mut good = true;
    if wanted(Subject::LvsConfig) {
        good &= lvs_config::run()?;
    }
    if wanted(Subject::Ipvsadm) {
        good &= ipvsadm::run()?;
    }
    if wanted(Subject::Failover) {
        good &= failover::run(options)?;
    }
    if wanted(Subject::Lvs) {
        good &= lvs::run(options)?;
    }
    if wanted(Subject::Gui) {
        good &= gui::run(options)?;
    }
    Ok(good)
}

/// The part that runs inside the kernel.
pub fn inside(ours: &Path, original: &Path) -> Result<bool> {
    ipvsadm::inside(ours, original)
}

/// The part about lvs that runs inside the kernel.
pub fn lvs_inside(programs: &Path, rows: &[String]) -> Result<bool> {
    lvs::inside(programs, rows)
}

/// The rows about fail-over that run inside the kernel.
pub fn failover_inside(programs: &Path, rounds: u32, rows: &[String]) -> Result<bool> {
    failover::inside(programs, rounds, rows)
}

/// Prints a figure beside its bar; true when it is met.
fn report(name: &str, figure: f64, bar: f64, note: &str) -> bool {
    let good = figure <= bar;
    let word = if good { "PASS" } else { "FAIL" };
    println!("{word}  {name:<34} {figure:8.3}  at most {bar:6.3}  {note}");
    good
}

/// Builds the programs as they are installed, and the laboratory, which is the stand-in. Gives their
/// folder.
fn release_build() -> Result<PathBuf> {
    let own = setup::own_program()?;
    let folder = own.parent().unwrap_or(Path::new("/"));
    if folder.ends_with("release") {
        return Ok(folder.to_owned());
    }
    let arguments = ["build", "--release", "--workspace", "--bins", "--quiet"];
    let status = setup::cargo(&arguments)
        .status()
        .during("running cargo build")?;
    if !status.success() {
        return Err(Error::Command {
            command: "cargo build --release".into(),
            outcome: status.to_string(),
        });
    }
    Ok(folder.with_file_name("release"))
}
