//! A stand-in for ipvsadm-rs where the kernel has no IPVS: the same program, over a table in a file
//! instead of the kernel's. Each network namespace has a table of its own, as with the kernel.
//!
//! It runs where a copy of the laboratory's program is called `ipvsadm-rs`, and keeps its files
//! beside itself: `table-N` and, one line for each run that changed something, `writes-N`, with the
//! number of the network namespace.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ipvs::codec::{Command, IpvsMessage, config, daemon, destination, service};
use ipvs::{
    Counters, Daemon, DaemonRole, Entry, Error, Info, Operation, Server, ServerState, ServiceId,
    ServiceState, Table, Timeouts, apply, text,
};
use ipvsadm_rs::kernel::Kernel;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::statvfs::{FsFlags, statvfs};
use tempfile::TempDir;

use crate::error::{Context, Result};
use crate::{pair, setup};

/// The name under which a copy of the laboratory's program is the stand-in.
pub const NAME: &str = "ipvsadm-rs";

/// What the kernel has when nobody has set anything.
const TIMEOUTS: Timeouts = Timeouts {
    tcp: 900,
    tcp_fin: 120,
    udp: 300,
};

/// What the kernel answers.
type Answer<T> = std::result::Result<T, Error>;

/// Whether the program was called by the stand-in's name.
pub fn is_called_by(name: &OsStr) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == NAME)
}

/// One run of it; gives the exit status.
pub fn run(arguments: impl Iterator<Item = OsString>) -> i32 {
    let mut kernel = match Kept::new() {
        Ok(kernel) => kernel,
        Err(error) => {
            eprintln!("ipvsadm-rs: no place for the table of the stand-in: {error}");
            return 1;
        }
    };
    let status = ipvsadm_rs::run_on(&mut kernel, arguments);
    if let Err(error) = kernel.note_writes() {
        eprintln!("ipvsadm-rs: the stand-in cannot note its writes: {error}");
        return 1;
    }
    status
}

/// A folder for it in memory, where programs may be run from there: the kernel's own table does not
/// wait for a disk that others keep at work.
pub fn folder() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let runs = statvfs(memory).is_ok_and(|it| !it.flags().contains(FsFlags::ST_NOEXEC));
    let place = if runs { memory } else { &std::env::temp_dir() };
    tempfile::tempdir_in(place).during("making a folder for the programs")
}

/// Fills a folder with the programs under test, taken from another one, and the stand-in. Copies:
/// programs look for each other beside themselves.
pub fn furnish(programs: &Path, folder: &Path) -> Result<()> {
    furnish_from(programs, &setup::own_program()?, folder)
}

/// The same with another build of the laboratory's program.
pub fn furnish_from(programs: &Path, laboratory: &Path, folder: &Path) -> Result<()> {
    let copy = |from: &Path, name: &str| {
        let act = format!("copying {} to {}", from.display(), folder.display());
        std::fs::copy(from, folder.join(name)).during(act)
    };
    for name in pair::PROGRAMS.iter().filter(|name| **name != NAME) {
        copy(&programs.join(name), name)?;
    }
    copy(laboratory, NAME)?;
    Ok(())
}

/// The file that holds the table of a network namespace, in the folder of the stand-in.
pub fn table_file(folder: &Path, namespace: u64) -> PathBuf {
    folder.join(format!("table-{namespace}"))
}

/// The file with a line `SECONDS CHANGES` for each run that changed something; the seconds are
/// those of the monotonic clock.
pub fn writes_file(folder: &Path, namespace: u64) -> PathBuf {
    folder.join(format!("writes-{namespace}"))
}

/// What the kernel would hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    table: Table,
    daemons: Vec<Daemon>,
    timeouts: Timeouts,
}

/// The state in its file.
#[derive(Debug)]
struct Kept {
    table: PathBuf,
    writes: PathBuf,
    changes: usize,
    /// As of the last listing of services: a listing asks for the servers of each.
    listed: Option<Table>,
}

impl Kept {
    fn new() -> io::Result<Self> {
        let own = std::env::current_exe()?;
        let folder = own.parent().unwrap_or(Path::new("/"));
        let namespace = std::fs::metadata("/proc/thread-self/ns/net")?.ino();
        Ok(Self {
            table: table_file(folder, namespace),
            writes: writes_file(folder, namespace),
            changes: 0,
            listed: None,
        })
    }

    fn note_writes(&self) -> io::Result<()> {
        if self.changes == 0 {
            return Ok(());
        }
        let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)?;
        let line = format!("{}.{:09} {}\n", time.tv_sec(), time.tv_nsec(), self.changes);
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.writes)?;
        file.write_all(line.as_bytes())
    }

    /// Locks the file, so that runs beside each other see whole states.
    fn lock(&self, how: FlockArg) -> Answer<Flock<File>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&self.table)
            .map_err(Error::Open)?;
        Flock::lock(file, how).map_err(|(_, errno)| Error::System(errno as i32))
    }

    fn state(&self) -> Answer<State> {
        read(&mut *self.lock(FlockArg::LockShared)?)
    }
}

