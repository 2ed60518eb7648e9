//! How the C library's allocator keeps memory.

#![allow(unsafe_code, reason = "mallopt has no safe wrapper")]

/// The first log-in's 19 MiB would else teach the allocator to keep as much for ever, and each thread to
/// keep memory of its own.
pub(crate) fn give_back() {
    const LARGE: libc::c_int = 1 << 20;
    // SAFETY: changes two figures of the allocator; called before there are other threads.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}
