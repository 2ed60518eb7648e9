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
const FILES: &str = "find / -xdev \\( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -path /root \
    -o -path /tmp -o -path /run -o -path /dev -o -path /proc -o -path /sys -o -path '/etc/*-' \\) -prune -o -print | sort";

/// A stock machine with one router's address.
fn machine() -> Result<Machine> {
    let node = Arc::new(Node::new("stock")?);
    node.ip(&format!(
        "link set lo up\nlink add eth0 type dummy\naddr add {}/24 dev eth0\nlink set eth0 up\n\
         link add eth1 type dummy\naddr add {}/24 dev eth1\nlink set eth1 up\n",
        Side::A.public(),
        Side::A.private()
    ))?;
    let machine = Machine::start(node, Init::Idle, None)?;
    bring_package(&machine)?;
    Ok(machine)
}

fn package() -> Result<String> {
    let machine = machine()?;
    let before = machine.sh(FILES)?;
    foreign_piranha(&machine)?;
    ensure!(
        machine.sh(FILES)? == before,
        "a refused installation changed files"
    );
    install(&machine)?;
    let installed = machine.sh(FILES)?;
    upgrade_while_it_runs(&machine)?;
    remove(&machine)?;
    machine.sh("dpkg -P piranha")?;
    let after = machine.sh(FILES)?;
    let left: Vec<&str> = after
        .lines()
        .filter(|line| !before.lines().any(|old| old == *line))
        .collect();
    ensure!(left.is_empty(), "left after the purge: {left:?}");
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
    for (script, expected) in [
        ("stat -c '%a %U' /usr/lib/piranha/lvs", "755 root\n"),
        ("readlink /usr/sbin/lvsd", "../lib/piranha/lvs\n"),
        ("readlink -f /usr/sbin/ipvsadm", "/usr/sbin/ipvsadm-rs\n"),
        (
            "stat -c '%a %U' /var/lib/piranha-check",
            "750 piranha-check\n",
        ),
        (
            "dpkg-query -W -f '${Conffiles}\\n' piranha | cut -d' ' -f2 | sort",
            "/etc/init.d/pulse\n/etc/sysconfig/ha/lvs.cf\n/etc/sysconfig/piranha-gui\n/etc/sysconfig/pulse\n",
        ),
        ("pidof pulse || echo none", "none\n"),
    ] {
        let found = machine.sh(script)?;
        let found = found.trim_start_matches('\n');
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

fn remove(machine: &Machine) -> Result<()> {
    machine.sh("dpkg -r piranha")?;
    machine.wait("! pidof pulse lvsd lvs nanny")?;
    let left = machine.sh("find / -xdev -path /var/lib/dpkg -prune -o \\( -path '*piranha*' -o -name 'pulse*' \
        -o -name lvsd -o -name lvs.cf -o -name nanny -o -name send_arp -o -name 'ipvsadm*' \\) -print | grep -v '^/root/\\|^/proc/\\|^/sys/' | sort")?;
    let kept = [
        "/etc/init.d/pulse",
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
    let machine = machine()?;
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
