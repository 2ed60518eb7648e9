//! From the draft to lvs.cf.
//!
//! Owns names, alias numbers and what lvs.cf has one of for all services. What it returns is
//! accepted by the check of lvs-config.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use lvs_config::write::{WriteError, to_text};
use lvs_config::{
    Address, Config, Global, Host, Network, Protocol, Server, Setting, Span, Text, Virtual,
};

use crate::check::{Check, encoded};
use crate::draft::{Draft, RealServer, Routers, Service, Vip, mask_of};
use crate::notes::Notes;
use crate::options::Options;
use crate::source::Place;

/// Longest label of an address in the kernel.
const LABEL_LENGTH: usize = 15;
/// A server that answers again is used at once, as both other programs do.
const REENTRY: u32 = 1;

fn written<T>(value: T) -> Setting<T> {
    Setting::written(value, Span::default())
}

/// The text of lvs.cf.
pub(crate) fn text(
    draft: &Draft,
    options: &Options,
    notes: &mut Notes,
) -> Result<Vec<u8>, WriteError> {
    let mut builder = Builder {
        network: network(draft),
        devices: Devices::new(draft, options),
        names: BTreeSet::new(),
        notes,
    };
    let mut config = Config {
        global: builder.global(&draft.routers, options),
        ..Config::default()
    };
    for service in &draft.services {
        let block = builder.service(service);
        config.virtuals.push(block);
    }
    let unused = unused(draft);
    if builder.network == Network::Nat {
        builder.nat_router(&mut config.global, &unused);
    }
    if config.global.nat_router.value.is_none() {
        builder.unused_vips(&unused);
    }
    to_text(&config)
}

/// lvs.cf has one forwarding method for all services: the first that is named.
fn network(draft: &Draft) -> Network {
    let of_servers = |service: &Service| service.servers.iter().find_map(|server| server.method);
    let methods = draft
        .services
        .iter()
        .map(|service| service.method.or_else(|| of_servers(service)));
    methods
        .flatten()
        .map(|(network, _)| network)
        .next()
        .unwrap_or_default()
}

struct Builder<'a> {
    network: Network,
    devices: Devices<'a>,
    names: BTreeSet<String>,
    notes: &'a mut Notes,
}

