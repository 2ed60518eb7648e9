//! VIPs, the NAT router address and the table: as configured, announced, and repaired when
//! somebody changes them by hand.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{SETTLE, SLACK, Scenario, with_pair};
use crate::configuration::{Configuration, Virtual};
use crate::ensure;
use crate::error::{Error, Result};
use crate::network::{Method, NAT_ROUTER, SECOND_VIP, Side, VIP};
use crate::pair::Pair;
use crate::wait;
use crate::wire::{What, Wire};

const THIRD_VIP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 82);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "addresses",
        shows: "label, mask, broadcast and announcement of VIPs and NAT router address",
        ipvs: true,
        run: addresses,
    },
    Scenario {
        name: "repair",
        shows: "ipvsadm -C, -e and -d, and a VIP deleted by hand, are repaired",
        ipvs: true,
        run: repair,
    },
];

fn addresses() -> Result<String> {
    let mut configuration = Configuration::new(Method::Nat, 2);
    let mut second = Virtual::new("second", SECOND_VIP, "eth0:2", Method::Nat, 2);
    second.mask = None;
    let mut third = Virtual::new("third", THIRD_VIP, "eth0:3", Method::Nat, 2);
    third.mask = Some(Ipv4Addr::BROADCAST);
    configuration.virtuals.extend([second, third]);

    let mut pair = Pair::build(Method::Nat, 2)?;
    let wire = Wire::listen(&pair.network.switch)?;
    let result = (|| {
        pair.configure(&configuration)?;
        pair.router_mut(Side::A).start()?;
        pair.router_mut(Side::B).start()?;
        pair.wait_settled(Side::A, &configuration, Duration::from_secs(15))?;
        let mask = Some(Ipv4Addr::new(255, 255, 255, 0));
        let public = Some(Ipv4Addr::new(198, 51, 100, 255));
        has(&pair, VIP, "eth0:1", mask, public)?;
        // Without a mask: what `ifconfig` takes for a class C address.
        has(&pair, SECOND_VIP, "eth0:2", mask, public)?;
        has(
            &pair,
            THIRD_VIP,
            "eth0:3",
            Some(Ipv4Addr::BROADCAST),
            Some(THIRD_VIP),
        )?;
        has(
            &pair,
            NAT_ROUTER,
            "eth1:1",
            mask,
            Some(Ipv4Addr::new(10, 20, 0, 255)),
        )?;
        announced(&pair, &wire, true, VIP)?;
        announced(&pair, &wire, true, SECOND_VIP)?;
        announced(&pair, &wire, true, THIRD_VIP)?;
        announced(&pair, &wire, false, NAT_ROUTER)?;
        Ok(String::new())
    })();
    pair.explained(result)
}

fn has(
    pair: &Pair,
    address: Ipv4Addr,
    label: &str,
    mask: Option<Ipv4Addr>,
    broadcast: Option<Ipv4Addr>,
) -> Result<()> {
    let all = pair.router(Side::A).addresses()?;
    let found: Vec<_> = all
        .iter()
        .filter(|entry| entry.address == address)
        .collect();
    let right = found.len() == 1
        && found.iter().all(|entry| {
            entry.label == label && entry.mask == mask && entry.broadcast == broadcast
        });
    ensure!(
        right,
        "{address} should be on {label} with {mask:?} and {broadcast:?}: {found:?}"
    );
    Ok(())
}

/// The address was announced by router A with its own hardware address, and by nobody else.
fn announced(pair: &Pair, wire: &Wire, public: bool, address: Ipv4Addr) -> Result<()> {
    let interface = if public { "eth0" } else { "eth1" };
    let text = pair
        .router(Side::A)
        .read(&format!("/sys/class/net/{interface}/address"))?;
    let own: Vec<u8> = text
        .trim()
        .split(':')
        .filter_map(|part| u8::from_str_radix(part, 16).ok())
        .collect();
    let announcement = |what: &What| match what {
        What::Arp {
            sender, hardware, ..
        } if *sender == address => Some(*hardware),
        _ => None,
    };
    wait::for_it(format_args!("{address} is announced"), SETTLE, || {
        Ok(wire.seen().iter().any(|seen| {
            seen.from == Side::A
                && seen.public == public
                && matches!(&seen.what, What::Arp { sender, target, .. } if *sender == address && *target == address)
        }))
    })?;
    for seen in wire.seen() {
        if let Some(hardware) = announcement(&seen.what) {
            ensure!(
                seen.from == Side::A && hardware.as_slice() == own.as_slice(),
                "{address} was announced by {} with {hardware:02x?}",
                seen.from
            );
        }
    }
    Ok(())
}

fn repair() -> Result<String> {
    let configuration = Configuration::new(Method::Nat, 2).with("audit_interval = 2");
    with_pair(&configuration, 2, |pair| {
        let client = pair.client()?;
        let service = format!("{VIP}:80");
        let server = "10.20.0.101:80";
        // Within 10 s; but audits take at most 1 % of the time, and a difference is confirmed by a
        // second look, which counts where running a program is slow.
        let asked = Instant::now();
        pair.router(Side::A).run("ipvsadm-rs", &["-Sn"])?;
        let allowed = Duration::from_secs(10).max(asked.elapsed() * 200) + SLACK;
        let mut times = Vec::new();
        for arguments in [
            vec!["-C"],
            vec!["-e", "-t", &service, "-r", server, "-m", "-w", "7"],
            vec!["-d", "-t", &service, "-r", server],
        ] {
            let mark = pair.router(Side::A).journal.mark();
            let broken = Instant::now();
            let output = pair.router(Side::A).run("ipvsadm-rs", &arguments)?;
            ensure!(
                output.status.success(),
                "ipvsadm-rs {arguments:?}: {output:?}"
            );
            ensure!(
                pair.unsettled(Side::A, &configuration)?.is_some(),
                "{arguments:?} changed nothing"
            );
            pair.wait_settled(Side::A, &configuration, allowed)?;
            times.push(broken.elapsed());
            let logged = pair.router(Side::A).journal.from(mark);
            ensure!(
                logged.iter().any(|line| line.tag.starts_with("lvs")),
                "the repair of {arguments:?} was not logged"
            );
        }
        let broken = Instant::now();
        let mut command = Command::new("ip");
        command.args(["addr", "del", &format!("{VIP}/24"), "dev", "eth0"]);
        let output = pair.router(Side::A).node.output(command)?;
        ensure!(output.status.success(), "ip addr del: {output:?}");
        wait::for_it("the VIP is back", Duration::from_secs(1), || {
            pair.router(Side::A).owns(VIP)
        })?;
        let back = broken.elapsed();
        pair.wait_settled(Side::A, &configuration, SETTLE)?;
        client.wait_served(Instant::now(), SETTLE)?;
        let longest = times
            .iter()
            .max()
            .ok_or_else(|| Error::unmet("nothing was repaired"))?;
        Ok(format!(
            "table within {} ms, VIP within {} ms",
            longest.as_millis(),
            back.as_millis()
        ))
    })
}
