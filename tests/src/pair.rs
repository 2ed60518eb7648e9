//! The whole of it: network, two routers, web servers. Knows what a healthy pair looks like.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::{self, Client};
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Error, Result};
use crate::network::{Method, NAT_ROUTER, Network, Side, VIP};
use crate::router::Router;
use crate::setup;
use crate::table::Service;
use crate::wait;
use crate::web::Web;

/// The programs under test; they must exist before anything is started.
pub const PROGRAMS: [&str; 5] = ["pulse", "lvs", "nanny", "send_arp", "ipvsadm-rs"];

/// A pair of routers with everything around it.
#[derive(Debug)]
pub struct Pair {
    /// The routers, primary first.
    pub routers: [Router; 2],
    /// The web servers, one on each real server.
    pub web: Vec<Web>,
    /// The machines.
    pub network: Network,
    /// Beginning of all times in reports.
    pub started: Instant,
}

/// The folder with the programs under test: that of the laboratory itself.
pub fn programs() -> Result<PathBuf> {
    let own = setup::own_program()?;
    let folder = own.parent().unwrap_or(Path::new("/")).to_owned();
    for name in PROGRAMS {
        ensure!(
            folder.join(name).is_file(),
            "{} is missing",
            folder.join(name).display()
        );
    }
    Ok(folder)
}

impl Pair {
    /// Builds the network and starts the web servers; the routers are silent and have no lvs.cf.
    pub fn build(method: Method, servers: usize) -> Result<Self> {
        Self::build_with(&programs()?, method, servers)
    }

    /// The same with the programs of a folder.
    pub fn build_with(programs: &Path, method: Method, servers: usize) -> Result<Self> {
        Self::in_network(programs, Network::build(method, servers)?)
    }

    /// The same with real servers that have their address and no more.
    pub fn bare(method: Method, servers: usize) -> Result<Self> {
        Self::in_network(&programs()?, Network::bare(method, servers)?)
    }

    fn in_network(programs: &Path, network: Network) -> Result<Self> {
        let started = Instant::now();
        let router = |side| Router::new(side, Arc::clone(network.router(side)), programs);
        let routers = [router(Side::A)?, router(Side::B)?];
        let web = network
            .servers
            .iter()
            .map(|node| Web::start(node, 80))
            .collect::<Result<_>>()?;
        Ok(Self {
            routers,
            web,
            network,
            started,
        })
    }

    /// Builds everything, gives both routers the same file and waits until A serves.
    pub fn serving(configuration: &Configuration, servers: usize) -> Result<Self> {
        let mut pair = Self::build(configuration.method, servers)?;
        let begun = pair.begin(configuration);
        pair.explained(begun)?;
        Ok(pair)
    }

    fn begin(&mut self, configuration: &Configuration) -> Result<()> {
        self.configure(configuration)?;
        self.router_mut(Side::A).start()?;
        self.router_mut(Side::B).start()?;
        self.wait_settled(Side::A, configuration, Duration::from_secs(15))
    }

