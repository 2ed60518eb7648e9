//! Any bytes as lvs.cf.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/lvs_cf.rs"]
mod lvs_cf;

fuzz_target!(|data: &[u8]| lvs_cf::run(data));
