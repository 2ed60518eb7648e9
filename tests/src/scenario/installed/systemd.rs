//! Two routers that boot systemd, from the package: the unit as administrators use it, and the programs of an
//! old lvs.cf under its sandbox.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{configure, installed, scenes, web_tool};
use crate::client::{self, Client};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Error, Result};
use crate::machine::{Init, Layer, Machine};
use crate::network::{Method, Network, Side, VIP};
use crate::scenario::Scenario;
use crate::wait;
use crate::web::Web;

pub(super) const PAIR: Scenario = Scenario {
    name: "systemd-pair",
    shows: "two machines with systemd: start, stop, reload, kill, reboot; the demonstration's scenes, an upgrade (F30), the web tool, programs of an old lvs.cf",
    ipvs: true,
    run: pair,
};

/// For what must come; only bounds a failure.
pub(super) const LIMIT: Duration = Duration::from_secs(120);
/// Programs of an old site: what they may not do under the unit themselves shows in their notes.
const SCRIPTS: [(&str, &str); 3] = [
    // Writes outside of what pulse may write to, and tells in whose group of processes it runs.
    (
        "/usr/local/bin/role",
        "#!/bin/sh\necho \"$1 $(cat /proc/self/cgroup)\" >>/var/log/roles\n",
    ),
    // A temporary file, a tool of the system, the answer with its newline.
    (
        "/usr/local/bin/check",
        "#!/bin/sh\nfile=/tmp/check.$$\nid -un >\"$file\" && grep -q . \"$file\" && echo OK\n\
         cat \"$file\" >>/var/lib/piranha-check/user; grep CapEff /proc/self/status >>/var/lib/piranha-check/user\nrm \"$file\"\n",
    ),
    (
        "/usr/local/bin/load",
        "#!/bin/sh\necho asked >>/var/lib/piranha-check/load\necho 'load average: 0.10, 0.10, 0.10'\n",
    ),
];

pub(super) struct Machines {
    pub(super) a: Machine,
    pub(super) b: Machine,
    pub(super) client: Client,
    pub(super) web: Vec<Web>,
    pub(super) network: Network,
}

impl Machines {
    /// Boots both routers on top of what these files hold.
    pub(super) fn boot(network: Network, layer: Option<Arc<Layer>>) -> Result<Self> {
        let web: Vec<Web> = network
            .servers
            .iter()
            .map(|node| Web::start(node, 80))
            .collect::<Result<_>>()?;
        let boot = |side| {
            let node = Arc::clone(network.router(side));
            Machine::start(node, Init::Systemd, layer.clone())
        };
        let (a, b) = (boot(Side::A)?, boot(Side::B)?);
        let client = Client::start(
            &network.client,
            SocketAddr::from((VIP, 80)),
            client::PATIENT,
        )?;
        Ok(Self {
            a,
            b,
            client,
            web,
            network,
        })
    }

    /// Routers without the package, real servers that nobody has prepared.
    pub(super) fn boot_bare() -> Result<Self> {
        Self::boot(Network::bare(Method::Nat, 2)?, None)
    }

    pub(super) fn of(&self, side: Side) -> &Machine {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    /// Waits until one router serves, the other follows, and the client gets answers.
    pub(super) fn wait_active(&self, side: Side) -> Result<()> {
        let since = Instant::now();
        self.of(side).wait("pulse --status >/dev/null")?;
        self.of(side.other())
            .wait("pulse --status >/dev/null; [ $? = 3 ]")?;
        self.client.wait_served(since, LIMIT)?;
        Ok(())
    }

    /// The same, whichever it is.
    pub(super) fn wait_settled(&self) -> Result<Side> {
        wait::until("one router active, the other standing by", LIMIT, || {
            let (a, _) = self.a.ask("pulse --status")?;
            let (b, _) = self.b.ask("pulse --status")?;
            Ok(match (a, b) {
                (0, 3) => Some(Side::A),
                (3, 0) => Some(Side::B),
                _ => None,
            })
        })
    }

    /// What helps to understand a failure.
    pub(super) fn explained<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| {
            let look = "pulse --status; ip -4 addr; ipvsadm -Ln; systemctl status pulse --no-pager; journalctl --no-pager -o short-precise | tail -100";
            let report = [&self.a, &self.b].map(|machine| {
                let (_, text) = machine.ask(look).unwrap_or_default();
                format!("  {}:\n{text}\n", machine.node().name())
            });
            Error::Explained {
                source: Box::new(error),
                report: report.concat(),
            }
        })
    }
}

