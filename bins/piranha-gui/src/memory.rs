//! How the C library's allocator keeps memory, and when it gives it back.

#![allow(unsafe_code, reason = "mallopt and malloc_trim have no safe wrappers")]

/// The first log-in's 19 MiB would else teach the allocator to keep as much for ever, and each thread to
/// keep memory of its own.
pub(crate) fn keep_little() {
    const LARGE: libc::c_int = 1 << 20;
    // SAFETY: changes two figures of the allocator; called before there are other threads.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// What is free between what is in use: each new status file leaves as much as the old one had.
pub(crate) fn trim() {
    // SAFETY: no precondition.
    unsafe { libc::malloc_trim(0) };
}
