//! `virtual_server`: one service, or one for each member of a group.
//!
//! Owns the block and `real_server` below it. Checks are read by `checker`.

use std::time::Duration;

use lvs_config::{Host, Protocol, Scheduler};

use super::checker::{self, Server};
use super::group::{self, Key, port};
use super::tree::Statement;
use super::{method, seconds};
use crate::draft::{Draft, RealServer, Service, mask, number, scheduler};
use crate::notes::Notes;
use crate::source::Place;

/// keepalived's own, where `delay_loop` is not written.
const DELAY: Duration = Duration::from_secs(60);
/// keepalived's own, where `persistence_timeout` has no number.
const PERSISTENCE: u32 = 360;

pub(crate) fn read(block: &Statement, file: &[Statement], draft: &mut Draft, notes: &mut Notes) {
    let place = block.place();
    let keys = match (block.word(1), block.word(2)) {
        ("group", name) => {
            let keys = group::members(name, place, file, notes);
            keys.into_iter()
                .map(|(key, place)| (key, place, Some(name)))
                .collect()
        }
        ("fwmark", mark) => {
            let mark = number(mark).filter(|mark| *mark > 0);
            mark.map(|mark| (Key::Mark(mark), place, None))
                .into_iter()
                .collect()
        }
        (address, service) => {
            let key = address.parse().ok().zip(port(service));
            let key = key.map(|(address, port)| (Key::Address(address, port), place, None));
            key.into_iter().collect::<Vec<_>>()
        }
    };
    let inet6 = block
        .find("ip_family")
        .is_some_and(|family| family.word(1) == "inet6");
    if block.word(1) != "group" && keys.is_empty() || inet6 {
        let help = "lvs.cf has IPv4 addresses with a port, and firewall marks";
        notes.lost(place, "virtual_server", "not an IPv4 service", help);
        return;
    }
    // What the block says is said once, however many members a group has.
    let mut said = Some(notes);
    for (key, place, name) in keys {
        let mut silent = Notes::default();
        let notes = said.take().unwrap_or(&mut silent);
        if let Some(service) = service(block, &key, (place, name), notes) {
            draft.services.push(service);
        }
    }
}

fn service(
    block: &Statement,
    key: &Key,
    (place, group): (Place, Option<&str>),
    notes: &mut Notes,
) -> Option<Service> {
    let mut service = Service::new(place, DELAY);
    match key {
        Key::Address(address, port) => {
            service.host = Some(Host::Address(*address)).filter(|_| !address.is_unspecified());
            service.port = *port;
        }
        Key::Mark(mark) => service.mark = *mark,
    }
    service.name = group.map(|name| match key {
        Key::Address(address, port) => format!("{name}-{address}:{port}"),
        Key::Mark(mark) => format!("{name}-fwmark-{mark}"),
    });
    if service.host.is_none() && service.mark == 0 {
        notes.lost(place, "virtual_server", "0.0.0.0 is no service address", "");
        return None;
    }
    let mut reader = Reader {
        block,
        service,
        retry: None,
        notes,
    };
    for statement in block.inside() {
        reader.statement(statement)?;
    }
    if block.find("protocol").is_none() && matches!(key, Key::Address(..)) {
        let why = "none is written: tcp is taken, where keepalived 2 takes UDP";
        let help = "write protocol = udp if that is meant";
        reader.notes.changed(place, "protocol", why, help);
    }
    reader.servers();
    Some(reader.finish(key))
}

struct Reader<'a> {
    block: &'a Statement,
    service: Service,
    retry: Option<u32>,
    notes: &'a mut Notes,
}

