//! Any text as the lines of `ipvsadm -R`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/restore_lines.rs"]
mod restore_lines;

fuzz_target!(|data: &[u8]| restore_lines::run(data));
