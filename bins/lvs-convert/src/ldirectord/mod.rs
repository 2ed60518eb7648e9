//! ldirectord.cf: global directives, and one section for each virtual service.
//!
//! Owns the order of the file. The sections are read by `service`.

use std::time::Duration;

use crate::draft::{Draft, number};
use crate::notes::{Fault, Notes};

mod line;
mod probe;
mod service;

use line::Line;

/// What holds for all services unless they say otherwise.
#[derive(Debug, Clone, Default)]
struct Defaults<'a> {
    interval: Option<u32>,
    failures: Option<u32>,
    fallback: Option<Line<'a>>,
    quiescent: bool,
}

impl Defaults<'_> {
    /// ldirectord's own, where `checkinterval` is not written.
    const INTERVAL: u32 = 10;

    fn interval(&self) -> Duration {
        Duration::from_secs(self.interval.unwrap_or(Self::INTERVAL).max(1).into())
    }
}

/// Reads the text of file number `file`.
pub(crate) fn read(file: usize, text: &str, notes: &mut Notes) -> Result<Draft, Fault> {
    let all: Vec<Line<'_>> = line::lines(file, text).collect();
    let mut defaults = Defaults::default();
    let mut draft = Draft::default();
    // Directives count for the services above them, too.
    for line in all.iter().filter(|line| !line.indented) {
        if line.value.is_none() && line.keyword != "supervised" {
            let help = "a line is KEYWORD = VALUE, or a remark behind a #";
            return Err(Fault::at(
                line.place,
                "neither a directive nor a service",
                help,
            ));
        }
        global(line, &mut defaults, notes);
    }
    let mut rest = all.as_slice();
    while let Some((line, after)) = rest.split_first() {
        let end = after
            .iter()
            .position(|line| !line.indented)
            .unwrap_or(after.len());
        let (section, next) = after.split_at(end);
        rest = next;
        if line.keyword == "virtual" && !line.indented {
            draft
                .services
                .extend(service::read(line, section, &defaults, notes));
        } else if let Some(lost) = section.first().filter(|_| line.keyword != "virtual6") {
            let help = "remove the blanks before it, or write the virtual line that it belongs to";
            return Err(Fault::at(
                lost.place,
                "an indented line that belongs to no service",
                help,
            ));
        }
    }
    Ok(draft)
}

fn global<'a>(line: &Line<'a>, defaults: &mut Defaults<'a>, notes: &mut Notes) {
    let (place, keyword) = (line.place, line.keyword);
    match keyword {
        "virtual" | "fork" | "supervised" | "readdquiescent" => {}
        "virtual6" => {
            notes.lost(
                place,
                keyword,
                "lvs.cf has no IPv6",
                "keep ldirectord for this service",
            );
        }
        "checkinterval" => defaults.interval = number(line.text()),
        "failurecount" => defaults.failures = number(line.text()),
        "quiescent" => defaults.quiescent = line.text() == "yes",
        "fallback" => defaults.fallback = Some(*line),
        _ => common(line, notes),
    }
}

/// What has no counterpart, or nearly so, wherever it stands.
fn common(line: &Line<'_>, notes: &mut Notes) {
    let (place, keyword) = (line.place, line.keyword);
    match keyword {
        "checktimeout" | "negotiatetimeout" | "connecttimeout" => {
            let help = "timeout is both";
            notes.changed(
                place,
                keyword,
                "a check may take as long as the interval",
                help,
            );
        }
        "checkcount" => notes.lost(
            place,
            keyword,
            "ping checks only have it",
            "retries counts failed checks",
        ),
        "autoreload" => {
            let help = "systemctl reload pulse, or pulse --reload";
            notes.lost(
                place,
                keyword,
                "lvs.cf is read again when it is asked for",
                help,
            );
        }
        "logfile" | "monitorfile" => {
            let help = "journalctl -u pulse; lvs --status tells the last verdicts";
            notes.lost(place, keyword, "everything goes to the system's log", help);
        }
        "cleanstop" => {
            notes.lost(
                place,
                keyword,
                "a router that stops hands over, then withdraws its table",
                "",
            );
        }
        "maintenancedir" => {
            let help = "lvs --drain SERVICE/SERVER takes a server out for a while";
            notes.lost(place, keyword, "there is no such folder", help);
        }
        "callback" | "execute" | "fallbackcommand" => {
            notes.lost(
                place,
                keyword,
                "nothing is started",
                "let the monitoring watch the log or lvs.json",
            );
        }
        "smtp" => notes.lost(place, keyword, "no program here sends mail", ""),
        word if word.starts_with("emailalert") => {
            let help = "let the monitoring watch the log or lvs.json";
            notes.lost(place, keyword, "no program here sends mail", help);
        }
        "fallback6" | "real6" => notes.lost(place, keyword, "lvs.cf has no IPv6", ""),
        _ => notes.lost(place, keyword, "lvs.cf has nothing of the kind", ""),
    }
}
