//! Starts the program; everything else is in the library beside it.

fn main() -> std::process::ExitCode {
    lvs_convert::run(std::env::args_os())
}
