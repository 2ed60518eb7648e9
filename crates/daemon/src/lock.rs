//! One instance of a daemon per network namespace. The lock is a name that the kernel frees when
//! its holder dies, so no stale file can keep a daemon from starting.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use thiserror::Error;

/// Why the lock was not taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another {name} is already running in this network namespace")]
    Held {
        /// The name asked for.
        name: String,
    },
    /// The socket could not be made.
    #[error("cannot take the instance lock @piranha/{name}: {source}")]
    Socket {
        /// The name asked for.
        name: String,
        /// The kernel's reason.
        source: io::Error,
    },
}

/// Held as long as it lives, across [`crate::mode::enter`]'s forks; not inherited by programs.
#[derive(Debug)]
pub struct InstanceLock {
    _socket: UnixDatagram,
}

impl InstanceLock {
    /// Takes the abstract Unix socket `@piranha/NAME`.
    pub fn acquire(name: &str) -> Result<Self, LockError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => LockError::Held {
                name: name.to_owned(),
            },
            _ => LockError::Socket {
                name: name.to_owned(),
                source,
            },
        };
        let address = SocketAddr::from_abstract_name(format!("piranha/{name}")).map_err(failed)?;
        let socket = UnixDatagram::bind_addr(&address).map_err(failed)?;
        Ok(Self { _socket: socket })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_holder_is_refused_until_the_first_lets_go() {
        let name = format!("test-lock-{}", std::process::id());
        let first = InstanceLock::acquire(&name).unwrap();
        let refused = InstanceLock::acquire(&name).unwrap_err();
        assert!(matches!(refused, LockError::Held { .. }), "{refused}");
        drop(first);
        InstanceLock::acquire(&name).unwrap();
    }

    #[test]
    fn overlong_name_is_an_error() {
        let refused = InstanceLock::acquire(&"x".repeat(200)).unwrap_err();
        assert!(matches!(refused, LockError::Socket { .. }), "{refused}");
    }
}
