//! The user as whom checkers and their check programs run: one of their own, else `nobody`.
//!
//! Looks the user up and says whether it can be used here; changes nothing.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use daemon::child::Credentials;

/// Users in the order of preference.
const NAMES: [&str; 2] = ["piranha-check", "nobody"];
/// Looked up here and not by the C library: that may ask a server in a network which only works when this
/// router serves it.
const USERS: &str = "/etc/passwd";

/// A user of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub credentials: Credentials,
    /// Its home.
    pub home: PathBuf,
}

/// The user for checkers that run `program`, or why they have to run as this process's own.
pub(crate) fn of_checkers(program: &Path) -> Result<User, String> {
    let own = std::fs::metadata("/proc/self").map(|about| about.uid());
    if !matches!(own, Ok(0)) {
        return Err("lvs is not run by root".to_owned());
    }
    let users = std::fs::read_to_string(USERS).map_err(|error| format!("{USERS}: {error}"))?;
    let user = NAMES
        .iter()
        .find_map(|name| user(&users, name))
        .ok_or_else(|| format!("there is neither a user {} nor {}", NAMES[0], NAMES[1]))?;
    let Credentials { uid, gid } = user.credentials;
    for (map, id) in [("uid_map", uid), ("gid_map", gid)] {
        let text = std::fs::read_to_string(Path::new("/proc/self").join(map)).unwrap_or_default();
        if !is_mapped(&text, id) {
            return Err(format!("{} does not exist in this namespace", user.name));
        }
    }
    match unreachable(program, user.credentials) {
        Ok(None) => Ok(user),
        Ok(Some(place)) => Err(format!("{} is closed to {}", place.display(), user.name)),
        Err(error) => Err(format!("{}: {error}", program.display())),
    }
}

/// A line of the list of users: `NAME:PASSWORD:UID:GID:REMARK:HOME:SHELL`.
fn user(users: &str, name: &str) -> Option<User> {
    let line = users.lines().find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(':'))
    })?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    let home = fields.nth(1)?.into();
    let name = name.to_owned();
    let credentials = Credentials { uid, gid };
    Some(User {
        name,
        credentials,
        home,
    })
}

/// Whether a number exists in this user namespace; lines are `HERE OUTSIDE COUNT`.
fn is_mapped(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        match (numbers.next(), numbers.nth(1)) {
            (Some(Ok(first)), Some(Ok(count))) => {
                (first..first.saturating_add(count)).contains(&u64::from(id))
            }
            _ => false,
        }
    })
}

/// The first place on the way to a program that a user may not pass, or the program that it may not run.
fn unreachable(program: &Path, user: Credentials) -> io::Result<Option<PathBuf>> {
    let program = std::fs::canonicalize(program)?;
    let way: Vec<&Path> = program.ancestors().collect();
    for place in way.into_iter().rev() {
        if !may_execute(&std::fs::metadata(place)?, user) {
            return Ok(Some(place.to_path_buf()));
        }
    }
    Ok(None)
}

/// Whether the permissions let a user execute a program, or pass through a folder.
fn may_execute(about: &Metadata, user: Credentials) -> bool {
    let shift = if about.uid() == user.uid {
        6
    } else if about.gid() == user.gid {
        3
    } else {
        0
    };
    about.mode() >> shift & 1 == 1
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const LIST: &str = "root:x:0:0:root:/root:/bin/sh\nnobody-else:x:7:7::/:/bin/sh\n\
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nbroken:x:a:1::/:\nshort:x:1\n";

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let found = user(LIST, "nobody").unwrap();
        let credentials = Credentials {
            uid: 65534,
            gid: 65534,
        };
        assert_eq!(found.credentials, credentials);
        assert_eq!(found.home, Path::new("/nonexistent"));
        for name in ["piranha-check", "broken", "short", ""] {
            assert_eq!(user(LIST, name), None, "{name}");
        }
    }

    #[test]
    fn only_users_of_this_namespace_count() {
        let whole = "         0          0 4294967295\n";
        assert!(is_mapped(whole, 65534) && is_mapped(whole, 0));
        assert!(!is_mapped("0 1000 1\n", 65534) && !is_mapped("", 0));
        assert!(is_mapped("0 1000 1\n65534 7 1\n", 65534));
    }

    #[test]
    fn a_folder_that_is_closed_to_the_user_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("nanny");
        std::fs::write(&program, "").unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let somebody = Credentials {
            uid: 65534,
            gid: 65534,
        };
        let found = |mode, program_mode| {
            set(folder.path(), mode);
            set(&program, program_mode);
            unreachable(&program, somebody).unwrap()
        };
        let real = std::fs::canonicalize(folder.path()).unwrap();
        assert_eq!(found(0o700, 0o755), Some(real.clone()));
        assert_eq!(found(0o755, 0o700), Some(real.join("nanny")));
        assert_eq!(found(0o711, 0o755), None);
        assert!(unreachable(Path::new("/nonexistent/nanny"), somebody).is_err());
    }
}
