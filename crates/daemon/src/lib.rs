//! What all daemons and tools of this project share: arguments, start-up modes, pid files, the log,
//! the instance lock, service notification, status files, children with pipes.
//!
//! Must not know anything about heartbeats, addresses or the IPVS table.

pub mod cli;
pub mod clock;
pub mod inherited;
pub mod lock;
pub mod log;
pub mod mode;
pub mod notify;
pub mod paths;
pub mod status;
mod system;

#[cfg(feature = "tokio")]
pub mod alarm;
#[cfg(feature = "tokio")]
pub mod child;
#[cfg(feature = "tokio")]
pub mod lines;
#[cfg(feature = "tokio")]
pub mod runtime;

/// Signals as they are passed to [`child`] and [`runtime`].
pub use nix::sys::signal::Signal;
