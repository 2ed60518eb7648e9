//! The cycle of one real server: wait, check, carry out what `health` decides.

use crate::events::{Event, Events};
use crate::options::Options;
use crate::report::ALIVE;
use crate::settings::Monitor;
use crate::table::{CommandFailed, Table};
use health::{Action, Cause, Entry, Force, Removal, Server, Standing, Verdict};
use nix::sys::signal::Signal;
use probe::{Check, LoadOutcome, Outcome, Reason, Slots};
use std::mem::{Discriminant, discriminant};
use std::time::Duration;
use tracing::{debug, info};

/// Status when ipvsadm fails, as in the original.
const COMMAND_FAILED: u8 = 255;

/// Pause before asking again for the right to run a program.
const CROWDED: Duration = Duration::from_millis(50);

/// Checks until a signal, a failing ipvsadm or the end of lvs.
pub(crate) fn run(options: &Options, monitor: Monitor, events: &mut Events) -> u8 {
    let server = Server::new(monitor.health.clone());
    let mut checker = Checker {
        table: Table::new(options),
        server,
        monitor,
        events,
        told: None,
        alive: Duration::ZERO,
        retry: Duration::ZERO,
        now: Duration::ZERO,
    };
    loop {
        match checker.turn() {
            Ok(None) => {}
            Ok(Some(status)) => return status,
            Err(CommandFailed) => return COMMAND_FAILED,
        }
    }
}

struct Checker<'a> {
    monitor: Monitor,
    server: Server,
    table: Table,
    events: &'a mut Events,
    /// The kind of failure that was logged last; logged again only when it changes.
    told: Option<Discriminant<Reason>>,
    /// When the last `alive` went out.
    alive: Duration,
    /// Not before this: too many programs are running.
    retry: Duration,
    /// When the last event came, or the last work of length ended: where the next pause begins. Reading
    /// the clock may cost a system call.
    now: Duration,
}

