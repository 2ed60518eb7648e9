//! `--status`, `--reload` and `--hand-over`: a running pulse is asked, its answer shown.
//!
//! Owns the look of the answer and the exit statuses: 0 active (or done), 3 standby, 4 trouble, 1 a
//! reload that was refused.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::control::{self, Outcome, Request};
use crate::status::{Conflict, Refused, Report, Way};

const ACTIVE: u8 = 0;
const STANDBY: u8 = 3;
const TROUBLE: u8 = 4;
/// A configuration that is not followed.
const REFUSED: u8 = 1;

/// For the status; the event loop answers between two of its turns.
const SOON: Duration = Duration::from_secs(5);
/// For a reload: names may have to be resolved, and lvs follows too.
const READ: Duration = Duration::from_secs(60);
/// For a hand-over, which the partner may let lapse.
const LATE: Duration = Duration::from_secs(300);

/// `--status`
pub(crate) fn status(run_dir: &Path, json: bool) -> ExitCode {
    let line = match ask(run_dir, Request::Status, SOON) {
        Ok(line) => line,
        Err(error) => return silent(run_dir, &error),
    };
    let report: Report = match serde_json::from_str(&line) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("pulse: an answer that this version does not understand: {error}");
            return ExitCode::from(TROUBLE);
        }
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let shown = if json { line } else { text(&report, now) };
    // A reader that has gone away is no trouble of the router.
    let _ = io::stdout().write_all(shown.as_bytes());
    ExitCode::from(exit_status(&report))
}

/// `--hand-over`
pub(crate) fn hand_over(run_dir: &Path) -> ExitCode {
    change(run_dir, Request::HandOver, LATE, TROUBLE)
}

/// `--reload`
pub(crate) fn reload(run_dir: &Path) -> ExitCode {
    change(run_dir, Request::Reload, READ, REFUSED)
}

/// `not_done` is the exit status of a request that was refused.
fn change(run_dir: &Path, request: Request, patience: Duration, not_done: u8) -> ExitCode {
    let line = match ask(run_dir, request, patience) {
        Ok(line) => line,
        Err(error) => return silent(run_dir, &error),
    };
    match serde_json::from_str::<Outcome>(&line) {
        Ok(Outcome { done: true, text }) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Outcome { text, .. }) => {
            eprintln!("pulse: {text}");
            ExitCode::from(not_done)
        }
        Err(error) => {
            eprintln!("pulse: an answer that this version does not understand: {error}");
            ExitCode::from(TROUBLE)
        }
    }
}

fn ask(run_dir: &Path, request: Request, patience: Duration) -> io::Result<String> {
    let mut stream = UnixStream::connect(control::socket(run_dir))?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(SOON))?;
    stream.write_all(format!("{}\n", serde_json::to_string(&request)?).as_bytes())?;
    let mut line = String::new();
    if BufReader::new(stream).read_line(&mut line)? == 0 {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it ended without an answer",
        ));
    }
    Ok(line)
}

fn silent(run_dir: &Path, error: &io::Error) -> ExitCode {
    let socket = control::socket(run_dir);
    eprintln!(
        "pulse: no running pulse answers at {}: {error}",
        socket.display()
    );
    ExitCode::from(TROUBLE)
}

fn exit_status(report: &Report) -> u8 {
    match (&report.content.trouble, report.content.serving) {
        (trouble, _) if !trouble.is_empty() => TROUBLE,
        (_, true) => ACTIVE,
        (_, false) => STANDBY,
    }
}

