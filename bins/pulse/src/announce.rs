//! Gratuitous ARP for addresses taken over, by send_arp (`piranha-daemons.md` 3.8, B36, B51).
//!
//! Owns the times of the rounds. Must not know why they are needed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use daemon::child::Spec;
use netdev::{Netdev, VipAddress};
use tokio::time::{Instant, sleep, sleep_until};

use crate::addresses;
use crate::command::Waiting;

/// Rounds after a take-over, a second apart.
const ROUNDS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// One run of send_arp.
const LIMIT: Duration = Duration::from_secs(5);

/// A send_arp that was started before there is anything to announce: starting it takes longer than
/// what it does. Dropped, it ends without having sent anything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Herald(Rc<RefCell<Option<Waiting>>>);

impl Herald {
    /// Has one started, unless there is one.
    pub(crate) fn prepare(&self) {
        if self.0.borrow().is_none() {
            let place = Rc::clone(&self.0);
            tokio::task::spawn_local(async move {
                // Whoever needs it will tell what is wrong with it.
                *place.borrow_mut() = start().await.ok();
            });
        }
    }

    pub(crate) fn dismiss(&self) {
        self.0.take();
    }

    async fn announce(&self, lines: &[u8]) -> Result<(), String> {
        let waiting = self.0.take();
        if let Some(waiting) = waiting
            && waiting.finish(lines, LIMIT).await.is_ok()
        {
            return Ok(());
        }
        start().await?.finish(lines, LIMIT).await.map(drop)
    }
}

async fn start() -> Result<Waiting, String> {
    let spec = Spec {
        args: vec!["--batch".into()],
        ..Spec::new(program())
    };
    Waiting::start(spec, true).await
}

pub(crate) fn program() -> PathBuf {
    daemon::paths::program("send_arp")
}

/// What is announced and how often.
#[derive(Debug)]
pub(crate) struct Announcement {
    pub(crate) netdev: Rc<Netdev>,
    pub(crate) herald: Herald,
    pub(crate) vips: Vec<VipAddress>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) interval: Option<Duration>,
}

impl Announcement {
    /// Announces until it is dropped.
    pub(crate) async fn run(self) {
        let start = Instant::now();
        let mut last_error = None;
        for round in 0..ROUNDS {
            sleep_until(start + PAUSE * round).await;
            self.round(&mut last_error).await;
        }
        tracing::info!("gratuitous lvs arps finished");
        // By now a frozen partner has lost its addresses, after having answered ARP for longer.
        if let Some(end) = self.lifetime.map(|lifetime| lifetime + PAUSE)
            && end >= PAUSE * ROUNDS
        {
            sleep_until(start + end).await;
            self.round(&mut last_error).await;
        }
        while let Some(interval) = self.interval {
            sleep(interval).await;
            self.round(&mut last_error).await;
        }
    }

    /// One process for all addresses. An error that stays the same is logged once.
    async fn round(&self, last_error: &mut Option<String>) {
        let (lines, mut errors) = self.lines().await;
        if !lines.is_empty() {
            errors.extend(self.herald.announce(lines.as_bytes()).await.err());
        }
        let error = Some(errors.join("; ")).filter(|text| !text.is_empty());
        if let Some(text) = error.as_ref().filter(|_| error != *last_error) {
            tracing::info!("gratuitous arp failed: {text}");
        }
        *last_error = error;
    }

    async fn lines(&self) -> (String, Vec<String>) {
        let (mut macs, mut errors) = (BTreeMap::new(), Vec::new());
        for interface in addresses::interfaces(&self.vips) {
            let link = self.netdev.link(interface).await;
            match link.and_then(|link| link.hardware_address()) {
                Ok(mac) => {
                    let mac = format!("{mac}").replace(':', "").to_uppercase();
                    macs.insert(interface, mac);
                }
                Err(error) => errors.push(error.to_string()),
            }
        }
        let mut lines = String::new();
        for vip in &self.vips {
            if let Some(mac) = macs.get(vip.interface.as_str()) {
                let (interface, address) = (&vip.interface, vip.address);
                let target = vip.broadcast.unwrap_or(address);
                let _ = writeln!(lines, "{interface} {address} {mac} {target} ffffffffffff");
            }
        }
        (lines, errors)
    }
}
