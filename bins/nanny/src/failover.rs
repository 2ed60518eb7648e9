//! Failover mode: watches the partner's service until it is gone (`piranha-daemons.md` 5.9).

use crate::events::{Event, Events};
use crate::settings::Monitor;
use health::{Failover, FailoverAction, Verdict};
use probe::Outcome;
use tracing::info;

/// Checks until there is a decision or a signal; the status says which.
pub(crate) fn run(monitor: &Monitor, events: &mut Events) -> u8 {
    let mut failover = Failover::default();
    let mut next = events.now();
    loop {
        match events.wait(events.now(), next) {
            Event::Stop(signal) => {
                info!("Terminating due to signal {}", signal as i32);
                return 0;
            }
            Event::Orphaned => return 0,
            Event::Force(_) => continue,
            Event::Due => {}
        }
        let verdict = match monitor
            .check
            .run(monitor.real, monitor.limit, &events.interrupts())
        {
            Outcome::Available => Verdict::Available,
            Outcome::Unavailable(reason) => {
                reason
                    .original(monitor.real)
                    .iter()
                    .for_each(|line| info!("{line}"));
                info!("{} is not available: {reason}", monitor.real);
                Verdict::Unavailable(reason.to_string())
            }
            Outcome::Interrupted { killed } => {
                killed.iter().for_each(|pid| info!("Killing child {pid}"));
                continue;
            }
        };
        next = events.now() + monitor.health.interval;
        if let Some(status) = act(monitor, failover.handle_check(&verdict)) {
            return status;
        }
    }
}

fn act(monitor: &Monitor, action: FailoverAction) -> Option<u8> {
    match action {
        FailoverAction::Continue => None,
        FailoverAction::Available => {
            info!("Remote service {} is available", monitor.real);
            None
        }
        FailoverAction::NotYet => {
            info!("No service active & available...");
            None
        }
        FailoverAction::Lost => {
            info!("Exiting due to connection failure of {}", monitor.real);
            Some(0)
        }
        FailoverAction::NeverCame => {
            info!("Timeout waiting for remote service -- triggering failover!");
            Some(crate::FAILED)
        }
    }
}
