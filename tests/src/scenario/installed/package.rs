//! Installing, upgrading, removing and purging, and machines that are not ready for it.

use std::sync::Arc;

use super::{LVS_CF, PACKAGE as FILE, bring_package, configure};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::Result;
use crate::machine::{Init, Machine};
use crate::network::{Method, Side};
use crate::node::Node;
use crate::scenario::Scenario;

pub(super) const PACKAGE: Scenario = Scenario {
    name: "package",
    shows: "the Debian package: installed, upgraded, removed, purged; beside Piranha, keepalived, an old lvs.cf",
    ipvs: true,
    run: package,
};
pub(super) const WITHOUT_IPVS: Scenario = Scenario {
    name: "package-without-ipvs",
    shows: "the Debian package on a kernel without IPVS: it says so, and pulse does not start",
    ipvs: false,
    run: without_ipvs,
};

/// Everything but what the system keeps about itself; users stay, as on every Debian.
pub(super) const FILES: &str = "find / -xdev \\( -path /var/lib/dpkg -o -path /var/lib/rpm -o -path /var/log -o -path /var/cache -o -path /root \
    -o -path /tmp -o -path /run -o -path /dev -o -path /proc -o -path /sys -o -path '/etc/*-' \\) -prune -o -print | sort";

/// A stock machine with one router's address.
pub(super) fn stock() -> Result<Machine> {
    let node = Arc::new(Node::new("stock")?);
    node.ip(&format!(
        "link set lo up\nlink add eth0 type dummy\naddr add {}/24 dev eth0\nlink set eth0 up\n\
         link add eth1 type dummy\naddr add {}/24 dev eth1\nlink set eth1 up\n",
        Side::A.public(),
        Side::A.private()
    ))?;
    Machine::start(node, Init::Idle, None)
}

fn package() -> Result<String> {
    let machine = stock()?;
    bring_package(&machine)?;
    let before = machine.sh(FILES)?;
    foreign_piranha(&machine)?;
    ensure!(
        machine.sh(FILES)? == before,
        "a refused installation changed files"
    );
    install(&machine)?;
    let installed = machine.sh(FILES)?;
    rotated(&machine)?;
    upgrade_while_it_runs(&machine)?;
    remove(&machine)?;
    machine.sh("dpkg -P piranha")?;
    let after = machine.sh(FILES)?;
    let left: Vec<&str> = after
        .lines()
        .filter(|line| !before.lines().any(|old| old == *line))
        .collect();
    ensure!(left.is_empty(), "left after the purge: {left:?}");
    without_users(&machine)?;
    generations(&machine)?;
    machine.sh("dpkg -P piranha")?;
    old_configuration(&machine)?;
    let count = installed
        .lines()
        .count()
        .saturating_sub(before.lines().count());
    Ok(format!("{count} files and folders came and went"))
}

/// Programs of another make in our place are not touched.
fn foreign_piranha(machine: &Machine) -> Result<()> {
    machine.write("/usr/sbin/pulse", "#!/bin/sh\necho pulse 1.56\n", 0o755)?;
    let (status, said) = machine.ask(&format!("dpkg -i {FILE}"))?;
    ensure!(
        status != 0 && said.contains("/usr/sbin/pulse is Red Hat's Piranha"),
        "on top of Piranha: status {status}: {said}"
    );
    let text = machine.sh("cat /usr/sbin/pulse; ls /etc/sysconfig 2>&1 || true")?;
    ensure!(text.contains("pulse 1.56"), "Piranha was changed: {text}");
    machine.sh("rm /usr/sbin/pulse; dpkg -P piranha")?;
    Ok(())
}

fn install(machine: &Machine) -> Result<()> {
    let said = machine.sh(&format!("dpkg -i {FILE}"))?;
    ensure!(
        !said.contains("piranha: "),
        "the installation complains: {said}"
    );
    installed_well(machine, Kind::Debian)
}

/// What packed the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Debian,
    Rpm,
}

