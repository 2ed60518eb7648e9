//! What the kernel says at one time, and what happened between two times.

use std::collections::HashMap;
use std::time::Duration;

use ipvs::{Counters, Error, ServerId, ServerState, ServiceId, ServiceState};

use crate::kernel::Kernel;
use crate::list::{forward_name, sort_servers, sort_services, write_service_name};
use crate::names::Names;

const NUMERIC: Names = Names { numeric: true };

/// The table with its counters at one time.
#[derive(Debug)]
pub(super) struct Sample {
    /// Since any fixed time.
    at: Duration,
    services: Vec<(ServiceState, Vec<ServerState>)>,
}

impl Sample {
    /// Asks the kernel; `at` is the time.
    pub(super) fn take(kernel: &mut dyn Kernel, at: Duration) -> Result<Self, Error> {
        let states = kernel.services()?;
        let mut services = Vec::with_capacity(states.len());
        for state in sort_services(&states) {
            services.push((state.clone(), kernel.servers(&state.service.id)?));
        }
        Ok(Self { at, services })
    }

    fn counters(&self) -> HashMap<(ServiceId, Option<ServerId>), Counters> {
        let entries = self.services.iter().flat_map(|(state, servers)| {
            let id = state.service.id;
            let servers = servers.iter();
            let servers = servers.map(move |it| ((id, Some(it.server.id)), it.counters));
            servers.chain([((id, None), state.counters)])
        });
        entries.collect()
    }
}

/// What happens in a second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rates {
    pub(super) connections: f64,
    pub(super) in_packets: f64,
    pub(super) out_packets: f64,
    pub(super) in_bytes: f64,
    pub(super) out_bytes: f64,
}

impl Rates {
    /// The rates between two states of the counters; those that were set to 0 meanwhile count from there.
    pub(super) fn between(before: &Counters, after: &Counters, elapsed: Duration) -> Self {
        if elapsed.is_zero() {
            return Self::default();
        }
        let rate = |before: u64, after: u64| {
            let happened = after.checked_sub(before).unwrap_or(after);
            happened as f64 / elapsed.as_secs_f64()
        };
        Self {
            connections: rate(before.connections, after.connections),
            in_packets: rate(before.in_packets, after.in_packets),
            out_packets: rate(before.out_packets, after.out_packets),
            in_bytes: rate(before.in_bytes, after.in_bytes),
            out_bytes: rate(before.out_bytes, after.out_bytes),
        }
    }

    /// The kernel's own averages: all there is at the first look.
    const fn told(counters: &Counters) -> Self {
        Self {
            connections: counters.connection_rate as f64,
            in_packets: counters.in_packet_rate as f64,
            out_packets: counters.out_packet_rate as f64,
            in_bytes: counters.in_byte_rate as f64,
            out_bytes: counters.out_byte_rate as f64,
        }
    }
}

/// One line of the view.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    /// The scheduler of a service, the forwarding method of a server.
    pub(super) method: String,
    /// Of a server.
    pub(super) weight: Option<i32>,
    /// Established connections.
    pub(super) active: u64,
    /// Connections in other states.
    pub(super) inactive: u64,
    pub(super) rates: Rates,
}

/// Everything that can be seen, in the order of a listing.
#[derive(Debug, Default)]
pub(super) struct Overview {
    /// Each service with its servers.
    pub(super) services: Vec<(Line, Vec<Line>)>,
}

impl Overview {
    /// What a sample shows; the rates are those since the one before.
    pub(super) fn of(before: Option<&Sample>, now: &Sample) -> Self {
        let elapsed = before.map_or(Duration::ZERO, |before| now.at.saturating_sub(before.at));
        let earlier = before.map(Sample::counters);
        let rates = |service: ServiceId, server: Option<ServerId>, counters: &Counters| {
            let Some(earlier) = &earlier else {
                return Rates::told(counters);
            };
            // What was not there began at 0.
            let before = earlier.get(&(service, server)).copied();
            Rates::between(&before.unwrap_or_default(), counters, elapsed)
        };
        let services = now.services.iter().map(|(state, servers)| {
            let id = state.service.id;
            let lines = sort_servers(servers).into_iter().map(|it| {
                let rates = rates(id, Some(it.server.id), &it.counters);
                server_line(&id, it, rates)
            });
            let lines: Vec<Line> = lines.collect();
            let mut name = String::new();
            write_service_name(&mut name, &id, NUMERIC);
            let line = Line {
                name,
                method: state.service.scheduler.clone(),
                weight: None,
                active: lines.iter().map(|line| line.active).sum(),
                inactive: lines.iter().map(|line| line.inactive).sum(),
                rates: rates(id, None, &state.counters),
            };
            (line, lines)
        });
        Self {
            services: services.collect(),
        }
    }
}

fn server_line(service: &ServiceId, state: &ServerState, rates: Rates) -> Line {
    let server = &state.server;
    let mut name = "  -> ".to_owned();
    // Writing to a string does not fail.
    let _ = NUMERIC.write(
        &mut name,
        server.id.address,
        server.id.port,
        service.protocol(),
    );
    Line {
        name,
        method: forward_name(server.forward).to_owned(),
        weight: Some(server.weight),
        active: state.active_connections.into(),
        inactive: state.inactive_connections.into(),
        rates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(connections: u64, in_bytes: u64) -> Counters {
        Counters {
            connections,
            in_bytes,
            ..Counters::default()
        }
    }

    #[test]
    fn rates_are_differences_over_time() {
        let rates = Rates::between(
            &counters(10, 1000),
            &counters(15, 6000),
            Duration::from_millis(2500),
        );
        let expected = Rates {
            connections: 2.0,
            in_bytes: 2000.0,
            ..Rates::default()
        };
        assert_eq!(rates, expected);
    }

    #[test]
    fn no_time_has_no_rates() {
        let rates = Rates::between(&counters(0, 0), &counters(5, 5), Duration::ZERO);
        assert_eq!(rates, Rates::default());
    }

    #[test]
    fn counters_set_to_0_count_from_there() {
        let rates = Rates::between(&counters(90, 9), &counters(4, 9), Duration::from_secs(2));
        assert_eq!((rates.connections, rates.in_bytes), (2.0, 0.0));
    }

    #[test]
    fn counters_beyond_32_bits_have_rates() {
        let before = counters(0, u64::from(u32::MAX));
        let after = counters(0, u64::from(u32::MAX) + 8_000_000_000);
        let rates = Rates::between(&before, &after, Duration::from_secs(1));
        assert_eq!(rates.in_bytes, 8e9);
    }
}
