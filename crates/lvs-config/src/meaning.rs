//! What follows from several keywords together (`piranha-daemons.md` 1.11), and values in the
//! form in which the programs use them.
//!
//! Owns derived values. Says nothing about whether they are wise: that is `checks`.

use std::time::Duration;

use crate::model::Config;
use crate::model::Global;
use crate::model::Host;
use crate::model::Server;
use crate::model::ServiceKind;
use crate::model::Setting;
use crate::model::Virtual;

impl Config {
    /// Fills in the values that depend on others: private addresses, ports of servers. Parsing
    /// does it; a model made by hand needs it before it is compared with a parsed one.
    pub fn settle(&mut self) {
        let global = &mut self.global;
        if !global.primary_private.is_written() {
            global.primary_private = Setting::unwritten(global.primary.value.clone());
        }
        if !global.backup_private.is_written() {
            global.backup_private = Setting::unwritten(global.backup.value.clone());
        }
        for block in self.virtuals.iter_mut().chain(&mut self.failovers) {
            let port = *block.port;
            for server in block.servers.iter_mut().filter(|s| !s.port.is_written()) {
                server.port = Setting::unwritten(port);
            }
        }
    }

    /// Public address of the primary router.
    pub fn primary(&self) -> Option<Host> {
        defined(&self.global.primary)
    }

    /// Address of the primary router on the private path; its public one when none is written.
    pub fn primary_private(&self) -> Option<Host> {
        defined(&self.global.primary_private)
    }

    /// Public address of the backup router; 0.0.0.0 is none.
    pub fn backup(&self) -> Option<Host> {
        defined(&self.global.backup)
    }

    /// Address of the backup router on the private path; its public one when none is written, or
    /// when none is written for the primary.
    pub fn backup_private(&self) -> Option<Host> {
        if self.lone_backup_private() {
            return self.backup();
        }
        defined(&self.global.backup_private)
    }

    /// Whether `backup_private` has no effect because its counterpart is missing.
    pub(crate) fn lone_backup_private(&self) -> bool {
        let global = &self.global;
        global.primary.is_written()
            && !global.primary_private.is_written()
            && global.backup_private.is_written()
    }

    /// Whether there is a backup router: `backup_active = 1` without an address does not count.
    pub fn has_backup(&self) -> bool {
        self.global.has_backup()
    }

    /// The blocks that `service` selects and that are active.
    pub fn active_blocks(&self) -> impl Iterator<Item = &Virtual> {
        let blocks = match self.global.service.value {
            ServiceKind::Lvs => &self.virtuals,
            ServiceKind::Fos => &self.failovers,
        };
        blocks.iter().filter(|block| block.active.value)
    }
}

fn defined(host: &Setting<Option<Host>>) -> Option<Host> {
    let host = host.value.clone()?;
    match host {
        Host::Address(address) if address.is_unspecified() => None,
        host => Some(host),
    }
}

impl Global {
    /// Time between two heartbeats, never zero: `keepalive = 0` counts as one second.
    pub fn keepalive(&self) -> Duration {
        match self.keepalive_ms.value {
            Some(ms) => Duration::from_millis(ms.into()),
            None => Duration::from_secs(self.keepalive.value.max(1).into()),
        }
    }

    /// Silence after which the partner counts as dead.
    pub fn deadtime(&self) -> Duration {
        match self.deadtime_ms.value {
            Some(ms) => Duration::from_millis(ms.into()),
            None => Duration::from_secs(self.deadtime.value.into()),
        }
    }

    /// How long a VIP outlives its pulse; `None`: for ever. Unwritten it is what deadtime leaves
    /// after keepalive in whole seconds, at least two, and for ever when there is no backup.
    pub fn vip_lifetime(&self) -> Option<Duration> {
        let seconds = match self.vip_lifetime.value {
            Some(seconds) => seconds.into(),
            None if !self.has_backup() => 0,
            None => self
                .deadtime()
                .saturating_sub(self.keepalive())
                .as_secs()
                .max(2),
        };
        Some(Duration::from_secs(seconds)).filter(|lifetime| !lifetime.is_zero())
    }

    fn has_backup(&self) -> bool {
        self.backup_active.value && defined(&self.backup).is_some()
    }
}

impl Virtual {
    /// Time between two checks, and limit of each of their steps.
    pub fn timeout(&self) -> Duration {
        match self.timeout_ms.value {
            Some(ms) => Duration::from_millis(ms.into()),
            None => Duration::from_secs(self.timeout.value.into()),
        }
    }

    /// Time that a failed server must answer before it is used again; 0 counts as 180 seconds.
    pub fn reentry(&self) -> Duration {
        let seconds = if self.reentry.value == 0 {
            180
        } else {
            self.reentry.value
        };
        Duration::from_secs(seconds.into())
    }

    /// The servers that are in use.
    pub fn active_servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(|server| server.active.value)
    }
}
