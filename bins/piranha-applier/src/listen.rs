//! The socket: from the service manager, or made here; and who may speak through it.

use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use change::protocol::SOCKET;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{User, geteuid};

/// The listening socket, and its path when it was made here.
pub(crate) fn open(run_dir: &Path, user: &str) -> Result<(UnixListener, Option<PathBuf>), String> {
    let passed = daemon::inherited::listening().map_err(|error| error.to_string())?;
    if let Some(passed) = passed {
        return Ok((from_manager(passed)?, None));
    }
    let path = run_dir.join(SOCKET);
    let failed = |error: std::io::Error| format!("cannot listen at {}: {error}", path.display());
    // A dead predecessor's; the instance lock says that none lives.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    if let Some(uid) = uid_of(user).filter(|uid| *uid != geteuid().as_raw()) {
        chown(&path, Some(uid), None).map_err(failed)?;
    }
    Ok((listener, Some(path)))
}

fn from_manager(passed: OwnedFd) -> Result<UnixListener, String> {
    let listener = UnixListener::from(passed);
    listener
        .local_addr()
        .and_then(|_| listener.set_nonblocking(false))
        .map_err(|error| format!("the socket of the service manager is no Unix socket: {error}"))?;
    Ok(listener)
}

fn uid_of(user: &str) -> Option<u32> {
    let user = User::from_name(user).ok().flatten()?;
    Some(user.uid.as_raw())
}

/// Who may ask: root, the user that runs this, and the web process's user.
pub(crate) fn allowed(user: &str) -> Vec<u32> {
    let mut allowed = vec![0, geteuid().as_raw()];
    allowed.extend(uid_of(user));
    allowed
}

/// Whether the kernel names one of them as the other end.
pub(crate) fn is_allowed(stream: &UnixStream, allowed: &[u32]) -> bool {
    getsockopt(stream, PeerCredentials).is_ok_and(|peer| allowed.contains(&peer.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r15_only_named_users_may_speak() {
        let (end, _other) = UnixStream::pair().unwrap();
        let own = geteuid().as_raw();
        assert!(is_allowed(&end, &[own]));
        assert!(!is_allowed(&end, &[own + 1]));
        assert!(!is_allowed(&end, &[]));
        assert_eq!(allowed("no such user, really"), [0, own]);
    }

    #[test]
    fn the_socket_is_the_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (_first, path) = open(folder.path(), "root").unwrap();
        let mode = path.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // What a dead predecessor left is no hindrance.
        assert!(open(folder.path(), "root").is_ok());
        assert!(open(&folder.path().join("missing"), "root").is_err());
    }
}
