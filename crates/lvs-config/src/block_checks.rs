//! Warnings about the services and their servers, alone and against each other.
//!
//! Owns what is said about blocks that are in use. Time and memory are linear in their number.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::checks::is_router;
use crate::diagnostic::Code;
use crate::model::Address;
use crate::model::Config;
use crate::model::Host;
use crate::model::Network;
use crate::model::Protocol;
use crate::model::Server;
use crate::model::ServiceKind;
use crate::model::Setting;
use crate::model::Text;
use crate::model::Virtual;
use crate::notes::Notes;

/// Longest label of an address in the kernel (`IFNAMSIZ` without its NUL).
const LABEL_LENGTH: usize = 15;

pub(crate) fn run(config: &Config, notes: &mut Notes<'_>) {
    let lvs = config.global.service.value == ServiceKind::Lvs;
    for block in config.active_blocks() {
        alone(block, lvs, notes);
        if lvs {
            servers(config, block, notes);
        }
    }
    addresses(config, notes);
    if lvs {
        services(config, notes);
    }
}

fn host_of(block: &Virtual) -> Option<&Address> {
    let address = block.address.value.as_ref()?;
    let defined = !matches!(&address.host, Host::Address(address) if address.is_unspecified());
    defined.then_some(address)
}

fn alone(block: &Virtual, lvs: bool, notes: &mut Notes<'_>) {
    let name = &block.name;
    if host_of(block).is_none() && block.fwmark.value == 0 {
        let message = format!("service {} is active but has no address", name.value);
        notes.add(
            Code::NoAddress,
            name.span,
            message,
            "write address = ADDRESS DEVICE:NUMBER",
        );
    }
    if block.pmask.is_written() && block.persistent.value == 0 {
        let message = "pmask has no effect without persistent".to_owned();
        notes.add(Code::PmaskIgnored, block.pmask.span, message, "");
    }
    if block.protocol.value == Protocol::Udp && block.send_program.value.is_none() {
        let span = block.protocol.span.or(name.span);
        let message = format!("service {} is UDP and has no send_program", name.value);
        let help = "the built-in check sends a datagram and waits for any answer; a program can ask the service itself";
        notes.add(Code::UdpUnchecked, span, message, help);
    }
    if lvs && block.port.value == 0 && block.fwmark.value == 0 && block.persistent.value == 0 {
        let message = "port 0 stands for all ports, which needs persistent".to_owned();
        notes.add(Code::ZeroPort, block.port.span.or(name.span), message, "");
    }
    for (keyword, text) in [("send", &block.send), ("expect", &block.expect)] {
        escapes(keyword, text, notes);
    }
    ignored(block, lvs, notes);
}

/// Sequences that the original's checker waited on for ever (B22).
fn escapes(keyword: &str, text: &Setting<Option<Text>>, notes: &mut Notes<'_>) {
    let Some(value) = &text.value else { return };
    let mut bytes = value.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' || value.as_bytes().len() < 2 {
            continue;
        }
        let next = bytes.next().copied();
        if !next.is_some_and(|next| br#"\rnt'""#.contains(&next)) {
            let message = format!("{keyword} has a backslash that starts no known sequence");
            let help = r#"a backslash itself is written \\; known are \r \n \t \\ \' \""#;
            notes.add(Code::UnknownEscape, text.span, message, help);
            return;
        }
    }
}

fn ignored(block: &Virtual, lvs: bool, notes: &mut Notes<'_>) {
    let rows: &[(&str, Option<crate::model::Span>)] = if lvs {
        &[
            ("start_cmd", block.start_cmd.span),
            ("stop_cmd", block.stop_cmd.span),
        ]
    } else {
        &[
            ("sorry_server", block.sorry_server.span),
            ("fwmark", block.fwmark.span),
            ("persistent", block.persistent.span),
            ("scheduler", block.scheduler.span),
            ("use_regex", block.use_regex.span),
            ("quiesce_server", block.quiesce_server.span),
        ]
    };
    let kind = if lvs { "virtual" } else { "failover" };
    for (keyword, span) in rows.iter().filter(|(_, span)| span.is_some()) {
        let message = format!("{keyword} has no effect in a {kind} block");
        notes.add(Code::KeywordIgnored, *span, message, "");
    }
    if let Some(server) = block.servers.first().filter(|_| !lvs) {
        let message = "servers have no effect in a failover block".to_owned();
        notes.add(Code::KeywordIgnored, server.name.span, message, "");
    }
}

fn servers(config: &Config, block: &Virtual, notes: &mut Notes<'_>) {
    if block.active_servers().next().is_none() {
        let message = format!("service {} has no active server", block.name.value);
        notes.add(
            Code::NoActiveServer,
            block.name.span,
            message,
            "a server needs active = 1",
        );
    }
    let mut seen = HashSet::new();
    for server in block.active_servers() {
        one_server(config, block, server, notes);
        let Some(host) = &server.address.value else {
            continue;
        };
        if !seen.insert((host, server.port.value)) {
            let message = format!(
                "server {} has the address and port of another server of this service",
                server.name.value
            );
            notes.add(
                Code::DuplicateServer,
                server.name.span,
                message,
                "the kernel keeps one",
            );
        }
        let sorry = block.sorry_server.value.map(Host::Address);
        if sorry.as_ref() == Some(host) {
            let message = "the sorry server is one of the servers that it stands in for".to_owned();
            notes.add(
                Code::SorryServerIsServer,
                block.sorry_server.span,
                message,
                "",
            );
        }
    }
}

