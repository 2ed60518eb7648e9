//! Any text as keepalived.conf and as ldirectord.cf.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/lvs_convert.rs"]
mod lvs_convert;

fuzz_target!(|data: &[u8]| lvs_convert::run(data));
