//! The network around the router pair: a switch with a public and a private side, a client, the
//! two routers and the real servers, each a machine of its own, for one forwarding method.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::node::Node;

/// Public address that clients use.
pub const VIP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 80);
/// A second one, for services that are added later.
pub const SECOND_VIP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 81);
/// Address of the NAT router on the private side.
pub const NAT_ROUTER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
/// The client's address on the public network.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 200);

/// How a router forwards to the real servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Method {
    /// Network address translation: real servers on the private side.
    Nat,
    /// Direct routing: real servers own the VIP on their loopback.
    Direct,
    /// IP-in-IP tunnels.
    Tunnel,
}

impl Method {
    /// The word of lvs.cf.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nat => "nat",
            Self::Direct => "direct",
            Self::Tunnel => "tunnel",
        }
    }
}

/// One of the two routers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The primary.
    A,
    /// The backup.
    B,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its public address.
    pub fn public(self) -> Ipv4Addr {
        match self {
            Self::A => Ipv4Addr::new(198, 51, 100, 10),
            Self::B => Ipv4Addr::new(198, 51, 100, 11),
        }
    }

    /// Its private address.
    pub fn private(self) -> Ipv4Addr {
        match self {
            Self::A => Ipv4Addr::new(10, 20, 0, 2),
            Self::B => Ipv4Addr::new(10, 20, 0, 3),
        }
    }

    /// Its ports on the switch: public, private.
    pub fn ports(self) -> [&'static str; 2] {
        match self {
            Self::A => ["a0", "a1"],
            Self::B => ["b0", "b1"],
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::A => "router A",
            Self::B => "router B",
        })
    }
}

/// The machines.
#[derive(Debug)]
pub struct Network {
    /// How the routers forward.
    pub method: Method,
    /// The switch with its bridges `public` and `private`.
    pub switch: Node,
    /// The client on the public side.
    pub client: Node,
    /// Routers A and B: `eth0` public, `eth1` private.
    pub routers: [Arc<Node>; 2],
    /// Real servers `web1`, `web2`, …
    pub servers: Vec<Node>,
}

/// Address of the real server with this number, counted from 0.
pub fn server_address(method: Method, index: usize) -> Ipv4Addr {
    let last = u8::try_from(101 + index).unwrap_or(u8::MAX);
    match method {
        Method::Nat => Ipv4Addr::new(10, 20, 0, last),
        Method::Direct | Method::Tunnel => Ipv4Addr::new(198, 51, 100, last),
    }
}

impl Network {
    /// Builds everything, with real servers that are ready for the forwarding method.
    pub fn build(method: Method, servers: usize) -> Result<Self> {
        let network = Self::bare(method, servers)?;
        for node in &network.servers {
            network.prepare_server(node)?;
        }
        Ok(network)
    }

    /// Builds everything and takes the links up; the real servers have their address and no more.
    pub fn bare(method: Method, servers: usize) -> Result<Self> {
        let network = Self {
            method,
            switch: quiet_node("switch")?,
            client: quiet_node("client")?,
            routers: [Arc::new(quiet_node("A")?), Arc::new(quiet_node("B")?)],
            servers: (1..=servers)
                .map(|n| quiet_node(&format!("web{n}")))
                .collect::<Result<_>>()?,
        };
        network.connect()?;
        for side in [Side::A, Side::B] {
            network.set_up_router(side)?;
        }
        network.client.ip(&format!(
            "link set lo up\naddr add {CLIENT}/24 dev eth0\nlink set eth0 up\n"
        ))?;
        for (index, node) in network.servers.iter().enumerate() {
            let address = server_address(method, index);
            node.ip(&format!(
                "link set lo up\naddr add {address}/24 dev eth0\nlink set eth0 up\n"
            ))?;
        }
        Ok(network)
    }

    /// The machine of a router.
    pub fn router(&self, side: Side) -> &Arc<Node> {
        let [a, b] = &self.routers;
        match side {
            Side::A => a,
            Side::B => b,
        }
    }

