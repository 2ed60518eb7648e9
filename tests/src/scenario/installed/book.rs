//! The book's commands on two machines with systemd that know nothing of Piranha yet: each page from top to
//! bottom, as a reader would, each block on the machine that its fence names.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::systemd::{LIMIT, Machines};
use super::{LVS_CF, bring, package, scenes};
use crate::book::{self, Block, Page, Place};
use crate::error::{Context, Error, Result};
use crate::machine::Machine;
use crate::network::Side;
use crate::scenario::Scenario;
use crate::scenario::book::prepare;
use crate::{ensure, package as packages, setup, wait};

pub(super) const BOOK: Scenario = Scenario {
    name: "book-installed",
    shows: "docs/start.md from top to bottom on two fresh machines: the package, the sample, a pair that balances; the commands of the other pages; removed, nothing is left but what is kept",
    ipvs: true,
    run,
};

/// The pages, in the order in which they are followed. The first one installs.
pub(super) const PAGES: &[&str] = &[
    "docs/start.md",
    "docs/nat.md",
    "docs/troubleshooting.md",
    "docs/checks.md",
    "docs/operating.md",
    "docs/connection-sync.md",
    "docs/firewall-marks.md",
    "docs/metrics.md",
    "docs/security.md",
    "docs/failover.md",
    "docs/moving-from-piranha.md",
    "docs/moving-from-others.md",
];
/// Where each block is run: made anew for it.
const FOLDER: &str = "/root/book";
/// Stops at the first failure. Who looks at a router that has just started looks again until it knows its role,
/// which it says by its status.
const SHELL: &str = "set -e
pulse() {
    tries=60
    until command pulse \"$@\" || [ \"$1 $?\" = '--status 3' ]; do
        [ \"$1\" = --status ] || return 1
        [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 1
    done
}
";
/// The small kernel of the laboratory has the older of two packet filters only.
const OLDER_FILTER: &str = "iptables -L INPUT >/dev/null 2>&1 || update-alternatives --set iptables /usr/sbin/iptables-legacy";
/// Files of the reader, whose content the book leaves to him: page, path, what it holds.
const READER: &[(&str, &str, &str)] = &[
    (
        "docs/checks.md",
        "/usr/local/lib/piranha/check-shop",
        "#!/bin/sh\ntest \"$(id -un) $1 $2\" = 'piranha-check 10.20.0.101 80' && echo OK\n",
    ),
    (
        "docs/moving-from-others.md",
        "/etc/systemd/system/keepalived.service",
        "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    ),
];
/// Files of the source that stand for the reader's own: page, path, source.
const SOURCES: &[(&str, &str, &str)] = &[
    (
        "docs/moving-from-others.md",
        "/etc/keepalived/keepalived.conf",
        "bins/lvs-convert/tests/samples/keepalived-nat.conf",
    ),
    (
        "docs/moving-from-others.md",
        "/etc/ha.d/ldirectord.cf",
        "bins/lvs-convert/tests/samples/ldirectord-nat.cf",
    ),
    (
        "docs/moving-from-piranha.md",
        "/root/book/lvs.cf",
        "etc/lvs-nat.cf",
    ),
];
/// What the book tells in words only: page, beginning of the block before which it comes, script on both routers.
const IN_WORDS: &[(&str, &str, &str)] = &[
    (
        "docs/metrics.md",
        "systemctl restart piranha-gui",
        "printf %s 'correct horse battery' | piranha-passwd --stdin
         sed -i 's|^OPTIONS=.*|OPTIONS=\"--metrics-token /etc/sysconfig/ha/metrics.token\"|' /etc/sysconfig/piranha-gui",
    ),
    (
        "docs/metrics.md",
        "pulse --metrics",
        "mkdir -p /var/lib/prometheus/node-exporter",
    ),
    (
        "docs/moving-from-others.md",
        "systemctl disable",
        "systemctl daemon-reload; systemctl enable --now keepalived",
    ),
];

fn run() -> Result<String> {
    let machines = Machines::boot_bare()?;
    let result = followed(&machines);
    machines.explained(result)
}

fn followed(machines: &Machines) -> Result<String> {
    for side in [Side::A, Side::B] {
        // What the package has to set.
        let router = machines.network.router(side);
        router.sysctl(&[("ipv4/ip_forward", "0")])?;
        machines.of(side).sh(OLDER_FILTER)?;
    }
    let mut count = 0;
    for path in PAGES {
        let page = book::page(Path::new(path))?;
        for machine in [&machines.a, &machines.b] {
            furnish(machine, &page)?;
        }
        for block in page.blocks() {
            count += usize::from(follow(machines, &page, &block)?);
        }
        if *path == "docs/start.md" {
            balances(machines)?;
        }
        come_to_rest(machines)?;
    }
    for machine in [&machines.a, &machines.b] {
        // The reader's own: no package takes them away.
        machine.sh("rm -rf /usr/local/lib/piranha /var/lib/prometheus /etc/sysconfig/ha/conf/piranha.passwd")?;
        package::remove(machine)?;
    }
    Ok(format!("{count} blocks of {} pages", PAGES.len()))
}

/// Runs a block where it is meant to be run; false when that is not here.
fn follow(machines: &Machines, page: &Page, block: &Block<'_>) -> Result<bool> {
    let Some(place) = block.place()? else {
        return Ok(false);
    };
    let at = format!("{}:{}", page.path.display(), block.line);
    in_words(machines, page, block)?;
    let on = |machine: &Machine| run_there(machine, page, &at, &block.text);
    match place {
        Place::Source | Place::NotRun => return Ok(false),
        Place::Routers => {
            on(&machines.a)?;
            on(&machines.b)?;
        }
        Place::FirstRouter => on(&machines.a)?,
        Place::Active => on(machines.of(active(machines)?))?,
        Place::Standby => on(machines.of(active(machines)?.other()))?,
        Place::Client => ask_as_client(machines, &at, &block.text)?,
        Place::RealServer => {
            let mut servers = machines.network.servers.iter();
            servers.try_for_each(|node| prepare(node, &block.text))?;
        }
    }
    // The file that the reader copies by scp.
    if block.text.contains(LVS_CF) {
        let text = machines.a.sh(&format!("cat {LVS_CF}"))?;
        machines.b.write(LVS_CF, text, 0o644)?;
    }
    Ok(true)
}

fn in_words(machines: &Machines, page: &Page, block: &Block<'_>) -> Result<()> {
    let told = IN_WORDS
        .iter()
        .filter(|(path, line, _)| page.path == Path::new(path) && block.text.starts_with(line));
    for (_, _, script) in told {
        machines.a.sh(script)?;
        machines.b.sh(script)?;
    }
    Ok(())
}

/// In a folder that holds the reader's files.
fn run_there(machine: &Machine, page: &Page, at: &str, text: &str) -> Result<()> {
    machine.sh(&format!("rm -rf {FOLDER} && mkdir {FOLDER}"))?;
    furnish(machine, page)?;
    if text.contains("piranha.deb") {
        bring(
            machine,
            &packages::deb_file()?,
            &format!("{FOLDER}/piranha.deb"),
        )?;
    }
    let script = format!("cd {FOLDER}\n{SHELL}{text}");
    machine
        .sh(&script)
        .map(drop)
        .map_err(|error| Error::unmet(format_args!("{at}: {error}")))
}

/// The files that the page takes for granted.
fn furnish(machine: &Machine, page: &Page) -> Result<()> {
    let here = |path: &str| page.path == Path::new(path);
    for (_, path, content) in READER.iter().filter(|(page, _, _)| here(page)) {
        make_room(machine, path)?;
        machine.write(path, *content, 0o755)?;
    }
    for (_, path, source) in SOURCES.iter().filter(|(page, _, _)| here(page)) {
        make_room(machine, path)?;
        bring(machine, &setup::workspace().join(source), path)?;
    }
    Ok(())
}

fn make_room(machine: &Machine, path: &str) -> Result<()> {
    let folder = Path::new(path).parent().unwrap_or(Path::new("/"));
    machine.sh(&format!("mkdir -p {}", folder.display()))?;
    Ok(())
}

fn ask_as_client(machines: &Machines, at: &str, text: &str) -> Result<()> {
    machines.client.wait_served(Instant::now(), LIMIT)?;
    let mut command = Command::new("sh");
    command.args(["-ec", text]);
    let output = machines.network.client.output(command)?;
    ensure!(
        output.status.success() && !output.stdout.is_empty(),
        "{at}: {output:?}"
    );
    Ok(())
}

/// The router that serves, as soon as there is one.
fn active(machines: &Machines) -> Result<Side> {
    wait::until("a router serves", LIMIT, || {
        for side in [Side::A, Side::B] {
            if machines.of(side).ask("pulse --status")?.0 == 0 {
                return Ok(Some(side));
            }
        }
        Ok(None)
    })
}

/// Both routers run, one of them serves, and they know of each other.
fn come_to_rest(machines: &Machines) -> Result<()> {
    machines.a.sh("systemctl start pulse")?;
    machines.b.sh("systemctl start pulse")?;
    scenes::hear_each_other(machines)
}

/// Both servers of the sample get requests, and none is lost.
fn balances(machines: &Machines) -> Result<()> {
    let side = machines.wait_settled()?;
    let servers = "test $(ipvsadm -Ln | grep -c '^  -> 10.20.0.10[12]:80 ') = 2";
    machines.of(side).wait(servers)?;
    machines.client.wait_served(Instant::now(), LIMIT)?;
    machines.client.wait_shared(2, LIMIT)?;
    let sample = setup::workspace().join("etc/lvs-nat.cf");
    let text = std::fs::read_to_string(&sample).during("reading the sample")?;
    ensure!(
        machines.b.sh(&format!("cat {LVS_CF}"))? == text,
        "the second router has another file than the sample"
    );
    Ok(())
}
