//! lvs and its nannies: memory, time and processor, at the bars of the design.
//!
//! Where the kernel's table does not matter it is measured on this machine, with a stand-in for
//! ipvsadm-rs; the rest in one boot of the kernel, beside keepalived, ldirectord and bare starts of programs.

mod file;
mod host;
mod lab;
mod others;
mod servers;
mod site;
pub(super) mod usage;

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::Options;
use crate::error::{Error, Result};
use crate::kernel::{Job, Kernel};
use crate::setup;

/// Limit for the part inside the kernel.
const LIMIT: Duration = Duration::from_secs(1800);

/// One row: its name and what measures it. True when its bars are met.
struct Row<Place> {
    name: &'static str,
    run: fn(&Place) -> Result<bool>,
}

/// Measures the rows asked for, or all.
pub(super) fn run(options: &Options) -> Result<bool> {
    let known = || host::ROWS.iter().map(|row| row.name).chain(lab::names());
    if let Some(name) = options
        .rows
        .iter()
        .find(|name| !known().any(|known| known == name.as_str()))
    {
        return Err(Error::Setup(format!(
            "no row is called {name}; there are {}",
            known().collect::<Vec<_>>().join(", ")
        )));
    }
    let wanted = |name: &str| options.rows.is_empty() || options.rows.iter().any(|row| row == name);
    let programs = super::release_build()?;
    let mut good = true;
    for row in host::ROWS.iter().filter(|row| wanted(row.name)) {
        let place = host::Place {
            programs: programs.clone(),
            minutes: options.minutes(),
        };
        good &= (row.run)(&place)?;
    }
    let rows: Vec<String> = lab::names()
        .filter(|name| wanted(name))
        .map(str::to_owned)
        .collect();
    if !rows.is_empty() {
        good &= lab(&programs, rows)?;
    }
    Ok(good)
}

/// Runs rows inside the kernel.
fn lab(programs: &Path, rows: Vec<String>) -> Result<bool> {
    setup::require(setup::BASE)?;
    setup::require(setup::UML)?;
    setup::require(setup::KEEPALIVED)?;
    setup::require(setup::ON_IPVSADM)?;
    let mut words = vec![OsStr::new("__bench-lvs"), programs.as_os_str()];
    words.extend(rows.iter().map(OsStr::new));
    Ok(Kernel::choose().run(&Job::own(&words, LIMIT)?)? == 0)
}

/// The part that runs inside the kernel.
pub(super) fn inside(programs: &Path, rows: &[String]) -> Result<bool> {
    lab::run(programs, rows)
}
