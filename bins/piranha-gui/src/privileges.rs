//! From root to a user without privileges, before the first connection is taken.

use nix::sys::prctl::set_no_new_privs;
use nix::unistd::{Uid, User, initgroups, setgid, setuid};

/// Becomes the user if root started the program. In any case no program that it might be made to run
/// gets more rights than it has.
///
/// # Errors
/// What to do about it.
pub(crate) fn drop_to(user: &str) -> Result<(), String> {
    set_no_new_privs().map_err(|error| format!("failed to give up new privileges: {error}"))?;
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let found =
        User::from_name(user).map_err(|error| format!("failed to find user {user}: {error}"))?;
    let found = found.ok_or_else(|| {
        format!("there is no user {user}: make it (useradd --system {user}), or name another with --user")
    })?;
    if found.uid.is_root() {
        return Err(
            "the web process must not run as root: name another user with --user".to_owned(),
        );
    }
    let name = std::ffi::CString::new(user).map_err(|error| error.to_string())?;
    initgroups(&name, found.gid)
        .and_then(|()| setgid(found.gid))
        .and_then(|()| setuid(found.uid))
        .map_err(|error| format!("failed to become user {user}: {error}"))
}