/// What holds after an installation of either kind.
pub(super) fn installed_well(machine: &Machine, kind: Kind) -> Result<()> {
    let kept = match kind {
        Kind::Debian => {
            "dpkg-query -W -f '${Conffiles}\\n' piranha | cut -d' ' -f2 | grep . | sort"
        }
        Kind::Rpm => "rpm -qc piranha | sort",
    };
    for (script, expected) in [
        ("stat -c '%a %U' /usr/lib/piranha/lvs", "755 root\n"),
        ("readlink /usr/sbin/lvsd", "../lib/piranha/lvs\n"),
        ("readlink -f /usr/sbin/ipvsadm", "/usr/sbin/ipvsadm-rs\n"),
        (
            "stat -c '%a %U' /var/lib/piranha-check",
            "750 piranha-check\n",
        ),
        (
            kept,
            "/etc/init.d/pulse\n/etc/logrotate.d/piranha\n/etc/sysconfig/ha/lvs.cf\n/etc/sysconfig/piranha-gui\n/etc/sysconfig/pulse\n",
        ),
        ("pidof pulse || echo none", "none\n"),
    ] {
        let found = machine.sh(script)?;
        ensure!(
            found == expected,
            "{script}: {found:?} instead of {expected:?}"
        );
    }
    machine.sh(
        "ipvsadm -Ln && lvsd --version && nanny --version && send_arp 2>&1 | grep -qi usage; true",
    )?;
    let (status, said) = machine.ask("pulse -n")?;
    ensure!(
        status == 1 && said.contains("no active lvs services defined"),
        "with the file as installed: status {status}: {said}"
    );
    Ok(())
}

/// The log of changes, when it has grown: by the rules for a month later, and by those of today not yet.
fn rotated(machine: &Machine) -> Result<()> {
    let rules = "/etc/logrotate.d/piranha";
    let log = "/var/lib/piranha/audit.jsonl";
    machine.sh("install -d -m 700 /var/lib/piranha")?;
    let status = "/root/logrotate.status";
    machine.sh(&format!("cp /dev/null {log} && chmod 600 {log}"))?;
    let rotate = format!("logrotate -s {status} {rules}");
    machine.sh(&format!("echo '{{}}' >{log}; {rotate} && test -e {log}"))?;
    let month_ago =
        format!("printf 'logrotate state -- version 2\\n\"{log}\" 2001-1-1-0:0:0\\n' >{status}");
    machine.sh(&format!(
        "{month_ago}; {rotate} && test -e {log} && test ! -e {log}.1"
    ))?;
    machine.sh(&format!("{month_ago}; head -c 2000000 /dev/zero >>{log}"))?;
    let said = machine.sh(&rotate)?;
    let found = machine.sh(&format!("ls {log}* && stat -c %a {log}.1"))?;
    ensure!(
        said.is_empty() && found == format!("{log}.1\n600\n"),
        "logrotate says {said:?} and leaves {found:?}"
    );
    machine.sh(&format!("rm {log}.1 {status}"))?;
    Ok(())
}

/// Users that cannot be made: it is said what will not work, and the rest does.
fn without_users(machine: &Machine) -> Result<()> {
    machine.sh("for user in piranha piranha-check; do userdel $user; done; mv /usr/bin/systemd-sysusers /root")?;
    let said = machine.sh(&format!("dpkg -i {FILE}"))?;
    for words in [
        "there is no user piranha-check: checks will run as nobody",
        "there is no user piranha: the web tool will not start",
    ] {
        ensure!(said.contains(words), "\"{words}\" is not in: {said}");
    }
    configure(machine, &Configuration::new(Method::Direct, 1))?;
    machine.sh("/etc/init.d/pulse start")?;
    machine.wait("ps -o user= -C nanny | grep -qx nobody")?;
    machine.sh("/etc/init.d/pulse stop && mv /root/systemd-sysusers /usr/bin")?;
    let said = machine.sh("/var/lib/dpkg/info/piranha.postinst configure")?;
    ensure!(
        !said.contains("no user"),
        "with a way to make users: {said}"
    );
    Ok(())
}

/// Files of Piranha's years: what a generation has that is not followed is said, the file stays.
fn generations(machine: &Machine) -> Result<()> {
    let folder = crate::setup::workspace().join("crates/lvs-config/tests/samples/good");
    for (name, words) in [
        (
            "11-rh21-era-shared-scsi.cf",
            "failover blocks have no effect",
        ),
        (
            "10-fos-two-services.cf",
            "failover services are not supported: pulse refuses to start",
        ),
        ("02-gui-nat-two-nic-pair.cf", ""),
        ("13-messy-hand-edited.cf", ""),
    ] {
        super::bring(machine, &folder.join(name), LVS_CF)?;
        let sum = machine.sh(&format!("md5sum {LVS_CF}"))?;
        let said = machine.sh("/var/lib/dpkg/info/piranha.postinst configure")?;
        let fitting = if words.is_empty() {
            !said.contains("lvs.cf")
        } else {
            said.contains("what pulse says about this lvs.cf") && said.contains(words)
        };
        ensure!(fitting, "with {name}: {said}");
        ensure!(
            machine.sh(&format!("md5sum {LVS_CF}"))? == sum,
            "{name} was changed"
        );
    }
    Ok(())
}

