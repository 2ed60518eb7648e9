//! The packages: built from one list of files, which stands in pulse's manifest.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Context, Error, Result};
use crate::setup;

/// The package whose manifest describes them.
const MANIFEST: &str = "bins/pulse";
/// Where it has the list of files.
const FILES: &str = "files";
/// A folder of the list that only Debian has, and what the others have in its place.
const ZSH: [&str; 2] = ["/zsh/vendor-completions/", "/zsh/site-functions/"];
/// A subcommand of cargo that makes one format.
struct Packer {
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
}

const DEB: Packer = Packer {
    name: "cargo-deb",
    version: "3.8.0",
    features: &["--no-default-features"],
};
const RPM: Packer = Packer {
    name: "cargo-generate-rpm",
    version: "0.21.1",
    features: &[],
};

/// Builds the programs for use and both packages; gives their paths.
pub fn build() -> Result<Vec<PathBuf>> {
    let programs = ["build", "--workspace", "--exclude", "lab", "--bins"];
    let release = [&programs[..], &["--release"]].concat();
    run(setup::cargo(&release))?;
    Ok(vec![deb("release")?, rpm()?])
}

/// The package for rpm, and the next version of it, for an upgrade.
fn rpm() -> Result<PathBuf> {
    RPM.install(&[])?;
    let (file, next, list) = (rpm_file()?, next_rpm_file()?, rpm_list()?);
    for (file, version) in [(&file, None), (&next, Some("version = '99'"))] {
        let mut command = RPM.command()?;
        command
            .args(["generate-rpm", "--package", MANIFEST])
            // Always the same way of finding the libraries, whatever is installed here.
            .args(["--auto-req", "builtin", "--output"])
            .arg(file)
            .arg("--target-dir")
            .arg(setup::target()?)
            .arg(format!(
                "--metadata-overwrite={}#package.metadata.deb.variants.{FILES}",
                list.display()
            ))
            .args(version.map(|version| format!("--set-metadata={version}")));
        run(command)?;
    }
    Ok(file)
}

/// The manifest with the list of files as rpm's distributions have them.
fn rpm_list() -> Result<PathBuf> {
    let manifest = setup::workspace().join(MANIFEST).join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).during("reading the list of files")?;
    let [debian, others] = ZSH;
    if !text.contains(debian) {
        return Err(Error::unmet(format_args!(
            "{debian} is not in the list of files"
        )));
    }
    let list = folder()?.join("rpm.toml");
    std::fs::write(&list, text.replace(debian, others)).during("writing the list of files")?;
    Ok(list)
}

/// Where it is.
pub fn rpm_file() -> Result<PathBuf> {
    Ok(folder()?.join("piranha.rpm"))
}

/// Where the next version is.
pub fn next_rpm_file() -> Result<PathBuf> {
    Ok(folder()?.join("piranha-next.rpm"))
}

/// The Debian package of what was built in a profile.
pub fn deb(profile: &str) -> Result<PathBuf> {
    let file = deb_file()?;
    pack_deb(&setup::workspace(), &setup::target()?, profile, &file)?;
    Ok(file)
}

/// The same, of any sources and what was built of them.
pub(crate) fn pack_deb(source: &Path, target: &Path, profile: &str, file: &Path) -> Result<()> {
    setup::require(setup::DPKG_DEV)?;
    // It only copies and packs: how well it is optimised does not show.
    DEB.install(&["--debug"])?;
    let mut command = DEB.command()?;
    command
        .args(["deb", "--package", "pulse", "--variant", FILES])
        .args(["--no-build", "--fast", "--profile", profile, "--output"])
        .arg(file)
        .current_dir(source)
        .env("CARGO_TARGET_DIR", target);
    run(command)
}

/// Where it is.
pub fn deb_file() -> Result<PathBuf> {
    Ok(folder()?.join("piranha.deb"))
}

/// Where the packages are put.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = setup::target()?.join("package");
    std::fs::create_dir_all(&folder).during("making the packages' folder")?;
    Ok(folder)
}

impl Packer {
    fn folder(&self) -> Result<PathBuf> {
        let name = format!("{}-{}", self.name, self.version);
        Ok(setup::target()?.join("tools").join(name))
    }

    fn program(&self) -> Result<PathBuf> {
        Ok(self.folder()?.join("bin").join(self.name))
    }

    /// Installs it below the target folder, once.
    fn install(&self, how: &[&str]) -> Result<()> {
        if self.program()?.is_file() {
            return Ok(());
        }
        println!("installing {} {}", self.name, self.version);
        let version = format!("={}", self.version);
        let mut command = setup::cargo(&["install", "--quiet", "--locked"]);
        command
            .args([self.name, "--version", &version, "--root"])
            .arg(self.folder()?)
            .args(self.features)
            .args(how);
        run(command)
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(self.program()?);
        command.current_dir(setup::workspace());
        Ok(command)
    }
}

/// Runs a command; what it says is shown only when it fails.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let what = Path::new(command.get_program()).display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .during(format_args!("running {what}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Command {
        command: format!("{command:?}"),
        outcome: format!(
            "{}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
    })
}