    /// Takes both links of a router away at once, or gives them back.
    pub fn set_connected(&self, side: Side, connected: bool) -> Result<()> {
        self.switch.set_link(&side.ports(), connected)
    }

    /// The switch with a cable to every machine, in one run of `ip`.
    fn connect(&self) -> Result<()> {
        let mut text = String::from("link set lo up\n");
        for bridge in ["public", "private"] {
            let _ = writeln!(
                text,
                "link add {bridge} type bridge forward_delay 0 mcast_snooping 0"
            );
            let _ = writeln!(text, "link set {bridge} up");
        }
        let mut cable = |port: &str, bridge: &str, node: &Node, interface: &str| {
            let namespace = node.namespace().display();
            let _ = writeln!(
                text,
                "link add {port} type veth peer name {interface} netns {namespace}"
            );
            let _ = writeln!(text, "link set {port} master {bridge} up");
        };
        cable("c0", "public", &self.client, "eth0");
        for side in [Side::A, Side::B] {
            let [public, private] = side.ports();
            cable(public, "public", self.router(side), "eth0");
            cable(private, "private", self.router(side), "eth1");
        }
        let bridge = if self.method == Method::Nat {
            "private"
        } else {
            "public"
        };
        for (index, node) in self.servers.iter().enumerate() {
            cable(&format!("s{}", index + 1), bridge, node, "eth0");
        }
        self.switch.ip(&text)
    }

    fn set_up_router(&self, side: Side) -> Result<()> {
        let node = self.router(side);
        node.ip(&format!(
            "link set lo up\naddr add {}/24 brd + dev eth0\nlink set eth0 up\n\
             addr add {}/24 brd + dev eth1\nlink set eth1 up\n",
            side.public(),
            side.private()
        ))?;
        node.sysctl(&[
            ("ipv4/ip_forward", "1"),
            ("ipv4/conf/all/send_redirects", "0"),
            ("ipv4/conf/eth0/send_redirects", "0"),
            ("ipv4/conf/eth1/send_redirects", "0"),
        ])?;
        let balances = node.run(|| Path::new("/proc/sys/net/ipv4/vs").exists())?;
        if balances {
            node.sysctl(&packaged_vs_settings())?;
        }
        Ok(())
    }

    /// What the forwarding method asks of a real server.
    fn prepare_server(&self, node: &Node) -> Result<()> {
        let mut text = String::new();
        match self.method {
            Method::Nat => {
                let _ = writeln!(text, "route add default via {NAT_ROUTER}");
            }
            Method::Direct => {
                let _ = writeln!(
                    text,
                    "addr add {VIP}/32 dev lo\naddr add {SECOND_VIP}/32 dev lo"
                );
            }
            Method::Tunnel => {
                let _ = writeln!(
                    text,
                    "addr add {VIP}/32 dev tunl0\naddr add {SECOND_VIP}/32 dev tunl0"
                );
                let _ = writeln!(text, "link set tunl0 up");
            }
        }
        // Before the VIP is there, so that no server ever answers for it.
        if self.method != Method::Nat {
            node.sysctl(&[
                ("ipv4/conf/all/arp_ignore", "1"),
                ("ipv4/conf/all/arp_announce", "2"),
            ])?;
        }
        if self.method == Method::Tunnel {
            node.sysctl(&[
                ("ipv4/conf/all/rp_filter", "0"),
                ("ipv4/conf/tunl0/rp_filter", "0"),
            ])?;
        }
        node.ip(&text)
    }
}

/// What the package sets of IPVS, as [`Node::sysctl`] takes it.
fn packaged_vs_settings() -> Vec<(&'static str, &'static str)> {
    include_str!("../../etc/sysctl.d/90-piranha.conf")
        .lines()
        .filter_map(|line| line.strip_prefix("-net.")?.split_once(" = "))
        .collect()
}

/// A machine without IPv6, whose address tests would only cost time here.
fn quiet_node(name: &str) -> Result<Node> {
    let node = Node::new(name)?;
    node.sysctl(&[
        ("ipv6/conf/all/disable_ipv6", "1"),
        ("ipv6/conf/default/disable_ipv6", "1"),
    ])?;
    Ok(node)
}
