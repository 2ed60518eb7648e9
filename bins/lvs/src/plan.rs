//! lvs.cf as lvs needs it: services and servers by their identity, with the table entries they ask for.
//!
//! Everything here follows from the file alone; health and the actual table come later.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ipvs::{Persistence, ServerId, Service, ServiceId};
use lvs_config::{Config, Host, Network, Virtual};

use crate::identity;
use crate::nanny::{self, Spec, Target};

/// Gives the address of a host name, as resolved beforehand.
pub type Resolve<'a> = &'a dyn Fn(&str) -> Option<Ipv4Addr>;

/// One active virtual block.
#[derive(Debug, Clone, PartialEq)]
pub struct ServicePlan {
    /// Name in lvs.cf.
    pub name: String,
    /// Virtual port, for messages.
    pub port: u16,
    /// The table's service.
    pub service: Service,
    /// `quiesce_server`: a failed server stays with weight 0.
    pub quiesce: bool,
    /// The entry of the sorry server.
    pub sorry: Option<ipvs::Server>,
    /// Inactive servers, with their names, that are not among the active ones.
    pub inactive: BTreeMap<ServerId, (String, ipvs::Server)>,
    /// Active servers.
    pub servers: BTreeMap<ServerId, ServerPlan>,
}

/// One active server of an active block.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerPlan {
    /// Name in lvs.cf.
    pub name: String,
    /// The table's entry with the weight of lvs.cf.
    pub entry: ipvs::Server,
    /// The port that is checked.
    pub check_port: u16,
    /// Its checker.
    pub nanny: Arc<Spec>,
}

/// What lvs.cf asks of lvs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Services by identity.
    pub services: BTreeMap<ServiceId, ServicePlan>,
    /// Identities in the order of the file.
    pub order: Vec<ServiceId>,
    /// What an administrator should know about the file.
    pub notes: Vec<String>,
    /// `tcp_timeout tcpfin_timeout udp_timeout`.
    pub timeouts: [u32; 3],
    /// `audit_interval`; `None`: off.
    pub audit: Option<Duration>,
    /// After this time since `active` lvs is ready whatever the checks say.
    pub ready_within: Duration,
    /// `drain_limit`: after this time an inactive server goes whatever connections it has.
    pub drain_limit: Duration,
    /// `clear_table`.
    pub clear_table: bool,
    /// `hard_shutdown` written as 1.
    pub hard_shutdown: bool,
    /// `ipvsadm`.
    pub ipvsadm: lvs_config::Text,
}

impl Default for Plan {
    /// Nothing to serve, the usual tool.
    fn default() -> Self {
        Self {
            services: BTreeMap::new(),
            order: Vec::new(),
            notes: Vec::new(),
            timeouts: [0; 3],
            audit: None,
            ready_within: Duration::ZERO,
            drain_limit: Duration::ZERO,
            clear_table: false,
            hard_shutdown: false,
            ipvsadm: Config::default().global.ipvsadm.value,
        }
    }
}

impl Plan {
    /// Reads the plan out of a configuration.
    pub fn new(config: &Config, resolve: Resolve<'_>, options: nanny::Options) -> Self {
        let global = &config.global;
        let mut plan = Self {
            timeouts: [
                *global.tcp_timeout,
                *global.tcpfin_timeout,
                *global.udp_timeout,
            ],
            audit: match *global.audit_interval {
                0 => None,
                seconds => Some(Duration::from_secs(seconds.into())),
            },
            ready_within: (global.deadtime() / 2).min(Duration::from_secs(1)),
            drain_limit: Duration::from_secs((*global.drain_limit).into()),
            clear_table: *global.clear_table,
            hard_shutdown: global.hard_shutdown.is_written() && *global.hard_shutdown,
            ipvsadm: global.ipvsadm.value.clone(),
            ..Self::default()
        };
        for block in config.virtuals.iter().filter(|block| *block.active) {
            plan.add_block(config, block, resolve, options);
        }
        plan
    }

    fn add_block(
        &mut self,
        config: &Config,
        block: &Virtual,
        resolve: Resolve<'_>,
        options: nanny::Options,
    ) {
        let name = block.name.to_string();
        let vip = block
            .address
            .as_ref()
            .and_then(|address| resolved(&address.host, resolve));
        if vip.is_none() && *block.fwmark == 0 {
            self.notes.push(format!(
                "virtual service {name} has no usable address: left out"
            ));
            return;
        }
        let vip = vip.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let id = identity::service_id(block, vip);
        if let Some(first) = self.services.get(&id) {
            self.notes.push(format!(
                "virtual service {name} is the same service as {} ({}): left out",
                first.name,
                identity::service_text(&id)
            ));
            return;
        }
        let network = *config.global.network;
        let mut service = ServicePlan {
            port: *block.port,
            service: table_service(id, block),
            quiesce: *block.quiesce_server,
            sorry: block.sorry_server.map(|address| ipvs::Server {
                id: identity::server_id(network, *block.port, *block.port, address),
                ..table_server(network, address, *block.port, *block.port, 1)
            }),
            inactive: BTreeMap::new(),
            servers: BTreeMap::new(),
            name,
        };
        for server in block.servers.iter().filter(|server| *server.active) {
            self.notes
                .extend(service.add_server(config, block, server, (vip, resolve, options)));
        }
        service.add_inactive(config, block, resolve);
        self.order.push(id);
        self.services.insert(id, service);
    }