fn pair() -> Result<String> {
    let network = Network::build(Method::Nat, 2)?;
    let mut machines = Machines::boot(network, Some(installed()?))?;
    let result = scenes(&mut machines);
    machines.explained(result)
}

fn scenes(machines: &mut Machines) -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2)
        .with("active_cmd = \"/usr/local/bin/role active\"")
        .with("inactive_cmd = \"/usr/local/bin/role inactive\"")
        .each(|service| {
            service
                .lines
                .push("send_program = \"/usr/local/bin/check %h\"".into());
            service.lines.push("expect = \"OK\"".into());
            service
                .lines
                .push("load_monitor = /usr/local/bin/load".into());
            // Starting a program takes its time on this kernel.
            service.lines.push("timeout = 10".into());
        });
    for machine in [&machines.a, &machines.b] {
        for (path, text) in SCRIPTS {
            machine.write(path, text, 0o755)?;
        }
        configure(machine, &configuration)?;
    }
    start(machines)?;
    old_programs(machines)?;
    reload(machines, &configuration)?;
    web_tool::used(&machines.a)?;
    stop_and_kill(machines)?;
    let connections = scenes::play(machines)?;
    reboot(machines)?;
    Ok(format!(
        "{connections} connections lived through an upgrade"
    ))
}

fn start(machines: &Machines) -> Result<()> {
    machines.a.sh("systemctl enable --now pulse")?;
    machines.b.sh("systemctl enable --now pulse")?;
    machines.wait_active(Side::A)?;
    for (script, expected) in [
        (
            "stat -c %a /run/pulse.pid /run/piranha/pulse.json /run/piranha/lvs.json",
            "644\n644\n644\n",
        ),
        ("stat -c '%a %U' /run/piranha/pulse.sock", "600 root\n"),
        (
            "stat -c '%a %U %G' /run/piranha/programs.lock",
            "660 root piranha-check\n",
        ),
        (
            "journalctl -u pulse -o cat | grep -i 'not permitted\\|denied\\|within pulse.s own unit' || echo nothing",
            "nothing\n",
        ),
        (
            "test $(systemctl show -P MainPID pulse) = $(cat /run/pulse.pid) && echo yes",
            "yes\n",
        ),
        ("ps -o user:20= -C nanny | sort -u", "piranha-check\n"),
        (
            "grep -h CapEff /proc/$(pidof -s nanny)/status",
            "CapEff:\t0000000000000000\n",
        ),
        (
            "journalctl -u pulse -t pulse -o cat | grep -c 'STARTING PULSE AS MASTER'",
            "1\n",
        ),
        (
            "journalctl -u pulse -t nanny -o cat | grep 'making 10.20.0.101:80 available' | sort -u | sed 's/making.*//'",
            "[ active ] \n",
        ),
        ("systemctl show -P WatchdogUSec pulse", "30s\n"),
        (
            "journalctl -u pulse PIRANHA_ROLE=primary -o cat | grep -c 'STARTING PULSE AS MASTER'",
            "1\n",
        ),
        (
            "journalctl -u pulse PIRANHA_VERDICT=up -o json | grep -o '\"PIRANHA_ADDRESS\":\"10.20.0.101:80\"' | sort -u",
            "\"PIRANHA_ADDRESS\":\"10.20.0.101:80\"\n",
        ),
        (
            "service pulse status >/dev/null && /etc/init.d/pulse status | sed s/[0-9]//g",
            "pulse (pid ) is running...\n",
        ),
    ] {
        let found = machines.a.sh(script)?;
        ensure!(
            found == expected,
            "{script}: {found:?} instead of {expected:?}"
        );
    }
    Ok(())
}

