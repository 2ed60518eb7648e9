//! At most so many check programs at once, over all checkers of a machine: each running program
//! holds a lock on one byte of a shared file. The kernel releases it whatever happens to the holder.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Bytes tried once all have been found taken before: with many checkers waiting, trying all of
/// them each time would cost more than the programs.
const TRIES: u32 = 8;

/// The shared file, as this process sees it.
#[derive(Debug)]
pub struct Slots {
    file: File,
    count: u32,
    place: u32,
    tries: u32,
}

/// The right to run one program; given back when dropped.
#[derive(Debug)]
pub struct Slot<'a> {
    file: &'a File,
    place: u32,
}

impl Slots {
    /// Opens the file, which must exist and be writable; `count` programs may run at once.
    pub fn open(path: &Path, count: u32) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let count = count.max(1);
        Ok(Self {
            file,
            count,
            place: std::process::id() % count,
            tries: count,
        })
    }

    /// Takes a slot, without waiting. `None`: none was found, try again later.
    pub fn take(&mut self) -> io::Result<Option<Slot<'_>>> {
        for _ in 0..std::mem::replace(&mut self.tries, TRIES.min(self.count)) {
            self.place = (self.place + 1) % self.count;
            match lock(&self.file, self.place, libc::F_WRLCK) {
                Ok(()) => {
                    self.tries = self.count;
                    return Ok(Some(Slot {
                        file: &self.file,
                        place: self.place,
                    }));
                }
                Err(Errno::EAGAIN | Errno::EACCES | Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(None)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        // Cannot fail for a lock that is held.
        let _ = lock(self.file, self.place, libc::F_UNLCK);
    }
}

fn lock(file: &File, place: u32, kind: libc::c_int) -> nix::Result<()> {
    let range = libc::flock {
        l_type: libc::c_short::try_from(kind).unwrap_or_default(),
        l_whence: 0,
        l_start: libc::off_t::from(place),
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&range)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_the_set_number() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || Slots::open(file.path(), 2).unwrap();
        let (mut one, mut two, mut three) = (open(), open(), open());
        let first = one.take().unwrap();
        let second = two.take().unwrap();
        assert!(first.is_some() && second.is_some());
        assert!(three.take().unwrap().is_none());
        drop(first);
        assert!(three.take().unwrap().is_some());
    }

    #[test]
    fn a_holder_that_dies_gives_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut dead = Slots::open(file.path(), 1).unwrap();
        let mut next = Slots::open(file.path(), 1).unwrap();
        std::mem::forget(dead.take().unwrap());
        assert!(next.take().unwrap().is_none());
        drop(dead);
        assert!(next.take().unwrap().is_some());
    }
}
