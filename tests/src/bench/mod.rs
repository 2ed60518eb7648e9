//! `cargo lab bench`: what the programs cost, against the bars that the design sets.
//!
//! One line for each figure, with its bar and whether it is met. Nothing is measured once.

mod ipvsadm;
mod lvs_config;
mod measure;

use std::path::Path;

use clap::ValueEnum;

use crate::error::Result;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// ipvsadm-rs against Debian's ipvsadm, in one boot of the kernel.
    Ipvsadm,
    /// Reading a large lvs.cf.
    LvsConfig,
}

/// Measures one subject, or all. True when every bar is met.
pub fn run(subject: Option<Subject>) -> Result<bool> {
    let wanted = |it| subject.is_none_or(|subject| subject == it);
    let mut good = true;
    if wanted(Subject::LvsConfig) {
        good &= lvs_config::run()?;
    }
    if wanted(Subject::Ipvsadm) {
        good &= ipvsadm::run()?;
    }
    Ok(good)
}

/// The part that runs inside the kernel.
pub fn inside(ours: &Path, original: &Path) -> Result<bool> {
    ipvsadm::inside(ours, original)
}

/// Prints a figure beside its bar; true when it is met.
fn report(name: &str, figure: f64, bar: f64, note: &str) -> bool {
    let good = figure <= bar;
    let word = if good { "PASS" } else { "FAIL" };
    println!("{word}  {name:<34} {figure:8.3}  at most {bar:6.3}  {note}");
    good
}