fn one_server(config: &Config, block: &Virtual, server: &Server, notes: &mut Notes<'_>) {
    let name = &server.name;
    let undefined = match &server.address.value {
        None => true,
        Some(host) => matches!(host, Host::Address(address) if address.is_unspecified()),
    };
    if undefined {
        let message = format!("server {} is active but has no address", name.value);
        notes.add(
            Code::ServerWithoutAddress,
            name.span,
            message,
            "write address = ADDRESS",
        );
    }
    if server.weight.value == 0 {
        let message = format!("server {} is active with weight 0", name.value);
        let help = "it gets no new connections; active = 0 takes it out";
        notes.add(Code::ZeroWeight, server.weight.span, message, help);
    }
    let (from, to) = (block.port.value, server.port.value);
    let network = config.global.network.value;
    if network != Network::Nat && block.fwmark.value == 0 && from != to {
        let span = server.port.span.or(name.span);
        let message = format!(
            "network = {} cannot change port {from} to {to}; only the check uses {to}",
            network.keyword()
        );
        notes.add(
            Code::PortNotChanged,
            span,
            message,
            "only network = nat changes ports",
        );
    }
}

/// Devices and VIPs of all services together.
fn addresses(config: &Config, notes: &mut Notes<'_>) {
    let mut labels: HashMap<&str, &Host> = HashMap::new();
    let mut first_of: HashMap<&Host, &Virtual> = HashMap::new();
    let router = Some(&config.global.nat_router)
        .filter(|_| config.global.network.value == Network::Nat)
        .and_then(|router| router.value.as_ref().map(|address| (address, router.span)));
    let vips = config
        .active_blocks()
        .filter_map(|block| host_of(block).map(|address| (address, block.address.span)));
    for (address, span) in router.into_iter().chain(vips) {
        let (host, device) = (&address.host, address.device.as_str());
        let taken = labels
            .insert(device, host)
            .is_some_and(|other| other != host);
        device_notes(address, span, taken, notes);
        if is_router(config, host) {
            let message = format!("{host} is a router's own address");
            notes.add(
                Code::VipIsRouter,
                span,
                message,
                "a VIP moves between the routers",
            );
        }
    }
    for block in config.active_blocks() {
        let Some(address) = host_of(block) else {
            continue;
        };
        let first = *first_of.entry(&address.host).or_insert(block);
        let same_device = first.address.value.as_ref().map(|a| &a.device) == Some(&address.device);
        if !same_device || first.vip_nmask.value != block.vip_nmask.value {
            let message = format!(
                "{} has another device or mask in service {}, which counts",
                address.host, first.name.value
            );
            notes.add(Code::AddressMismatch, block.address.span, message, "");
        }
    }
}

fn device_notes(
    address: &Address,
    span: Option<crate::model::Span>,
    taken: bool,
    notes: &mut Notes<'_>,
) {
    let device = &address.device;
    if taken {
        let message = format!("{device} is the alias of another address as well");
        let help = "each address needs its own alias number";
        notes.add(Code::SharedLabel, span, message, help);
    }
    if !device.contains(':') {
        let message = format!("{device} is not an alias");
        let help = "original daemons replace the interface's own address: write DEVICE:NUMBER";
        notes.add(Code::NoAlias, span, message, help);
    }
    if device.len() > LABEL_LENGTH {
        let message = format!("{device} is longer than {LABEL_LENGTH} bytes");
        let help = "the address is added without this label";
        notes.add(Code::LongLabel, span, message, help);
    }
}

/// Services that are one and the same for the kernel.
fn services(config: &Config, notes: &mut Notes<'_>) {
    let mut marks: HashMap<u32, &Virtual> = HashMap::new();
    let mut sockets: HashMap<(Protocol, &Host, u16), &Virtual> = HashMap::new();
    for block in config.active_blocks() {
        let mark = block.fwmark.value;
        if mark != 0 {
            if let Some(other) = marks.insert(mark, block) {
                let message = format!(
                    "firewall mark {mark} is that of service {} too",
                    other.name.value
                );
                let help = "the kernel has one service for a mark; one block is enough";
                notes.add(Code::SharedFwmark, block.fwmark.span, message, help);
            }
        } else if let Some(address) = host_of(block) {
            let key = (block.protocol.value, &address.host, block.port.value);
            if let Some(other) = sockets.insert(key, block) {
                let message = format!(
                    "service {} has the protocol, address and port of service {}",
                    block.name.value, other.name.value
                );
                let help = "the kernel has one service for them";
                notes.add(Code::DuplicateService, block.name.span, message, help);
            }
        }
    }
}
