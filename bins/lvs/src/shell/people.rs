//! Answers to people.

use std::time::Duration;

use tokio::sync::oneshot;

use super::{Shell, nanny_options, now};
use crate::load::Source;
use crate::requests::{Answer, Request};
use crate::socket::{Context, Question};
use crate::status;

impl Shell {
    /// Answers people; whoever went away meanwhile needs no answer.
    pub(super) fn answer(&mut self, question: Question) {
        match question {
            Question::Context(reply) => {
                let context = Context {
                    names: self.names.clone(),
                    options: nanny_options(&self.options),
                    config: self.options.config.clone(),
                };
                let _ = reply.send(context);
            }
            Question::Status(reply) => {
                let _ = reply.send(Answer::Status(status::value(&self.core)));
            }
            Question::Reload(reply) => self.reload_for(reply),
            Question::Preview(plan, reply) => {
                let changes = self.core.preview(&plan);
                let changes = changes.iter().map(ToString::to_string).collect();
                let notes = plan.notes;
                let _ = reply.send(Answer::Plan { changes, notes });
            }
            Question::Change(request, reply) => {
                let done = match request {
                    Request::Drain {
                        server,
                        seconds,
                        why,
                    } => {
                        let time = seconds.map(Duration::from_secs);
                        self.core.drain(now(), &server, time, &why)
                    }
                    Request::Enable { server } => self.core.enable(now(), &server),
                    Request::Status | Request::Reload | Request::Plan { .. } => {
                        Err("not a change".to_owned())
                    }
                };
                let _ = reply.send(done.map_or_else(Answer::Error, |()| Answer::Done));
            }
        }
    }

    fn reload_for(&mut self, reply: oneshot::Sender<Answer>) {
        if self.orders.is_some() {
            let text = "the configuration comes from pulse: pulse --reload".to_owned();
            let _ = reply.send(Answer::Error(text));
            return;
        }
        tracing::info!("rereading configuration file");
        self.reloads.push(reply);
        self.load(Source::File(self.options.config.clone()));
    }

    /// The file that was asked for is refused.
    pub(super) fn reload_refused(&mut self, text: &str) {
        for reply in self.reloads.drain(..) {
            let _ = reply.send(Answer::Error(text.to_owned()));
        }
    }

    /// The table follows the new file, but for what the tool refuses.
    pub(super) fn reload_done(&mut self) {
        if self.loading.is_some() {
            // A later file is on its way.
            return;
        }
        let mut troubles = self.core.troubles().values();
        let answer = match troubles.next() {
            Some(trouble) => Answer::Error(trouble.message.clone()),
            None => Answer::Reloaded {
                notes: self.core.plan().notes.clone(),
            },
        };
        for reply in self.reloads.drain(..) {
            let _ = reply.send(answer.clone());
        }
    }
}
