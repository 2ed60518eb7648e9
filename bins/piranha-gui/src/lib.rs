//! The Piranha Configuration Tool: shows a router pair and changes lvs.cf, in a browser.
//!
//! Runs without privileges: it reads lvs.cf and the daemons' status files; whatever changes something is
//! asked of piranha-applier. Runs no program and has no shell (R4, R15).

mod app;
mod applier;
mod attempts;
mod configuration;
mod edits;
mod fields;
mod form;
mod graph;
mod guard;
mod listen;
mod lvs_file;
mod memory;
mod monitor;
mod monitoring;
mod options;
mod pages;
mod privileges;
mod router;
mod session;
mod source;
mod status;
mod texts;
mod time;
mod visitor;

pub use options::command;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use account::Accounts;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::options::Options;

/// Runs the tool until it is told to end.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    memory::keep_little();
    let options = match options::parse(args) {
        Ok(options) => options,
        Err(status) => return status,
    };
    match start(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("piranha-gui: {error}");
            ExitCode::from(1)
        }
    }
}

fn start(options: &Options) -> Result<(), String> {
    let is_for_others = !options.listen.ip().is_loopback();
    if is_for_others && options.tls.is_none() && !options.insecure_http {
        return Err(format!(
            "others reach {}: give --certificate and --key for TLS, or --insecure-http if something else encrypts",
            options.listen
        ));
    }
    // These may need root.
    let tls = match &options.tls {
        Some((certificate, key)) => Some(listen::tls(certificate, key)?),
        None => None,
    };
    let metrics_token = match &options.metrics_token {
        Some(path) => Some(pages::metrics::token(path)?),
        None => None,
    };
    let listener = std::net::TcpListener::bind(options.listen)
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    privileges::drop_to(&options.user)?;
    need_an_account(options)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // A log-in, a look at the files and a look at lvs.cf at a time.
        .max_blocking_threads(4)
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let app = App::new(options).with_metrics_token(metrics_token);
    runtime.block_on(work(options, Arc::new(app), listener, tls))
}

/// Nobody can log in without one, and nobody should be able to (CVE-2000-0248).
fn need_an_account(options: &Options) -> Result<(), String> {
    let path = options.accounts.display();
    let make = "root makes one with: piranha-passwd";
    match Accounts::read(&options.accounts) {
        Ok(accounts) if accounts.is_empty() => {
            Err(format!("there is no account in {path}: {make}"))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(format!("no account can be used: {error}; {make}")),
    }
}

async fn work(
    options: &Options,
    app: Arc<App>,
    listener: std::net::TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot start: {error}");
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    // With port 0 the system chose one.
    let address = listener.local_addr().map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    eprintln!("piranha-gui: serving {scheme}://{address}/");
    tokio::select! {
        () = listen::serve(listener, router::router(Arc::clone(&app)), tls, options.allow.clone()) => {}
        () = app.monitor.follow(&app.run_dir, &app.applier) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