impl Builder<'_> {
    fn global(&mut self, routers: &Routers, options: &Options) -> Global {
        let mut global = Global {
            serial_no: written(1),
            service: written(lvs_config::ServiceKind::Lvs),
            network: written(self.network),
            ..Global::default()
        };
        let given = |option: &Option<String>, found: &Option<Host>| {
            option
                .as_deref()
                .and_then(crate::draft::host)
                .or_else(|| found.clone())
        };
        let primary = given(&options.primary, &routers.primary);
        let backup = given(&options.backup, &routers.backup);
        self.routers(&mut global, primary, backup);
        timers(&mut global, routers.keepalive);
        if routers.monitor_links {
            global.monitor_links = written(1);
        }
        if let Some((interface, id)) = &routers.sync {
            global.syncdaemon = written(true);
            global.syncd_iface = written(Text::from(interface.as_str()));
            global.syncd_id = written(*id);
        }
        for (setting, value) in [
            (&mut global.tcp_timeout, routers.tcp_timeout),
            (&mut global.tcpfin_timeout, routers.tcpfin_timeout),
            (&mut global.udp_timeout, routers.udp_timeout),
        ] {
            if let Some(value) = value {
                *setting = written(value);
            }
        }
        global.active_cmd = self.command("notify_master", &routers.active_cmd);
        global.inactive_cmd = self.command("notify_backup", &routers.inactive_cmd);
        global
    }

    fn routers(&mut self, global: &mut Global, primary: Option<Host>, backup: Option<Host>) {
        if primary.is_none() {
            let why = "pulse finds its role by the routers' own addresses";
            self.notes.missing(
                None,
                "primary",
                why,
                "write primary = ADDRESS, or use --primary",
            );
        }
        if backup.is_none() {
            let why = "without it there is one router only";
            let help = "write backup = ADDRESS and backup_active = 1, or use --backup";
            self.notes.missing(None, "backup", why, help);
        } else {
            global.backup_active = written(true);
        }
        if primary.is_some() {
            global.primary = written(primary);
        }
        if backup.is_some() {
            global.backup = written(backup);
        }
    }

    /// The one address that no service has is the gateway of the real servers.
    fn nat_router(&mut self, global: &mut Global, unused: &[&Vip]) {
        let Some((address, vip)) = nat_router(unused) else {
            let why = "the real servers' default gateway has to move with the active role";
            let help = "write nat_router = ADDRESS DEVICE:NUMBER, and nat_nmask";
            self.notes.missing(None, "nat_router", why, help);
            return;
        };
        let why = "taken for the real servers' default gateway: nat_router";
        self.notes.changed(vip.place, "virtual_ipaddress", why, "");
        let device = self.devices.of(&address).name;
        global.nat_router = written(Some(Address {
            host: address,
            device,
        }));
        if vip.prefix > 0 {
            global.nat_nmask = written(Some(mask_of(vip.prefix)));
        }
    }

    fn command(
        &mut self,
        keyword: &str,
        command: &Option<(String, Place)>,
    ) -> Setting<Option<Text>> {
        let Some((line, place)) = command else {
            return Setting::default();
        };
        let setting = written(Some(Text::from(line.as_str())));
        let trial = Config {
            global: Global {
                active_cmd: setting.clone(),
                ..Global::default()
            },
            ..Config::default()
        };
        if to_text(&trial).is_err() {
            self.unwritable(*place, keyword);
            return Setting::default();
        }
        setting
    }

    fn unwritable(&mut self, place: Place, keyword: &str) {
        let help = "put it into a script and name that in lvs.cf";
        self.notes
            .lost(place, keyword, "lvs.cf cannot hold this text", help);
    }

    fn service(&mut self, service: &Service) -> Virtual {
        let mut block = Virtual {
            name: written(Text::from(self.name(service).as_str())),
            active: written(self.is_usable(service)),
            protocol: written(service.protocol),
            scheduler: written(service.scheduler),
            port: written(service.port),
            load_monitor: written(Some(Text::from("none"))),
            reentry: written(REENTRY),
            ..Virtual::default()
        };
        if service.mark != 0 {
            block.fwmark = written(service.mark);
            self.marked(service);
        }
        self.address(&mut block, service);
        interval(&mut block, service.interval);
        if let Some(retries) = service.retries.filter(|retries| *retries > 1) {
            block.retries = written(retries.min(100));
        }
        if service.persistent != 0 {
            block.persistent = written(service.persistent);
            let own = |mask: &Ipv4Addr| !mask.is_unspecified() && *mask != Ipv4Addr::BROADCAST;
            if let Some(mask) = service.mask.filter(own) {
                block.pmask = written(Some(mask));
            }
        }
        if service.sorry.is_some() {
            block.sorry_server = written(service.sorry);
        }
        if service.quiesce {
            block.quiesce_server = written(true);
        }
        self.check(&mut block, service);
        block.servers = servers(service);
        block
    }

    fn name(&mut self, service: &Service) -> String {
        let protocol = if service.protocol == Protocol::Udp {
            "-udp"
        } else {
            ""
        };
        let wanted = match (&service.name, &service.host) {
            (Some(name), _) => name.clone(),
            (None, Some(host)) => format!("{host}:{}{protocol}", service.port),
            (None, None) => format!("fwmark-{}", service.mark),
        };
        // The other commands take SERVICE/SERVER, and names stand bare in the file.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let wanted: String = wanted
            .chars()
            .map(|c| if plain(c) { c } else { '_' })
            .collect();
        let numbered = |number: usize| match number {
            1 => wanted.clone(),
            number => format!("{wanted}-{number}"),
        };
        let name = (1..).map(numbered).find(|name| !self.names.contains(name));
        let name = name.unwrap_or_default();
        self.names.insert(name.clone());
        name
    }

    /// The kernel writes the server's port into each marked packet, if it writes at all.
    fn marked(&mut self, service: &Service) {
        if self.network == Network::Nat {
            let why = format!(
                "with NAT all that is marked goes to port {} of a server",
                service.port
            );
            let help = "one mark for each port, or network = direct";
            self.notes.changed(service.place, "fwmark", &why, help);
        }
    }

    /// Whether the one forwarding method is its own.
    fn is_usable(&mut self, service: &Service) -> bool {
        let own = service.method.into_iter();
        let methods = own.chain(service.servers.iter().filter_map(|server| server.method));
        let other = methods
            .into_iter()
            .find(|(network, _)| *network != self.network);
        if let Some((network, place)) = other {
            let why = format!(
                "lvs.cf has one forwarding method for all services, and that is {} here; \
                 the service is written with active = 0",
                keyword(self.network)
            );
            let help = "give these services a router pair of their own, or all the same method";
            self.notes.lost(place, keyword(network), &why, help);
        }
        other.is_none()
    }

    fn address(&mut self, block: &mut Virtual, service: &Service) {
        let Some(host) = &service.host else { return };
        let first = !self.devices.of_host.contains_key(host);
        let device = self.devices.of(host);
        if first && !device.known {
            let help = "correct the device in its address line, or use --interface";
            let why = format!(
                "the file names no interface for {host}; {} is assumed",
                device.name
            );
            self.notes
                .missing(Some(service.place), "address", &why, help);
        }
        if let Some(prefix) = device.prefix.filter(|prefix| *prefix > 0) {
            block.vip_nmask = written(Some(mask_of(prefix)));
        }
        block.address = written(Some(Address {
            host: host.clone(),
            device: device.name,
        }));
    }

    fn check(&mut self, block: &mut Virtual, service: &Service) {
        let Some((check, place)) = service.servers.first().map(|server| &server.check) else {
            return;
        };
        for server in service
            .servers
            .iter()
            .filter(|server| server.check.0 != *check)
        {
            let why =
                "lvs.cf has one check for all servers of a service: that of the first is used";
            let help = "make a service of its own, or a check program that knows the servers by %h";
            self.notes.lost(server.check.1, "check", why, help);
        }
        let programs = matches!(check, Check::Nothing | Check::Program { .. });
        let check = if service.protocol == Protocol::Udp && !programs {
            let why = "a check of a UDP service goes by UDP, so its servers are not checked now";
            let help = "write a check program into send_program";
            self.notes.lost(*place, "check", why, help);
            &Check::Nothing
        } else {
            check
        };
        let mut wanted = block.clone();
        apply(&mut wanted, check);
        let trial = Config {
            virtuals: vec![wanted.clone()],
            ..Config::default()
        };
        if to_text(&trial).is_ok() {
            *block = wanted;
        } else {
            self.unwritable(*place, "check");
            apply(block, &Check::Connect);
        }
    }

    fn unused_vips(&mut self, unused: &[&Vip]) {
        for vip in unused {
            let why = format!(
                "no service has the address {}; lvs.cf moves service addresses only",
                vip.address
            );
            let help = "write it as the address of a service with firewall mark, or as nat_router";
            self.notes.lost(vip.place, "virtual_ipaddress", &why, help);
        }
    }
}

