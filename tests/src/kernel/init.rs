//! The first process of the machine or of the namespaces: mounts, loads modules, runs the job,
//! collects orphans, leaves the exit status, powers off.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::wait::{WaitStatus, wait};

use super::{Shared, Spec};
use crate::error::{Context, Result};

/// What the laboratory's networks are made of.
const NETWORK_MODULES: &[&str] = &[
    "veth",
    "bridge",
    "macvlan",
    "ipip",
    "dummy",
    "nf_conntrack",
    "iptable_nat",
    "iptable_mangle",
    // What `iptables` of a machine is made of.
    "iptable_filter",
    "xt_mark",
    "xt_multiport",
    "xt_tcpudp",
    "xt_MASQUERADE",
    "sch_netem",
    "sch_ingress",
    "cls_flower",
    "act_skbedit",
    // Machines with files of their own.
    "overlay",
];

/// IPVS, its schedulers, its helpers.
const IPVS_MODULES: &[&str] = &[
    "ip_vs",
    "ip_vs_rr",
    "ip_vs_wrr",
    "ip_vs_lc",
    "ip_vs_wlc",
    "ip_vs_lblc",
    "ip_vs_lblcr",
    "ip_vs_sh",
    "ip_vs_dh",
    "ip_vs_sed",
    "ip_vs_nq",
    "ip_vs_mh",
    "ip_vs_fo",
    "ip_vs_ovf",
    "ip_vs_ftp",
    "ip_vs_pe_sip",
];

/// Where the folder with `lib/modules` is made for `modprobe -d`.
pub const MODULE_ROOT: &str = "/run/modules";

/// Runs as process 1; returns only in the host's kernel.
pub fn run(folder: &Path) -> Result<u8> {
    let shared = Shared(folder);
    let text = std::fs::read(shared.spec()).during("reading the job")?;
    let spec: Spec = serde_json::from_slice(&text)
        .map_err(std::io::Error::from)
        .during("reading the job")?;
    let status = match prepare(&spec).and_then(|()| run_job(&spec, &shared)) {
        Ok(status) => status,
        Err(error) => {
            let _ = std::fs::write(shared.output(), format!("lab: {error}\n"));
            1
        }
    };
    std::fs::write(shared.status(), format!("{status}\n")).during("leaving the exit status")?;
    if spec.power_off {
        nix::unistd::sync();
        let _ = nix::sys::reboot::reboot(nix::sys::reboot::RebootMode::RB_POWER_OFF);
    }
    Ok(status)
}

fn prepare(spec: &Spec) -> Result<()> {
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )
    .during("making mounts private")?;
    mount_new("proc", "/proc")?;
    mount_new("sysfs", "/sys")?;
    mount_new("tmpfs", "/run")?;
    if spec.power_off {
        std::fs::create_dir_all("/dev/shm").during("making /dev/shm")?;
        mount_new("tmpfs", "/dev/shm")?;
        // Terminals for programs under test.
        std::fs::create_dir_all("/dev/pts").during("making /dev/pts")?;
        mount_new("devpts", "/dev/pts")?;
    }
    load(spec.modules.as_deref(), NETWORK_MODULES)?;
    if spec.ipvs {
        load(spec.modules.as_deref(), IPVS_MODULES)?;
    }
    Ok(())
}

fn mount_new(kind: &str, target: &str) -> Result<()> {
    mount(
        Some(kind),
        target,
        Some(kind),
        MsFlags::empty(),
        None::<&str>,
    )
    .during(format_args!("mounting {target}"))
}

fn load(modules: Option<&Path>, names: &[&str]) -> Result<()> {
    let mut command = Command::new("/sbin/modprobe");
    if let Some(folder) = modules {
        let parent = format!("{MODULE_ROOT}/lib");
        std::fs::create_dir_all(&parent).during("making the module folder")?;
        match std::os::unix::fs::symlink(folder, format!("{parent}/modules")) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error).during("making the module folder");
            }
            _ => {}
        }
        command.args(["-d", MODULE_ROOT]);
    }
    // Some may be built in or not exist on a kernel of another make; what is really needed shows
    // when it is used.
    command
        .arg("-aq")
        .args(names)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .during("running modprobe")?;
    Ok(())
}

/// Starts the job and collects every process that ends until it is the job's own.
fn run_job(spec: &Spec, shared: &Shared<'_>) -> Result<u8> {
    let output = OpenOptions::new()
        .append(true)
        .open(shared.output())
        .during("opening the output file")?;
    let (program, arguments) = spec
        .command
        .split_first()
        .ok_or(Errno::EINVAL)
        .during("reading the job")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(&spec.environment)
        .current_dir(&spec.directory)
        .stdin(Stdio::null())
        .stdout(output.try_clone().during("opening the output file")?)
        .stderr(output);
    if let Some(terminal) = &spec.terminal {
        command.env("LAB_TERMINAL", terminal);
    }
    let child = command.spawn().during(format_args!("starting {program}"))?;
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid.as_raw().cast_unsigned() == child.id() => {
                return Ok(u8::try_from(code).unwrap_or(1));
            }
            Ok(WaitStatus::Signaled(pid, signal, _))
                if pid.as_raw().cast_unsigned() == child.id() =>
            {
                let status = std::process::ExitStatus::from_raw(signal as i32);
                std::fs::write("/dev/kmsg", format!("the job ended: {status}")).ok();
                return Ok(128 + u8::try_from(signal as i32).unwrap_or(0));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).during("waiting for the job"),
        }
    }
}
