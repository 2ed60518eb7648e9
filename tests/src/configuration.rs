//! lvs.cf for the laboratory's network, as values that a scenario can change and as text.

use std::fmt::Write;
use std::net::Ipv4Addr;

use crate::network::{Method, NAT_ROUTER, Side, VIP, server_address};

/// A whole lvs.cf.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Forwarding method.
    pub method: Method,
    /// Seconds between heartbeats.
    pub keepalive: u32,
    /// Seconds of silence until the partner is dead.
    pub deadtime: u32,
    /// Further global lines.
    pub globals: Vec<String>,
    /// The virtual services.
    pub virtuals: Vec<Virtual>,
}

/// A `virtual` block.
#[derive(Debug, Clone)]
pub struct Virtual {
    /// Its name.
    pub name: String,
    /// VIP.
    pub address: Ipv4Addr,
    /// Interface and label of the VIP.
    pub device: String,
    /// Its mask.
    pub mask: Option<Ipv4Addr>,
    /// Port, of the service and of its servers.
    pub port: u16,
    /// Scheduler.
    pub scheduler: String,
    /// Seconds between two checks of a server, and for each.
    pub timeout: u32,
    /// Further lines.
    pub lines: Vec<String>,
    /// The real servers.
    pub servers: Vec<Server>,
}

/// A `server` block.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its weight.
    pub weight: u32,
}

impl Configuration {
    /// One service on the VIP with the given number of servers; heartbeats each second, 3 seconds
    /// of silence allowed.
    pub fn new(method: Method, servers: usize) -> Self {
        Self {
            method,
            keepalive: 1,
            deadtime: 3,
            globals: Vec::new(),
            virtuals: vec![Virtual::new("web", VIP, "eth0:1", method, servers)],
        }
    }

    /// Changes the services' blocks, all alike.
    pub fn each(mut self, change: impl Fn(&mut Virtual)) -> Self {
        self.virtuals.iter_mut().for_each(change);
        self
    }

    /// Adds a global line.
    pub fn with(mut self, line: &str) -> Self {
        self.globals.push(line.to_owned());
        self
    }

    /// Connections are told to the partner over this interface: those that are not made by tunnels live
    /// through a change of router.
    pub fn with_sync(self, interface: &str) -> Self {
        self.with("syncdaemon = 1")
            .with(&format!("syncd_iface = {interface}"))
    }
}

impl Configuration {
    /// A NAT pair with this many servers, all on the machine of the first one; see `Pair::crowd`.
    pub fn crowded(servers: u8) -> Self {
        let mut configuration = Self::new(Method::Nat, 0);
        let all = (0..servers).map(|number| Server {
            name: format!("s{number}"),
            address: Ipv4Addr::new(10, 20, 0, 110 + number),
            weight: 1,
        });
        for service in &mut configuration.virtuals {
            service.servers.extend(all.clone());
        }
        configuration
    }
}

impl Virtual {
    /// A service on port 80 with the first servers of the network.
    pub fn new(
        name: &str,
        address: Ipv4Addr,
        device: &str,
        method: Method,
        servers: usize,
    ) -> Self {
        Self {
            name: name.to_owned(),
            address,
            device: device.to_owned(),
            mask: Some(Ipv4Addr::new(255, 255, 255, 0)),
            port: 80,
            scheduler: "rr".to_owned(),
            timeout: 1,
            lines: Vec::new(),
            servers: (0..servers)
                .map(|index| Server::new(method, index))
                .collect(),
        }
    }
}

impl Server {
    /// The network's real server with this number, counted from 0.
    pub fn new(method: Method, index: usize) -> Self {
        Self {
            name: format!("web{}", index + 1),
            address: server_address(method, index),
            weight: 1,
        }
    }
}

impl std::fmt::Display for Configuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        let _ = writeln!(text, "serial_no = 1");
        let _ = writeln!(text, "primary = {}", Side::A.public());
        let _ = writeln!(text, "primary_private = {}", Side::A.private());
        let _ = writeln!(text, "backup_active = 1");
        let _ = writeln!(text, "backup = {}", Side::B.public());
        let _ = writeln!(text, "backup_private = {}", Side::B.private());
        let _ = writeln!(text, "service = lvs");
        let _ = writeln!(text, "heartbeat = 1");
        let _ = writeln!(text, "heartbeat_port = 539");
        let _ = writeln!(text, "keepalive = {}", self.keepalive);
        let _ = writeln!(text, "deadtime = {}", self.deadtime);
        let _ = writeln!(text, "network = {}", self.method.word());
        if self.method == Method::Nat {
            let _ = writeln!(text, "nat_router = {NAT_ROUTER} eth1:1");
            let _ = writeln!(text, "nat_nmask = 255.255.255.0");
        }
        for line in &self.globals {
            let _ = writeln!(text, "{line}");
        }
        for service in &self.virtuals {
            service.print(&mut text);
        }
        f.write_str(&text)
    }
}

impl Virtual {
    fn print(&self, text: &mut String) {
        let _ = writeln!(text, "virtual {} {{", self.name);
        let _ = writeln!(text, "    active = 1");
        let _ = writeln!(text, "    address = {} {}", self.address, self.device);
        if let Some(mask) = self.mask {
            let _ = writeln!(text, "    vip_nmask = {mask}");
        }
        let _ = writeln!(text, "    port = {}", self.port);
        let _ = writeln!(text, "    send = \"GET / HTTP/1.0\\r\\n\\r\\n\"");
        let _ = writeln!(text, "    expect = \"HTTP\"");
        let _ = writeln!(text, "    scheduler = {}", self.scheduler);
        let _ = writeln!(text, "    protocol = tcp");
        let _ = writeln!(text, "    timeout = {}", self.timeout);
        let _ = writeln!(text, "    reentry = 2");
        for line in &self.lines {
            let _ = writeln!(text, "    {line}");
        }
        for server in &self.servers {
            let _ = writeln!(text, "    server {} {{", server.name);
            let _ = writeln!(text, "        address = {}", server.address);
            let _ = writeln!(text, "        active = 1");
            let _ = writeln!(text, "        weight = {}", server.weight);
            let _ = writeln!(text, "    }}");
        }
        let _ = writeln!(text, "}}");
    }
}
