//! `-t`: what would be executed, as commands that people can read, and nothing executed (B42).

use std::fmt::Write as _;

use daemon::child::Spec;
use netdev::VipAddress;

use crate::identity::Identity;
use crate::options::Options;
use crate::plan::Plan;
use crate::syncd::State;
use crate::{command, lvs_child, syncd};

/// The whole text.
pub(crate) fn text(options: &Options, plan: &Plan, identity: &Identity) -> String {
    let mut text = format!("role: {}\n", identity.role);
    section(&mut text, "at start", letting_go(plan, &[]));
    section(&mut text, "to become active", taking_over(options, plan));
    let addresses: Vec<VipAddress> = plan.addresses().cloned().collect();
    section(
        &mut text,
        "to become inactive",
        letting_go(plan, &addresses),
    );
    text
}

fn section(text: &mut String, title: &str, commands: Vec<String>) {
    let _ = writeln!(text, "{title}:");
    for command in commands {
        let _ = writeln!(text, "  {command}");
    }
}

fn taking_over(options: &Options, plan: &Plan) -> Vec<String> {
    let mut commands = Vec::new();
    commands.extend(plan.active_cmd.iter().map(|words| command::shown(words)));
    commands.push(spec(&lvs_child::spec(options)));
    for vip in plan.addresses() {
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
    for vip in plan.addresses() {
        let target = vip.broadcast.unwrap_or(vip.address);
        commands.push(format!(
            "{} -i {} {} HARDWARE-ADDRESS {target} ffffffffffff",
            daemon::paths::program("send_arp").display(),
            vip.interface,
            vip.address
        ));
    }
    commands.extend(sync(plan, State::Master));
    commands
}

fn letting_go(plan: &Plan, addresses: &[VipAddress]) -> Vec<String> {
    let mut commands = Vec::new();
    for vip in addresses {
        commands.push(format!(
            "ip address del {}/{} dev {}",
            vip.address, vip.prefix_len, vip.interface
        ));
    }
    commands.extend(plan.inactive_cmd.iter().map(|words| command::shown(words)));
    commands.extend(sync(plan, State::Backup));
    commands
}

fn sync(plan: &Plan, state: State) -> Vec<String> {
    let Some(sync) = &plan.sync else {
        return Vec::new();
    };
    syncd::commands(sync, state)
        .iter()
        .map(|args| format!("{} {}", sync.ipvsadm.display(), command::shown(args)))
        .collect()
}

fn spec(spec: &Spec) -> String {
    format!("{} {}", spec.program.display(), command::shown(&spec.args))
}
