//! The package on Debian machines: what it does to them, and the programs as they run there.

mod book;
mod init_script;
mod older;
mod package;
mod rpm;
mod scenes;
mod systemd;
mod web_tool;

use std::path::Path;
use std::sync::Arc;

use super::Scenario;
use crate::configuration::Configuration;
use crate::error::{Context, Result};
use crate::machine::{Init, Layer, Machine};
use crate::node::Node;
use crate::{package as packages, setup, tree};

pub(super) const SCENARIOS: &[Scenario] = &[
    package::PACKAGE,
    package::WITHOUT_IPVS,
    init_script::INIT_SCRIPT,
    systemd::PAIR,
    book::BOOK,
    rpm::RPM,
    older::UPGRADE_FROM,
];
/// The pages of the book that are followed on installed machines.
pub(super) const PAGES: &[&str] = book::PAGES;
/// Run by `cargo lab package` alone, which has made that format.
pub const OF_PACKAGES: &str = rpm::RPM.name;
/// Run by `cargo lab package --upgrade-from` alone, which has made an older package.
pub const OF_OLDER_PACKAGE: &str = older::UPGRADE_FROM.name;

/// Where a machine has the package.
const PACKAGE: &str = "/root/piranha.deb";
/// Configuration of an installed pulse.
const LVS_CF: &str = "/etc/sysconfig/ha/lvs.cf";

/// What must be made before the kernel runs.
pub(super) fn prepare() -> Result<()> {
    tree::make(&[])?;
    let profile = match setup::own_program()?.parent() {
        Some(folder) if folder.ends_with("release") => "release",
        _ => "dev",
    };
    packages::deb(profile)?;
    Ok(())
}

/// Puts the package into a machine's files.
fn bring_package(machine: &Machine) -> Result<()> {
    bring(machine, &packages::deb_file()?, PACKAGE)
}

/// Copies a file of this machine into one of the laboratory.
fn bring(machine: &Machine, file: &Path, path: &str) -> Result<()> {
    let bytes = std::fs::read(file).during(format_args!("reading {}", file.display()))?;
    machine.write(path, bytes, 0o644)
}

/// The files of a machine with the package installed.
fn installed() -> Result<Arc<Layer>> {
    installed_from(&packages::deb_file()?)
}

/// The same, with another package.
fn installed_from(package: &Path) -> Result<Arc<Layer>> {
    let node = Arc::new(Node::new("installed")?);
    let mut machine = Machine::start(node, Init::Idle, None)?;
    bring(&machine, package, PACKAGE)?;
    machine.sh(&format!("dpkg -i {PACKAGE}"))?;
    machine.switch_off();
    Ok(machine.layer())
}

/// Gives a machine its lvs.cf.
fn configure(machine: &Machine, configuration: &Configuration) -> Result<()> {
    machine.write(LVS_CF, configuration.to_string(), 0o644)
}
