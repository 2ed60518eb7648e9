//! Starts the checker; everything else is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    nanny::run(std::env::args_os())
}
