//! From the command line to a running router (`piranha-daemons.md` 3.1, 3.2), in the order that
//! lets every refusal reach the terminal: nothing is touched before all is known to be well.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use daemon::lock::InstanceLock;
use daemon::mode;
use heartbeat::Role;

use crate::dry_run;
use crate::identity::{self, Identity};
use crate::load::{self, Loaded};
use crate::options::Options;
use crate::refusal::Refusal;
use crate::router;
use crate::sockets::Bound;

/// The bit of CAP_NET_ADMIN in a capability set.
const NET_ADMIN: u32 = 12;

/// What a router starts with.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) options: Options,
    pub(crate) loaded: Loaded,
    pub(crate) identity: Identity,
    pub(crate) bound: Bound,
}

pub(crate) fn run(options: Options) -> ExitCode {
    daemon::log::init("pulse", "pulse", options.mode, options.verbose);
    let mode = options.mode;
    let pid_file = pid_file(&options);
    if options.test_start {
        return match understand(&options) {
            Ok((loaded, identity)) => {
                print!("{}", dry_run::text(&options, &loaded.plan, &identity));
                ExitCode::SUCCESS
            }
            Err(refusal) => refusal.tell(),
        };
    }
    let (prepared, lock) = match prepare(options) {
        Ok(prepared) => prepared,
        Err(refusal) => return refusal.tell(),
    };
    let running = match mode::enter(mode, Some(&pid_file)) {
        Ok(running) => running,
        Err(error) => return Refusal::new(error.to_string()).tell(),
    };
    let status = router::run(prepared, running);
    drop(lock);
    status
}

/// Private when the folder for such files is.
fn pid_file(options: &Options) -> PathBuf {
    match &options.run_dir {
        Some(_) => daemon::paths::run_dir(options.run_dir.as_deref()).join("pulse.pid"),
        None => PathBuf::from("/var/run/pulse.pid"),
    }
}

/// File and role.
fn understand(options: &Options) -> Result<(Loaded, Identity), Refusal> {
    let loaded = load::load(&options.config_file)
        .map_err(|error| Refusal::new(error.to_string()).drawn(error.drawn()))?;
    let identity = Identity::new(&loaded.config, &identity::local_addresses()?)?;
    if identity.role == Role::Backup && !loaded.plan.has_backup {
        let text = "We are backup node and backup is marked inactive -- exiting pulse";
        return Err(Refusal::new(text).logged(text).status(255));
    }
    Ok((loaded, identity))
}

fn prepare(options: Options) -> Result<(Prepared, InstanceLock), Refusal> {
    let (loaded, identity) = understand(&options)?;
    let lock = InstanceLock::acquire("pulse").map_err(|error| Refusal::new(error.to_string()))?;
    let bound = Bound::new(&identity)?;
    if !may_change_addresses() {
        return Err(Refusal::new(
            "no permission to change addresses. running as root?",
        ));
    }
    if loaded.plan.stock_ipvsadm {
        try_ipvs(&daemon::paths::program("ipvsadm-rs"))?;
    }
    Ok((
        Prepared {
            options,
            loaded,
            identity,
            bound,
        },
        lock,
    ))
}

/// Reads the table once: without IPVS in the kernel this router could never serve, and its partner
/// should not learn of it by a failed take-over. A site's own tool is not run unasked.
fn try_ipvs(tool: &Path) -> Result<(), Refusal> {
    let output = match Command::new(tool).arg("-Sn").stdin(Stdio::null()).output() {
        Ok(output) => output,
        // lvs says more about a missing tool, and goes on when it is there again.
        Err(_) => return Ok(()),
    };
    if output.status.success() {
        return Ok(());
    }
    Err(Refusal::new(no_ipvs(&String::from_utf8_lossy(
        &output.stderr,
    ))))
}

/// What the tool said, without modprobe's words before it.
fn no_ipvs(said: &str) -> String {
    let reason = said
        .lines()
        .find(|line| line.starts_with("Can't initialize ipvs"))
        .or_else(|| said.lines().next())
        .unwrap_or("the table cannot be read");
    let advice = if reason.ends_with("Protocol not available") {
        "; load the module (modprobe ip_vs) or boot a kernel that has it"
    } else {
        ""
    };
    format!("cannot use IPVS: {reason}{advice}")
}

/// Whether CAP_NET_ADMIN is in force; when that cannot be told, the kernel will say it later.
fn may_change_addresses() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .is_none_or(|set| set & (1 << NET_ADMIN) != 0)
}

#[cfg(test)]
mod tests {
    use super::no_ipvs;

    #[test]
    fn a_kernel_without_ipvs_is_told_in_the_tools_own_words() {
        let said = "modprobe: FATAL: Module ip_vs not found in directory /lib/modules/6\n\
            Can't initialize ipvs: Protocol not available\n\
            Are you sure that IP Virtual Server is built in the kernel or as module?\n";
        assert_eq!(
            no_ipvs(said),
            "cannot use IPVS: Can't initialize ipvs: Protocol not available; \
             load the module (modprobe ip_vs) or boot a kernel that has it"
        );
        assert_eq!(no_ipvs("broken\n"), "cannot use IPVS: broken");
    }
}