    /// Adds what both routers logged to an error.
    pub fn explained<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error {
            Error::Explained { .. } | Error::Interrupted => error,
            error => Error::Explained {
                source: Box::new(error),
                report: self.report(),
            },
        })
    }

    /// Gives both routers the same file.
    pub fn configure(&self, configuration: &Configuration) -> Result<()> {
        let text = configuration.to_string();
        self.routers
            .iter()
            .try_for_each(|router| router.configure(&text))
    }

    /// A router.
    pub fn router(&self, side: Side) -> &Router {
        let [a, b] = &self.routers;
        match side {
            Side::A => a,
            Side::B => b,
        }
    }

    /// A router, to start or stop it.
    pub fn router_mut(&mut self, side: Side) -> &mut Router {
        let [a, b] = &mut self.routers;
        match side {
            Side::A => a,
            Side::B => b,
        }
    }

    /// A client that asks the VIP from now on, to measure outages.
    pub fn client(&self) -> Result<Client> {
        self.client_of(VIP, client::QUICK)
    }

    /// A client that asks the VIP from now on, to count failures.
    pub fn patient_client(&self) -> Result<Client> {
        self.client_of(VIP, client::PATIENT)
    }

    /// A client that asks another address.
    pub fn client_of(&self, address: Ipv4Addr, limit: Duration) -> Result<Client> {
        Client::start(&self.network.client, SocketAddr::from((address, 80)), limit)
    }

    /// Waits until the state is what file and roles ask for: the active router has every address
    /// and the whole table, the other has none.
    pub fn wait_settled(
        &self,
        active: Side,
        configuration: &Configuration,
        limit: Duration,
    ) -> Result<()> {
        let mut last = String::new();
        let settled = wait::for_it("", limit, || {
            last = self.unsettled(active, configuration)?.unwrap_or_default();
            Ok(last.is_empty())
        });
        settled.map_err(|error| match error {
            Error::Unmet(_) => Error::unmet(format_args!(
                "after {limit:?}, {active} should be active: {last}"
            )),
            other => other,
        })
    }

    /// Waits until exactly one router is active and everything is as file and roles ask for,
    /// whichever it is.
    pub fn wait_one_active(&self, configuration: &Configuration, limit: Duration) -> Result<Side> {
        let mut last = String::new();
        let found = wait::until("", limit, || {
            for side in [Side::A, Side::B] {
                match self.unsettled(side, configuration)? {
                    None => return Ok(Some(side)),
                    Some(what) => last = what,
                }
            }
            Ok(None)
        });
        found.map_err(|error| match error {
            Error::Unmet(_) => Error::unmet(format_args!(
                "after {limit:?}, one router should be active: {last}"
            )),
            other => other,
        })
    }

    /// The first thing that is not as it should be.
    pub fn unsettled(&self, active: Side, configuration: &Configuration) -> Result<Option<String>> {
        if let Some(what) = self.lacking(active, configuration)? {
            return Ok(Some(what));
        }
        let (side, other) = (active.other(), self.router(active.other()));
        for address in addresses(configuration) {
            if other.owns(address)? {
                return Ok(Some(format!("{side} owns {address}")));
            }
        }
        let table = other.table()?;
        if !table.is_empty() {
            return Ok(Some(format!("table of {side} is not empty: {table:?}")));
        }
        Ok(None)
    }

    /// The first thing that a router still lacks to serve, whatever the other one does.
    pub fn lacking(&self, side: Side, configuration: &Configuration) -> Result<Option<String>> {
        let router = self.router(side);
        for address in addresses(configuration) {
            if !router.owns(address)? {
                return Ok(Some(format!("{side} does not own {address}")));
            }
        }
        let (table, wanted) = (
            without_counters(router.table()?),
            expected_table(configuration),
        );
        if table != wanted {
            return Ok(Some(format!(
                "table of {side} is\n{}",
                difference(&table, &wanted)
            )));
        }
        Ok(None)
    }

    /// Waits until a router lacks nothing to serve.
    pub fn wait_serving(
        &self,
        side: Side,
        configuration: &Configuration,
        limit: Duration,
    ) -> Result<()> {
        wait::for_it(
            format_args!("{side} has everything to serve"),
            limit,
            || Ok(self.lacking(side, configuration)?.is_none()),
        )
    }

    /// Everything that helps to understand a failure.
    pub fn report(&self) -> String {
        self.routers
            .iter()
            .map(|router| router.report(self.started))
            .collect()
    }

    /// Gives the first real server's machine the addresses of all servers of a crowded configuration.
    pub fn crowd(&mut self, configuration: &Configuration) -> Result<()> {
        let (_, node) = self.web_mut(0)?;
        let first = configuration.virtuals.first();
        let lines: String = first
            .iter()
            .flat_map(|service| &service.servers)
            .map(|server| format!("addr add {}/24 dev eth0\n", server.address))
            .collect();
        node.ip(&lines)
    }

    /// Number of a web server by its name.
    pub fn web_mut(&mut self, index: usize) -> Result<(&mut Web, &crate::node::Node)> {
        match (self.web.get_mut(index), self.network.servers.get(index)) {
            (Some(web), Some(node)) => Ok((web, node)),
            _ => Err(Error::unmet(format_args!(
                "there is no real server {index}"
            ))),
        }
    }
}

/// All addresses that move with the active role.
pub fn addresses(configuration: &Configuration) -> Vec<Ipv4Addr> {
    let mut list: Vec<Ipv4Addr> = configuration
        .virtuals
        .iter()
        .map(|service| service.address)
        .collect();
    if configuration.method == Method::Nat {
        list.push(NAT_ROUTER);
    }
    list.dedup();
    list
}

/// The table that a file asks for when every server is healthy.
pub fn expected_table(configuration: &Configuration) -> Vec<Service> {
    let forwarding = match configuration.method {
        Method::Nat => "Masq",
        Method::Direct => "Route",
        Method::Tunnel => "Tunnel",
    };
    let mut table: Vec<Service> = configuration
        .virtuals
        .iter()
        .map(|service| Service {
            name: format!("TCP {}:{}", service.address, service.port),
            scheduler: service.scheduler.clone(),
            servers: service
                .servers
                .iter()
                .map(|server| crate::table::Real {
                    address: server.address,
                    port: service.port,
                    forwarding: forwarding.to_owned(),
                    weight: server.weight,
                    active: 0,
                })
                .collect(),
        })
        .collect();
    crate::table::sort(&mut table);
    table
}

/// The table without what traffic changes.
pub fn without_counters(mut table: Vec<Service>) -> Vec<Service> {
    for real in table.iter_mut().flat_map(|service| &mut service.servers) {
        real.active = 0;
    }
    table
}

fn difference(found: &[Service], wanted: &[Service]) -> String {
    let lines = |table: &[Service]| -> String {
        table
            .iter()
            .map(|service| format!("      {service}\n"))
            .collect()
    };
    format!("    found:\n{}    wanted:\n{}", lines(found), lines(wanted))
}
