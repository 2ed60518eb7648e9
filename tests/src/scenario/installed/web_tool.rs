//! The web tool's units under systemd: somebody logs in and changes lvs.cf, within their sandboxes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::LVS_CF;
use crate::ensure;
use crate::error::Result;
use crate::machine::Machine;
use crate::visitor::Visitor;
use crate::wait;

/// Where it listens unless it is told otherwise.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3636);
const USER: &str = "piranha";
const PASSWORD: &str = "correct horse battery";
/// For the tool to have looked at the status files; only bounds a failure.
const LIMIT: Duration = Duration::from_secs(60);

/// On the active router, whose lvs.cf is valid and says `rr`.
pub(super) fn used(machine: &Machine) -> Result<()> {
    machine.sh(&format!("printf %s '{PASSWORD}' | piranha-passwd --stdin"))?;
    machine.sh("systemctl start piranha-gui")?;
    machine.sh("systemctl is-active piranha-gui.service piranha-applier.socket")?;
    let mut visitor = Visitor::new(ADDRESS, Some(Arc::clone(machine.node())));
    machine.wait("bash -c '</dev/tcp/127.0.0.1/3636'")?;
    let wrong = visitor.log_in(USER, "guess")?;
    ensure!(wrong.status == 403, "a wrong password: {wrong:?}");
    let answer = visitor.log_in(USER, PASSWORD)?;
    ensure!(answer.status == 303, "the log-in: {answer:?}");
    wait::for_it("the page of the pair shows its server", LIMIT, || {
        let page = visitor.get("/secure/control")?;
        Ok(page.status == 200 && page.text.contains("10.20.0.101:80"))
    })?;
    sandboxed(machine)?;
    change(machine, &mut visitor)?;
    machine.sh("systemctl stop piranha-gui piranha-applier.socket piranha-applier")?;
    Ok(())
}

/// A scheduler is changed: the applier writes the file, and pulse follows it.
fn change(machine: &Machine, visitor: &mut Visitor) -> Result<()> {
    let form = visitor.get("/secure/global")?;
    let change = json!({ "edits": [{
        "edit": "set",
        "at": { "item": "virtual", "service": { "name": "web" } },
        "keyword": "scheduler",
        "value": "wlc",
    }] });
    let (form_token, base) = (form.hidden("form_token")?, form.hidden("base")?);
    let change = change.to_string();
    let fields = [
        ("form_token", form_token.as_str()),
        ("base", &base),
        ("change", &change),
        ("next", "/secure/control"),
    ];
    let done = visitor.post("/secure/apply", &fields)?;
    ensure!(done.status == 200, "the change: {done:?}");
    machine.sh(&format!("grep -q 'scheduler = wlc' {LVS_CF}"))?;
    machine.wait("ipvsadm -Ln | grep -q ' wlc'")?;
    machine.sh("grep -q '\"who\":\"piranha\"' /var/lib/piranha/audit.jsonl")?;
    Ok(())
}

/// The process that faces the network: no rights, and not even root in its place writes lvs.cf.
fn sandboxed(machine: &Machine) -> Result<()> {
    let pid = machine.sh("systemctl show -P MainPID piranha-gui")?;
    let pid = pid.trim();
    let found = machine.sh(&format!(
        "ps -o user= -p {pid}; grep -h 'CapEff\\|CapBnd\\|NoNewPrivs' /proc/{pid}/status"
    ))?;
    let expected =
        "piranha\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n";
    ensure!(found == expected, "the web process has: {found}");
    for file in [LVS_CF, "/var/lib/piranha/epoch", "/run/pulse.pid"] {
        let (status, said) = machine.ask(&format!(
            "nsenter --target {pid} --mount -- sh -c 'echo x >>{file}'"
        ))?;
        ensure!(
            status != 0 && said.contains("Read-only file system"),
            "{file} can be written there: status {status}: {said}"
        );
    }
    Ok(())
}
