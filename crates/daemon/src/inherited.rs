//! Descriptors that the parent process passed to this one: standard input used as a channel, and
//! report pipes whose number is in the environment.

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::sync::Mutex;

use thiserror::Error;

/// Why a descriptor named in the environment cannot be used.
#[derive(Debug, Error)]
pub enum InheritedError {
    /// The variable holds no descriptor number above standard error.
    #[error("{variable}={value}: not a descriptor number")]
    Number {
        /// The variable.
        variable: String,
        /// What it holds.
        value: String,
    },
    /// It is not open, or taken already.
    #[error("{variable}={value}: {source}")]
    Descriptor {
        /// The variable.
        variable: String,
        /// What it holds.
        value: RawFd,
        /// The kernel's reason.
        source: io::Error,
    },
}

/// Numbers handed out already; each may be owned once.
static TAKEN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// The descriptor whose number is in the environment variable, `None` when it is not set. To be
/// called early: it must still be the parent's descriptor. Not inherited by this process's children.
pub fn descriptor(variable: &str) -> Result<Option<OwnedFd>, InheritedError> {
    let Some(value) = std::env::var_os(variable) else {
        return Ok(None);
    };
    let text = value.to_string_lossy();
    let number = text
        .parse::<RawFd>()
        .ok()
        .filter(|number| *number > 2)
        .ok_or_else(|| InheritedError::Number {
            variable: variable.to_owned(),
            value: text.to_string(),
        })?;
    take(variable.to_owned(), number).map(Some)
}

fn take(variable: String, number: RawFd) -> Result<OwnedFd, InheritedError> {
    let failed = |source| InheritedError::Descriptor {
        variable,
        value: number,
        source,
    };
    let mut taken = TAKEN
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if taken.contains(&number) {
        return Err(failed(io::Error::other("taken already")));
    }
    let descriptor = crate::system::take_descriptor(number).map_err(failed)?;
    taken.push(number);
    Ok(descriptor)
}

/// The first descriptor that the service manager passes to a service started by its socket.
const FIRST_PASSED: RawFd = 3;

/// The one listening socket of a service that the manager starts by its socket
/// (`sd_listen_fds(3)`), `None` when it was not started so.
pub fn listening() -> Result<Option<OwnedFd>, InheritedError> {
    let own = std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
    match std::env::var("LISTEN_FDS") {
        Ok(count) if own && count == "1" => take("LISTEN_FDS".to_owned(), FIRST_PASSED).map(Some),
        Ok(value) if own => Err(InheritedError::Number {
            variable: "LISTEN_FDS".to_owned(),
            value,
        }),
        _ => Ok(None),
    }
}

/// A copy of standard input, for use as a channel.
pub fn stdin() -> io::Result<OwnedFd> {
    io::stdin().as_fd().try_clone_to_owned()
}
