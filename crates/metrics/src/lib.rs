//! The daemons' status as metrics: from the content of `pulse.json` and `lvs.json` to text that
//! Prometheus reads.
//!
//! Knows the names of the metrics and the two text forms. Reads no file and no clock.

mod exposition;
mod lvs;
mod pulse;
mod status;

use std::time::Duration;

use exposition::{Exposition, Family};

/// How metrics are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// OpenMetrics 1.0, for whoever asks over HTTP.
    OpenMetrics,
    /// Prometheus' older text form 0.0.4, which node_exporter's textfile collector reads.
    Textfile,
}

impl Form {
    /// The media type of the text.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Textfile => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The status files, by name in the run-time folder.
const FILES: [&str; 2] = ["pulse.json", "lvs.json"];

const READABLE: Family = Family::gauge(
    "piranha_status_readable",
    "Whether the daemon's status file is there and can be read: 0 when it ended; killed, it leaves the file.",
);
const AGE: Family = Family::gauge(
    "piranha_status_age_seconds",
    "Time since the daemon wrote its status file; pulse writes every 5 s, a serving lvs with each audit.",
)
.in_unit("seconds");

/// All metrics of a router; what is not known is left out. `read` gives a status file and the time since
/// it was written; one that cannot be read, or is not what a daemon writes, counts as missing.
pub fn render(form: Form, read: impl Fn(&str) -> Option<(Vec<u8>, Duration)>) -> String {
    let [pulse, lvs] = FILES.map(read);
    let pulse = pulse
        .as_ref()
        .and_then(|(content, age)| Some((status::pulse(content)?, *age)));
    let lvs = lvs
        .as_ref()
        .and_then(|(content, age)| Some((status::lvs(content)?, *age)));
    let mut text = Exposition::new(form);
    let ages = [
        ("pulse", pulse.as_ref().map(|(_, age)| *age)),
        ("lvs", lvs.as_ref().map(|(_, age)| *age)),
    ];
    text.begin(&READABLE);
    for (daemon, age) in ages {
        text.sample(&[("daemon", daemon)], age.is_some());
    }
    text.begin(&AGE);
    for (daemon, age) in ages {
        text.sample_if(&[("daemon", daemon)], age.map(|age| age.as_secs_f64()));
    }
    if let Some((pulse, _)) = &pulse {
        pulse::write(&mut text, pulse);
    }
    if let Some((lvs, _)) = &lvs {
        lvs::write(&mut text, lvs);
    }
    text.finish()
}