    /// Names of hosts that an active block needs resolved.
    pub fn names(config: &Config) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for block in config.virtuals.iter().filter(|block| *block.active) {
            let vip = block.address.as_ref().map(|address| &address.host);
            let servers = block.servers.iter().filter(|server| *server.active);
            let hosts = vip
                .into_iter()
                .chain(servers.filter_map(|server| server.address.as_ref()));
            for host in hosts {
                if let Host::Name(name) = host {
                    names.insert(name.clone());
                }
            }
        }
        names
    }

    /// `VIRTUAL/SERVER` of a server.
    pub fn server_name(&self, key: &crate::health::Key) -> Option<String> {
        let service = self.services.get(&key.0)?;
        let server = service.servers.get(&key.1)?;
        Some(format!("{}/{}", service.name, server.name))
    }

    /// Whether a service has this server as inactive.
    pub fn is_inactive(&self, key: &crate::health::Key) -> bool {
        let service = self.services.get(&key.0);
        service.is_some_and(|service| service.inactive.contains_key(&key.1))
    }

    /// Services in the order of the file.
    pub fn in_order(&self) -> impl Iterator<Item = &ServicePlan> {
        self.order.iter().filter_map(|id| self.services.get(id))
    }
}

impl ServicePlan {
    fn add_inactive(&mut self, config: &Config, block: &Virtual, resolve: Resolve<'_>) {
        for server in block.servers.iter().filter(|server| !*server.active) {
            let host = server.address.as_ref();
            let Some(real) = host.and_then(|host| resolved(host, resolve)) else {
                continue;
            };
            let entry = server_entry(config, block, server, real).0;
            let is_sorry = self
                .sorry
                .as_ref()
                .is_some_and(|sorry| sorry.id == entry.id);
            if !is_sorry && !self.servers.contains_key(&entry.id) {
                self.inactive
                    .insert(entry.id, (server.name.to_string(), entry));
            }
        }
    }

    /// Adds a server; what is to be said about it.
    fn add_server(
        &mut self,
        config: &Config,
        block: &Virtual,
        server: &lvs_config::Server,
        (vip, resolve, options): (Ipv4Addr, Resolve<'_>, nanny::Options),
    ) -> Option<String> {
        let title = format!("server {} of virtual service {}", *server.name, self.name);
        let address = server
            .address
            .as_ref()
            .and_then(|host| resolved(host, resolve));
        let Some(real) = address else {
            return Some(format!("{title} has no usable address: left out"));
        };
        let (entry, port) = server_entry(config, block, server, real);
        if let Some(first) = self.servers.get(&entry.id) {
            let text = identity::server_text(&entry.id);
            return Some(format!(
                "{title} is the same as {} ({text}): left out",
                first.name
            ));
        }
        let target = Target {
            vip,
            real,
            port,
            weight: *server.weight,
        };
        let plan = ServerPlan {
            name: server.name.to_string(),
            check_port: port,
            nanny: Arc::new(nanny::spec(config, block, target, options)),
            entry,
        };
        let differs = plan.entry.id.port != port;
        self.servers.insert(plan.entry.id, plan);
        differs.then(|| {
            format!(
                "{title}: port {port} is only checked, packets go to port {} (network is not nat)",
                *block.port
            )
        })
    }
}

/// The table's entry of a server, and the port that is checked.
fn server_entry(
    config: &Config,
    block: &Virtual,
    server: &lvs_config::Server,
    real: Ipv4Addr,
) -> (ipvs::Server, u16) {
    // Without a port of its own a server has the one its block ends with (B6).
    let port = if server.port.is_written() {
        *server.port
    } else {
        *block.port
    };
    let network = *config.global.network;
    let entry = table_server(network, real, *block.port, port, *server.weight);
    (entry, port)
}

fn resolved(host: &Host, resolve: Resolve<'_>) -> Option<Ipv4Addr> {
    match host {
        Host::Address(_) => host.address(),
        Host::Name(name) => resolve(name).filter(|address| !address.is_unspecified()),
    }
}

fn table_service(id: ServiceId, block: &Virtual) -> Service {
    let persistence = (*block.persistent > 0).then(|| Persistence {
        timeout: *block.persistent,
        netmask: block.pmask.map_or(u32::MAX, u32::from),
    });
    Service {
        id,
        scheduler: block.scheduler.name().to_owned(),
        scheduler_flags: 0,
        one_packet: false,
        persistence,
        engine: None,
    }
}

fn table_server(
    network: Network,
    address: Ipv4Addr,
    virtual_port: u16,
    port: u16,
    weight: u32,
) -> ipvs::Server {
    ipvs::Server {
        id: identity::server_id(network, virtual_port, port, address),
        forward: identity::forward(network),
        weight: i32::try_from(weight).unwrap_or(i32::MAX),
        upper_threshold: 0,
        lower_threshold: 0,
    }
}