fn read(file: &mut File) -> Answer<State> {
    let mut content = String::new();
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_string(&mut content))
        .map_err(Error::Receive)?;
    State::parse(&content)
}

fn write(file: &mut File, state: &State) -> Answer<()> {
    let mut replace = || -> io::Result<()> {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(state.print().as_bytes())
    };
    replace().map_err(Error::Send)
}

impl State {
    /// Lines of `-R` that make the table, after the lines that are not of the table.
    fn print(&self) -> String {
        let mut out = String::new();
        let Timeouts { tcp, tcp_fin, udp } = self.timeouts;
        let _ = writeln!(out, "#timeouts {tcp} {tcp_fin} {udp}");
        for daemon in &self.daemons {
            let role = match daemon.role {
                DaemonRole::Master => "master",
                DaemonRole::Backup => "backup",
            };
            let _ = writeln!(
                out,
                "#daemon {role} {} {}",
                daemon.interface, daemon.sync_id
            );
        }
        for Entry { service, servers } in self.table.values() {
            let _ = writeln!(out, "{}", Operation::AddService(service.clone()));
            for server in servers.values() {
                let _ = writeln!(out, "{}", Operation::AddServer(service.id, server.clone()));
            }
        }
        out
    }

    fn parse(content: &str) -> Answer<Self> {
        let malformed = || Error::System(libc::EBADMSG);
        let table: String = content
            .split_inclusive('\n')
            .filter(|line| !line.starts_with('#'))
            .collect();
        let mut state = Self {
            table: text::parse_table(&table).map_err(|_| malformed())?,
            daemons: Vec::new(),
            timeouts: TIMEOUTS,
        };
        for line in content.lines().filter_map(|line| line.strip_prefix('#')) {
            let words: Vec<&str> = line.split(' ').collect();
            match *words.as_slice() {
                ["timeouts", tcp, tcp_fin, udp] => {
                    let number = |word: &str| word.parse().map_err(|_| malformed());
                    state.timeouts = Timeouts {
                        tcp: number(tcp)?,
                        tcp_fin: number(tcp_fin)?,
                        udp: number(udp)?,
                    };
                }
                ["daemon", role, interface, id] => state.daemons.push(Daemon {
                    role: if role == "master" {
                        DaemonRole::Master
                    } else {
                        DaemonRole::Backup
                    },
                    interface: interface.to_owned(),
                    sync_id: id.parse().map_err(|_| malformed())?,
                    max_length: None,
                    group: None,
                    port: None,
                    ttl: None,
                }),
                _ => return Err(malformed()),
            }
        }
        Ok(state)
    }

    /// As the kernel does it.
    fn carry_out(&mut self, request: &IpvsMessage) -> Answer<()> {
        let refused = |errno| Err(Error::of_kernel(request.command, errno));
        match request.command {
            Command::Flush => self.table.clear(),
            Command::Zero => {}
            Command::SetConfig => self.set_timeouts(config::value(request)),
            Command::NewDaemon => {
                let wanted = daemon::value(request)?;
                if self.daemons.iter().any(|it| it.role == wanted.role) {
                    return refused(libc::EEXIST);
                }
                if nix::net::if_::if_nametoindex(wanted.interface.as_str()).is_err() {
                    return refused(libc::ENODEV);
                }
                self.daemons.push(wanted);
            }
            Command::DelDaemon => {
                let role = daemon::value(request)?.role;
                let before = self.daemons.len();
                self.daemons.retain(|it| it.role != role);
                if self.daemons.len() == before {
                    return refused(libc::ESRCH);
                }
            }
            _ => return self.change_table(request),
        }
        Ok(())
    }

    fn set_timeouts(&mut self, wanted: Timeouts) {
        let of = |new: u32, old: u32| if new == 0 { old } else { new };
        self.timeouts = Timeouts {
            tcp: of(wanted.tcp, self.timeouts.tcp),
            tcp_fin: of(wanted.tcp_fin, self.timeouts.tcp_fin),
            udp: of(wanted.udp, self.timeouts.udp),
        };
    }

