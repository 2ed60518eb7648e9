//! One `virtual` section.
//!
//! Owns its directives. What is asked of the servers is put together by `probe`.

use std::net::Ipv4Addr;
use std::time::Duration;

use lvs_config::{Host, Network, Protocol, Scheduler, tcp_port};

use super::line::{self, Line, Real};
use super::probe::Probe;
use super::{Defaults, common};
use crate::draft::{RealServer, Service, host, mask, number, scheduler};
use crate::notes::Notes;

/// Longest range of servers in one line.
const RANGE: u32 = 1024;

/// `None`: nothing that lvs.cf could have.
pub(super) fn read<'a>(
    head: &Line<'a>,
    section: &[Line<'a>],
    defaults: &Defaults<'a>,
    notes: &mut Notes,
) -> Option<Service> {
    let Some(mut service) = named(head, defaults) else {
        let help = "ADDRESS:PORT, NAME:PORT or a firewall mark";
        notes.lost(head.place, "virtual", "not an IPv4 service", help);
        return None;
    };
    service.retries = defaults.failures;
    service.quiesce = defaults.quiescent;
    service.scheduler = Scheduler::Wrr;
    let mut probe = Probe::new(service.port, service.mark);
    let mut reals = Vec::new();
    let mut fallback = defaults.fallback;
    for line in section {
        match line.keyword {
            "real" => reals.push(*line),
            "fallback" => fallback = Some(*line),
            _ if probe.takes(line) => {}
            _ => directive(line, &mut service, notes),
        }
    }
    if service.mark != 0 {
        service.port = probe.port.unwrap_or(0);
    }
    sorry(fallback, &mut service, notes);
    let probed = probe.clone();
    for line in &reals {
        servers(line, &mut service, &probed, notes);
    }
    if service.port == 0 {
        service.port = service.servers.first().map_or(0, |server| server.port);
    }
    Some(service)
}

/// `ADDRESS:PORT`, `NAME:PORT`, or a mark.
fn named(head: &Line<'_>, defaults: &Defaults<'_>) -> Option<Service> {
    let mut service = Service::new(head.place, defaults.interval());
    match head.text().split_once(':') {
        Some((name, port_name)) => {
            service.host = Some(host(name)?);
            service.port = port(port_name)?;
            if service.port == 53 {
                service.protocol = Protocol::Udp;
            }
        }
        None => service.mark = number(head.text()).filter(|mark| *mark > 0)?,
    }
    Some(service)
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().or_else(|| tcp_port(text))
}

fn directive(line: &Line<'_>, service: &mut Service, notes: &mut Notes) {
    let (place, keyword, value) = (line.place, line.keyword, line.unquoted());
    let done = match keyword {
        "scheduler" => {
            if scheduler(value).is_none() {
                let why = format!("lvs.cf has no scheduler {value}; wrr stays");
                let help = "rr, wrr, lc, wlc, lblc, lblcr, dh and sh are known";
                notes.lost(place, keyword, &why, help);
            }
            service.scheduler = scheduler(value).unwrap_or(Scheduler::Wrr);
            true
        }
        "protocol" => {
            match value {
                "udp" => service.protocol = Protocol::Udp,
                "tcp" => service.protocol = Protocol::Tcp,
                _ => {}
            }
            matches!(value, "tcp" | "udp" | "fwm")
        }
        "persistent" => number(value)
            .map(|seconds| service.persistent = seconds)
            .is_some(),
        "netmask" => {
            service.mask = mask(value);
            service.mask.is_some()
        }
        "checkinterval" => {
            let seconds = number(value).filter(|seconds| *seconds > 0);
            seconds
                .map(|seconds| service.interval = Duration::from_secs(seconds.into()))
                .is_some()
        }
        "failurecount" => {
            service.retries = number(value);
            service.retries.is_some()
        }
        "quiescent" => {
            service.quiesce = value == "yes";
            matches!(value, "yes" | "no")
        }
        "ops" if value == "no" => true,
        _ => {
            common(line, notes);
            true
        }
    };
    if !done {
        notes.lost(place, keyword, "this value has no counterpart", "");
    }
}

/// `fallback = ADDRESS[:PORT] [METHOD]`
fn sorry(line: Option<Line<'_>>, service: &mut Service, notes: &mut Notes) {
    let Some(line) = line else { return };
    let parts = line::real(line.text());
    let address = parts
        .as_ref()
        .and_then(|parts| parts.first.parse::<Ipv4Addr>().ok());
    service.sorry = address.filter(|address| !address.is_unspecified());
    let Some(parts) = parts.filter(|_| service.sorry.is_some()) else {
        let help = "write it as sorry_server = ADDRESS";
        notes.lost(
            line.place,
            "fallback",
            "a sorry server is named by its IPv4 address",
            help,
        );
        return;
    };
    let other = parts
        .port
        .and_then(port)
        .is_some_and(|port| port != service.port);
    if other && service.mark == 0 {
        let why = "a sorry server has the service's own port";
        notes.lost(line.place, "fallback", why, "let it listen there as well");
    }
}

/// The servers of one `real` line.
fn servers(line: &Line<'_>, service: &mut Service, probe: &Probe<'_>, notes: &mut Notes) {
    let Some(real) = line::real(line.text()) else {
        let help = "ADDRESS[->ADDRESS][:PORT] gate|masq|ipip [WEIGHT]";
        notes.lost(line.place, "real", "not an IPv4 server", help);
        return;
    };
    let method = match real.method {
        "gate" => Network::Direct,
        "ipip" => Network::Tunnel,
        "masq" => Network::Nat,
        other => {
            notes.lost(line.place, other, "gate, masq and ipip are known", "");
            return;
        }
    };
    let hosts = hosts(&real);
    let wanted = real.port.map_or(Some(0), port);
    let (false, Some(wanted)) = (hosts.is_empty(), wanted) else {
        let why = "not an IPv4 address, a name, or a range of addresses, with a port";
        notes.lost(
            line.place,
            "real",
            why,
            "a range goes upwards and has at most 1024 servers",
        );
        return;
    };
    let port = match (wanted, probe.port) {
        (0, checked) => checked.unwrap_or(service.port),
        // Packets are not changed, so ldirectord uses the service's port, too.
        (_, _) if method != Network::Nat && service.mark == 0 => service.port,
        (port, _) => port,
    };
    let weight = real.weight.map_or(Some(1), number).unwrap_or(1);
    let check = probe.check(real.exchange, (service, port), line.place, notes);
    service
        .servers
        .extend(hosts.into_iter().map(|host| RealServer {
            host,
            port,
            weight,
            method: Some((method, line.place)),
            check: (check.clone(), line.place),
        }));
}

fn hosts(real: &Real<'_>) -> Vec<Host> {
    let Some(last) = real.last else {
        return host(real.first).into_iter().collect();
    };
    let range = real
        .first
        .parse::<Ipv4Addr>()
        .ok()
        .zip(last.parse::<Ipv4Addr>().ok());
    let range = range.map(|(first, last)| u32::from(first)..=u32::from(last));
    let range = range.filter(|range| range.end().saturating_sub(*range.start()) < RANGE);
    range
        .into_iter()
        .flatten()
        .filter(|bits| *bits != 0)
        .map(|bits| Host::Address(bits.into()))
        .collect()
}
