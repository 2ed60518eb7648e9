//! `-t`: what would be executed, as commands that people can read, and nothing executed (B42).

use std::ffi::OsString;
use std::fmt::Write as _;

use daemon::child::Spec;
use netdev::VipAddress;

use crate::identity::Identity;
use crate::options::Options;
use crate::plan::{Plan, SyncPlan};
use crate::syncd::State;
use crate::{addresses, announce, command, lvs_child, syncd};

/// The whole text.
pub(crate) fn text(options: &Options, plan: &Plan, identity: &Identity) -> String {
    let mut text = format!("role: {}\n", identity.role);
    let addresses: Vec<VipAddress> = plan.addresses().cloned().collect();
    section(&mut text, "at start", letting_go(plan, &[]));
    let commands = taking_over(options, plan, &addresses);
    section(&mut text, "to become active", commands);
    let commands = letting_go(plan, &addresses);
    section(&mut text, "to become inactive", commands);
    text
}

fn section(text: &mut String, title: &str, commands: Vec<String>) {
    let _ = writeln!(text, "{title}:");
    for command in commands {
        let _ = writeln!(text, "  {command}");
    }
}

fn taking_over(options: &Options, plan: &Plan, addresses: &[VipAddress]) -> Vec<String> {
    let mut commands = Vec::new();
    commands.extend(plan.active_cmd.iter().map(|words| command::shown(words)));
    commands.push(spec(&lvs_child::spec(options)));
    for interface in addresses::interfaces(addresses) {
        commands.push(format!(
            "sysctl -w net.ipv4.conf.{}.promote_secondaries=1",
            // As sysctl wants it: a dot separates.
            interface.replace('.', "/")
        ));
    }
    for vip in addresses {
        let broadcast = vip
            .broadcast
            .map(|ip| format!(" broadcast {ip}"))
            .unwrap_or_default();
        let label = vip
            .usable_label()
            .map(|label| format!(" label {label}"))
            .unwrap_or_default();
        let lifetime = vip
            .lifetime
            .map(|time| format!(" valid_lft {0} preferred_lft {0}", time.as_secs()))
            .unwrap_or_default();
        commands.push(format!(
            "ip address replace {}/{}{broadcast} dev {}{label}{lifetime}",
            vip.address, vip.prefix_len, vip.interface
        ));
    }
    for vip in addresses {
        let target = vip.broadcast.unwrap_or(vip.address);
        commands.push(format!(
            "{} -i {} {} HARDWARE-ADDRESS {target} ffffffffffff",
            announce::program().display(),
            vip.interface,
            vip.address
        ));
    }
    // The other one once the partner has stopped.
    commands.extend(sync(plan, State::Master, State::Backup));
    commands
}

fn letting_go(plan: &Plan, addresses: &[VipAddress]) -> Vec<String> {
    let mut commands = Vec::new();
    // The last first, as the kernel is quicker with.
    for vip in addresses.iter().rev() {
        commands.push(format!(
            "ip address del {}/{} dev {}",
            vip.address, vip.prefix_len, vip.interface
        ));
    }
    commands.extend(plan.inactive_cmd.iter().map(|words| command::shown(words)));
    commands.extend(sync(plan, State::Backup, State::Master));
    commands
}

/// Those that are not there already, or still.
fn sync(plan: &Plan, wanted: State, other: State) -> Vec<String> {
    let shown = |sync: &SyncPlan, args: &[OsString]| {
        format!("{} {}", sync.ipvsadm.display(), command::shown(args))
    };
    let commands = |sync: &SyncPlan| {
        [
            shown(sync, &syncd::start(sync, wanted)),
            shown(sync, &syncd::stop(other)),
        ]
    };
    plan.sync.iter().flat_map(commands).collect()
}

fn spec(spec: &Spec) -> String {
    format!("{} {}", spec.program.display(), command::shown(&spec.args))
}