impl Reader<'_> {
    /// `None`: the whole service has no counterpart.
    fn statement(&mut self, statement: &Statement) -> Option<()> {
        let (place, keyword, value) = (statement.place(), statement.keyword(), statement.word(1));
        let service = &mut self.service;
        let done = match keyword {
            "lb_algo" | "lvs_sched" => self.scheduler(statement),
            "lb_kind" | "lvs_method" => {
                service.method = method(value).map(|network| (network, place));
                service.method.is_some()
            }
            "delay_loop" => seconds(value).map(|time| service.interval = time).is_some(),
            "protocol" if value == "SCTP" => {
                let help = "ipvsadm-rs can add such a service by hand; lvs leaves it alone";
                self.notes
                    .lost(place, "virtual_server", "lvs.cf has tcp and udp", help);
                return None;
            }
            "protocol" => {
                service.protocol = if value == "UDP" {
                    Protocol::Udp
                } else {
                    Protocol::Tcp
                };
                matches!(value, "TCP" | "UDP")
            }
            "persistence_timeout" => {
                let seconds = if value.is_empty() {
                    Some(PERSISTENCE)
                } else {
                    number(value)
                };
                seconds
                    .map(|seconds| service.persistent = seconds)
                    .is_some()
            }
            "persistence_granularity" => {
                service.mask = mask(value);
                service.mask.is_some()
            }
            "inhibit_on_failure" => {
                service.quiesce = !matches!(value, "no" | "off" | "false");
                true
            }
            "retry" => {
                self.retry = number(value);
                self.retry.is_some()
            }
            "sorry_server" => self.sorry(statement),
            "quorum" | "hysteresis" if matches!(value, "0" | "1") => true,
            "real_server" | "virtualhost" | "alpha" | "ip_family" | "ha_suspend"
            | "connect_timeout" => true,
            _ => {
                self.lost(statement);
                true
            }
        };
        if !done {
            self.notes
                .lost(place, keyword, "this value has no counterpart", "");
        }
        Some(())
    }

    fn scheduler(&mut self, statement: &Statement) -> bool {
        let name = statement.word(1);
        self.service.scheduler = scheduler(name).unwrap_or(Scheduler::Wlc);
        if scheduler(name).is_none() {
            let why = format!("lvs.cf has no scheduler {name}; wlc is written");
            let help = "rr, wrr, lc, wlc, lblc, lblcr, dh and sh are known";
            self.notes
                .lost(statement.place(), statement.keyword(), &why, help);
        }
        true
    }

    fn sorry(&mut self, statement: &Statement) -> bool {
        let address = statement.word(1).parse().ok();
        self.service.sorry =
            address.filter(|address: &std::net::Ipv4Addr| !address.is_unspecified());
        let own = self.service.port;
        if port(statement.word(2)).is_some_and(|port| port != own && own != 0) {
            let why = "a sorry server has the service's own port";
            let help = "let it listen there as well";
            self.notes
                .lost(statement.place(), "sorry_server", why, help);
        }
        self.service.sorry.is_some()
    }

    fn lost(&mut self, statement: &Statement) {
        let (why, help) = match statement.keyword() {
            "quorum" | "hysteresis" => (
                "a sorry server is used when no server is left",
                "count the servers in the monitoring",
            ),
            "quorum_up" | "quorum_down" | "omega" | "smtp_alert" => (
                "nothing is started when servers come and go",
                "let the monitoring watch the log or lvs.json",
            ),
            "hashed" | "ops" | "sh-port" | "sh-fallback" | "mh-port" | "mh-fallback" | "flag-1"
            | "flag-2" | "flag-3" | "persistence_engine" => (
                "lvs.cf has no flags of services",
                "lvs would take flags set by hand away again",
            ),
            "sorry_server_inhibit" | "sorry_server_lvs_method" => {
                ("a sorry server is like the others", "")
            }
            "delay_before_retry" | "warmup" => ("checks come at one interval", ""),
            keyword if keyword.starts_with('@') => (
                "a line for one router only",
                "both routers have the same lvs.cf: write by hand what it has to say",
            ),
            _ => ("lvs.cf has nothing of the kind", ""),
        };
        self.notes
            .lost(statement.place(), statement.keyword(), why, help);
    }

    fn servers(&mut self) {
        let servers = self
            .block
            .inside()
            .iter()
            .filter(|s| s.keyword() == "real_server");
        for block in servers {
            if let Some(server) = self.server(block) {
                self.service.servers.push(server);
            }
        }
    }

    fn server(&mut self, block: &Statement) -> Option<RealServer> {
        let place = block.place();
        let address = block.word(1).parse().ok();
        let address = address.filter(|address: &std::net::Ipv4Addr| !address.is_unspecified());
        let written = Some(block.word(2)).filter(|word| !word.is_empty());
        let found = written.map_or(Some(self.service.port), port);
        let (Some(address), Some(port)) = (address, found) else {
            let help = "lvs.cf has IPv4 addresses with a port";
            self.notes
                .lost(place, "real_server", "not an IPv4 address and port", help);
            return None;
        };
        let mut server = Server::new(self.block, block, (address, port));
        let weight = self.server_statements(block, &mut server);
        let check = checker::read(&server, &mut self.retry, self.notes);
        Some(RealServer {
            host: Host::Address(address),
            port,
            weight,
            method: block
                .find("lvs_method")
                .and_then(|s| Some((method(s.word(1))?, s.place()))),
            check,
        })
    }

    /// The weight; what concerns the check is left to `checker`.
    fn server_statements(&mut self, block: &Statement, server: &mut Server<'_>) -> u32 {
        let mut weight = 1;
        for statement in block.inside() {
            let (place, keyword, value) =
                (statement.place(), statement.keyword(), statement.word(1));
            match keyword {
                "weight" => match number(value) {
                    Some(number) => weight = number,
                    None => {
                        self.notes
                            .lost(place, keyword, "not a number", "a weight of 1 is written")
                    }
                },
                "inhibit_on_failure" => {
                    if !self.service.quiesce {
                        let why = "quiesce_server is for all servers of the service";
                        self.notes.changed(place, keyword, why, "");
                    }
                    self.service.quiesce = true;
                }
                "retry" => self.retry = number(value),
                "alpha" | "lvs_method" | "virtualhost" | "snmp_name" | "connect_timeout" => {}
                _ if checker::is_checker(keyword) => server.checkers.push(statement.clone()),
                "notify_up" | "notify_down" | "smtp_alert" => {
                    let help = "let the monitoring watch the log or lvs.json";
                    self.notes.lost(
                        place,
                        keyword,
                        "nothing is started when servers come and go",
                        help,
                    );
                }
                "uthreshold" | "lthreshold" => {
                    self.notes
                        .lost(place, keyword, "lvs.cf has no limits of connections", "");
                }
                "delay_loop" | "delay_before_retry" | "warmup" => {
                    self.notes
                        .lost(place, keyword, "lvs.cf has one interval for a service", "");
                }
                keyword => self
                    .notes
                    .lost(place, keyword, "lvs.cf has nothing of the kind", ""),
            }
        }
        weight
    }

    fn finish(self, key: &Key) -> Service {
        let mut service = self.service;
        // Retries come after the first failure.
        service.retries = self.retry.map(|retry| retry.saturating_add(1));
        if matches!(key, Key::Mark(_)) {
            service.port = service.servers.first().map_or(0, |server| server.port);
        }
        service
    }
}