/// The addresses that no service has.
fn unused(draft: &Draft) -> Vec<&Vip> {
    let used = |vip: &Vip| {
        let host = Host::Address(vip.address);
        draft
            .services
            .iter()
            .any(|service| service.host.as_ref() == Some(&host))
    };
    draft.vips.iter().filter(|vip| !used(vip)).collect()
}

/// The only one of them, if its interface is known.
fn nat_router<'a>(unused: &[&'a Vip]) -> Option<(Host, &'a Vip)> {
    match unused {
        [vip] if vip.interface.is_some() && !vip.address.is_unspecified() => {
            Some((Host::Address(vip.address), vip))
        }
        _ => None,
    }
}

const fn keyword(network: Network) -> &'static str {
    match network {
        Network::Nat => "nat",
        Network::Direct => "direct",
        Network::Tunnel => "tunnel",
    }
}

/// Given up after three heartbeats that did not come, as VRRP does.
fn timers(global: &mut Global, keepalive: Option<Duration>) {
    let Some(keepalive) = keepalive else { return };
    let milliseconds = u32::try_from(keepalive.as_millis()).unwrap_or(u32::MAX);
    if milliseconds % 1000 == 0 && milliseconds > 0 {
        global.keepalive = written(milliseconds / 1000);
        global.deadtime = written(milliseconds / 1000 * 3);
    } else {
        let within = |time: u32| time.clamp(10, 600_000);
        global.keepalive_ms = written(Some(within(milliseconds)));
        global.deadtime_ms = written(Some(within(milliseconds.saturating_mul(3))));
    }
}

