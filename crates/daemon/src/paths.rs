//! Where programs and files are found: programs beside each other first, run-time and state files
//! where an option, systemd or the packaging says.

use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Run-time folder when neither an option nor systemd names one.
pub const RUN_DIR: &str = "/run/piranha";
/// State folder when neither an option nor systemd names one.
pub const STATE_DIR: &str = "/var/lib/piranha";

/// The path of another program of this project: beside the running executable when it is there
/// (a build folder works as it is), else `/usr/sbin/NAME`.
pub fn program(name: &str) -> PathBuf {
    let executable = std::env::current_exe().unwrap_or_default();
    program_beside(&executable, name)
}

fn program_beside(executable: &Path, name: &str) -> PathBuf {
    if let Some(folder) = executable.parent() {
        let beside = folder.join(name);
        if is_executable(&beside) {
            return beside;
        }
    }
    Path::new("/usr/sbin").join(name)
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The folder for sockets and status files: `option`, else the first entry of
/// `RUNTIME_DIRECTORY`, else [`RUN_DIR`]. Created (0755) when missing; when that fails, whoever
/// writes there reports it.
pub fn run_dir(option: Option<&Path>) -> PathBuf {
    folder(option, "RUNTIME_DIRECTORY", RUN_DIR, 0o755)
}

/// The same for a program that only looks for what another one left there: nothing is created.
pub fn run_dir_of_another(option: Option<&Path>) -> PathBuf {
    let variable = std::env::var_os("RUNTIME_DIRECTORY");
    choose(option, variable.as_deref(), RUN_DIR)
}

/// The folder for what must survive a restart: `option`, else the first entry of
/// `STATE_DIRECTORY`, else [`STATE_DIR`]. Created (0700) when missing, as [`run_dir`].
pub fn state_dir(option: Option<&Path>) -> PathBuf {
    folder(option, "STATE_DIRECTORY", STATE_DIR, 0o700)
}

fn folder(option: Option<&Path>, variable: &str, default: &str, permissions: u32) -> PathBuf {
    let path = choose(option, std::env::var_os(variable).as_deref(), default);
    let _ = DirBuilder::new()
        .recursive(true)
        .mode(permissions)
        .create(&path);
    path
}

fn choose(option: Option<&Path>, variable: Option<&OsStr>, default: &str) -> PathBuf {
    if let Some(path) = option {
        return path.to_path_buf();
    }
    // systemd separates several folders by colons.
    let first = variable.and_then(|value| value.as_bytes().split(|byte| *byte == b':').next());
    match first {
        Some(bytes) if !bytes.is_empty() => PathBuf::from(OsStr::from_bytes(bytes)),
        _ => PathBuf::from(default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_is_taken_from_the_same_folder_when_executable() {
        let folder = tempfile::tempdir().unwrap();
        let running = folder.path().join("pulse");
        assert_eq!(program_beside(&running, "lvs"), Path::new("/usr/sbin/lvs"));
        let beside = folder.path().join("lvs");
        std::fs::write(&beside, "").unwrap();
        assert_eq!(program_beside(&running, "lvs"), Path::new("/usr/sbin/lvs"));
        std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(program_beside(&running, "lvs"), beside);
    }

    #[test]
    fn folder_order_is_option_variable_default() {
        let variable = Some(OsStr::new("/run/a:/run/b"));
        assert_eq!(
            choose(Some(Path::new("/x")), variable, "/d"),
            Path::new("/x")
        );
        assert_eq!(choose(None, variable, "/d"), Path::new("/run/a"));
        assert_eq!(choose(None, Some(OsStr::new("")), "/d"), Path::new("/d"));
        assert_eq!(choose(None, None, "/d"), Path::new("/d"));
    }

    #[test]
    fn folder_is_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        assert_eq!(state_dir(Some(&path)), path);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
