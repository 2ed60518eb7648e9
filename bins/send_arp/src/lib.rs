//! `send_arp`: announces an address by gratuitous ARP (`piranha-daemons.md` section 6), one from the
//! command line or, with `--batch`, many from standard input.
//!
//! Must not know which addresses are virtual, nor when to announce them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use daemon::cli::version_text;
use netdev::arp::Sender;
use nix::errno::Errno;

mod request;

use request::Request;

/// The device when none is named.
const DEVICE: &str = "eth0";

const USAGE: &str = "send_arp: sends out custom ARP packet\n\
    \tusage: send_arp [-i DEV] SRC_IP SRC_HW TARGET_IP TARGET_HW\n";

/// What `--help` prints; the options of the manual are made from it.
pub const HELP: &str = "\
Usage: send_arp [-i DEV] SRC_IP SRC_HW TARGET_IP TARGET_HW
       send_arp --batch

Announces that SRC_IP is at SRC_HW: sends one gratuitous ARP reply on DEV
(eth0) to the Ethernet address TARGET_HW, usually ffffffffffff. TARGET_IP is
accepted for compatibility and not used. Hardware addresses are 12 hexadecimal
digits, with or without colons. Needs root.

  -i DEV        Network interface to send on
  --batch       Read announcements from standard input, one a line:
                DEV SRC_IP SRC_HW TARGET_IP TARGET_HW

Help options:
  -?, --help    Show this help message
  --version     Display version
";

/// Runs the program with its arguments, its own name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<String> = args
        .into_iter()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match act(&words) {
        Some(Act::Help) => print(HELP),
        Some(Act::Version) => print(&version_text("send_arp", env!("CARGO_PKG_VERSION"))),
        Some(Act::Batch) => batch(io::stdin().lock()),
        Some(Act::Single(fields)) => single(fields),
        None => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let _ = io::stderr().write_all(text.as_bytes());
            ExitCode::from(1)
        }
    }
}

/// What the words ask for.
enum Act<'a> {
    Help,
    Version,
    Batch,
    Single([&'a str; 5]),
}

fn act<'a>(words: &[&'a str]) -> Option<Act<'a>> {
    match *words {
        ["--help" | "-?"] => Some(Act::Help),
        ["--version"] => Some(Act::Version),
        ["--batch"] => Some(Act::Batch),
        [source_ip, source_hw, target_ip, target_hw] => Some(Act::Single([
            DEVICE, source_ip, source_hw, target_ip, target_hw,
        ])),
        ["-i", device, source_ip, source_hw, target_ip, target_hw] => Some(Act::Single([
            device, source_ip, source_hw, target_ip, target_hw,
        ])),
        _ => None,
    }
}

/// Whether [`run`] would not answer these words, without the program's name, with its usage.
pub fn understands(words: &[&str]) -> bool {
    act(words).is_some()
}

fn print(text: &str) -> Result<(), String> {
    // A reader that went away is no failure.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn single(fields: [&str; 5]) -> Result<(), String> {
    let sent =
        Request::resolve(fields).and_then(|request| send(&mut open(&request.device)?, &request));
    sent.map_err(|text| text + "\n")
}

/// Every line is tried; the result names those that failed. One socket serves all lines of a device.
fn batch(input: impl BufRead) -> Result<(), String> {
    let mut senders = HashMap::new();
    let mut failures = String::new();
    for (number, line) in input.split(b'\n').enumerate() {
        let number = number + 1;
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                failures.push_str(&format!("send_arp: line {number}: cannot read: {error}\n"));
                break;
            }
        };
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        if let Err(reason) = announce(&line, &mut senders) {
            failures.push_str(&format!("send_arp: line {number}: {reason}\n"));
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures)
    }
}

fn announce(line: &str, senders: &mut HashMap<String, Sender>) -> Result<(), String> {
    let request = Request::parse_line(line)?;
    if !senders.contains_key(&request.device) {
        senders.insert(request.device.clone(), open(&request.device)?);
    }
    senders
        .get_mut(&request.device)
        .map_or(Ok(()), |sender| send(sender, &request))
}

fn open(device: &str) -> Result<Sender, String> {
    Sender::open(device).map_err(|error| reason(&error))
}

fn send(sender: &mut Sender, request: &Request) -> Result<(), String> {
    sender
        .send(&request.arp.frame())
        .map_err(|error| reason(&error))
}

/// The system call and the reason, as the original's `perror` prints them.
fn reason(error: &netdev::Error) -> String {
    match error {
        netdev::Error::NoInterface { interface } => {
            format!("sendto: {} ({interface})", Errno::ENODEV.desc())
        }
        netdev::Error::PacketSocket { source, .. } => format!("socket: {}", system_reason(source)),
        netdev::Error::Send { source, .. } => format!("sendto: {}", system_reason(source)),
        other => format!("send_arp: {other}"),
    }
}

fn system_reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => Errno::from_raw(code).desc().to_owned(),
        None => error.to_string(),
    }
}
