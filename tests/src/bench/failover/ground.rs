//! Where fail-over is measured: the network of the laboratory, a pair of pulses or of keepaliveds on
//! its routers, a client that asks for echoes, and an ear on the switch.

use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::Times;
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Context, Error, Result};
use crate::network::{Method, Side, VIP};
use crate::pair::Pair;
use crate::ping::{self, Ping, time_of_day};
use crate::stand_in;
use crate::wait;
use crate::wire::{Listener, Seen, What, Wire};

/// For everything that must come; only bounds a failure.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
const KEEPALIVED_CONFIGURATION: &str = "/run/keepalived.conf";
/// File with the key of heartbeats.
pub(super) const KEY: &str = "/run/lab/key";
const STATUS: &str = "/run/piranha/pulse.json";

/// After an ARP request that was lost the kernel asks again: a router that was cut off has lost some.
const ASKED_AGAIN: Duration = Duration::from_millis(1100);

/// Whose pair it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contender {
    Pulse,
    Keepalived,
}

impl Contender {
    fn program(self) -> &'static str {
        match self {
            Self::Pulse => "pulse",
            Self::Keepalived => "keepalived",
        }
    }
}

/// The pair and the instruments.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) contender: Contender,
    pub(super) times: Times,
    pub(super) wire: Wire,
    pub(super) ping: Ping,
    pub(super) pair: Pair,
    /// Copies of the programs and the tables.
    _folder: tempfile::TempDir,
}

/// When a router was cut off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The last heartbeat before it.
    pub(super) heartbeat: Duration,
    /// Both ports are down.
    pub(super) done: Duration,
}

impl Ground {
    /// Starts a pair with one service.
    pub(super) fn new(contender: Contender, times: Times) -> Result<Self> {
        let mut configuration = Configuration::new(Method::Nat, 1);
        configuration.globals = vec![
            format!("keepalive_ms = {}", times.keepalive),
            format!("deadtime_ms = {}", times.deadtime),
        ];
        Self::with(contender, times, &configuration)
    }

    pub(super) fn with(
        contender: Contender,
        times: Times,
        configuration: &Configuration,
    ) -> Result<Self> {
        let folder = stand_in::folder()?;
        stand_in::furnish(super::programs()?, folder.path())?;
        let pair = Pair::build_with(folder.path(), Method::Nat, 1)?;
        pair.configure(configuration)?;
        for router in &pair.routers {
            let act = "writing the key of heartbeats";
            router.node.run(write_key)?.during(act)?;
        }
        pair.network.switch.run(ping::go_first)?;
        let mut ground = Self {
            contender,
            times,
            wire: Wire::listen(&pair.network.switch)?,
            ping: Ping::start(&pair.network.client, VIP)?,
            pair,
            _folder: folder,
        };
        let started = ground
            .start(Side::A)
            .and_then(|()| ground.start(Side::B))
            .and_then(|()| ground.at_rest().map(drop));
        ground.pair.explained(started)?;
        Ok(ground)
    }

    pub(super) fn start(&mut self, side: Side) -> Result<()> {
        let router = self.pair.router_mut(side);
        if self.contender == Contender::Pulse {
            return router.start();
        }
        let text = keepalived(self.times);
        router
            .node
            .run(move || std::fs::write(KEEPALIVED_CONFIGURATION, text))?
            .during("writing keepalived's configuration")?;
        let mut command = Command::new("keepalived");
        command.args(["--vrrp", "--dont-fork", "--log-console"]);
        command.args(["--use-file", KEEPALIVED_CONFIGURATION]);
        command.args(["--pid", "/run/k.pid", "--vrrp_pid", "/run/v.pid"]);
        router.start_as(command)
    }

    /// Sends the signal to a router's daemon.
    pub(super) fn signal(&self, side: Side, signal: Signal) -> Result<()> {
        self.pair
            .router(side)
            .one(self.contender.program())?
            .signal(signal)
    }

