//! What people ask of the running router, and what it remembers for them.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use heartbeat::{Event, Phase, Word};
use tokio::sync::oneshot;

use super::{Happened, Router};
use crate::control::{self, Asked, Outcome, Request};
use crate::status::{Facts, Report, Told};

/// How many events are remembered.
const EVENTS: usize = 50;

/// The last events, oldest first.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Told>);

impl History {
    fn add(&mut self, text: String) {
        if self.0.len() >= EVENTS {
            self.0.pop_front();
        }
        let at = now_since_1970();
        self.0.push_back(Told { at, text });
    }
}

/// In seconds.
pub(super) fn now_since_1970() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

impl Router {
    /// For the log and for those who ask later.
    pub(super) fn tell(&mut self, what: impl std::fmt::Display) {
        let text = what.to_string();
        tracing::info!(phase = %self.machine.phase(), "{text}");
        self.history.add(text);
    }

    /// Without the socket everything else works.
    pub(super) fn listen_to_people(&self) {
        let run_dir = self.run_dir();
        let happened = self.happened.clone();
        match control::open(&run_dir) {
            Ok(listener) => {
                tokio::task::spawn_local(control::serve(listener, move |asked| {
                    // Refused only when the router is ending.
                    let _ = happened.send(Happened::Asked(asked));
                }));
            }
            Err(error) => {
                let socket = control::socket(&run_dir);
                tracing::info!("no status at {}: {error}", socket.display());
            }
        }
    }

    pub(super) fn stop_listening_to_people(&self) {
        let _ = std::fs::remove_file(control::socket(&self.run_dir()));
    }

    pub(super) fn run_dir(&self) -> PathBuf {
        daemon::paths::run_dir(self.options.run_dir.as_deref())
    }

    pub(super) fn asked(&mut self, Asked { request, answer }: Asked) {
        match request {
            Request::Status => {
                let report = Report {
                    content: self.facts().content(),
                    events: self.history.0.iter().cloned().collect(),
                };
                // Who asked may have gone.
                let _ = answer.send(serde_json::to_string(&report).unwrap_or_default());
            }
            Request::HandOver if self.machine.phase() == Phase::Standby => {
                let text = "this router is not active".to_owned();
                let done = false;
                self::answer(answer, Outcome { done, text });
            }
            Request::Reload => self.reload_for(Some(answer)),
            Request::HandOver => {
                self.waiting_for_hand_over.push(answer);
                self.handle(Event::HandOver);
            }
        }
    }

    /// Answers those who wait for a hand-over once it is known how it ended.
    pub(super) fn answer_hand_over(&mut self) {
        if self.waiting_for_hand_over.is_empty() {
            return;
        }
        let (done, text) = match self.machine.phase() {
            Phase::Leaving => return,
            Phase::Standby if self.machine.partner_word() != Some(Word::Running) => return,
            Phase::Standby => (true, "handed over: the partner is active"),
            Phase::Activating | Phase::Active => (
                false,
                "not handed over: no partner could take over, or it did not",
            ),
        };
        for waiting in std::mem::take(&mut self.waiting_for_hand_over) {
            answer(
                waiting,
                Outcome {
                    done,
                    text: text.to_owned(),
                },
            );
        }
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            now: daemon::clock::boottime(),
            machine: &self.machine,
            identity: &self.identity,
            plan: &self.plan,
            up: self.held,
            activations: self.activations,
            trouble: self.trouble(),
            strangers: self.sockets.strangers(),
            conflicts: self.sight.conflicts,
            last_conflict: self.sight.last_conflict.clone(),
        }
    }

    /// What keeps this router from its role.
    fn trouble(&self) -> Vec<String> {
        let mut trouble = Vec::new();
        if self.machine.cannot_take_over() {
            trouble.push("a network interface has no carrier".to_owned());
        }
        if let Some(error) = self.renewal_error.as_ref().filter(|text| !text.is_empty()) {
            trouble.push(error.clone());
        }
        if self.machine.phase() == Phase::Standby
            && self.machine.partner_word() != Some(Word::Running)
        {
            trouble.push("neither router is known to be active".to_owned());
        }
        if self.machine.partner_still_serves() {
            trouble.push("heartbeat lost, partner still serving".to_owned());
        }
        trouble.extend(self.conflict_trouble());
        trouble.extend(self.sync.error.clone());
        trouble
    }
}

pub(super) fn answer(waiting: oneshot::Sender<String>, outcome: Outcome) {
    // Who asked may have gone.
    let _ = waiting.send(serde_json::to_string(&outcome).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::History;

    #[test]
    fn the_last_fifty_events_are_remembered() {
        let mut history = History::default();
        for number in 0..70 {
            history.add(number.to_string());
        }
        let texts: Vec<&str> = history.0.iter().map(|told| told.text.as_str()).collect();
        assert_eq!((texts.len(), texts[0], texts[49]), (50, "20", "69"));
    }
}
