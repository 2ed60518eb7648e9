//! What scripts of the Piranha years do with a router: the init script's actions and exit codes, signals by
//! name, the pid file, texts in the log.

use std::sync::Arc;

use super::{LVS_CF, configure, installed};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::Result;
use crate::machine::{Init, Machine};
use crate::network::{Method, Network, Side};
use crate::scenario::Scenario;
use crate::web::Web;

pub(super) const INIT_SCRIPT: Scenario = Scenario {
    name: "init-script",
    shows: "scripts of the Piranha years: service pulse, killall -HUP pulse, pulse.pid, texts in the log",
    ipvs: true,
    run: init_script,
};

/// What is grepped in the log of a router that took over, and of one that was stopped.
const TEXTS: [&str; 8] = [
    "pulse\\[[0-9]*\\]: STARTING PULSE AS MASTER",
    "pulse\\[[0-9]*\\]: partner dead: activating lvs",
    "pulse\\[[0-9]*\\]: gratuitous lvs arps finished",
    "lvsd\\[[0-9]*\\]: starting virtual service web active: 80",
    "lvsd\\[[0-9]*\\]: create_monitor for web/web1 running as pid [0-9]",
    "nanny\\[[0-9]*\\]: \\[ active \\] making 10.20.0.101:80 available",
    "pulse\\[[0-9]*\\]: rereading configuration file",
    "pulse\\[[0-9]*\\]: Terminating due to signal 15",
];

fn init_script() -> Result<String> {
    let network = Network::build(Method::Nat, 1)?;
    let _web: Vec<Web> = network
        .servers
        .iter()
        .map(|node| Web::start(node, 80))
        .collect::<Result<_>>()?;
    let layer = installed()?;
    let node = Arc::clone(network.router(Side::A));
    let machine = Machine::start(node, Init::Idle, Some(layer))?;
    unusable(&machine)?;
    configure(&machine, &Configuration::new(Method::Nat, 1))?;
    start_and_status(&machine)?;
    reload(&machine)?;
    restarts(&machine)?;
    dead(&machine)?;
    stop(&machine)?;
    for text in TEXTS {
        let (status, _) = machine.ask(&format!("grep -q '{text}' /var/log/messages"))?;
        if status != 0 {
            let log = machine.sh("cat /var/log/messages")?;
            return Err(crate::error::Error::unmet(format_args!(
                "not in the log: {text}\n{log}"
            )));
        }
    }
    Ok(format!("{} texts found in the log", TEXTS.len()))
}

/// Runs an action; its status and texts have to be these.
fn expect(machine: &Machine, script: &str, status: i32, text: &str) -> Result<()> {
    let (found, said) = machine.ask(script)?;
    ensure!(
        found == status && said.contains(text),
        "{script}: status {found} instead of {status}, or not \"{text}\": {said}"
    );
    Ok(())
}

/// Section 8.1: usage, and what is looked at before every action.
fn unusable(machine: &Machine) -> Result<()> {
    let usage = "Usage: pulse {start|stop|status|restart|condrestart|reload}";
    expect(machine, "service pulse", 1, usage)?;
    expect(machine, "service pulse explode", 1, usage)?;
    expect(machine, "service pulse status", 3, "pulse is stopped")?;
    machine.sh("echo NETWORKING=no >/etc/sysconfig/network")?;
    for action in ["start", "stop", "status"] {
        expect(machine, &format!("service pulse {action}"), 1, "")?;
    }
    machine.sh("rm /etc/sysconfig/network; mv /usr/sbin/pulse /usr/sbin/pulse.away")?;
    expect(machine, "service pulse status", 5, "")?;
    machine.sh(&format!(
        "mv /usr/sbin/pulse.away /usr/sbin/pulse; rm {LVS_CF}"
    ))?;
    expect(machine, "service pulse start", 6, "")
}

