//! The processes that the tests start.

use std::io::{Read, Write};
use std::path::Path;

use daemon::Signal;
use daemon::child::Report;
use daemon::lines::Lines;
use daemon::mode::{StartMode, enter, enter_keeping_stdin};

use crate::children::this_program;
use crate::{LIMIT, in_loop, wait_for};

pub(crate) fn play(part: &str) {
    let folder = std::env::var_os("FOLDER").unwrap_or_default();
    let folder = Path::new(&folder);
    let pid_file = folder.join("test.pid");
    match part {
        "daemon" => {
            let mut running = enter(StartMode::Daemon, Some(&pid_file)).unwrap();
            leave_description(folder);
            wait_for(&folder.join("go"));
            running.ready();
            wait_for(&folder.join("end"));
            drop(running);
            std::fs::write(folder.join("ended"), "").unwrap();
        }
        "daemon-fail" => {
            let running = enter(StartMode::Daemon, Some(&pid_file)).unwrap();
            running.fail(7, "pulse: no carrier 100%s");
        }
        "daemon-die" => {
            let _running = enter(StartMode::Daemon, Some(&pid_file)).unwrap();
            std::process::abort();
        }
        "nofork" => {
            let mut running = enter_keeping_stdin(StartMode::NoFork, Some(&pid_file)).unwrap();
            running.ready();
            leave_description(folder);
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
        "nofork-no-pid-file" => {
            let mut running =
                enter(StartMode::NoFork, Some(&folder.join("missing/test.pid"))).unwrap();
            running.ready();
            std::fs::write(folder.join("went-on"), "").unwrap();
        }
        "nodaemon" => {
            let _running = enter(StartMode::NoDaemon, Some(&pid_file)).unwrap();
            assert!(!pid_file.exists());
            println!("still here");
        }
        "log" => {
            daemon::log::init("lvsd", "lvs", StartMode::NoDaemon, false);
            tracing::info!("{}", "100%s\nof it");
            tracing::debug!("not without -v");
            tracing::info!(
                server = "10.0.0.1:80",
                reason = "no answer",
                weight = 3,
                "down"
            );
        }
        "log-flood" => flood(folder),
        "parent" => start_child_and_die(folder),
        "sleeper" => {
            report("up");
            std::thread::sleep(LIMIT);
        }
        "stubborn" => {
            nix::sys::signal::SigSet::all().thread_block().unwrap();
            report("deaf");
            std::thread::sleep(LIMIT);
        }
        "reporter" => report(&std::env::var("SAY").unwrap()),
        other => panic!("no such part: {other}"),
    }
}

fn flood(folder: &Path) {
    daemon::log::init("lvsd", "lvs", StartMode::NoDaemon, true);
    for number in 0..10_000 {
        tracing::debug!("message {number} {}", "x".repeat(100));
    }
    std::fs::write(folder.join("flooded"), "").unwrap();
    wait_for(&folder.join("go"));
    tracing::info!("the end");
}

fn start_child_and_die(folder: &Path) {
    in_loop(async {
        let mut spec = this_program("sleeper", folder);
        spec.die_with_parent = Some(Signal::SIGKILL);
        spec.report = Some(Report { fd: 3 });
        let mut child = spec.spawn().unwrap();
        // Its first line says that it is set up.
        Lines::new(child.report.take().unwrap(), 100)
            .line()
            .await
            .unwrap();
        std::fs::write(folder.join("child"), child.pid.to_string()).unwrap();
        std::process::abort();
    });
}

fn report(line: &str) {
    let descriptor = daemon::inherited::descriptor("PIRANHA_REPORT")
        .unwrap()
        .unwrap();
    assert!(
        daemon::inherited::descriptor("PIRANHA_REPORT").is_err(),
        "taken twice"
    );
    writeln!(std::fs::File::from(descriptor), "{line}").unwrap();
}

/// What the process looks like from outside: its number, session, standard descriptors.
fn leave_description(folder: &Path) {
    let target = |number| std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
    let text = format!(
        "{} {} {} {} {}",
        std::process::id(),
        nix::unistd::getsid(None).unwrap(),
        target(0).display(),
        target(1).display(),
        target(2).display()
    );
    daemon::status::replace(&folder.join("description"), text.as_bytes()).unwrap();
}
