//! Reads a large lvs.cf and prints what it cost: `large [MEGABYTES] [SERVERS] [check]`.
//!
//! One line, `bytes=… servers=… seconds=… peak_bytes=…`; the peak is what the reading added to the
//! memory of the process. With `check` all that `--check` does is measured.

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| {
        arguments
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(default)
    };
    let (megabytes, servers): (usize, usize) = (number(10), number(40_000));
    let check = arguments.next().as_deref() == Some("check");
    let text = text(megabytes * 1_000_000, servers);
    let before = status("VmRSS:");
    let start = Instant::now();
    let read = if check {
        let parsed = lvs_config::parse_all(&text);
        let json = lvs_config::check::json(&parsed.diagnostics);
        (!parsed.has_errors() && !json.is_empty()).then_some(parsed.config)
    } else {
        lvs_config::parse(&text).ok().map(|checked| checked.config)
    };
    let seconds = start.elapsed().as_secs_f64();
    let Some(config) = read else {
        return ExitCode::FAILURE;
    };
    let peak = status("VmHWM:").saturating_sub(before);
    let found: usize = config
        .virtuals
        .iter()
        .map(|service| service.servers.len())
        .sum();
    println!(
        "bytes={} servers={found} seconds={seconds:.3} peak_bytes={peak}",
        text.len()
    );
    if found == servers {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Services of forty servers each, filled up with comments to the size wanted.
fn text(bytes: usize, servers: usize) -> Vec<u8> {
    let mut text = String::from("serial_no = 1\nprimary = 192.0.2.1\nnetwork = direct\n");
    let share = bytes / servers.max(1);
    for server in 0..servers {
        let target = (server + 1) * share;
        if server % 40 == 0 {
            if server > 0 {
                text.push_str("}\n");
            }
            let service = server / 40;
            let (high, low) = (service / 250, service % 250 + 1);
            text.push_str(&format!(
                "virtual service-{service} {{\n     active = 1\n     address = 10.1.{high}.{low} \
                 eth0:{service}\n     port = 80\n     send = \"GET / HTTP/1.0\\r\\n\\r\\n\"\n     \
                 expect = \"HTTP\"\n     scheduler = wlc\n     protocol = tcp\n"
            ));
        }
        let (net, high, low) = (2 + server / 62_500, server / 250 % 250, server % 250 + 1);
        text.push_str(&format!(
            "     server node-{server} {{\n         address = 10.{net}.{high}.{low}\n         \
             active = 1\n         weight = 1\n     }}\n"
        ));
        while text.len() + 60 < target {
            text.push_str("     # a comment that an administrator left here long ago\n");
        }
    }
    text.push_str("}\n");
    text.into_bytes()
}

/// A value of /proc/self/status in bytes; 0 where there is none.
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.unwrap_or(0) * 1024
}
