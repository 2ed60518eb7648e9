//! The package for rpm: the same files as Debian's, and its life by rpm's own tools. Debian's tree has another
//! package system beside rpm's: what the package depends on is not asked for there.

use super::package::{FILES, Kind, stock};
use super::{LVS_CF, PACKAGE, bring, bring_package, configure};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::Result;
use crate::machine::Machine;
use crate::network::Method;
use crate::package as packages;
use crate::scenario::Scenario;

pub(super) const RPM: Scenario = Scenario {
    name: "rpm",
    shows: "the package for rpm: the files of Debian's; installed, verified, upgraded, erased; beside Piranha, an old lvs.cf",
    ipvs: true,
    run: rpm,
};

const FILE: &str = "/root/piranha.rpm";
const NEXT: &str = "/root/next.rpm";

fn rpm() -> Result<String> {
    let machine = stock()?;
    bring(&machine, &packages::rpm_file()?, FILE)?;
    bring(&machine, &packages::next_rpm_file()?, NEXT)?;
    // Debian's rpm warns of itself, and keeps its records elsewhere.
    machine.write(
        "/usr/local/bin/rpm",
        "#!/bin/sh\ncase $1 in -i | -U | -e) set -- \"$@\" --force-debian ;; esac\n\
         exec /usr/bin/rpm --dbpath /var/lib/rpm \"$@\"\n",
        0o755,
    )?;
    // As Red Hat's, which ends at once when it gets an option that it does not know.
    machine.sh("mv /usr/bin/update-alternatives /usr/bin/alternatives-of-debian")?;
    machine.write(
        "/usr/bin/update-alternatives",
        "#!/bin/sh\ncase \" $* \" in *' --quiet '*) exit 2 ;; esac\nexec /usr/bin/alternatives-of-debian \"$@\"\n",
        0o755,
    )?;
    bring_package(&machine)?;
    let count = same_files(&machine)?;
    let before = machine.sh(FILES)?;
    refused(&machine, &before)?;
    beside_red_hats(&machine)?;
    install(&machine)?;
    beside_ipvsadm(&machine)?;
    upgrade_while_it_runs(&machine)?;
    erase(&machine, &before)?;
    old_configuration(&machine)?;
    Ok(format!("{count} files, as in Debian's package"))
}

/// Both packages bring the same, with the same rights. The link to lvs is made at the installation here.
fn same_files(machine: &Machine) -> Result<usize> {
    let debian = machine.sh(&format!(
        "dpkg-deb --fsys-tarfile {PACKAGE} | tar -tv | grep '^-' | \
         awk '{{ sub(\"^[.]\", \"\", $6); print $1, $6 }}' | grep -v /usr/share/doc/piranha/copyright | sort"
    ))?;
    let here = machine.sh(&format!(
        "rpm -qp --qf '[%{{FILEMODES:perms}} %{{FILENAMES}}\\n]' {FILE} | sort"
    ))?;
    // One of them packs manual pages on its own account; zsh looks elsewhere on Debian.
    let plain = |text: &str| {
        let text = text.replace(".gz\n", "\n");
        text.replace("/zsh/vendor-completions/", "/zsh/site-functions/")
    };
    ensure!(
        plain(&debian) == plain(&here) && here.contains("/usr/share/zsh/site-functions/_pulse\n"),
        "the packages differ:\n{debian}\n--- and ---\n{here}"
    );
    Ok(here.lines().count())
}

/// Programs of another make in our place are not touched.
fn refused(machine: &Machine, before: &str) -> Result<()> {
    machine.write("/usr/sbin/pulse", "#!/bin/sh\necho pulse 1.56\n", 0o755)?;
    let (status, said) = machine.ask(&format!("rpm -i --nodeps {FILE}"))?;
    ensure!(
        status != 0 && said.contains("/usr/sbin/pulse is Red Hat's Piranha"),
        "on top of Piranha: status {status}: {said}"
    );
    machine.sh("grep -q 'pulse 1.56' /usr/sbin/pulse && rm /usr/sbin/pulse")?;
    let after = machine.sh(FILES)?;
    ensure!(
        after == before,
        "a refused installation changed files:\n{after}"
    );
    Ok(())
}

