//! Whether a program may be named in lvs.cf from the web: only below folders that the administrator
//! named, and only what nobody but root can change (R14).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use change::protocol::Refused;
use change::{FieldError, Guarded, Program, guarded, program_path};

/// Judges all; the first that may not run refuses the change.
pub(crate) fn judge(programs: &[Program], folders: &[PathBuf]) -> Result<(), Refused> {
    let mut fields = Vec::new();
    for program in programs {
        if let Err(why) = judge_one(program, folders) {
            fields.push(FieldError {
                // The rule is on the outcome: any of the edits may have brought it in.
                edit: 0,
                keyword: Some(program.keyword.to_owned()),
                message: format!("{}: {} {why}", program.at, program.command),
            });
        }
    }
    if fields.is_empty() {
        return Ok(());
    }
    Err(Refused {
        message: "the change would have programs run that may not be named from here".to_owned(),
        fields,
        notes: Vec::new(),
    })
}

fn judge_one(program: &Program, folders: &[PathBuf]) -> Result<(), String> {
    if guarded(program.keyword) == Some(Guarded::File) {
        return Err("can be named only in the file itself".to_owned());
    }
    if folders.is_empty() {
        return Err("is new, and programs can be named only in the file itself".to_owned());
    }
    inspect(&program_path(&program.command)?, folders, 0)
}

/// Whether only `owner` can change what the path leads to, below one of the folders.
fn inspect(path: &Path, folders: &[PathBuf], owner: u32) -> Result<(), String> {
    let real = path
        .canonicalize()
        .map_err(|error| format!("cannot be found: {error}"))?;
    let below = folders
        .iter()
        .filter_map(|folder| folder.canonicalize().ok())
        .find(|folder| real.starts_with(folder) && real != *folder);
    let Some(folder) = below else {
        return Err("is not below a folder of allowed programs".to_owned());
    };
    for part in real.ancestors() {
        let about = part
            .metadata()
            .map_err(|error| format!("cannot be examined: {}: {error}", part.display()))?;
        if !is_safe(&about, part.starts_with(&folder), owner) {
            let part = part.display();
            return Err(format!("can be changed by others than root: see {part}"));
        }
        if part == real && !(about.is_file() && about.mode() & 0o111 != 0) {
            return Err("is not a program".to_owned());
        }
    }
    Ok(())
}

/// Above the folder a sticky folder is good enough: what the owner has there, others cannot replace.
fn is_safe(about: &Metadata, within: bool, owner: u32) -> bool {
    let others_write = about.mode() & 0o022 != 0;
    let is_sticky = about.mode() & 0o1000 != 0;
    let owned = about.uid() == owner || !within && about.uid() == 0;
    owned && (!others_write || !within && is_sticky)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn program(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, "#!/bin/true\n").unwrap();
        set_mode(&path, 0o755);
        path
    }

    #[test]
    fn r14_only_what_root_alone_can_change_below_the_folders() {
        let owner = nix::unistd::geteuid().as_raw();
        let outside = tempfile::tempdir().unwrap();
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("checks");
        std::fs::create_dir(&folder).unwrap();
        set_mode(&folder, 0o755);
        let folders = [folder.clone()];
        let good = program(&folder, "good");
        assert_eq!(inspect(&good, &folders, owner), Ok(()));

        let elsewhere = program(outside.path(), "elsewhere");
        let link = folder.join("link");
        symlink(&elsewhere, &link).unwrap();
        let not_executable = program(&folder, "text");
        set_mode(&not_executable, 0o644);
        let writable = program(&folder, "writable");
        set_mode(&writable, 0o775);
        for bad in [&elsewhere, &link, &not_executable, &writable, &folder] {
            assert!(inspect(bad, &folders, owner).is_err(), "{}", bad.display());
        }
        assert!(inspect(&folder.join("missing"), &folders, owner).is_err());
        assert!(inspect(&good, &[], owner).is_err());
        assert!(inspect(&good, &folders, owner + 1).is_err());

        let inner = folder.join("inner");
        std::fs::create_dir(&inner).unwrap();
        let deep = program(&inner, "deep");
        set_mode(&inner, 0o777);
        assert!(inspect(&deep, &folders, owner).is_err());
        // Sticky does not help within the folder: others could add a program.
        set_mode(&inner, 0o1777);
        assert!(inspect(&deep, &folders, owner).is_err());
        set_mode(&inner, 0o755);
        assert_eq!(inspect(&deep, &folders, owner), Ok(()));
        if chown(&deep, Some(owner + 7), None).is_ok() {
            assert!(inspect(&deep, &folders, owner).is_err());
        }
        set_mode(base.path(), 0o777);
        assert!(inspect(&good, &folders, owner).is_err());
    }
}