/// Commands have units of their own; checks and load programs do their work within the sandbox.
fn old_programs(machines: &Machines) -> Result<()> {
    for (machine, role) in [(&machines.a, "active"), (&machines.b, "inactive")] {
        machine.wait(&format!("grep -q '^{role} .*run-.*service' /var/log/roles"))?;
    }
    machines
        .a
        .wait("grep -q asked /var/lib/piranha-check/load")?;
    let checks = machines.a.sh("sort -u /var/lib/piranha-check/user")?;
    ensure!(
        checks == "CapEff:\t0000000000000000\npiranha-check\n",
        "the check program ran as: {checks}"
    );
    machines
        .a
        .sh("ls /tmp/check.* 2>/dev/null | wc -l | grep -qx 0")?;
    Ok(())
}

fn reload(machines: &Machines, configuration: &Configuration) -> Result<()> {
    let a = &machines.a;
    configure(
        a,
        &configuration
            .clone()
            .each(|service| service.scheduler = "wrr".into()),
    )?;
    a.sh("systemctl reload pulse")?;
    a.sh("ipvsadm -Ln | grep -q ' wrr'")?;
    a.write(
        super::LVS_CF,
        format!("{configuration}deadtime = soon\n"),
        0o644,
    )?;
    let (status, said) = a.ask("systemctl reload pulse")?;
    ensure!(status != 0, "a wrong file was followed: {said}");
    a.wait("journalctl -u pulse -o cat | grep -q 'integer expected'")?;
    a.sh("systemctl is-active pulse && ipvsadm -Ln | grep -q ' wrr'")?;
    configure(a, configuration)?;
    a.sh("systemctl kill --kill-who=main -s HUP pulse")?;
    a.wait("ipvsadm -Ln | grep -q ' rr'")?;
    machines.wait_active(Side::A)
}

fn stop_and_kill(machines: &Machines) -> Result<()> {
    machines.a.sh("systemctl stop pulse")?;
    machines.b.wait("pulse --status >/dev/null")?;
    machines.a.sh(
        "! systemctl is-active pulse && ! pidof pulse lvsd lvs nanny && test -z \"$(ipvsadm -Sn)\"",
    )?;
    machines.a.sh("systemctl start pulse")?;
    machines.wait_active(Side::B)?;
    // systemd starts it again; until then the other one may have taken over.
    let old = machines.b.sh("cat /run/pulse.pid")?;
    machines.b.sh("systemctl kill -s KILL pulse")?;
    machines.b.wait(&format!(
        "systemctl is-active pulse && test \"$(cat /run/pulse.pid)\" != {}",
        old.trim()
    ))?;
    let side = machines.wait_settled()?;
    if side == Side::B {
        machines.b.sh("systemctl stop pulse")?;
        machines.a.wait("pulse --status >/dev/null")?;
        machines.b.sh("systemctl start pulse")?;
    }
    machines.wait_active(Side::A)
}

/// The active router goes down and comes back as the one that stands by.
fn reboot(machines: &mut Machines) -> Result<()> {
    machines.a.ask("systemctl reboot")?;
    let a = &mut machines.a;
    wait::for_it("the active router has gone down", LIMIT, || Ok(!a.is_on()))?;
    machines.b.wait("pulse --status >/dev/null")?;
    machines.a.switch_on()?;
    machines.wait_active(Side::B)?;
    machines.a.sh("systemctl is-active pulse && journalctl -b -u pulse -o cat | grep -q 'STARTING PULSE AS MASTER'")?;
    Ok(())
}
