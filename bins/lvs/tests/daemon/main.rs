//! lvs as a process, with stand-ins for ipvsadm and nanny beside it.
//!
//! Each lvs runs in a network namespace of its own, for the instance lock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod by_hand;
#[path = "../../../disk.rs"]
mod disk;
mod other_tool;
mod people;
mod under_pulse;
mod world;
