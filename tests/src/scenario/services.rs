//! Every scheduler that lvs.cf knows, for TCP, UDP and firewall marks, under each forwarding method.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Scenario;
use crate::client;
use crate::configuration::Configuration;
use crate::error::{Context, Result};
use crate::network::{Method, Side, VIP, server_address};
use crate::node::Node;
use crate::pair::Pair;
use crate::web::Web;
use crate::{ensure, wait};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "services-nat",
        shows: "NAT: 8 schedulers x TCP, UDP, firewall mark; each service answers",
        ipvs: true,
        run: || services(Method::Nat),
    },
    Scenario {
        name: "services-direct",
        shows: "direct routing: the same",
        ipvs: true,
        run: || services(Method::Direct),
    },
    Scenario {
        name: "services-tunnel",
        shows: "tunnelling: the same",
        ipvs: true,
        run: || services(Method::Tunnel),
    },
];

const SCHEDULERS: [&str; 8] = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh"];
/// Real servers of each service.
const SERVERS: usize = 2;
/// First ports of the services of each kind; that of a mark less this is added to 100.
const TCP: u16 = 8000;
const UDP: u16 = 8100;
const MARK: u16 = 8200;
/// More than an answer takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(10);

fn ports(first: u16) -> impl Iterator<Item = (u16, &'static str)> {
    (first..).zip(SCHEDULERS)
}

fn services(method: Method) -> Result<String> {
    let mut pair = Pair::build(method, SERVERS)?;
    let result = (|| {
        let _serving = serve(&pair)?;
        mark_packets(pair.router(Side::A))?;
        let text = configuration(method);
        for side in [Side::A, Side::B] {
            pair.router(side).configure(&text)?;
        }
        // One router is enough: the pair is shown elsewhere.
        pair.router_mut(Side::A).start()?;
        let wanted = expected(method);
        let mut last = Vec::new();
        let settled = wait::for_it("the table", Duration::from_secs(90), || {
            last = table(&pair)?;
            Ok(last == wanted && pair.router(Side::A).owns(VIP)?)
        });
        if let Err(error) = settled {
            let missing: Vec<_> = wanted.iter().filter(|line| !last.contains(line)).collect();
            let more: Vec<_> = last.iter().filter(|line| !wanted.contains(line)).collect();
            return Err(crate::error::Error::unmet(format_args!(
                "{error}; missing {missing:?}, instead {more:?}"
            )));
        }
        ask(&pair)?;
        Ok(format!("{} services", wanted.len()))
    })();
    pair.explained(result)
}

fn configuration(method: Method) -> String {
    let mut text = Configuration {
        virtuals: Vec::new(),
        ..Configuration::new(method, 0)
    }
    .to_string();
    let web = "    send = \"GET / HTTP/1.0\\r\\n\\r\\n\"\n    expect = \"HTTP\"\n";
    let mut block = |port: u16, scheduler: &str, lines: &str| {
        let _ = writeln!(text, "virtual v{port} {{\n    active = 1");
        let _ = writeln!(text, "    address = {VIP} eth0:1");
        let _ = writeln!(text, "    vip_nmask = 255.255.255.0\n    port = {port}");
        let _ = writeln!(text, "    scheduler = {scheduler}\n    slow_start = 0");
        let _ = writeln!(text, "    timeout = 3\n    reentry = 3\n{lines}");
        for index in 0..SERVERS {
            let address = server_address(method, index);
            let _ = writeln!(
                text,
                "    server web{index} {{\n        address = {address}"
            );
            let _ = writeln!(text, "        active = 1\n        weight = {}", index + 1);
            let _ = writeln!(text, "    }}");
        }
        text.push_str("}\n");
    };
    for (port, scheduler) in ports(TCP) {
        block(port, scheduler, &format!("    protocol = tcp\n{web}"));
    }
    for (port, scheduler) in ports(UDP) {
        let lines = "    protocol = udp\n    send = \"who\"\n    expect = \"web\"\n";
        block(port, scheduler, lines);
    }
    for (port, scheduler) in ports(MARK) {
        let mark = port - MARK + 101;
        let lines = format!("    protocol = tcp\n    fwmark = {mark}\n{web}");
        block(port, scheduler, &lines);
    }
    text
}

