//! Memory that starting up needed and a checker at work does not. A thousand of them run at once.
//! `unsafe` for one call of the C library that has no wrapper.
#![allow(unsafe_code)]

/// Gives what the argument parser left in the heap back to the kernel.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim may be called at any time; it only releases free pages of the heap.
    unsafe {
        libc::malloc_trim(0);
    }
}
