//! Starts the program; everything else is in the library beside it.

fn main() -> std::process::ExitCode {
    send_arp::run(std::env::args_os())
}