    fn change_table(&mut self, request: &IpvsMessage) -> Answer<()> {
        let service = service::value(request)?.service;
        let id = service.id;
        let server = || -> Answer<Server> { Ok(destination::value(request, id.family())?.server) };
        let operation = match request.command {
            Command::NewService => Operation::AddService(service),
            Command::SetService => Operation::EditService(service),
            Command::DelService => Operation::DeleteService(id),
            Command::NewDest => Operation::AddServer(id, server()?),
            Command::SetDest => Operation::EditServer(id, server()?),
            Command::DelDest => Operation::DeleteServer(id, server()?.id),
            _ => return Err(Error::of_kernel(request.command, libc::EINVAL)),
        };
        if apply(&mut self.table, &operation) {
            return Ok(());
        }
        let errno = match operation {
            Operation::AddService(_) => libc::EEXIST,
            Operation::AddServer(..) if self.table.contains_key(&id) => libc::EEXIST,
            Operation::EditServer(..) | Operation::DeleteServer(..)
                if self.table.contains_key(&id) =>
            {
                libc::ENOENT
            }
            _ => libc::ESRCH,
        };
        Err(Error::of_kernel(request.command, errno))
    }
}

impl Kernel for Kept {
    fn probe(&mut self) -> Answer<Info> {
        Ok(Info {
            version: 0x01_02_01,
            table_size: 4096,
        })
    }

    fn services(&mut self) -> Answer<Vec<ServiceState>> {
        let state = |entry: &Entry| ServiceState {
            service: entry.service.clone(),
            counters: Counters::default(),
        };
        let table = self.state()?.table;
        Ok(self.listed.insert(table).values().map(state).collect())
    }

    fn service(&mut self, id: &ServiceId) -> Answer<ServiceState> {
        let found = self.services()?.into_iter().find(|it| it.service.id == *id);
        found.ok_or(Error::NoSuchService)
    }

    fn servers(&mut self, id: &ServiceId) -> Answer<Vec<ServerState>> {
        let table = match self.listed.take() {
            Some(table) => table,
            None => self.state()?.table,
        };
        let state = |server: Server| ServerState {
            server,
            active_connections: 0,
            inactive_connections: 0,
            persistent_connections: 0,
            counters: Counters::default(),
        };
        let servers = table.get(id).map(|entry| entry.servers.values().cloned());
        let servers = servers.into_iter().flatten().map(state).collect();
        self.listed = Some(table);
        Ok(servers)
    }

    fn daemons(&mut self) -> Answer<Vec<Daemon>> {
        Ok(self.state()?.daemons)
    }

    fn timeouts(&mut self) -> Answer<Timeouts> {
        Ok(self.state()?.timeouts)
    }

    fn execute(&mut self, requests: &[IpvsMessage]) -> Vec<Answer<()>> {
        if requests.is_empty() {
            return Vec::new();
        }
        self.listed = None;
        let changed = self.lock(FlockArg::LockExclusive).and_then(|mut file| {
            let mut state = read(&mut file)?;
            let outcomes: Vec<_> = requests
                .iter()
                .map(|request| state.carry_out(request))
                .collect();
            write(&mut file, &state)?;
            Ok(outcomes)
        });
        match changed {
            Ok(outcomes) => {
                self.changes += outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                outcomes
            }
            Err(error) => {
                let mut outcomes = vec![Err(error)];
                outcomes.extend(requests.iter().skip(1).map(|_| Err(Error::Lost)));
                outcomes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_everything() {
        let content = "#timeouts 900 120 30\n#daemon master eth1 44\n\
                       -A -t 10.0.0.1:80 -s rr\n\
                       -a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 3 -x 9 -y 2\n\
                       -A -f 7 -s wlc -p 300\n";
        let state = State::parse(content).unwrap();
        assert_eq!(state.print(), content);
        assert_eq!(State::parse("").unwrap().timeouts, TIMEOUTS);
        assert!(State::parse("#nonsense\n").is_err());
    }

    #[test]
    fn it_answers_as_the_kernel_does() {
        let folder = tempfile::tempdir().unwrap();
        let mut kernel = Kept {
            table: folder.path().join("table"),
            writes: folder.path().join("writes"),
            changes: 0,
            listed: None,
        };
        let daemon = Daemon {
            role: DaemonRole::Master,
            interface: "lo".to_owned(),
            sync_id: 1,
            max_length: None,
            group: None,
            port: None,
            ttl: None,
        };
        let absent = Daemon {
            interface: "none7".to_owned(),
            role: DaemonRole::Backup,
            ..daemon.clone()
        };
        let outcomes = kernel.execute(&[
            daemon::start(&daemon),
            daemon::start(&daemon),
            daemon::start(&absent),
            daemon::stop(DaemonRole::Backup, 0),
        ]);
        let texts: Vec<String> = outcomes
            .iter()
            .map(|outcome| {
                outcome
                    .as_ref()
                    .map_or_else(Error::to_string, |()| "ok".into())
            })
            .collect();
        assert_eq!(
            texts,
            [
                "ok",
                "Daemon has already run",
                "No such device",
                "No daemon is running"
            ]
        );
        assert_eq!(kernel.daemons().unwrap().len(), 1);
        assert_eq!(kernel.changes, 1);
    }
}