/// Red Hat's package of the same name: it stays as it is; once it was taken away, its lvs.cf goes on being used.
fn beside_red_hats(machine: &Machine) -> Result<()> {
    pack(
        machine,
        "piranha",
        "0.8.6",
        &format!(
            "mkdir -p %{{buildroot}}/usr/sbin %{{buildroot}}/etc/sysconfig/ha\n\
             printf '#!/bin/sh\\necho pulse 1.56\\n' >%{{buildroot}}/usr/sbin/pulse\n\
             : >%{{buildroot}}{LVS_CF}\n\
             %files\n%attr(755, root, root) /usr/sbin/pulse\n%config(noreplace) {LVS_CF}"
        ),
    )?;
    machine.sh("rpm -i --nodeps /root/rpm/piranha.rpm")?;
    let text = Configuration::new(Method::Direct, 1).to_string();
    machine.write(LVS_CF, text.clone(), 0o664)?;
    let (status, said) = machine.ask(&format!("rpm -U --nodeps {FILE}"))?;
    ensure!(
        status != 0 && said.contains("/usr/sbin/pulse is Red Hat's Piranha"),
        "an upgrade of Piranha: status {status}: {said}"
    );
    machine.sh(
        "rpm -q piranha | grep -qx 'piranha-0.8.6-1.*' && grep -q 'pulse 1.56' /usr/sbin/pulse",
    )?;
    // As docs/moving-from-piranha.md has it.
    machine.sh(&format!(
        "rpm -e piranha && mv {LVS_CF}.rpmsave {LVS_CF} && rpm -i --nodeps {FILE}"
    ))?;
    let found = machine.sh(&format!("cat {LVS_CF}"))?;
    ensure!(found == text, "the kept file is not in use: {found}");
    let (status, said) = machine.ask("rpm -U --nodeps /root/rpm/piranha.rpm")?;
    ensure!(
        status != 0 && said.contains("newer"),
        "Piranha passes for an upgrade of ours: status {status}: {said}"
    );
    take_away(machine)
}

/// The original tool beside ours: its name is its own as long as it is there.
fn beside_ipvsadm(machine: &Machine) -> Result<()> {
    pack(
        machine,
        "ipvsadm",
        "1.31",
        "mkdir -p %{buildroot}/usr/sbin\n\
         printf '#!/bin/sh\\necho original\\n' >%{buildroot}/usr/sbin/ipvsadm\n\
         %files\n%attr(755, root, root) /usr/sbin/ipvsadm",
    )?;
    machine.sh("rpm -i --nodeps /root/rpm/ipvsadm.rpm")?;
    let said = machine.sh("ipvsadm; rpm -V --nodeps ipvsadm piranha")?;
    ensure!(said == "original\n", "beside ipvsadm: {said}");
    take_away(machine)?;
    let said = machine.sh(&format!(
        "ipvsadm; rpm -V --nodeps ipvsadm; rpm -i --nodeps {FILE}; ipvsadm"
    ))?;
    ensure!(
        said == "original\noriginal\n",
        "ipvsadm, while ours goes and comes: {said}"
    );
    machine.sh("rpm -e ipvsadm")?;
    machine.sh(&format!("rpm -U --nodeps --replacepkgs {FILE}"))?;
    let found = machine.sh("readlink -f /usr/sbin/ipvsadm")?;
    ensure!(
        found == "/usr/sbin/ipvsadm-rs\n",
        "without ipvsadm its name leads to {found}"
    );
    Ok(())
}

/// Our package, with what it keeps.
fn take_away(machine: &Machine) -> Result<()> {
    machine.sh(&format!(
        "rpm -e piranha && rm -rf {LVS_CF}* /var/lib/piranha*"
    ))?;
    Ok(())
}