fn start_and_status(machine: &Machine) -> Result<()> {
    machine.sh("printf 'OPTIONS=--verbose\\nDELAY=random\\n' >/etc/sysconfig/pulse")?;
    expect(
        machine,
        "service pulse start",
        0,
        "Starting pulse: [  OK  ]",
    )?;
    // From here on the other form, which costs less.
    machine.sh("sed -i 's/DELAY=random/DELAY=0.1/' /etc/sysconfig/pulse")?;
    machine.sh("test -e /var/lock/subsys/pulse")?;
    machine.sh("ps -o args= -p $(cat /var/run/pulse.pid) | grep -- --verbose")?;
    let pid = machine.sh("cat /var/run/pulse.pid")?;
    let running = format!("pulse (pid {}) is running...", pid.trim());
    expect(machine, "service pulse status", 0, &running)?;
    // A second start is no failure and no second pulse.
    expect(machine, "service pulse start", 0, "[  OK  ]")?;
    machine.sh("test \"$(pidof pulse)\" = \"$(cat /var/run/pulse.pid)\"")?;
    machine.wait("ipvsadm -Ln | grep -q '10.20.0.101:80'")?;
    machine.wait("grep -q 'gratuitous lvs arps finished' /var/log/messages")?;
    machine.sh(
        "ps -e -o comm= | grep -x lvsd && ps -e -o comm= | grep -x nanny && cat /var/run/lvs.pid",
    )?;
    Ok(())
}

/// By the script, by `killall`, by the pid file: the file is followed, a wrong one is not.
fn reload(machine: &Machine) -> Result<()> {
    let count = "grep -c 'pulse.*rereading configuration file' /var/log/messages || true";
    for (nth, script) in [
        "service pulse reload",
        "killall -HUP pulse",
        "kill -HUP $(cat /var/run/pulse.pid)",
    ]
    .iter()
    .enumerate()
    {
        machine.sh(script)?;
        machine.wait(&format!("test \"$({count})\" -gt {nth}"))?;
    }
    let pid = machine.sh("cat /var/run/pulse.pid")?;
    machine.sh(&format!(
        "cp {LVS_CF} /root/good; echo 'deadtime = soon' >>{LVS_CF}"
    ))?;
    expect(machine, "service pulse reload", 0, "Reloading pulse: ")?;
    machine.wait("grep -q 'pulse.*integer expected' /var/log/messages")?;
    machine.sh(&format!("cp /root/good {LVS_CF}"))?;
    expect(machine, "service pulse status", 0, pid.trim())
}

fn restarts(machine: &Machine) -> Result<()> {
    for action in ["restart", "condrestart"] {
        let old = machine.sh("cat /var/run/pulse.pid")?;
        expect(machine, &format!("service pulse {action}"), 0, "")?;
        let new = machine.sh("cat /var/run/pulse.pid")?;
        ensure!(old != new, "{action} left pulse {old} as it was");
        expect(machine, "service pulse status", 0, "is running")?;
    }
    Ok(())
}

/// The other two answers of `status`.
fn dead(machine: &Machine) -> Result<()> {
    machine.sh("kill -KILL $(cat /var/run/pulse.pid)")?;
    machine.wait("! pidof pulse lvsd lvs nanny")?;
    expect(
        machine,
        "service pulse status",
        1,
        "pulse dead but pid file exists",
    )?;
    machine.sh("rm /var/run/pulse.pid")?;
    expect(
        machine,
        "service pulse status",
        2,
        "pulse dead but subsys locked",
    )?;
    expect(machine, "service pulse condrestart", 0, "")?;
    machine.sh("! pidof pulse")?;
    expect(machine, "service pulse start", 0, "[  OK  ]")
}

fn stop(machine: &Machine) -> Result<()> {
    expect(
        machine,
        "service pulse stop",
        0,
        "Shutting down pulse: [  OK  ]",
    )?;
    machine.wait("! pidof pulse lvsd lvs nanny")?;
    machine.sh("test ! -e /var/lock/subsys/pulse && test ! -e /var/run/pulse.pid")?;
    expect(machine, "service pulse status", 3, "pulse is stopped")?;
    expect(machine, "service pulse stop", 0, "FAILED")?;
    expect(machine, "service pulse reload", 0, "FAILED")?;
    expect(machine, "service pulse condrestart", 0, "")?;
    machine.sh("! pidof pulse && test -z \"$(ipvsadm -Sn)\"")?;
    Ok(())
}
