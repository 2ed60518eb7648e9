//! Starting checkers and giving them orders.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::time::{Duration, Instant};

use daemon::mode::StartMode;
use nix::unistd::{Gid, getegid, setegid};
use tokio::sync::mpsc;

use super::{Shell, now};
use crate::checker::{self, Manner, Order};
use crate::core::{Core, Event, ProcessId, Start};
use crate::options::Options;
use crate::user::{self, User};

/// File name, in the run-time folder, by which checkers count the programs that they run.
const PROGRAMS: &str = "programs.lock";
/// Descriptors that checkers leave to all other work: files, the tool that writes the table, people, a few
/// checkers that end.
const RESERVE: usize = 128;
/// So long the loop may start checkers before it looks for other things.
const TURN: Duration = Duration::from_millis(4);

/// How checkers are started here; what is not as it should be is announced.
pub(super) fn manner(options: &Options, run_dir: &Path, core: &mut Core) -> Manner {
    let nanny = daemon::paths::program("nanny");
    let user = match user::of_checkers(&nanny) {
        Ok(user) => Some(user),
        Err(reason) => {
            core.announce(format!("checkers run as the same user as lvs: {reason}"));
            None
        }
    };
    let path = run_dir.join(PROGRAMS);
    let programs = match make(&path, user.as_ref()) {
        Ok(()) => Some(path),
        Err(error) => {
            let path = path.display();
            core.announce(format!(
                "cannot write {path}: {error}; max_programs has no effect"
            ));
            None
        }
    };
    Manner {
        nanny,
        foreground: options.mode == StartMode::NoDaemon,
        user,
        programs,
    }
}

/// The checkers' user gets at it by its group: to give a file to another user takes a capability that
/// `pulse.service` does not leave.
fn make(path: &Path, user: Option<&User>) -> io::Result<()> {
    let Some(user) = user else {
        return open(path).map(drop);
    };
    let (own, group) = (getegid(), Gid::from_raw(user.credentials.gid));
    setegid(group)?;
    let made = open(path).and_then(|file| {
        fchown(&file, None, Some(group.as_raw()))?;
        file.set_permissions(Permissions::from_mode(0o660))
    });
    setegid(own)?;
    made
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    options.mode(0o600).open(path)
}

impl Shell {
    /// Starts checkers that are due, but not so many that other things are late; whether there were any.
    pub(super) fn start_some(&mut self) -> bool {
        let begun = Instant::now();
        while let Some(action) = self.core.next_start(now()) {
            self.perform(action);
            if begun.elapsed() > TURN {
                return true;
            }
        }
        false
    }

    pub(super) fn start(&mut self, start: Start) {
        let (key, id) = (start.key, start.id);
        if !self.has_room() {
            let reason = "too many open files: raise the limit of lvs (LimitNOFILE)".to_owned();
            self.core.handle(now(), Event::NotStarted(key, id, reason));
            return;
        }
        let event = match checker::spawn(&start, &self.manner) {
            Ok(child) => {
                let pid = child.pid.as_raw();
                let (orders, receiver) = mpsc::channel(2);
                self.checkers.insert(id, orders);
                let about = (key, id, start.spec.custom.is_some());
                tokio::spawn(checker::follow(child, about, self.events.clone(), receiver));
                Event::Started(key, id, pid)
            }
            Err(error) => Event::NotStarted(key, id, error.to_string()),
        };
        self.core.handle(now(), event);
    }

    /// Whether another checker leaves enough descriptors: without them the table could not be written.
    fn has_room(&self) -> bool {
        // A report pipe each.
        let needed = self.checkers.len() + 1 + RESERVE;
        daemon::child::descriptor_limit().is_ok_and(|limit| needed as u64 <= limit)
    }

    pub(super) fn order(&self, id: ProcessId, order: Order) {
        if let Some(checker) = self.checkers.get(&id) {
            let _ = checker.try_send(order);
        }
    }
}
