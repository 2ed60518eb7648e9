//! What lvs and pulse would write of 500 services with 2,000 servers.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::error::{Context, Result};

pub(super) const SERVICES: usize = 500;
const SERVERS: usize = 4;
/// Checks that lvs tells of each server.
const CHECKS: u64 = 10;

/// The address of a service.
fn virtual_address(service: usize) -> String {
    format!("198.18.{}.{}", service / 200, service % 200 + 1)
}

fn real_address(service: usize, server: usize) -> String {
    let number = service * SERVERS + server;
    format!("10.1.{}.{}", number / 200, number % 200 + 1)
}

/// lvs.cf of all of them.
pub(super) fn lvs_cf() -> String {
    let mut text = "serial_no = 1\nprimary = 192.0.2.1\nservice = lvs\nrsh_command = ssh\nbackup_active = 1\nbackup = 192.0.2.2\n\
        network = nat\nnat_router = 10.1.255.254 eth1:1\n"
        .to_owned();
    for service in 0..SERVICES {
        let address = virtual_address(service);
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "virtual s{service} {{\n active = 1\n address = {address} eth0:{service}\n port = 80\n \
             send = \"GET / HTTP/1.0\\r\\n\\r\\n\"\n expect = \"HTTP\"\n scheduler = wlc"
        );
        for server in 0..SERVERS {
            let address = real_address(service, server);
            let _ = writeln!(
                text,
                " server r{server} {{\n  address = {address}\n  active = 1\n  weight = 10\n }}"
            );
        }
        text.push_str("}\n");
    }
    text
}

/// `lvs.json` and what changes in it.
pub(super) struct State(Value);

impl State {
    pub(super) fn new() -> Self {
        let services: Vec<Value> = (0..SERVICES).map(service).collect();
        Self(json!({
            "version": "0", "pid": std::process::id(), "mode": "active", "services": services, "notes": [],
            "audit": {"count": 1, "last_ms": 1.0},
        }))
    }

    /// One server changes its state; with `counters` all have new figures too.
    pub(super) fn turn(&mut self, number: u64, counters: bool) {
        let Some(services) = self.0.get_mut("services").and_then(Value::as_array_mut) else {
            return;
        };
        if counters {
            for (at, service) in (0_u64..).zip(services.iter_mut()) {
                count(service, at, number);
            }
        }
        let at = usize::try_from(number).unwrap_or_default() * 7 % SERVICES;
        let server = services
            .get_mut(at)
            .and_then(|it| it.pointer_mut("/servers/0"));
        let Some(server) = server else { return };
        let verdict = if server.get("verdict") == Some(&json!("up")) {
            "down"
        } else {
            "up"
        };
        let check = json!({"at": now(), "verdict": verdict, "reason": "connection refused"});
        for (name, value) in [
            ("verdict", json!(verdict)),
            ("health", json!(verdict)),
            ("since", json!(now())),
        ] {
            if let Some(member) = server.get_mut(name) {
                *member = value;
            }
        }
        if let Some(history) = server.get_mut("history").and_then(Value::as_array_mut) {
            history.remove(0);
            history.push(check);
        }
    }

    /// As lvs does it: in one step.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.0).map_err(std::io::Error::from);
        let new = folder.join("lvs.json.new");
        let written = text.and_then(|text| std::fs::write(&new, text));
        written
            .and_then(|()| std::fs::rename(&new, folder.join("lvs.json")))
            .during("writing lvs.json")
    }
}

fn service(service: usize) -> Value {
    let servers: Vec<Value> = (0..SERVERS).map(|it| server(service, it)).collect();
    json!({
        "name": format!("s{service}"), "service": format!("-t {}:80", virtual_address(service)),
        "scheduler": "wlc", "present": true, "counters": counters(1), "servers": servers,
    })
}

fn server(service: usize, server: usize) -> Value {
    let history: Vec<Value> = (0..CHECKS)
        .map(|ago| json!({"at": now() - 60_000 * (CHECKS - ago), "verdict": "up", "reason": ""}))
        .collect();
    json!({
        "name": format!("r{server}"), "server": format!("{}:80", real_address(service, server)), "check_port": 80,
        "health": "up", "verdict": "up", "reason": "", "since": now(), "weight": 10, "configured_weight": 10,
        "nanny": 1000 + service, "active_connections": 1, "inactive_connections": 2, "counters": counters(1),
        "history": history,
    })
}

fn counters(number: u64) -> Value {
    json!({
        "connections": number, "in_packets": 9 * number, "out_packets": 9 * number, "in_bytes": 900 * number,
        "out_bytes": 9000 * number, "connections_per_second": number % 50, "in_packets_per_second": number % 450,
        "out_packets_per_second": number % 450, "in_bytes_per_second": number % 45_000,
        "out_bytes_per_second": number % 450_000,
    })
}

fn count(service: &mut Value, at: u64, number: u64) {
    let figures = counters(number * 13 + at);
    let servers = service.get_mut("servers").and_then(Value::as_array_mut);
    for server in servers.into_iter().flatten() {
        if let Some(member) = server.get_mut("counters") {
            *member = figures.clone();
        }
        if let Some(member) = server.get_mut("active_connections") {
            *member = json!((number + at) % 90);
        }
    }
    if let Some(member) = service.get_mut("counters") {
        *member = figures;
    }
}

/// `pulse.json` of a pair that is well.
pub(super) fn pulse_json() -> Value {
    let since = now() / 1000;
    let vips: Vec<Value> = (0..SERVICES)
        .map(|it| json!({"address": virtual_address(it), "device": format!("eth0:{it}"), "up": true}))
        .collect();
    json!({
        "pid": std::process::id(), "role": "primary", "phase": "active", "since": since, "epoch": 3, "serving": true,
        "trouble": [], "partner": {"address": "192.0.2.2", "says": "stopped", "phase": "standby", "able": true},
        "paths": [{"path": "public", "state": "alive", "says": "stopped", "last_heard": since}],
        "vips": vips, "configuration": {"serial_no": 1, "digest": "0"},
    })
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_changes_one_server_and_perhaps_all_figures() {
        let mut state = State::new();
        let before = state.0.clone();
        let changed = |a: &Value, b: &Value| {
            let both = a["services"]
                .as_array()
                .unwrap()
                .iter()
                .zip(b["services"].as_array().unwrap());
            both.filter(|(a, b)| a != b).count()
        };
        state.turn(1, false);
        assert_eq!(changed(&before, &state.0), 1);
        state.turn(2, true);
        assert_eq!(changed(&before, &state.0), SERVICES);
        assert_eq!(lvs_cf().matches(" server r").count(), SERVICES * SERVERS);
    }
}