    /// Waits until one router serves, the other knows it, and both have been so for a while; gives
    /// the one that serves.
    pub(super) fn at_rest(&self) -> Result<Side> {
        let active = wait::until("one router serves and the other knows", LIMIT, || {
            crate::interrupt::check()?;
            for side in [Side::A, Side::B] {
                let other = side.other();
                if self.pair.router(side).owns(VIP)?
                    && !self.pair.router(other).owns(VIP)?
                    && self.stands(side, "active", "standby")?
                    && self.stands(other, "standby", "active")?
                {
                    return Ok(Some(side));
                }
            }
            Ok(None)
        })?;
        self.ping.wait_steady(LIMIT)?;
        std::thread::sleep(self.times.deadtime().max(ASKED_AGAIN) + Duration::from_millis(200));
        Ok(active)
    }

    /// Whether a pulse is in this phase and believes its partner to be in that one.
    fn stands(&self, side: Side, own: &str, partner: &str) -> Result<bool> {
        if self.contender == Contender::Keepalived {
            return Ok(!self.pair.router(side).running("keepalived").is_empty());
        }
        // It may be between two files.
        let text = self.pair.router(side).read(STATUS).unwrap_or_default();
        let status: Value = serde_json::from_str(&text).unwrap_or_default();
        let phase = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let partners = status.get("partner").and_then(|it| it.get("phase"));
        Ok(phase(status.get("phase")).as_deref() == Some(own)
            && phase(partners).as_deref() == Some(partner))
    }

    /// Cuts a router off on both networks as soon as it has sent a heartbeat on all its paths.
    pub(super) fn cut_after_heartbeat(&self, side: Side) -> Result<Cut> {
        let last_path_is_public = self.contender == Contender::Keepalived;
        self.pair.network.switch.run(move || {
            let listener = Listener::open()?;
            let begun = Instant::now();
            let heartbeat = loop {
                ensure!(
                    begun.elapsed() < LIMIT,
                    "no heartbeat of {side} on the wire"
                );
                let seen = listener.next();
                match seen {
                    Some(seen)
                        if seen.from == side
                            && seen.public == last_path_is_public
                            && is_heartbeat(&seen) =>
                    {
                        break seen.at;
                    }
                    _ => {}
                }
            };
            for port in side.ports() {
                let file = format!("/sys/class/net/{port}/flags");
                // IFF_BROADCAST | IFF_MULTICAST without IFF_UP.
                std::fs::write(&file, "0x1002").during(format_args!("writing {file}"))?;
            }
            Ok::<_, Error>(Cut {
                heartbeat,
                done: time_of_day(),
            })
        })?
    }

    /// Time from the last heartbeat of `side` that came through to the first announcement of the VIP
    /// by the other one.
    pub(super) fn takeover(&self, side: Side, cut: Cut) -> Result<Duration> {
        let announced = |seen: &Seen| {
            seen.from == side.other()
                && seen.at > cut.heartbeat
                && matches!(seen.what, What::Arp { sender, .. } if sender == VIP)
        };
        let announcement = wait::until("an announcement on the wire", LIMIT, || {
            Ok(self.wire.since(cut.heartbeat).into_iter().find(announced))
        })?;
        let last = self
            .wire
            .seen()
            .into_iter()
            .rev()
            .find(|seen| seen.from == side && seen.at <= cut.done && is_heartbeat(seen));
        let last = last.ok_or_else(|| Error::unmet("no heartbeat before the cut"))?;
        Ok(announcement.at.saturating_sub(last.at))
    }
}

/// A key for those configurations that name it.
fn write_key() -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o600);
    std::io::Write::write_all(&mut options.open(KEY)?, b"a key of the laboratory\n")
}

pub(super) fn is_heartbeat(seen: &Seen) -> bool {
    matches!(seen.what, What::Heartbeat(_) | What::Advertisement)
}

/// The same VIP and the same interval between advertisements; whoever serves stays.
fn keepalived(times: Times) -> String {
    let interval = f64::from(times.keepalive) / 1000.0;
    format!(
        "global_defs {{\n  vrrp_version 3\n}}\n\
         vrrp_instance lab {{\n  state BACKUP\n  nopreempt\n  interface eth0\n  \
         virtual_router_id 51\n  priority 100\n  advert_int {interval}\n  \
         virtual_ipaddress {{\n    {VIP}/24 dev eth0\n  }}\n}}\n"
    )
}