/// A newer version while it runs: the file stays as it was edited, pulse is started anew.
fn upgrade_while_it_runs(machine: &Machine) -> Result<()> {
    let configuration = Configuration::new(Method::Direct, 1);
    configure(machine, &configuration)?;
    machine.sh("/etc/init.d/pulse start")?;
    let old = machine.sh("cat /var/run/pulse.pid")?;
    machine.sh(&format!(
        "cd /root && dpkg-deb -R {FILE} new && sed -i 's/^Version: .*/Version: 99/' new/DEBIAN/control && \
         echo '# of the new version' >>new{LVS_CF} && dpkg-deb -Znone -b new new.deb && rm -r new"
    ))?;
    machine.sh("dpkg --force-confdef --force-confold -i /root/new.deb && rm /root/new.deb")?;
    let new = machine.sh("cat /var/run/pulse.pid && /etc/init.d/pulse status")?;
    ensure!(
        !new.starts_with(old.trim()),
        "pulse {old} was not started anew"
    );
    let text = machine.sh(&format!("cat {LVS_CF}"))?;
    ensure!(
        text == configuration.to_string(),
        "the upgrade changed lvs.cf:\n{text}"
    );
    machine.sh(&format!("rm -f {LVS_CF}.dpkg-*"))?;
    Ok(())
}

pub(super) fn remove(machine: &Machine) -> Result<()> {
    machine.sh("dpkg -r piranha")?;
    machine.wait("! pidof pulse lvsd lvs nanny")?;
    let left = machine.sh("find / -xdev -path /var/lib/dpkg -prune -o \\( -path '*piranha*' -o -name 'pulse*' \
        -o -name lvsd -o -name lvs.cf -o -name nanny -o -name send_arp -o -name 'ipvsadm*' \\) -print | grep -v '^/root/\\|^/proc/\\|^/sys/' | sort")?;
    let kept = [
        "/etc/init.d/pulse",
        "/etc/logrotate.d/piranha",
        "/etc/sysconfig/ha/lvs.cf",
        "/etc/sysconfig/piranha-gui",
        "/etc/sysconfig/pulse",
    ];
    let other: Vec<&str> = left
        .lines()
        .filter(|line| !kept.contains(line) && !line.starts_with("/var/lib/piranha"))
        .collect();
    ensure!(other.is_empty(), "left after the removal: {other:?}");
    ensure!(left.contains(LVS_CF), "lvs.cf was not kept: {left}");
    Ok(())
}

/// A file that was there before any package, with an error in it, and keepalived at work.
fn old_configuration(machine: &Machine) -> Result<()> {
    let text = format!("{}deadtime = soon\n", Configuration::new(Method::Direct, 1));
    machine.sh("mkdir -p /etc/sysconfig/ha; cp /bin/sleep /root/keepalived")?;
    machine.write(LVS_CF, text.clone(), 0o664)?;
    machine.sh("/root/keepalived 600 >/dev/null 2>&1 &")?;
    let said = machine.sh(&format!("dpkg -i {FILE}"))?;
    for words in [
        "pulse will not start with this lvs.cf",
        "integer expected",
        "keepalived runs on this machine",
    ] {
        ensure!(said.contains(words), "\"{words}\" is not in: {said}");
    }
    let found = machine.sh(&format!("stat -c %a {LVS_CF}; cat {LVS_CF}; ls {LVS_CF}*"))?;
    ensure!(
        found == format!("664\n{text}{LVS_CF}\n"),
        "the old file did not stay as it was:\n{found}"
    );
    let (status, said) = machine.ask("/etc/init.d/pulse start")?;
    ensure!(
        status == 1 && said.contains("integer expected"),
        "start with a wrong file: status {status}: {said}"
    );
    Ok(())
}

fn without_ipvs() -> Result<String> {
    let machine = stock()?;
    bring_package(&machine)?;
    let said = machine.sh(&format!("dpkg -i {FILE}"))?;
    ensure!(
        said.contains("this kernel has no IPVS"),
        "the installation does not say that IPVS is missing: {said}"
    );
    configure(&machine, &Configuration::new(Method::Direct, 1))?;
    let (status, said) = machine.ask("/etc/init.d/pulse start")?;
    ensure!(
        status == 1 && said.contains("FAILED") && said.contains("Protocol not available"),
        "start without IPVS: status {status}: {said}"
    );
    let (status, said) = machine.ask("/etc/init.d/pulse status")?;
    ensure!(status == 3, "status afterwards: {status}: {said}");
    Ok(String::new())
}