fn interval(block: &mut Virtual, interval: Duration) {
    let milliseconds = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
    if milliseconds % 1000 == 0 && milliseconds > 0 {
        block.timeout = written(milliseconds / 1000);
    } else {
        block.timeout_ms = written(Some(milliseconds.clamp(10, 600_000)));
    }
}

fn apply(block: &mut Virtual, check: &Check) {
    let text = |text: &str| written(Some(Text::from(text)));
    let regex = match check {
        Check::Nothing => {
            block.send_program = text("/bin/echo OK");
            block.expect = text("OK");
            false
        }
        Check::Connect => {
            // Without anything, port 80 would be asked for a web page.
            block.send = text("");
            false
        }
        Check::Exchange {
            send,
            expect,
            regex,
        } => {
            if !send.is_empty() {
                block.send = text(&encoded(send));
            }
            if !expect.is_empty() {
                block.expect = text(&encoded(expect));
            }
            *regex
        }
        Check::Program {
            line,
            expect,
            regex,
        } => {
            block.send_program = text(line);
            block.expect = text(&encoded(expect));
            *regex
        }
    };
    if regex {
        block.use_regex = written(true);
    }
}

fn servers(service: &Service) -> Vec<Server> {
    let mut names = BTreeSet::new();
    let name = |server: &RealServer| format!("{}:{}", server.host, server.port);
    service
        .servers
        .iter()
        .filter(|server| names.insert(name(server)))
        .map(|server| Server {
            name: written(Text::from(name(server).as_str())),
            address: written(Some(server.host.clone())),
            active: written(true),
            weight: written(server.weight),
            port: if server.port == service.port {
                Setting::unwritten(service.port)
            } else {
                written(server.port)
            },
        })
        .collect()
}

/// Where the VIPs live: one alias for each address.
struct Devices<'a> {
    draft: &'a Draft,
    default: &'a str,
    of_host: BTreeMap<Host, Device>,
    taken: BTreeSet<String>,
}

/// The alias that carries an address.
#[derive(Debug, Clone)]
struct Device {
    name: String,
    prefix: Option<u8>,
    /// Whether the file tells the interface.
    known: bool,
}

impl<'a> Devices<'a> {
    fn new(draft: &'a Draft, options: &'a Options) -> Self {
        let labels = draft.vips.iter().filter_map(|vip| vip.label.clone());
        Self {
            draft,
            default: &options.interface,
            of_host: BTreeMap::new(),
            taken: labels.collect(),
        }
    }

    fn of(&mut self, host: &Host) -> Device {
        if let Some(device) = self.of_host.get(host) {
            return device.clone();
        }
        let vip = self
            .draft
            .vips
            .iter()
            .find(|vip| Host::Address(vip.address) == *host);
        let interface = vip.and_then(|vip| vip.interface.as_deref());
        let label = vip.and_then(|vip| vip.label.clone());
        let label = label.filter(|label| label.contains(':') && label.len() <= LABEL_LENGTH);
        let device = Device {
            name: label.unwrap_or_else(|| self.next_alias(interface.unwrap_or(self.default))),
            prefix: vip.map(|vip| vip.prefix),
            known: interface.is_some(),
        };
        self.of_host.insert(host.clone(), device.clone());
        device
    }

    fn next_alias(&mut self, interface: &str) -> String {
        let alias = (1u32..).map(|number| format!("{interface}:{number}"));
        let alias = alias.into_iter().find(|alias| !self.taken.contains(alias));
        let alias = alias.unwrap_or_default();
        self.taken.insert(alias.clone());
        alias
    }
}
