//! Answers to people.

use std::time::Duration;

use super::{Shell, nanny_options, now};
use crate::requests::{Answer, Request};
use crate::socket::{Context, Question};
use crate::status;
use crate::tool::Tool;

impl Shell {
    /// Answers people; whoever went away meanwhile needs no answer.
    pub(super) fn answer(&mut self, question: Question) {
        match question {
            Question::Context(reply) => {
                let context = Context {
                    tool: Tool::choose(&self.core.plan().ipvsadm),
                    names: self.names.clone(),
                    options: nanny_options(&self.options),
                    config: self.options.config.clone(),
                };
                let _ = reply.send(context);
            }
            Question::Status(connections, reply) => {
                let status = status::value(&self.core, connections.as_ref());
                let _ = reply.send(Answer::Status(status));
            }
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
                    Request::Status | Request::Plan { .. } => Err("not a change".to_owned()),
                };
                let _ = reply.send(done.map_or_else(Answer::Error, |()| Answer::Done));
            }
        }
    }
}
