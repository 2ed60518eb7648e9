//! HUP, in both roles: the new file is followed without a pause in what runs.

use std::collections::VecDeque;
use std::rc::Rc;

use daemon::{clock, notify};
use heartbeat::Event;
use tokio::sync::oneshot;

use super::asked::answer;
use super::{Happened, Router, settings, warn_without_key};
use crate::addresses;
use crate::control::Outcome;
use crate::plan::Plan;
use crate::reload::{self, AddressChanges, Reloaded};

/// Who waits for the end of a reload.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    /// A file is being read.
    reading: bool,
    /// Somebody asked meanwhile: the file may have changed since.
    again: bool,
    asking: Vec<oneshot::Sender<String>>,
    asking_again: Vec<oneshot::Sender<String>>,
    /// One entry for each that lvs was told of and has not answered.
    at_lvs: VecDeque<(String, Vec<oneshot::Sender<String>>)>,
}

fn answer_all(waiting: Vec<oneshot::Sender<String>>, done: bool, text: &str) {
    for waiting in waiting {
        let text = text.to_owned();
        answer(waiting, Outcome { done, text });
    }
}

impl Router {
    /// Reads the file again; `answer` gets the outcome.
    pub(super) fn reload_for(&mut self, answer: Option<oneshot::Sender<String>>) {
        if self.reloads.reading {
            self.reloads.again = true;
            self.reloads.asking_again.extend(answer);
            return;
        }
        self.reloads.reading = true;
        self.reloads.asking.extend(answer);
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
        self.reloads.reading = false;
        let asking = std::mem::take(&mut self.reloads.asking);
        match result {
            Ok(reloaded) => self.follow(reloaded, asking),
            Err(text) => {
                let text = format!("{text}; the old configuration stays in force");
                self.tell(&text);
                answer_all(asking, false, &text);
            }
        }
        notify::notify("READY=1");
        if std::mem::take(&mut self.reloads.again) {
            self.reloads.asking = std::mem::take(&mut self.reloads.asking_again);
            self.reload_for(None);
        }
    }

    /// lvs has followed the file that it was told of first, or has not.
    pub(super) fn lvs_reloaded(&mut self, refusal: Option<&str>) {
        let (text, waiting) = self.reloads.at_lvs.pop_front().unwrap_or_default();
        match refusal {
            None => {
                tracing::info!("lvs follows the new configuration");
                answer_all(waiting, true, &text);
            }
            Some(refusal) => {
                let refusal = format!("lvs refuses the configuration: {refusal}");
                self.tell(&refusal);
                answer_all(waiting, false, &refusal);
            }
        }
    }

    /// The next lvs begins with the newest file.
    pub(super) fn lvs_reads_no_more(&mut self) {
        for (text, waiting) in std::mem::take(&mut self.reloads.at_lvs) {
            answer_all(waiting, true, &text);
        }
    }

    fn follow(&mut self, reloaded: Reloaded, asking: Vec<oneshot::Sender<String>>) {
        let Reloaded {
            loaded,
            needs_restart,
        } = reloaded;
        for warning in &loaded.warnings {
            tracing::info!("{warning}");
        }
        let mut outcome = "the configuration was read again".to_owned();
        self.tell(&outcome);
        for what in needs_restart {
            let text = format!("{what} changed: restart pulse to follow that");
            self.tell(&text);
            outcome = format!("{outcome}; {text}");
        }
        let new = Rc::new(loaded.plan);
        let old = std::mem::replace(&mut self.plan, Rc::clone(&new));
        self.bytes = Rc::new(loaded.bytes);
        if old.auth.is_some() {
            warn_without_key(&new);
        }
        self.sockets.follow(new.auth.as_ref());
        self.handle(Event::Settings(settings(&self.identity, &new, &self.bytes)));
        match &self.lvs {
            Some(lvs) => {
                lvs.configure(&self.bytes);
                lvs.say("reload");
                self.reloads.at_lvs.push_back((outcome, asking));
            }
            None => answer_all(asking, true, &outcome),
        }
        if old.standby_checks && !new.standby_checks {
            self.cleaned_up(self.instance);
        }
        if self.claimed {
            let changes = AddressChanges::between(&old, &new);
            if changes.is_empty() {
                self.follow_times(&old);
            } else {
                self.change_addresses(changes);
            }
        }
        self.read_links();
    }

    fn change_addresses(&mut self, changes: AddressChanges) {
        let (netdev, turn) = (Rc::clone(&self.netdev), self.turn);
        self.start(async move {
            // In one: a stop meanwhile comes before or after it, never between.
            let errors = addresses::replace(&netdev, &changes.remove, &changes.add).await;
            Happened::Followed(turn, errors)
        });
    }

    /// The same addresses, but perhaps for another lifetime, or to be announced at other times.
    fn follow_times(&mut self, old: &Plan) {
        if !self.held {
            return;
        }
        if self.plan.lifetime != old.lifetime {
            self.renew_at = Some(clock::boottime());
        }
        if (self.plan.lifetime, self.plan.arp_interval) != (old.lifetime, old.arp_interval) {
            self.announce();
        }
    }

    pub(super) fn followed(&mut self, turn: u64, errors: Vec<String>) {
        for error in &errors {
            tracing::info!("{error}");
        }
        if turn != self.turn || !self.held {
            return;
        }
        // Removed ones are no longer to be announced, either.
        self.announce();
        // Those that stay may have got another lifetime.
        self.renew_at = Some(clock::boottime());
    }
}
