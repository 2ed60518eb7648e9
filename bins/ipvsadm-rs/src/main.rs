//! Starts the program; everything else is in the library beside it.
//!
//! The function that C calls is here instead of Rust's: the standard library's own start reads the memory
//! map, installs handlers of signals and makes a second stack, which is a good part of a run that sends
//! one change. Nothing of that is used here, and the signals stay as a C program finds them.
#![no_main]
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

// SAFETY: no other item has this name; the signature is that of C's main, and the arguments are not used:
// the standard library knows them from the loader.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _arguments: *const *const c_char) -> c_int {
    ipvsadm_rs::run(std::env::args_os())
}
