//! From options and environment to what is checked and how it is judged (`piranha-daemons.md` 5.1).
//!
//! What the original's arguments have no room for comes in the environment: `PIRANHA_TIMEOUT_MS`,
//! `PIRANHA_RETRIES`, `PIRANHA_SLOW_START` (0 or 1), `PIRANHA_PROGRAM_SLOTS` (`COUNT:FILE`, programs at
//! once) and, under lvs, `PIRANHA_WEIGHT` (found in the table). `PIRANHA_NAME` is for messages only.

use crate::options::{Options, Service};
use health::Settings;
use probe::{Check, Expect, LoadMonitor, Program, Protocol, Slots, decode};
use std::net::SocketAddrV4;
use std::time::{Duration, SystemTime};
use thiserror::Error;

/// What the default check sends and expects.
const WEB: (&[u8], &[u8]) = (b"GET / HTTP/1.0\r\n\r\n", b"HTTP");
const DEFAULT_REENTRY: Duration = Duration::from_secs(180);

/// Why a checker cannot start.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum SettingsError {
    /// Zero or negative (B27).
    #[error("bad interval -- {0}")]
    Interval(i32),
    /// Negative.
    #[error("bad reentry time -- {0}")]
    Reentry(i32),
    /// Negative (B30).
    #[error("bad weight -- {0}")]
    Weight(i32),
    /// Negative.
    #[error("bad firewall mark -- {0}")]
    Mark(i32),
    /// Nothing to name the service by.
    #[error("No virtual address supplied. Use '--help' for help.")]
    NoService,
    /// An environment variable with nonsense in it.
    #[error("bad value -- {name}={value}")]
    Environment {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// What only the environment can ask for.
    #[error(transparent)]
    Health(#[from] health::SettingsError),
}

/// Everything a checker works with.
#[derive(Debug)]
pub(crate) struct Monitor {
    /// The server and its port.
    pub(crate) real: SocketAddrV4,
    pub(crate) check: Check,
    /// Time limit of a check.
    pub(crate) limit: Duration,
    pub(crate) load: Option<LoadMonitor>,
    /// Shared with all checkers: how many programs may run at once.
    pub(crate) slots: Option<Slots>,
    pub(crate) health: Settings,
    /// What to say at start.
    pub(crate) notices: Vec<String>,
}

impl Monitor {
    pub(crate) fn new(options: &Options, reports: bool) -> Result<Self, SettingsError> {
        let natural = |value: i32, error: fn(i32) -> SettingsError| {
            u32::try_from(value).map_err(|_| error(value))
        };
        let weight = natural(options.weight, SettingsError::Weight)?;
        natural(options.mark, SettingsError::Mark)?;
        let alone = options.service == Service::Lvs && !reports && !options.norun;
        if alone && options.mark == 0 && options.virtual_address.is_none() {
            return Err(SettingsError::NoService);
        }
        let interval = interval(options)?;
        let mut notices = Vec::new();
        let load = options.load_command.as_deref().and_then(LoadMonitor::new);
        let mut health = Settings::new(interval, weight);
        health.reentry = reentry(options, interval)?;
        health.scale = u32::try_from(options.scale).unwrap_or(1);
        health.quiesce = options.quiesce;
        health.load_monitor = load.is_some();
        health.retries = environment("PIRANHA_RETRIES")?.unwrap_or(health.retries);
        health.slow_start = environment("PIRANHA_SLOW_START")?.is_none_or(|value: u8| value != 0);
        health.found_weight = if reports {
            environment("PIRANHA_WEIGHT")?
        } else {
            None
        };
        health.seed = seed();
        let check = check(options, &mut notices);
        notices.push(greeting(options));
        notices.extend(port_warning(options).filter(|_| alone));
        Ok(Self {
            real: SocketAddrV4::new(options.server, options.real_port),
            check,
            limit: interval,
            slots: slots(options, load.is_some(), &mut notices)?,
            load,
            health: health.check()?,
            notices,
        })
    }
}

fn interval(options: &Options) -> Result<Duration, SettingsError> {
    if let Some(milliseconds) = environment::<u64>("PIRANHA_TIMEOUT_MS")? {
        return Ok(Duration::from_millis(milliseconds));
    }
    match u64::try_from(options.interval) {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err(SettingsError::Interval(options.interval)),
    }
}

fn reentry(options: &Options, interval: Duration) -> Result<Duration, SettingsError> {
    let seconds =
        u64::try_from(options.reentry).map_err(|_| SettingsError::Reentry(options.reentry))?;
    Ok(match (seconds, options.service) {
        (0, Service::Lvs) => DEFAULT_REENTRY,
        (0, Service::Failover) => interval,
        _ => Duration::from_secs(seconds),
    })
}

fn environment<T: std::str::FromStr>(name: &'static str) -> Result<Option<T>, SettingsError> {
    let Some(value) = std::env::var_os(name) else {
        return Ok(None);
    };
    let value = value.to_string_lossy().into_owned();
    match value.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(SettingsError::Environment { name, value }),
    }
}

