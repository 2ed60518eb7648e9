//! Any bytes as the kernel's answers.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/netlink_answers.rs"]
mod netlink_answers;

fuzz_target!(|data: &[u8]| netlink_answers::run(data));
