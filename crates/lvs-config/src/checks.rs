//! What concerns several statements: files that are usable but may surprise
//! (`lvs-cf-in-the-wild.md` section 6, B11, B12).
//!
//! Owns the warnings about the globals and about names. Refuses nothing.

use std::collections::HashMap;

use crate::block_checks;
use crate::diagnostic::Code;
use crate::model::Config;
use crate::model::Global;
use crate::model::Host;
use crate::model::Network;
use crate::model::ServiceKind;
use crate::model::Setting;
use crate::model::Text;
use crate::notes::Note;
use crate::notes::Notes;

/// Says all there is to say about a model without errors.
pub(crate) fn run(config: &Config, notes: &mut Vec<Note>) {
    let notes = &mut Notes(notes);
    timers(&config.global, notes);
    routers(config, notes);
    forwarding(&config.global, notes);
    selection(config, notes);
    names(config, notes);
    block_checks::run(config, notes);
}

fn timers(global: &Global, notes: &mut Notes<'_>) {
    let (keepalive, deadtime) = (global.keepalive(), global.deadtime());
    let span = [
        global.deadtime_ms.span,
        global.deadtime.span,
        global.keepalive_ms.span,
    ]
    .into_iter()
    .chain([global.keepalive.span])
    .flatten()
    .next();
    let times = format!(
        "a partner is given up after {} of silence, and heartbeats come every {}",
        seconds(deadtime),
        seconds(keepalive),
    );
    if deadtime <= keepalive {
        let help = "deadtime must be above keepalive, or the pair never comes to rest";
        notes.add(Code::DeadtimeNotAboveKeepalive, span, times, help);
    } else if deadtime < keepalive * 3 && span.is_some() && global.backup_active.value {
        let help = "with deadtime at three times keepalive, a lost packet or two do no harm";
        notes.add(Code::ShortDeadtime, span, times, help);
    }
    if global.keepalive.value == 0 && global.keepalive_ms.value.is_none() {
        let message = "keepalive = 0 counts as 1 second".to_owned();
        let help = "original daemons send without pause";
        notes.add(Code::ZeroKeepalive, global.keepalive.span, message, help);
    }
    if global.heartbeat_auth.is_written() && !global.heartbeat_key.is_written() {
        let message = "heartbeat_auth has no effect without heartbeat_key".to_owned();
        notes.add(
            Code::KeywordIgnored,
            global.heartbeat_auth.span,
            message,
            "",
        );
    }
    if global.heartbeat_port.value == 0 {
        let message = "heartbeat_port = 0 lets the kernel choose a port".to_owned();
        let help = "the partner cannot know it; the default is 539";
        notes.add(
            Code::ZeroHeartbeatPort,
            global.heartbeat_port.span,
            message,
            help,
        );
    }
    if global.syncd_id.value > 255 {
        let id = global.syncd_id.value;
        let message = format!(
            "of syncd_id = {id} the kernel uses the low 8 bits: {}",
            id & 255
        );
        notes.add(Code::SyncIdCut, global.syncd_id.span, message, "");
    }
}

fn seconds(time: std::time::Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

fn routers(config: &Config, notes: &mut Notes<'_>) {
    let global = &config.global;
    let (primary, backup) = (config.primary(), config.backup());
    if primary.is_none() {
        let message = match backup {
            None => "neither primary nor backup is given: pulse refuses to start",
            Some(_) => "no primary is given: the backup has no partner",
        };
        let help = "write primary = ADDRESS";
        notes.add(Code::NoPrimary, None, message.to_owned(), help);
    }
    if global.backup_active.value && backup.is_none() {
        let message = "backup_active = 1 without the address of a backup counts as 0".to_owned();
        let help = "write backup = ADDRESS";
        notes.add(
            Code::BackupUndefined,
            global.backup_active.span,
            message,
            help,
        );
    }
    if primary.is_some() && primary == backup {
        let message = "primary and backup are the same router".to_owned();
        notes.add(Code::SameRouters, global.backup.span, message, "");
    }
    let (here, there) = (&global.primary_private, &global.backup_private);
    if here.is_written() && !there.is_written() && backup.is_some() {
        let message = "backup_private is missing: the public address of the backup is used";
        let help = "original daemons would send to 0.0.0.0";
        notes.add(
            Code::LonePrivateAddress,
            here.span,
            message.to_owned(),
            help,
        );
    }
    if config.lone_backup_private() {
        let message = "primary_private is missing: both private addresses are not used";
        notes.add(Code::LonePrivateAddress, there.span, message.to_owned(), "");
    }
}

fn forwarding(global: &Global, notes: &mut Notes<'_>) {
    if global.network.value == Network::Nat {
        return;
    }
    let network = global.network.keyword();
    let router = global.nat_router.span.map(|span| ("nat_router", span));
    let mask = global.nat_nmask.span.map(|span| ("nat_nmask", span));
    for (name, span) in router.into_iter().chain(mask) {
        let message = format!("{name} has no effect with network = {network}");
        notes.add(Code::NatIgnored, Some(span), message, "");
    }
}

fn selection(config: &Config, notes: &mut Notes<'_>) {
    let service = &config.global.service;
    let (other, kind) = match service.value {
        ServiceKind::Lvs => (&config.failovers, "failover"),
        ServiceKind::Fos => (&config.virtuals, "virtual"),
    };
    let name = service.keyword();
    if service.value == ServiceKind::Fos {
        let message = "failover services are not supported: pulse refuses to start".to_owned();
        notes.add(Code::FailoverUnsupported, service.span, message, "");
    }
    if let Some(first) = other.first() {
        let message = format!("{kind} blocks have no effect with service = {name}");
        notes.add(Code::BlocksIgnored, first.name.span, message, "");
    }
    if config.active_blocks().next().is_none() {
        let message = format!("no active {name} services are defined: pulse refuses to start");
        notes.add(
            Code::NoActiveService,
            service.span,
            message,
            "a block needs active = 1",
        );
    }
}

/// Blocks of one name: both count, but messages cannot tell them apart.
fn names(config: &Config, notes: &mut Notes<'_>) {
    for (kind, blocks) in [
        ("virtual", &config.virtuals),
        ("failover", &config.failovers),
    ] {
        repeated(kind, blocks.iter().map(|block| &block.name), notes);
        for block in blocks {
            repeated(
                "server",
                block.servers.iter().map(|server| &server.name),
                notes,
            );
        }
    }
}

fn repeated<'b>(kind: &str, names: impl Iterator<Item = &'b Setting<Text>>, notes: &mut Notes<'_>) {
    let mut seen: HashMap<&[u8], ()> = HashMap::new();
    for name in names {
        if seen.insert(name.as_bytes(), ()).is_some() {
            let message = format!("there is another {kind} named {}; both count", name.value);
            notes.add(Code::DuplicateBlock, name.span, message, "");
        }
    }
}

/// Whether the address is a router's own.
pub(crate) fn is_router(config: &Config, host: &Host) -> bool {
    let own = [
        config.primary(),
        config.backup(),
        config.primary_private(),
        config.backup_private(),
    ];
    own.iter().flatten().any(|router| router == host)
}
