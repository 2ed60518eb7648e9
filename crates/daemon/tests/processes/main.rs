//! Children and start-up modes, with real processes. Runs without the usual test harness: forking is
//! allowed only in a process with one thread, and this program plays the other side's parts itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod children;
mod modes;
mod parts;

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// Longer than anything here may take; a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(10);
/// Says which part this program plays.
const PART: &str = "DAEMON_TEST_PART";

type Test = (&'static str, fn());

fn main() -> ExitCode {
    if let Ok(part) = std::env::var(PART) {
        parts::play(&part);
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |option: &str| arguments.iter().any(|argument| argument == option);
    let all = modes::TESTS.iter().chain(children::TESTS);
    // What cargo-nextest asks first; none of the tests is ignored.
    if asked("--list") {
        if !asked("--ignored") {
            all.for_each(|(name, _)| println!("{name}: test"));
        }
        return ExitCode::SUCCESS;
    }
    let filter = arguments
        .iter()
        .find(|argument| !argument.starts_with('-'))
        .map_or("", String::as_str);
    let wanted = |name: &str| {
        if asked("--exact") {
            name == filter
        } else {
            name.contains(filter)
        }
    };
    let tests: Vec<&Test> = all.filter(|(name, _)| wanted(name)).collect();
    for (name, test) in &tests {
        print!("test {name} ... ");
        std::io::stdout().flush().unwrap();
        test();
        println!("ok");
    }
    let passed = tests.len();
    println!("\ntest result: ok. {passed} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
    ExitCode::SUCCESS
}

/// This program in another part. `folder` is where the part leaves and finds its files.
fn command(part: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(PART, part).env("FOLDER", folder);
    command
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < LIMIT, "{} did not appear", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn in_loop(test: impl Future<Output = ()>) {
    daemon::runtime::build().unwrap().block_on(async {
        tokio::time::timeout(LIMIT, test)
            .await
            .expect("the test took too long");
    });
}
