//! HUP, in both roles: the new file is followed without a pause in what runs.

use std::rc::Rc;

use daemon::notify;
use heartbeat::Event;

use super::{Happened, Router, settings};
use crate::addresses;
use crate::reload::{self, AddressChanges, Reloaded};
use crate::syncd::State;

impl Router {
    pub(super) fn start_reload(&self) {
        let now = daemon::clock::boottime();
        notify::notify(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros()));
        tracing::info!("rereading configuration file");
        let (file, identity) = (self.options.config_file.clone(), self.identity);
        self.start(async move {
            // Files may be on a disk that hangs, names on a server that does.
            let read = tokio::task::spawn_blocking(move || reload::read(&file, &identity));
            let result = read.await.unwrap_or_else(|error| Err(error.to_string()));
            Happened::Reloaded(Box::new(result))
        });
    }

    pub(super) fn reloaded(&mut self, result: Result<Reloaded, String>) {
        match result {
            Ok(reloaded) => self.follow(reloaded),
            Err(text) => self.tell(format_args!("{text}; the old configuration stays in force")),
        }
        notify::notify("READY=1");
    }

    fn follow(&mut self, reloaded: Reloaded) {
        let Reloaded {
            loaded,
            needs_restart,
        } = reloaded;
        for warning in &loaded.warnings {
            tracing::info!("{warning}");
        }
        self.tell("the configuration was read again");
        for what in needs_restart {
            self.tell(format_args!("{what} changed: restart pulse to follow that"));
        }
        let new = Rc::new(loaded.plan);
        let old = std::mem::replace(&mut self.plan, Rc::clone(&new));
        self.bytes = Rc::new(loaded.bytes);
        self.sockets.follow(new.auth.as_ref());
        self.handle(Event::Settings(settings(&self.identity, &new, &self.bytes)));
        if let Some(lvs) = &self.lvs {
            lvs.configure(&self.bytes);
            lvs.say("reload");
        }
        if old.standby_checks && !new.standby_checks {
            self.cleaned_up(self.instance);
        }
        if self.claimed {
            self.change_addresses(AddressChanges::between(&old, &new));
        }
        self.read_links();
        if old.sync != new.sync {
            self.switch_sync(if self.is_active() {
                State::Master
            } else {
                State::Backup
            });
        }
    }

    fn change_addresses(&mut self, changes: AddressChanges) {
        let (netdev, turn) = (Rc::clone(&self.netdev), self.turn);
        if changes.remove.is_empty() && changes.add.is_empty() {
            return;
        }
        self.start(async move {
            let mut errors = addresses::remove(&netdev, &changes.remove).await;
            errors.extend(addresses::bring_up(&netdev, &changes.add).await);
            Happened::Followed(turn, errors, !changes.add.is_empty())
        });
    }

    pub(super) fn followed(&mut self, turn: u64, errors: Vec<String>, added: bool) {
        for error in &errors {
            tracing::info!("{error}");
        }
        if turn != self.turn || !self.held {
            return;
        }
        if added {
            self.announce();
        }
        self.plan_renewal(!errors.is_empty());
    }
}