/// Only a checker that runs programs has to share them.
fn slots(
    options: &Options,
    load: bool,
    notices: &mut Vec<String>,
) -> Result<Option<Slots>, SettingsError> {
    const NAME: &str = "PIRANHA_PROGRAM_SLOTS";
    let programs = options.send_program.is_some() || load;
    let Some(value) = std::env::var_os(NAME).filter(|_| programs) else {
        return Ok(None);
    };
    let value = value.to_string_lossy().into_owned();
    let parts = value
        .split_once(':')
        .and_then(|(count, path)| Some((count.parse().ok()?, path)));
    let Some((count, path)) = parts else {
        return Err(SettingsError::Environment { name: NAME, value });
    };
    match Slots::open(path.as_ref(), count) {
        Ok(slots) => Ok(Some(slots)),
        // To check matters more than to count.
        Err(error) => {
            notices.push(format!(
                "cannot open {path}: {error}; check programs are not counted"
            ));
            Ok(None)
        }
    }
}

/// Different for checkers started in the same moment.
fn seed() -> u64 {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::from(std::process::id()) << 32 ^ u64::from(now.subsec_nanos())
}

fn check(options: &Options, notices: &mut Vec<String>) -> Check {
    let decoded = |text: &Option<Vec<u8>>| {
        text.as_deref().map(|text| {
            if options.suppress {
                text.to_vec()
            } else {
                decode(text)
            }
        })
    };
    let (mut send, mut expect) = (decoded(&options.send), decoded(&options.expect));
    if let (Some(program), Some(_)) = (&options.send_program, &options.send) {
        let program = program.escape_ascii();
        notices.push(format!(
            "External program use requested: ({program}), IGNORING send string option ((null))"
        ));
    }
    let nothing = options.send_program.is_none() && send.is_none() && expect.is_none();
    // By the virtual port, as in the original (B69).
    if nothing && options.port == 80 {
        let text = "nanny: no monitor configured, assuming web service on port 80";
        notices.push(text.to_owned());
        (send, expect) = (Some(WEB.0.to_vec()), Some(WEB.1.to_vec()));
    }
    let expect = match expect.map(|text| expectation(&text, options)).transpose() {
        Ok(expect) => expect,
        Err(reason) => return Check::Impossible(reason),
    };
    match &options.send_program {
        Some(program) => Check::Program {
            program: Program::new(program),
            expect,
        },
        None => {
            let protocol = if options.udp {
                Protocol::Udp
            } else {
                Protocol::Tcp
            };
            Check::Service(probe::Service {
                protocol,
                send,
                expect,
            })
        }
    }
}

/// A program's empty expected string means that it prints nothing; a server's that it says
/// anything at all.
fn expectation(text: &[u8], options: &Options) -> Result<Expect, probe::Reason> {
    if text.is_empty() && options.send_program.is_some() {
        Ok(Expect::Text(Vec::new()))
    } else {
        Expect::new(text, options.regex)
    }
}

fn greeting(options: &Options) -> String {
    let address = options
        .virtual_address
        .as_deref()
        .unwrap_or("(null)".as_ref())
        .to_string_lossy();
    let (port, server, real_port) = (options.port, options.server, options.real_port);
    match options.service {
        Service::Lvs => {
            format!("starting LVS client monitor for {address}:{port} -> {server}:{real_port}")
        }
        Service::Failover => format!("Failover service monitor for {address}:{port} started"),
    }
}

/// B29: these methods hand packets on as they are.
fn port_warning(options: &Options) -> Option<String> {
    let (port, real_port) = (options.port, options.real_port);
    let kept = options.method != "-m" && options.mark == 0 && port != real_port;
    kept.then(|| {
        format!(
            "direct routing and tunnelling cannot change the port: {}:{real_port} is only \
             checked, clients reach port {port}",
            options.server
        )
    })
}
