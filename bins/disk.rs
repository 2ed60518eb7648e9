//! A small disk of its own for a daemon's state folder, which can be made to hang. Shared by the tests
//! of several programs.

use std::fmt::Display;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;

/// The state folder.
const STATE: &str = "state";

/// A script of `sh` that runs a program with the disk: the folder first, then the program and its
/// arguments. In a mount namespace of its own, so that nobody else sees the disk.
pub(crate) const MOUNT: &str = "mount -o loop \"$0/disk\" \"$0/state\" && exec \"$@\"";

/// Makes the disk in a folder, and the place for it.
pub(crate) fn make(folder: &Path) {
    fs::create_dir(folder.join(STATE)).unwrap();
    let image = folder.join("disk");
    File::create(&image).unwrap().set_len(8 << 20).unwrap();
    run(Command::new("mkfs.ext4").arg("-q").arg(image));
}

/// A disk that does not get anything done, until this is dropped.
pub(crate) struct Frozen(File);

impl Frozen {
    /// That in a folder, as the process with this number sees it.
    pub(crate) fn new(pid: impl Display, folder: &Path) -> Self {
        let state = folder.join(STATE);
        let seen = format!("/proc/{pid}/root{}", state.display());
        let frozen = Self(File::open(seen).unwrap());
        frozen.turn("--freeze");
        frozen
    }

    fn turn(&self, option: &str) {
        let (own, descriptor) = (std::process::id(), self.0.as_raw_fd());
        let place = format!("/proc/{own}/fd/{descriptor}");
        run(Command::new("fsfreeze").arg(option).arg(place));
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.turn("--unfreeze");
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}
