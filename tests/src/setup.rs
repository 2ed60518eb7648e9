//! What must be on the machine before anything can run: system packages and the built programs.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::error::{Context, Error, Result};

/// A program and the Debian package that has it.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    program: &'static str,
    package: &'static str,
}

/// What every run needs.
pub const BASE: &[Tool] = &[
    Tool {
        program: "ip",
        package: "iproute2",
    },
    Tool {
        program: "modprobe",
        package: "kmod",
    },
    Tool {
        program: "setpriv",
        package: "util-linux",
    },
    // Of disks that tests make hang.
    Tool {
        program: "mkfs.ext4",
        package: "e2fsprogs",
    },
];
/// The kernel that runs as a process.
pub const UML: &[Tool] = &[Tool {
    program: "linux.uml",
    package: "user-mode-linux",
}];
/// The original that ipvsadm-rs is measured against.
pub const IPVSADM: &[Tool] = &[Tool {
    program: "ipvsadm",
    package: "ipvsadm",
}];
/// What the pair is measured against.
pub const KEEPALIVED: &[Tool] = &[Tool {
    program: "keepalived",
    package: "keepalived",
}];
/// What Debian has on top of the original.
pub const ON_IPVSADM: &[Tool] = &[
    Tool {
        program: "ipvsadm",
        package: "ipvsadm",
    },
    Tool {
        program: "ldirectord",
        package: "ldirectord",
    },
];
/// Judges the unit file.
pub const SYSTEMD: &[Tool] = &[Tool {
    program: "systemd-analyze",
    package: "systemd",
}];

/// Asks for a page, as people do by hand.
pub const CURL: &[Tool] = &[Tool {
    program: "curl",
    package: "curl",
}];

/// Draws manual pages.
pub const GROFF: &[Tool] = &[Tool {
    program: "groff",
    package: "groff-base",
}];

/// Finds the shared libraries that a package depends on.
pub const DPKG_DEV: &[Tool] = &[Tool {
    program: "dpkg-shlibdeps",
    package: "dpkg-dev",
}];

/// Uses the web tool as a person does.
pub const BROWSER: &[Tool] = &[
    Tool {
        program: "chromium",
        package: "chromium",
    },
    Tool {
        program: "chromedriver",
        package: "chromium-driver",
    },
];

/// Makes a clean Debian tree.
pub const MMDEBSTRAP: &[Tool] = &[Tool {
    program: "mmdebstrap",
    package: "mmdebstrap",
}];

/// Installs what is missing as root, else says what to install.
pub fn require(tools: &[Tool]) -> Result<()> {
    let mut packages: Vec<&str> = tools
        .iter()
        .filter(|tool| find(tool.program).is_none())
        .map(|tool| tool.package)
        .collect();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if !nix::unistd::geteuid().is_root() || find("apt-get").is_none() {
        return Err(Error::Setup(format!(
            "missing on this machine: {list}. Install and run again:\n\n    \
             sudo apt-get install --no-install-recommends {list}\n"
        )));
    }
    println!("installing {list}");
    apt_get(&["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(&packages);
    apt_get(&arguments)?;
    match tools.iter().find(|tool| find(tool.program).is_none()) {
        None => Ok(()),
        Some(tool) => Err(Error::Setup(format!(
            "{} is not in package {}",
            tool.program, tool.package
        ))),
    }
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args([
            "-q",
            "-o",
            "DPkg::Lock::Timeout=300",
            "-o",
            "Acquire::Retries=3",
        ])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Single user: services that come with a package are not started.
        .env("RUNLEVEL", "1")
        .stdin(Stdio::null())
        .output()
        .during("running apt-get")?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Setup(format!(
        "apt-get {}: {}\n{}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}

/// Path of a program, also of one that only root has in its search path.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| {
            file.metadata()
                .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
}

/// The laboratory's own program. Asked for once, at the start: cargo may replace the file.
pub fn own_program() -> Result<PathBuf> {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    if let Some(path) = OWN.get() {
        return Ok(path.clone());
    }
    let path = std::env::current_exe().during("finding the own program")?;
    Ok(OWN.get_or_init(|| path).clone())
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map(PathBuf::from).unwrap_or(package)
}

/// The folder of everything that is built, in which the laboratory's own program is too.
pub fn target() -> Result<PathBuf> {
    let own = own_program()?;
    let folder = own.parent().and_then(Path::parent);
    folder
        .map(PathBuf::from)
        .ok_or_else(|| Error::Setup(format!("{} is not in a build folder", own.display())))
}

/// A run of cargo in the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(workspace())
        .stdin(Stdio::null());
    command
}

/// Builds the programs into the folder that the laboratory itself is in.
pub fn build() -> Result<()> {
    build_with(&["--workspace", "--exclude", "lab", "--bins"])
}

/// Builds what lets User-Mode Linux run on this processor; gives its path.
pub fn build_xstate() -> Result<PathBuf> {
    build_with(&["--package", "uml-xstate"])?;
    let library = own_program()?.with_file_name("libuml_xstate.so");
    if library.is_file() {
        return Ok(library);
    }
    Err(Error::Setup(format!(
        "{} is missing: it must lie beside the laboratory's program; run it as `cargo lab`",
        library.display()
    )))
}

fn build_with(which: &[&str]) -> Result<()> {
    let own = own_program()?;
    let mut arguments = vec!["build", "--quiet"];
    arguments.extend(which);
    if own
        .parent()
        .is_some_and(|folder| folder.ends_with("release"))
    {
        arguments.push("--release");
    }
    let status = cargo(&arguments).status().during("running cargo build")?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Command {
        command: "cargo build".into(),
        outcome: status.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-anywhere").is_none());
    }

    #[test]
    fn the_workspace_has_the_packages() {
        assert!(workspace().join("Cargo.toml").is_file());
        assert!(workspace().join("tests/Cargo.toml").is_file());
    }
}
