//! Debian's ldirectord, which runs the program `ipvsadm` and reads what it lists.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Machine;
use crate::client;
use crate::ensure;
use crate::error::{Context, Error, Result};
use crate::network::{Method, NAT_ROUTER, Network, Side, VIP, server_address};
use crate::web::Web;
use crate::{setup, table, wait};

/// For what ldirectord does on its next round; a limit for what hangs, not for what is slow.
const LIMIT: Duration = Duration::from_secs(60);
/// Its configuration is given by its path; the file is the machine's own.
const CONFIGURATION: &str = "/etc/ha.d/ldirectord.cf";

/// ldirectord in the foreground. Ends with it.
struct Director {
    child: Child,
}

impl Director {
    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Director {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn run() -> Result<String> {
    let network = Network::build(Method::Nat, 2)?;
    let router = network.router(Side::A);
    router.ip(&format!(
        "addr add {VIP}/32 dev eth0\naddr add {NAT_ROUTER}/24 dev eth1\n"
    ))?;
    let machine = Machine::on(Arc::clone(router), "127.0.0.1 localhost\n")?;
    machine.replace_original()?;
    let mut web = [0, 1].map(|index| network.servers.get(index).map(|node| Web::start(node, 80)));
    let [Some(Ok(first)), Some(Ok(second))] = &mut web else {
        return Err(Error::unmet(format_args!("web servers: {web:?}")));
    };
    for quiescent in [false, true] {
        let written = serve(&machine, &network, quiescent, first, second);
        let log = std::fs::read_to_string(machine.own("log")).unwrap_or_default();
        written.map_err(|error| {
            Error::unmet(format_args!("quiescent = {quiescent}: {error}\n{log}"))
        })?;
        ensure!(
            !log.contains("Unknown line") && !log.contains("failed:"),
            "ldirectord complains:\n{log}"
        );
    }
    Ok("a server dies and returns, both die, everything is taken back; quiescent or not".into())
}

fn configuration(machine: &Machine, quiescent: bool) -> String {
    let [first, second] = [0, 1].map(|index| server_address(Method::Nat, index));
    format!(
        "checktimeout=10\ncheckinterval=1\nnegotiatetimeout=10\n\
         autoreload=no\nsupervised=yes\nlogfile=\"{}\"\nquiescent={}\n\
         virtual={VIP}:80\n\
         \treal={first}:80 masq 3\n\
         \treal={second}:80 masq 2\n\
         \tfallback=127.0.0.1:8080 masq\n\
         \tservice=http\n\trequest=\"/\"\n\treceive=\"web\"\n\
         \tscheduler=wrr\n\tpersistent=60\n\tprotocol=tcp\n\tchecktype=negotiate\n",
        machine.own("log").display(),
        if quiescent { "yes" } else { "no" }
    )
}

/// One life of ldirectord.
fn serve(
    machine: &Machine,
    network: &Network,
    quiescent: bool,
    first: &mut Web,
    second: &mut Web,
) -> Result<()> {
    machine.put(CONFIGURATION, &configuration(machine, quiescent))?;
    let mut director = start(machine)?;
    let (both, fallback) = ("101:3 102:2", "127.0.0.1:1");
    let (one, none) = if quiescent {
        ("101:0 102:2", format!("{fallback} 101:0 102:0"))
    } else {
        ("102:2", fallback.to_owned())
    };
    wait_for(machine, &mut director, "both serve", both)?;
    let target = SocketAddr::from((VIP, 80));
    let answer = network
        .client
        .run(move || client::request(target, Duration::from_secs(10)).ok())?;
    ensure!(
        answer
            .as_deref()
            .is_some_and(|name| name.starts_with("web")),
        "no answer through the virtual service: {answer:?}"
    );
    first.stop();
    wait_for(machine, &mut director, "the first is out", one)?;
    second.stop();
    wait_for(machine, &mut director, "the fallback serves", &none)?;
    for (web, node) in [first, second].into_iter().zip(&network.servers) {
        web.resume(node)?;
    }
    wait_for(machine, &mut director, "both are back", both)?;
    kill(director.pid(), Signal::SIGTERM).during("ending ldirectord")?;
    wait::for_it("ldirectord ends", LIMIT, || {
        Ok(director
            .child
            .try_wait()
            .during("waiting for ldirectord")?
            .is_some())
    })?;
    let left = table::read(&machine.node)?;
    ensure!(left.is_empty(), "left in the table: {left:?}");
    Ok(())
}

fn start(machine: &Machine) -> Result<Director> {
    let program = setup::find("ldirectord").ok_or_else(|| Error::Setup("no ldirectord".into()))?;
    let mut command = Command::new(program);
    command
        .args([CONFIGURATION, "start"])
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = machine
        .node
        .run(move || command.spawn())?
        .during("starting ldirectord")?;
    Ok(Director { child })
}

/// Waits until the service has these servers, each with its address's end and its weight.
fn wait_for(machine: &Machine, director: &mut Director, what: &str, wanted: &str) -> Result<()> {
    let mut found = String::new();
    let reached = wait::for_it(what, LIMIT, || {
        if let Some(status) = director.child.try_wait().during("waiting for ldirectord")? {
            return Err(Error::unmet(format_args!("ldirectord ended: {status}")));
        }
        found = shown(machine)?;
        Ok(found == wanted)
    });
    reached
        .map_err(|error| Error::unmet(format_args!("{error}; wanted {wanted:?}, found {found:?}")))
}

fn shown(machine: &Machine) -> Result<String> {
    let prefix = "10.20.0.";
    let table = table::read(&machine.node)?;
    let servers = table.iter().flat_map(|service| &service.servers);
    let mut servers: Vec<String> = servers
        .map(|real| format!("{}:{}", real.address, real.weight))
        .collect();
    // The fallback first.
    servers.sort_by_key(|text| text.starts_with(prefix));
    Ok(servers.join(" ").replace(prefix, ""))
}