/// Makes a small package of another make, by rpm's own tool, as `/root/rpm/NAME.rpm`.
fn pack(machine: &Machine, name: &str, version: &str, files: &str) -> Result<()> {
    let specification = format!(
        "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: of another make\nLicense: GPL\nBuildArch: noarch\n\
         %description\n%install\n{files}\n"
    );
    machine.sh("mkdir -p /root/rpm")?;
    machine.write("/root/rpm/spec", specification, 0o644)?;
    machine.sh(&format!(
        "rpmbuild -bb --quiet --define '_topdir /root/rpm' --define '_rpmdir /root/rpm' \
         --define '_build_name_fmt {name}.rpm' /root/rpm/spec 2>&1"
    ))?;
    Ok(())
}

fn install(machine: &Machine) -> Result<()> {
    let (status, said) = machine.ask(&format!("rpm -i {FILE}"))?;
    ensure!(
        status != 0 && said.contains("libc.so.6"),
        "it asks for no library: status {status}: {said}"
    );
    let said = machine.sh(&format!("rpm -i --nodeps {FILE}"))?;
    ensure!(
        !said.contains("piranha: "),
        "the installation complains: {said}"
    );
    // Size, sum, rights and owner of each file.
    let differs = machine.ask("rpm -V --nodeps piranha")?;
    ensure!(
        differs == (0, String::new()),
        "rpm -V finds fault: {differs:?}"
    );
    super::package::installed_well(machine, Kind::Rpm)
}

/// The file stays as it was edited, pulse is started anew.
fn upgrade_while_it_runs(machine: &Machine) -> Result<()> {
    let configuration = Configuration::new(Method::Direct, 1);
    configure(machine, &configuration)?;
    machine.sh("/etc/init.d/pulse start")?;
    let old = machine.sh("cat /var/run/pulse.pid")?;
    machine.sh(&format!("rpm -U --nodeps {NEXT}"))?;
    let new = machine.sh("cat /var/run/pulse.pid && /etc/init.d/pulse status")?;
    ensure!(
        !new.starts_with(old.trim()),
        "pulse {old} was not started anew"
    );
    let found = machine.sh(&format!("rpm -q piranha; cat {LVS_CF}"))?;
    ensure!(
        found.starts_with("piranha-99-") && found.ends_with(&configuration.to_string()),
        "after the upgrade: {found}"
    );
    machine.sh("readlink -e /usr/sbin/lvsd")?;
    // Back is an upgrade, too.
    machine.sh(&format!("rpm -U --nodeps --oldpackage {FILE}"))?;
    machine.sh("/etc/init.d/pulse status")?;
    Ok(())
}

/// pulse is stopped; nothing is left but what was edited, under rpm's name for it, what was learnt, and folders
/// that are other programs'.
fn erase(machine: &Machine, before: &str) -> Result<()> {
    machine.sh("rpm -e piranha")?;
    machine.wait("! pidof pulse lvsd lvs nanny")?;
    let after = machine.sh(FILES)?;
    let left: Vec<&str> = after
        .lines()
        .filter(|line| !before.lines().any(|old| old == *line))
        .filter(|line| {
            !["/var/lib/piranha", "/usr/share/fish", "/usr/share/zsh"]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .collect();
    ensure!(
        left.contains(&format!("{LVS_CF}.rpmsave").as_str())
            && left.iter().all(|line| line.starts_with("/etc/sysconfig")),
        "left after it was erased: {left:?}"
    );
    machine.sh("rm -r /etc/sysconfig/ha /var/lib/piranha*")?;
    Ok(())
}

/// A file that was there before any package stays as it was; what is wrong with it is said.
fn old_configuration(machine: &Machine) -> Result<()> {
    let text = format!("{}deadtime = soon\n", Configuration::new(Method::Direct, 1));
    machine.sh("mkdir -p /etc/sysconfig/ha")?;
    machine.write(LVS_CF, text.clone(), 0o664)?;
    let said = machine.sh(&format!("rpm -i --nodeps {FILE}"))?;
    ensure!(
        said.contains("pulse will not start with this lvs.cf") && said.contains("integer expected"),
        "nothing about the old file: {said}"
    );
    let found = machine.sh(&format!("stat -c %a {LVS_CF}; cat {LVS_CF}"))?;
    ensure!(
        found == format!("664\n{text}"),
        "the old file did not stay as it was:\n{found}"
    );
    Ok(())
}
