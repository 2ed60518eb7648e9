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
    let failed = |source| InheritedError::Descriptor {
        variable: variable.to_owned(),
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
    Ok(Some(descriptor))
}

/// A copy of standard input, for use as a channel.
pub fn stdin() -> io::Result<OwnedFd> {
    io::stdin().as_fd().try_clone_to_owned()
}
