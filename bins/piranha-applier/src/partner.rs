//! The other router: its lvs.cf is compared through pulse and replaced through ssh (R20), and what its
//! daemons say of themselves is asked for through ssh.
//!
//! Owns the way there. No shell here, and fixed commands over there: this program again, which judges
//! what it gets by itself, and the daemons' own questions about their state.

use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use change::protocol::{Origin, Outcome, Partner, Reply, RouterFile, Said};
use change::{digest, pair_digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::applier::Applier;
use crate::daemons;

/// The whole transfer ends by then.
const LIMIT: Duration = Duration::from_secs(60);
/// How often a running transfer is looked at.
const PAUSE: Duration = Duration::from_millis(20);
/// As much of what the other side says is kept: of a message, and of a state.
const SAID: u64 = 4096;
const STATE: u64 = 16 << 20;

/// What precedes the file on its way, on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) origin: Origin,
    /// Of the file that follows.
    pub(crate) digest: String,
}

/// The two routers' files as far as they are known.
pub(crate) fn compare(applier: &Applier) -> Result<Partner, String> {
    let current = applier.read()?;
    let config = lvs_config::parse_all(&current.bytes).config;
    let status = match daemons::pulse_status(&applier.settings.run_dir) {
        Said::Status(status) => status,
        Said::Silent(_) => Value::Null,
    };
    let file = |pointer: &str| -> Option<RouterFile> {
        let file = status.pointer(pointer)?;
        Some(RouterFile {
            serial: i32::try_from(file.get("serial_no")?.as_i64()?).ok()?,
            pair_digest: file.get("digest")?.as_str()?.to_owned(),
        })
    };
    let can_send = address(applier).map(|to| to.to_string());
    Ok(Partner {
        address: status
            .pointer("/partner/address")
            .and_then(Value::as_str)
            .map(str::to_owned),
        own: RouterFile {
            serial: config.global.serial_no.value,
            pair_digest: pair_digest(&current.bytes),
        },
        followed: file("/configuration"),
        partner: file("/partner/configuration"),
        can_send: Outcome {
            done: can_send.is_ok(),
            text: can_send.unwrap_or_else(|why| why),
        },
    })
}

/// Where the partner is reached.
///
/// # Errors
/// Why it is not, or where is not known.
pub(crate) fn address(applier: &Applier) -> Result<Ipv4Addr, String> {
    if applier.settings.ssh.is_none() {
        return Err(
            "the partner is not reached: the option --send-to-partner is not set".to_owned(),
        );
    }
    let config = lvs_config::parse(&applier.read()?.bytes)
        .map_err(|error| format!("the partner is not reached: lvs.cf has errors: {error}"))?
        .config;
    if config.global.rsh_command.value != *"ssh" {
        return Err("the partner is reached only with rsh_command = ssh in lvs.cf".to_owned());
    }
    match daemons::pulse_status(&applier.settings.run_dir) {
        Said::Status(status) => status
            .pointer("/partner/address")
            .and_then(Value::as_str)
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| "pulse knows no partner".to_owned()),
        Said::Silent(why) => Err(format!("the partner is not known: {why}")),
    }
}

/// Sends the file as it is.
pub(crate) fn send(applier: &Applier, to: Ipv4Addr, origin: &Origin) -> Outcome {
    let sent = applier.read().and_then(|current| {
        let header = Header {
            origin: origin.clone(),
            digest: digest(&current.bytes),
        };
        let mut input = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
        input.push(b'\n');
        input.extend_from_slice(&current.bytes);
        let command = ["piranha-applier", "--receive"];
        let said = remote(applier, to, &command, input, SAID)
            .and_then(Heard::if_done)
            .map_err(|why| format!("the partner did not take the file: {why}"))?;
        match said.lines().next() {
            Some(line) => Ok(line.to_owned()),
            None => Err("the partner took the file without an answer".to_owned()),
        }
    });
    match sent {
        Ok(text) => Outcome { done: true, text },
        Err(text) => Outcome { done: false, text },
    }
}

/// What the partner's daemons say of themselves.
///
/// # Errors
/// Why the partner is not asked.
pub(crate) fn status(applier: &Applier) -> Result<Reply, String> {
    let to = address(applier)?;
    let ask = |program: &str| {
        let command = [program, "--status", "--json"];
        let heard = remote(applier, to, &command, Vec::new(), STATE);
        heard.and_then(Heard::state).map_or_else(
            |why| Said::Silent(format!("{program} of the partner: {why}")),
            Said::Status,
        )
    };
    Ok(Reply::Status {
        pulse: ask("pulse"),
        lvs: ask("lvsd"),
    })
}

/// What came of a command there.
struct Heard {
    is_success: bool,
    said: String,
    /// The first line of what it complained of.
    complaint: String,
}

impl Heard {
    /// What it said, if its exit status is that of success.
    fn if_done(self) -> Result<String, String> {
        if self.is_success {
            Ok(self.said)
        } else {
            Err(self.complaint)
        }
    }

    /// The state that it told. The exit status tells of the router, not of the answer: that of a
    /// standby is not zero.
    fn state(self) -> Result<Value, String> {
        match serde_json::from_str(&self.said) {
            Ok(state) => Ok(state),
            Err(error) if self.is_success => Err(format!("not understood: {error}")),
            Err(_) => Err(self.complaint),
        }
    }
}

/// Runs a command there and keeps at most so many bytes of what it says.
fn remote(
    applier: &Applier,
    to: Ipv4Addr,
    command: &[&str],
    input: Vec<u8>,
    most: u64,
) -> Result<Heard, String> {
    let ssh = applier.settings.ssh.as_deref();
    let ssh = ssh.ok_or_else(|| "it is not reached".to_owned())?;
    let mut child = Command::new(ssh)
        .args(["-T", "-oBatchMode=yes", "-oConnectTimeout=10", "--"])
        .arg(to.to_string())
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", ssh.display()))?;
    let stdin = child.stdin.take();
    let writer = std::thread::spawn(move || {
        // One that does not read is judged by its exit status.
        let _ = stdin.map(|mut stdin| stdin.write_all(&input));
    });
    let said = listen(child.stdout.take(), most);
    let complained = listen(child.stderr.take(), SAID);
    let ended = wait(&mut child);
    let _ = writer.join();
    let text = |thread: std::thread::JoinHandle<String>| thread.join().unwrap_or_default();
    let (said, complained) = (text(said), text(complained));
    let is_success = ended.ok_or_else(|| format!("no end within {} s", LIMIT.as_secs()))?;
    Ok(Heard {
        is_success,
        said,
        complaint: complained.lines().next().unwrap_or_default().to_owned(),
    })
}

/// The beginning of what it says; the rest is read away.
fn listen(pipe: Option<impl Read + Send + 'static>, most: u64) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let Some(mut pipe) = pipe else {
            return String::new();
        };
        let mut text = Vec::new();
        let _ = pipe.by_ref().take(most).read_to_end(&mut text);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Whether it ended well; `None`: it had to be killed.
fn wait(child: &mut Child) -> Option<bool> {
    let deadline = Instant::now() + LIMIT;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}
