//! F30 with programs that were really written earlier: the package of an older commit, and the present one.

use super::systemd::Machines;
use super::{configure, installed_from, scenes};
use crate::configuration::Configuration;
use crate::error::Result;
use crate::machine::Machine;
use crate::network::{Method, Network, Side};
use crate::scenario::Scenario;
use crate::{ensure, older, package as packages};

pub(super) const UPGRADE_FROM: Scenario = Scenario {
    name: "upgrade-from",
    shows: "F30: the package of an older commit upgraded under traffic on two machines with systemd, and back: one hand-over each, connections live",
    ipvs: true,
    run,
};

fn run() -> Result<String> {
    let network = Network::build(Method::Nat, 2)?;
    let machines = Machines::boot(network, Some(installed_from(&older::deb_file()?)?))?;
    machines.explained(there_and_back(&machines))
}

fn there_and_back(machines: &Machines) -> Result<String> {
    let configuration: Configuration = scenes::with_sync();
    for machine in [&machines.a, &machines.b] {
        configure(machine, &configuration)?;
        machine.sh("systemctl start pulse")?;
    }
    machines.wait_active(Side::A)?;
    let old = programs(&machines.a)?;
    for (package, is_old) in [(packages::deb_file()?, false), (older::deb_file()?, true)] {
        scenes::hear_each_other(machines)?;
        scenes::upgrade(machines, &package)?;
        for machine in [&machines.a, &machines.b] {
            ensure!(
                (programs(machine)? == old) == is_old,
                "{} was not installed, or both packages have the same programs",
                package.display()
            );
        }
    }
    Ok(format!(
        "{} connections lived through each change",
        scenes::SESSIONS
    ))
}

fn programs(machine: &Machine) -> Result<String> {
    machine.sh("sha256sum /usr/sbin/pulse /usr/sbin/nanny /usr/lib/piranha/lvs")
}
