//! The set-ups of the book, followed to the letter: the page's lvs.cf on both routers, the page's commands
//! on real servers that are bare so far.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Scenario;
use crate::book::{self, Page, Place};
use crate::ensure;
use crate::error::{Error, Result};
use crate::network::{Method, Side, VIP, server_address};
use crate::node::Node;
use crate::pair::Pair;
use crate::wait;

/// For what comes of itself; nothing here is measured.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "book-nat",
        shows: "docs/nat.md: its lvs.cf and its commands make a pair that serves and fails over",
        ipvs: true,
        run: || follow(Method::Nat, "docs/nat.md"),
    },
    Scenario {
        name: "book-direct",
        shows: "docs/direct-routing.md: the same",
        ipvs: true,
        run: || follow(Method::Direct, "docs/direct-routing.md"),
    },
    Scenario {
        name: "book-tunnel",
        shows: "docs/tunnel.md: the same",
        ipvs: true,
        run: || follow(Method::Tunnel, "docs/tunnel.md"),
    },
];

/// The pages that are followed here.
pub(super) const PAGES: &[&str] = &["docs/direct-routing.md", "docs/tunnel.md"];

fn follow(method: Method, path: &str) -> Result<String> {
    let page = book::page(Path::new(path))?;
    let mut pair = Pair::bare(method, 2)?;
    let result = served(&mut pair, method, &page);
    pair.explained(result)
}

fn served(pair: &mut Pair, method: Method, page: &Page) -> Result<String> {
    let settings = page.block("sh real-server")?.text;
    for node in &pair.network.servers {
        prepare(node, &settings)?;
    }
    let text = in_the_laboratory(method, page.block("lvs.cf")?.text);
    for side in [Side::A, Side::B] {
        pair.router(side).configure(&text)?;
        pair.router_mut(side).start()?;
    }
    wait_serving(pair, Side::A)?;
    let first = both_answer(pair)?;
    try_it(pair, method, page)?;

    pair.network.set_connected(Side::A, false)?;
    wait_serving(pair, Side::B)?;
    let second = both_answer(pair)?;
    Ok(format!("{first}; after the failover {second}"))
}

/// The page has its tunnels' ends in networks that the laboratory has not.
fn in_the_laboratory(method: Method, text: String) -> String {
    let elsewhere = ["203.0.113.101", "192.0.2.102"];
    elsewhere
        .iter()
        .enumerate()
        .fold(text, |text, (index, address)| {
            text.replace(address, &server_address(method, index).to_string())
        })
}

/// The page's commands for the active router and for a client; those of NAT are run on installed machines.
fn try_it(pair: &Pair, method: Method, page: &Page) -> Result<()> {
    let blocks = page.blocks();
    for block in blocks.iter().filter(|_| method != Method::Nat) {
        match block.place()? {
            Some(Place::Active) => {
                for command in book::commands(&block.text) {
                    let words: Vec<&str> = command.iter().map(String::as_str).collect();
                    let (program, arguments) = words.split_first().unwrap_or((&"", &[]));
                    let output = pair.router(Side::A).run(program, arguments)?;
                    ensure!(output.status.success(), "{command:?}: {output:?}");
                }
            }
            Some(Place::Client) => {
                let mut command = Command::new("sh");
                command.args(["-ec", &block.text]);
                let output = pair.network.client.output(command)?;
                ensure!(output.status.success(), "{}: {output:?}", block.text);
            }
            Some(Place::RealServer | Place::NotRun) | None => {}
            Some(place) => {
                let path = page.path.display();
                return Err(Error::unmet(format_args!(
                    "{path} has a block for {place:?}"
                )));
            }
        }
    }
    Ok(())
}

/// Runs the page's commands on a real server.
pub(super) fn prepare(node: &Node, settings: &str) -> Result<()> {
    for command in book::commands(settings) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["ip", rest @ ..] => node.ip(&(rest.join(" ") + "\n"))?,
            ["sysctl", "-w", setting] => {
                let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
                node.sysctl(&[(name.strip_prefix("net.").unwrap_or(name), value)])?;
            }
            _ => {
                return Err(Error::unmet(format_args!(
                    "the laboratory does not know the command {}",
                    command.join(" ")
                )));
            }
        }
    }
    Ok(())
}

/// Waits until a router has the VIP and both servers.
fn wait_serving(pair: &Pair, side: Side) -> Result<()> {
    wait::for_it(format_args!("{side} serves"), PATIENCE, || {
        let table = pair.router(side).table()?;
        let servers: usize = table.iter().map(|service| service.servers.len()).sum();
        Ok(servers == 2 && pair.router(side).owns(VIP)?)
    })
}

/// A client gets answers of both servers.
fn both_answer(pair: &Pair) -> Result<String> {
    let client = pair.patient_client()?;
    client.wait_served(Instant::now(), PATIENCE)?;
    Ok(format!("{:?}", client.wait_shared(2, PATIENCE)?))
}