fn text(report: &Report, now: u64) -> String {
    let content = &report.content;
    let ago = |at: u64| format!("{} s ago", now.saturating_sub(at));
    let mut out = String::new();
    // Writing to a String does not fail.
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<9} {value}");
    };
    line("role", content.role.clone());
    let since = ago(content.since);
    let why = content.why.as_ref().map(|why| format!(", because: {why}"));
    line(
        "state",
        format!("{} since {since}{}", content.phase, why.unwrap_or_default()),
    );
    let partner = &content.partner;
    match &partner.address {
        None => line("partner", "none".to_owned()),
        Some(address) => {
            let says = partner.phase.as_deref().or(partner.says.as_deref());
            let says = says.unwrap_or("silent");
            let file = partner.configuration.as_ref();
            let file = match file {
                Some(file) if *file == content.configuration => ", has the same lvs.cf",
                Some(_) => ", has another lvs.cf",
                None => "",
            };
            line("partner", format!("{address} {says}{file}"));
        }
    }
    for way in &content.paths {
        let Way {
            path,
            state,
            last_heard,
            ..
        } = way;
        let heard = last_heard.map_or("nothing heard".to_owned(), |at| {
            format!("last heartbeat {}", ago(at))
        });
        line("path", format!("{path} {state}, {heard}"));
    }
    if let Some(answers) = content.witness {
        let answers = if answers { "answers" } else { "silent" };
        line("witness", answers.to_owned());
    }
    for vip in &content.vips {
        let up = if vip.up { "up" } else { "not up" };
        line("VIP", format!("{} {} {up}", vip.address, vip.device));
    }
    if let Some(refused) = refused(content.refused) {
        line("refused", refused);
    }
    if let Some(Conflict { address, mac, at }) = &content.last_conflict {
        let count = content.conflicts;
        let last = format!("{count}, the last {}: {address} at {mac}", ago(*at));
        line("conflicts", last);
    }
    for trouble in &content.trouble {
        line("trouble", trouble.clone());
    }
    for event in &report.events {
        line("event", format!("{}: {}", ago(event.at), event.text));
    }
    out
}

/// Packets at the heartbeat port that counted for nothing.
fn refused(refused: Refused) -> Option<String> {
    let kinds = [
        ("from strangers", refused.stranger),
        ("too short", refused.short),
        ("incompatible", refused.incompatible),
        ("without a tag", refused.untagged),
        ("with a wrong tag", refused.forged),
        ("reflected", refused.reflected),
        ("replayed", refused.replayed),
        ("stale", refused.stale),
    ];
    let counted: Vec<String> = kinds
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    Some(counted.join(", ")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(trouble: &str, serving: bool) -> Report {
        let text = format!(
            r#"{{"pid":7,"role":"primary","phase":"active","since":100,"why":"partner dead: activating lvs",
            "epoch":3,"serving":{serving},"trouble":[{trouble}],
            "partner":{{"address":"10.0.0.2","says":"stopped","phase":"standby","epoch":2,"able":true,
                "configuration":{{"serial_no":5,"digest":"00ff"}}}},
            "configuration":{{"serial_no":5,"digest":"00ff"}},"witness":true,"conflicts":2,
            "last_conflict":{{"address":"10.0.0.80","mac":"02:00:00:00:00:09","at":150}},
            "refused":{{"stranger":0,"short":0,"incompatible":3,"untagged":0,"forged":1,
                "reflected":0,"replayed":0,"stale":0}},
            "paths":[{{"path":"public","state":"alive","says":"stopped","last_heard":159}},
                     {{"path":"private","state":"unknown","says":null,"last_heard":null}}],
            "vips":[{{"address":"10.0.0.80/24","device":"eth0:1","up":true}}],
            "events":[{{"at":100,"text":"partner dead: activating lvs"}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn people_read_one_thing_a_line() {
        let shown = text(&report("\"no disk\"", true), 160);
        assert_eq!(
            shown,
            "\
role      primary
state     active since 60 s ago, because: partner dead: activating lvs
partner   10.0.0.2 standby, has the same lvs.cf
path      public alive, last heartbeat 1 s ago
path      private unknown, nothing heard
witness   answers
VIP       10.0.0.80/24 eth0:1 up
refused   3 incompatible, 1 with a wrong tag
conflicts 2, the last 10 s ago: 10.0.0.80 at 02:00:00:00:00:09
trouble   no disk
event     60 s ago: partner dead: activating lvs
"
        );
    }

    #[test]
    fn exit_statuses() {
        assert_eq!(exit_status(&report("", true)), ACTIVE);
        assert_eq!(exit_status(&report("", false)), STANDBY);
        assert_eq!(exit_status(&report("\"no disk\"", true)), TROUBLE);
    }
}
