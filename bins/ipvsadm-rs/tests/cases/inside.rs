//! Rows that are run inside this process: those whose data no real kernel gives at will, and those that
//! look at the requests.

use ipvs::Client;
use ipvsadm_rs::kernel::Kernel;
use ipvsadm_rs::session::Session;
use tempfile::TempDir;

use super::memory::Memory;
use super::table::{Case, Outcome};
use super::wire::Recorder;

/// Runs a row with `@conn-table` or `@counters` as setup.
pub(crate) fn run_formatter(case: &Case) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let (directive, rest) = case.setup.split_once('\n').unwrap();
    let mut kernel = Memory::counting(0);
    if directive == "@conn-table" {
        std::fs::write(folder.path().join("connections"), rest).unwrap();
    } else {
        let value = directive
            .strip_prefix("@counters ")
            .unwrap()
            .parse()
            .unwrap();
        kernel = Memory::counting(value);
        for command in rest.split(';') {
            assert_eq!(run(&mut kernel, &folder, command).status, 0, "{command}");
        }
    }
    run(&mut kernel, &folder, &case.command)
}

/// Runs a row of the group `wire`; the requests are its output.
pub(crate) fn run_recorder(case: &Case) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::over(Recorder::default()).unwrap();
    let outcome = run(&mut client, &folder, &case.command);
    let stdout = client.into_link().asked;
    Outcome { stdout, ..outcome }
}

/// Runs one simple command.
fn run(kernel: &mut dyn Kernel, folder: &TempDir, command: &str) -> Outcome {
    let mut words = command
        .split_ascii_whitespace()
        .map(|word| word.as_bytes().to_vec());
    let program = words.next().unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut session = Session {
        program,
        kernel,
        input: &mut std::io::empty(),
        stdout: &mut stdout,
        out: Vec::new(),
        err: &mut stderr,
        connections: folder.path().join("connections"),
        warned: false,
        line: None,
    };
    let status = session.run(words.collect());
    assert!(session.deliver());
    Outcome {
        status: status.into(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}
