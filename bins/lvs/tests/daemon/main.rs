//! lvs as a process, with stand-ins for ipvsadm and nanny beside it.
//!
//! Each lvs runs in a network namespace of its own, for the instance lock.

mod by_hand;
mod other_tool;
mod under_pulse;
mod world;