/// What the kernel's table must hold, a line for each service.
fn expected(method: Method) -> Vec<String> {
    let forwarding = match method {
        Method::Nat => "Masq",
        Method::Direct => "Route",
        Method::Tunnel => "Tunnel",
    };
    let servers: String = (0..SERVERS)
        .map(|index| {
            let address = server_address(method, index);
            format!(" {address} {forwarding} {}", index + 1)
        })
        .collect();
    let tcp = ports(TCP).map(|(port, scheduler)| format!("TCP {VIP}:{port} {scheduler}"));
    let udp = ports(UDP).map(|(port, scheduler)| format!("UDP {VIP}:{port} {scheduler}"));
    let marks =
        ports(MARK).map(|(port, scheduler)| format!("FWM {} {scheduler}", port - MARK + 101));
    let mut lines: Vec<String> = tcp
        .chain(udp)
        .chain(marks)
        .map(|service| service + &servers)
        .collect();
    lines.sort();
    lines
}

/// The same, as it is.
fn table(pair: &Pair) -> Result<Vec<String>> {
    let table = pair.router(Side::A).table()?;
    let mut lines: Vec<String> = table
        .iter()
        .map(|service| {
            let mut line = format!("{} {}", service.name, service.scheduler);
            for real in &service.servers {
                let _ = write!(
                    line,
                    " {} {} {}",
                    real.address, real.forwarding, real.weight
                );
            }
            line
        })
        .collect();
    lines.sort();
    Ok(lines)
}

/// Opens all ports on all real servers.
fn serve(pair: &Pair) -> Result<Serving> {
    let method = pair.network.method;
    let mut serving = Serving {
        web: Vec::new(),
        over: Arc::default(),
    };
    for (index, node) in pair.network.servers.iter().enumerate() {
        for (port, _) in ports(TCP).chain(ports(MARK)) {
            serving.web.push(Web::start(node, port)?);
        }
        // An answer must come from the address that was asked.
        let mut addresses = vec![server_address(method, index)];
        addresses.extend((method != Method::Nat).then_some(VIP));
        for (port, _) in ports(UDP) {
            for address in &addresses {
                answer_datagrams(node, *address, port, &serving.over)?;
            }
        }
    }
    Ok(serving)
}

/// Servers at work; they end with it.
struct Serving {
    web: Vec<Web>,
    over: Arc<AtomicBool>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.web.clear();
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Answers with the machine's name until it is over.
fn answer_datagrams(
    node: &Node,
    address: Ipv4Addr,
    port: u16,
    over: &Arc<AtomicBool>,
) -> Result<()> {
    let name = node.name().to_owned();
    let socket = node
        .run(move || UdpSocket::bind((address, port)))?
        .during("opening a port")?;
    let look = Some(Duration::from_secs(1));
    socket.set_read_timeout(look).during("setting a limit")?;
    let over = Arc::clone(over);
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while !over.load(Ordering::Relaxed) {
            if let Ok((_, peer)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(name.as_bytes(), peer);
            }
        }
    });
    Ok(())
}

/// Puts the marks on packets as they come in on the public side.
fn mark_packets(router: &crate::router::Router) -> Result<()> {
    let mut commands = vec!["qdisc add dev eth0 clsact".to_owned()];
    for (port, _) in ports(MARK) {
        commands.push(format!(
            "filter add dev eth0 ingress protocol ip flower ip_proto tcp dst_port {port} \
             action skbedit mark {}",
            port - MARK + 101
        ));
    }
    for command in commands {
        let mut tc = std::process::Command::new("tc");
        tc.args(command.split(' '));
        let output = router.node.output(tc)?;
        ensure!(output.status.success(), "tc {command}: {output:?}");
    }
    Ok(())
}

/// Asks each service from the client.
fn ask(pair: &Pair) -> Result<()> {
    for (port, scheduler) in ports(TCP).chain(ports(MARK)) {
        let target = SocketAddr::from((VIP, port));
        let answer = pair
            .network
            .client
            .run(move || client::request(target, PATIENCE))?
            .during(format_args!("asking port {port} ({scheduler})"))?;
        ensure!(answer.starts_with("web"), "port {port} answers {answer:?}");
    }
    for (port, scheduler) in ports(UDP) {
        let answer = pair
            .network
            .client
            .run(move || -> std::io::Result<Vec<u8>> {
                let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
                socket.connect((VIP, port))?;
                socket.set_read_timeout(Some(PATIENCE))?;
                socket.send(b"who")?;
                let mut buffer = [0; 64];
                let length = socket.recv(&mut buffer)?;
                Ok(buffer.get(..length).unwrap_or_default().to_vec())
            })?
            .during(format_args!("asking port {port} of UDP ({scheduler})"))?;
        ensure!(answer.starts_with(b"web"), "port {port} answers {answer:?}");
    }
    Ok(())
}
