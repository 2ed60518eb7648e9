//! Starts the checker; everything else is in the library beside it.
//!
//! The function that C calls is here instead of Rust's: the standard library's own start reads the memory
//! map, installs handlers of signals and makes a second stack, in each of a thousand checkers. Of what it
//! does only one thing is needed here: a pipe or connection without a reader must not end the process.
#![no_main]
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

// SAFETY: no other item has this name; the signature is that of C's main, and the arguments are not used:
// the standard library knows them from the loader.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _arguments: *const *const c_char) -> c_int {
    // SAFETY: no handler of ours is involved.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    }
    nanny::run(std::env::args_os())
}
