//! `--test-start`: nothing is executed; the commands of a start are printed, and lvs stays until a signal
//! as the original did (`piranha-daemons.md` 4.10).

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use daemon::mode::{self, StartMode};
use daemon::runtime::Signals;
use daemon::{Signal, log, runtime};
use ipvs::Operation;

use crate::core::FAILED;
use crate::load::{self, Names, Source};
use crate::nanny;
use crate::options::Options;
use crate::plan::Plan;
use crate::shell::nanny_options;

/// Runs the program without effect.
pub(crate) fn run(options: &Options) -> ExitCode {
    match start(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let text = text.strip_prefix("lvs: ").unwrap_or(&text);
            let _ = writeln!(std::io::stderr(), "lvs: {text}");
            ExitCode::from(FAILED)
        }
    }
}

fn start(options: &Options) -> Result<(), String> {
    let text = show(options)?;
    print(&text);
    log::init("lvsd", "lvs", options.mode, options.verbose);
    let mut running = mode::enter(options.mode, None).map_err(|error| error.to_string())?;
    running.ready();
    let runtime = runtime::build().map_err(|error| error.to_string())?;
    runtime
        .block_on(wait(options))
        .map_err(|error| error.to_string())
}

fn print(text: &str) {
    let mut output = std::io::stdout();
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// Until TERM or INT; HUP shows the commands of the file as it is now.
async fn wait(options: &Options) -> std::io::Result<()> {
    let mut signals = Signals::handle(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP])?;
    loop {
        match signals.next().await {
            Signal::SIGHUP => {
                tracing::info!("rereading configuration file");
                match show(options) {
                    Ok(text) if options.mode == StartMode::NoDaemon => print(&text),
                    Ok(_) => {}
                    Err(text) => tracing::info!("{text}"),
                }
            }
            signal => {
                tracing::info!("shutting down due to signal {}", signal as i32);
                return Ok(());
            }
        }
    }
}

/// The commands of a start, one a line, names not resolved being left out.
fn show(options: &Options) -> Result<String, String> {
    let source = Source::File(options.config.clone());
    let config = load::parse(&source).map_err(|error| error.to_string())?;
    let mut names = Names::new();
    for name in Plan::names(&config) {
        let found = std::net::ToSocketAddrs::to_socket_addrs(&(name.as_str(), 0));
        let address = found.ok().and_then(|mut found| {
            found.find_map(|address| match address.ip() {
                std::net::IpAddr::V4(address) => Some(address),
                std::net::IpAddr::V6(_) => None,
            })
        });
        names.extend(address.map(|address| (name, address)));
    }
    let plan = Plan::new(
        &config,
        &|name| names.get(name).copied(),
        nanny_options(options),
    );
    Ok(commands(&plan))
}

fn commands(plan: &Plan) -> String {
    let mut text = String::new();
    let tool = &plan.ipvsadm;
    let [tcp, tcpfin, udp] = plan.timeouts;
    // Writing to a string does not fail.
    if plan.timeouts != [0; 3] {
        let _ = writeln!(text, "{tool} --set {tcp} {tcpfin} {udp}");
    }
    if plan.clear_table {
        let _ = writeln!(text, "{tool} -C");
    }
    for service in plan.in_order() {
        let _ = writeln!(
            text,
            "{tool} {}",
            Operation::AddService(service.service.clone())
        );
        for server in service.servers.values() {
            let _ = writeln!(text, "{}", nanny::line(&server.nanny));
        }
    }
    text
}
