//! The scenes of the demonstration on two installed routers, and F30: the package upgraded under traffic.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::systemd::Machines;
use super::{bring, configure};
use crate::client::{self, Session};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::network::{Method, Side, VIP};
use crate::{package as packages, wait};

/// For what must come; only bounds a failure.
const LIMIT: Duration = Duration::from_secs(120);
/// Connections that must survive.
pub(super) const SESSIONS: usize = 3;
/// In the kernel's table of connections: those to the VIP that carry data.
const KNOWN: &str = "grep -c 'C6336450.*ESTABLISHED' /proc/net/ip_vs_conn";

/// Begins and ends with A active; gives how many connections lived through the upgrade.
pub(super) fn play(machines: &mut Machines) -> Result<usize> {
    for machine in [&machines.a, &machines.b] {
        configure(machine, &with_sync())?;
        machine.sh("systemctl reload pulse")?;
    }
    machines.wait_active(Side::A)?;
    server_dies(machines)?;
    router_is_cut_off(machines)?;
    upgrade(machines, &packages::deb_file()?)?;
    machines.wait_active(Side::A)?;
    Ok(SESSIONS)
}

/// Connections live through a change of router.
pub(super) fn with_sync() -> Configuration {
    Configuration::new(Method::Nat, 2).with_sync("eth1")
}

/// Requests are shared; a dead web server gets none; back again it gets its share.
fn server_dies(machines: &mut Machines) -> Result<()> {
    let Machines {
        a,
        client,
        web,
        network,
        ..
    } = machines;
    a.wait("test $(ipvsadm -Ln | grep -c '^  -> 10.20.0') = 2")?;
    let shares = client::shares(&client.next(40)?);
    ensure!(
        shares.len() == 2 && shares.values().all(|count| *count >= 15),
        "two servers share 40 requests: {shares:?}"
    );
    let (Some(web), Some(node)) = (web.get_mut(1), network.servers.get(1)) else {
        return Err(Error::unmet("there is no second web server"));
    };
    web.stop();
    a.wait("! ipvsadm -Ln | grep -q 10.20.0.102")?;
    client.next(1)?;
    let shares = client::shares(&client.next(20)?);
    ensure!(
        shares.keys().map(String::as_str).eq(["web1"]),
        "web1 is alone: {shares:?}"
    );
    web.resume(node)?;
    a.wait("ipvsadm -Ln | grep -q 10.20.0.102")?;
    Ok(())
}

/// Both cables of the active router are pulled, and put back: the other one serves, and goes on.
fn router_is_cut_off(machines: &Machines) -> Result<()> {
    machines.network.set_connected(Side::A, false)?;
    let cut = Instant::now();
    machines.b.wait("pulse --status >/dev/null")?;
    machines.client.wait_served(cut, LIMIT)?;
    machines.network.set_connected(Side::A, true)?;
    machines.wait_active(Side::B)?;
    machines
        .a
        .wait("! ip -4 addr | grep -q 'inet 198.51.100.80/' && test -z \"$(ipvsadm -Sn)\"")
}

/// The package installed anew on the standby router, then on the active one, which hands over.
pub(super) fn upgrade(machines: &Machines, package: &Path) -> Result<()> {
    let side = machines.wait_settled()?;
    let (standby, active) = (machines.of(side.other()), machines.of(side));
    let target = SocketAddr::from((VIP, 80));
    let mut sessions = (0..SESSIONS)
        .map(|_| Session::open_within(&machines.network.client, target, LIMIT))
        .collect::<Result<Vec<_>>>()?;
    // Connections are told to the partner once they have carried three packets.
    for _ in 0..3 {
        sessions.iter_mut().try_for_each(Session::exchange)?;
    }
    for machine in [active, standby] {
        machine.wait(&format!("test $({KNOWN}) -ge {SESSIONS}"))?;
    }
    let before = take_overs(machines)?;
    for machine in [standby, active] {
        bring(machine, package, super::PACKAGE)?;
        let old = machine.sh("cat /run/pulse.pid")?;
        machine.sh(&format!(
            "dpkg --force-confdef --force-confold -i {}",
            super::PACKAGE
        ))?;
        let new = machine.sh("cat /run/pulse.pid")?;
        ensure!(old != new, "the upgrade did not start pulse {old} anew");
        machines.wait_settled()?;
        hear_each_other(machines)?;
        sessions.iter_mut().try_for_each(Session::exchange)?;
    }
    machines.wait_active(side.other())?;
    let changes = take_overs(machines)? - before;
    ensure!(
        changes == 1,
        "{changes} take-overs to upgrade both routers, 1 is allowed"
    );
    Ok(())
}

/// Each knows what the other is: only then does a leaving router hand over.
pub(super) fn hear_each_other(machines: &Machines) -> Result<()> {
    let active = machines.wait_settled()?;
    for (side, partner) in [(active, "standby"), (active.other(), "active")] {
        let what = format!("{side} hears that its partner is {partner}");
        wait::for_it(what, LIMIT, || {
            let (_, text) = machines.of(side).ask("cat /run/piranha/pulse.json")?;
            let status: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let phase = status.get("partner").and_then(|it| it.get("phase"));
            Ok(phase.and_then(serde_json::Value::as_str) == Some(partner))
        })?;
    }
    Ok(())
}

fn take_overs(machines: &Machines) -> Result<usize> {
    let count = |machine: &Machine| -> Result<usize> {
        let said =
            machine.sh("journalctl -b -t pulse -o cat | grep -c ': activating lvs' || true")?;
        let count = said.trim().parse();
        count.map_err(|_| Error::unmet(format_args!("not a count: {said}")))
    };
    Ok(count(&machines.a)? + count(&machines.b)?)
}
