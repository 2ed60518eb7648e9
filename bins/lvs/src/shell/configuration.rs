//! The configuration and the role: where they come from, and what follows when they have arrived.

use std::io;

use daemon::Signal;

use super::{Loaded, Shell, nanny_options, now};
use crate::control::Order;
use crate::core::{Event, FAILED, Message};
use crate::desired::Mode;
use crate::load::{self, Source};

impl Shell {
    pub(super) fn signalled(&mut self, signal: Signal) -> Option<u8> {
        match signal {
            Signal::SIGHUP if self.orders.is_some() => {
                tracing::info!("the configuration comes from pulse: send the signal to pulse");
            }
            Signal::SIGHUP => {
                tracing::info!("rereading configuration file");
                self.load(Source::File(self.options.config.clone()));
            }
            _ => self.core.handle(now(), Event::Terminate(signal as i32)),
        }
        None
    }

    pub(super) fn ordered(&mut self, order: io::Result<Option<Order>>) -> Option<u8> {
        match order {
            Ok(Some(Order::Config(bytes))) => {
                self.config = Some(bytes);
                self.applied = false;
            }
            Ok(Some(Order::Active)) => self.role(Mode::Active),
            Ok(Some(Order::Relieve)) => {
                self.core.handle(now(), Event::Relieving);
                self.role(Mode::Active);
            }
            Ok(Some(Order::Relay(router))) => self.role(Mode::Relaying(router)),
            Ok(Some(Order::Standby)) => self.role(Mode::Standby),
            Ok(Some(Order::Reload)) => {
                tracing::info!("rereading configuration file");
                self.load_from_pulse();
            }
            Ok(None) => {
                tracing::info!("pulse is gone: leaving the table as it is");
                return Some(FAILED);
            }
            Err(error) => {
                tracing::info!("cannot read from pulse: {error}");
                return Some(FAILED);
            }
        }
        None
    }

    fn role(&mut self, mode: Mode) {
        if self.applied {
            self.core.handle(now(), Event::Mode(mode));
        } else {
            self.then = Some(mode);
            self.load_from_pulse();
        }
    }

    fn load_from_pulse(&mut self) {
        let path = self.options.config.clone();
        match self.config.clone() {
            Some(bytes) => self.load(Source::Pulse(bytes, path)),
            None => self.tell(&Message::Refused(0, "no configuration was sent".to_owned())),
        }
    }

    pub(super) fn load(&mut self, source: Source) {
        let options = nanny_options(&self.options);
        self.loading = Some(Box::pin(load::load(source, self.names.clone(), options)));
    }

    pub(super) fn loaded(&mut self, loaded: Loaded) -> Option<u8> {
        match loaded {
            Ok((plan, names)) => {
                self.names = names;
                self.applied = true;
                self.core.handle(now(), Event::Plan(Box::new(plan)));
                if let Some(mode) = self.then.take() {
                    self.core.handle(now(), Event::Mode(mode));
                }
                None
            }
            Err(error) => {
                self.reload_refused(&error.to_string());
                let (line, text) = error.for_pulse();
                self.tell(&Message::Refused(line, text));
                if self.core.mode().is_none() {
                    self.fail(FAILED, &error.to_string());
                    return Some(FAILED);
                }
                tracing::info!("{error}");
                // The role follows with the configuration in force.
                if let Some(mode) = self.then.take() {
                    self.core.handle(now(), Event::Mode(mode));
                }
                None
            }
        }
    }
}