impl Checker<'_> {
    /// Waits for one event and deals with it; a status ends the process.
    fn turn(&mut self) -> Result<Option<u8>, CommandFailed> {
        let wake = self.wake();
        match self.events.wait(self.now, wake) {
            Event::Stop(signal) => return Ok(Some(self.stop(signal))),
            Event::Orphaned => {
                info!("the report pipe is closed: nobody to check for");
                return Ok(Some(0));
            }
            Event::Force(force) => self.force(force)?,
            Event::Due if self.server.next_check().is_some() => self.check()?,
            Event::Due => {
                self.now = self.events.now();
                self.alive(None);
            }
        }
        Ok(None)
    }

    /// When there is something to do without being asked: the next check, or while a state is
    /// forced the next `alive`.
    fn wake(&self) -> Duration {
        let check = self.server.next_check().map(|next| next.max(self.retry));
        check.unwrap_or(self.alive + self.alive_period())
    }

    fn alive_period(&self) -> Duration {
        self.monitor.health.interval.max(ALIVE)
    }

    fn check(&mut self) -> Result<(), CommandFailed> {
        // The only look at the clock in a check: the pause follows the end of the check wherever it
        // is counted from, as in the original.
        self.now = self.events.now();
        let Some(outcome) = self.attempt() else {
            self.retry = self.now + CROWDED;
            if self.now >= self.alive + self.alive_period() {
                self.alive(None);
            }
            return Ok(());
        };
        let (verdict, reason) = match outcome {
            Outcome::Available => (Verdict::Available, None),
            Outcome::Unavailable(reason) => {
                (Verdict::Unavailable(reason.to_string()), Some(reason))
            }
            Outcome::Interrupted { killed } => {
                killed.iter().for_each(|pid| info!("Killing child {pid}"));
                return Ok(());
            }
        };
        debug!(
            "avail: {} active: {}: count: {}",
            u8::from(reason.is_none()),
            u8::from(self.server.standing() == Standing::Up),
            self.server.count()
        );
        let actions = self.server.handle_check(self.now, verdict);
        let leaves = actions
            .iter()
            .any(|action| matches!(action, Action::Leave { .. }));
        self.tell(reason.as_ref(), leaves);
        // Before a load query: that may take as long as a check.
        if self.monitor.health.interval >= ALIVE || self.now >= self.alive + ALIVE {
            // One more look at the clock for each line, not for each check.
            let took = self.events.now().saturating_sub(self.now);
            self.alive(Some(took));
        }
        self.perform(actions)
    }

    /// One attempt; `None` when it needs a program and too many are running.
    fn attempt(&mut self) -> Option<Outcome> {
        let monitor = &mut self.monitor;
        let program = matches!(monitor.check, Check::Program { .. });
        let slots = monitor.slots.as_mut().filter(|_| program);
        let slot = match slots.map(Slots::take) {
            Some(Ok(None)) => return None,
            // A lock that fails is no reason not to check.
            Some(Ok(slot)) => slot,
            Some(Err(_)) | None => None,
        };
        let (now, interrupts) = (self.events.instant(self.now), self.events.interrupts());
        let outcome = monitor
            .check
            .run_at(now, monitor.real, monitor.limit, &interrupts);
        drop(slot);
        Some(outcome)
    }

    /// Logs why a check failed: in the original's words where it had any, and as a reason (B53).
    fn tell(&mut self, reason: Option<&Reason>, always: bool) {
        let kind = reason.map(discriminant);
        let news = always || self.told != kind;
        self.told = kind;
        let Some(reason) = reason else { return };
        let real = self.monitor.real;
        if news {
            reason
                .original(real)
                .iter()
                .for_each(|line| info!("{line}"));
            info!(reason = %reason, "{real} is not available: {reason}");
        } else {
            debug!("{real} is not available: {reason}");
        }
    }

    fn force(&mut self, force: Force) -> Result<(), CommandFailed> {
        match force {
            Force::Down => info!("opaque glasses on"),
            Force::Up => info!("rose-colored glasses on"),
            Force::Normal => info!("DEBUG -- removing glasses"),
        }
        self.now = self.events.now();
        let actions = self.server.handle_signal(self.now, force);
        self.told = None;
        self.perform(actions)
    }

    fn stop(&mut self, signal: Signal) -> u8 {
        info!("Terminating due to signal {}", signal as i32);
        // lvs keeps the entry: it knows whether it restarts or removes this checker.
        if self.events.report.is_some() {
            return 0;
        }
        let actions = self.server.handle_stop();
        self.perform(actions).map_or(crate::FAILED, |()| 0)
    }

    fn perform(&mut self, actions: Vec<Action>) -> Result<(), CommandFailed> {
        if actions.is_empty() {
            return Ok(());
        }
        let begun = self.events.now();
        let done = actions.into_iter().try_for_each(|action| self.act(action));
        // Tools and load monitors take their time; the pause goes on meanwhile.
        self.now += self.events.now().saturating_sub(begun);
        done
    }

    fn act(&mut self, action: Action) -> Result<(), CommandFailed> {
        let real = self.monitor.real;
        match action {
            Action::Join { weight, entry } => {
                info!(verdict = "up", "[ active ] making {real} available");
                self.active(weight, entry)
            }
            Action::SetWeight { weight } => {
                debug!("Adjusting weight of {real} to {weight}");
                self.active(weight, Entry::Edit)
            }
            Action::Leave { cause, removal } => self.leave(&cause, removal),
            Action::Failed { reason, first } => {
                debug!("No service active & available...");
                if let Some(report) = self.events.report.as_mut().filter(|_| first) {
                    report.inactive(real, &reason);
                }
                Ok(())
            }
            Action::QueryLoad => self.query_load(),
        }
    }

    /// The entry shall have this weight.
    fn active(&mut self, weight: u32, entry: Entry) -> Result<(), CommandFailed> {
        if let Some(report) = &mut self.events.report {
            report.active(self.monitor.real, weight);
            return Ok(());
        }
        match entry {
            Entry::Add => self.table.add(weight),
            Entry::Edit => self.table.edit(weight),
            Entry::Keep => Ok(()),
        }
    }

    fn leave(&mut self, cause: &Cause, removal: Removal) -> Result<(), CommandFailed> {
        let real = self.monitor.real;
        let reason = match cause {
            Cause::Check(reason) => {
                info!(
                    verdict = "down",
                    reason = reason.as_str(),
                    "[inactive] shutting down {real} due to connection failure"
                );
                reason.as_str()
            }
            Cause::Forced => "forced down by signal",
            Cause::Terminated => "checker stopped",
        };
        if let Some(report) = &mut self.events.report {
            report.inactive(real, reason);
            return Ok(());
        }
        match removal {
            Removal::Delete => self.table.delete(),
            Removal::Quiesce => self.table.edit(0),
            Removal::Nothing => Ok(()),
        }
    }

    fn query_load(&mut self) -> Result<(), CommandFailed> {
        let monitor = &mut self.monitor;
        let Some(load) = &monitor.load else {
            return Ok(());
        };
        let slot = match monitor.slots.as_mut().map(Slots::take) {
            // The weight can wait for the next step.
            Some(Ok(None)) => return Ok(()),
            Some(Ok(slot)) => slot,
            Some(Err(_)) | None => None,
        };
        let interrupts = self.events.interrupts();
        let outcome = load.run(monitor.real, monitor.limit, &interrupts);
        drop(slot);
        match outcome {
            LoadOutcome::Load(load) => {
                debug!("Loadavg of {} is {load}", self.monitor.real.ip());
                let actions = self.server.handle_load(load);
                return self.perform(actions);
            }
            LoadOutcome::Failed(reason) => {
                info!("The following exited abnormally:");
                info!("failed to read remote load");
                info!("no load from {}: {reason}", self.monitor.real.ip());
            }
            LoadOutcome::Unreadable(output) => info!("bad load average returned: {output}"),
            LoadOutcome::Interrupted { killed } => info!("Killing child {killed}"),
        }
        Ok(())
    }

    fn alive(&mut self, took: Option<Duration>) {
        self.alive = self.now;
        if let Some(report) = &mut self.events.report {
            report.alive(took);
        }
    }
}
