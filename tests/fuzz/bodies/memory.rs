//! A kernel in memory: the table as values, refusals as the kernel's.

use ipvs::codec::{Command, IpvsMessage, destination, service};
use ipvs::{
    Counters, Daemon, Entry, Error, Info, Operation, Server, ServerState, Service, ServiceId,
    ServiceState, Table, Timeouts, apply,
};
use ipvsadm_rs::kernel::Kernel;

const NOT_FOUND: i32 = 2;
const NO_SUCH_SERVICE: i32 = 3;
const EXISTS: i32 = 17;

/// There are modules for these (`ipvsadm.md` 4.9).
const SCHEDULERS: &[&str] = &[
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
];

/// Only the table is kept; whatever else is set is forgotten.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    /// What it holds.
    pub(crate) table: Table,
    /// How many requests it was sent.
    pub(crate) requests: usize,
}

impl Memory {
    fn carry_out(&mut self, request: &IpvsMessage) -> Result<(), Error> {
        self.requests += 1;
        let operation = match request.command {
            Command::NewService => Operation::AddService(service::value(request)?.service),
            Command::SetService => Operation::EditService(service::value(request)?.service),
            Command::DelService => Operation::DeleteService(service::value(request)?.service.id),
            Command::NewDest | Command::SetDest | Command::DelDest => {
                let id = service::value(request)?.service.id;
                let server = destination::value(request, id.family())?.server;
                match request.command {
                    Command::NewDest => Operation::AddServer(id, server),
                    Command::SetDest => Operation::EditServer(id, server),
                    _ => Operation::DeleteServer(id, server.id),
                }
            }
            Command::Flush => {
                self.table.clear();
                return Ok(());
            }
            _ => return Ok(()),
        };
        if let Operation::AddService(service) | Operation::EditService(service) = &operation
            && !has_modules(service)
        {
            return Err(Error::of_kernel(request.command, NOT_FOUND));
        }
        if apply(&mut self.table, &operation) {
            return Ok(());
        }
        let known = |id| self.table.contains_key(id);
        let number = match &operation {
            Operation::AddService(_) => EXISTS,
            Operation::AddServer(id, _) if known(id) => EXISTS,
            Operation::EditServer(id, _) | Operation::DeleteServer(id, _) if known(id) => NOT_FOUND,
            _ => NO_SUCH_SERVICE,
        };
        Err(Error::of_kernel(request.command, number))
    }
}

/// Whether the kernel knows the names in it.
pub(crate) fn has_modules(service: &Service) -> bool {
    let engine = service.engine.as_deref();
    SCHEDULERS.contains(&&*service.scheduler) && engine.is_none_or(|engine| engine == "sip")
}

impl Kernel for Memory {
    fn probe(&mut self) -> Result<Info, Error> {
        Ok(Info {
            version: 0x010201,
            table_size: 4096,
        })
    }

    fn services(&mut self) -> Result<Vec<ServiceState>, Error> {
        let state = |entry: &Entry| ServiceState {
            service: entry.service.clone(),
            counters: Counters::default(),
        };
        Ok(self.table.values().map(state).collect())
    }

    fn service(&mut self, id: &ServiceId) -> Result<ServiceState, Error> {
        let found = self.services()?.into_iter();
        let mut found = found.filter(|state| state.service.id == *id);
        found.next().ok_or(Error::NoSuchService)
    }

    fn servers(&mut self, id: &ServiceId) -> Result<Vec<ServerState>, Error> {
        let state = |server: &Server| ServerState {
            server: server.clone(),
            active_connections: 0,
            inactive_connections: 0,
            persistent_connections: 0,
            counters: Counters::default(),
        };
        let servers = self.table.get(id).map(|entry| entry.servers.values());
        Ok(servers.into_iter().flatten().map(state).collect())
    }

    fn daemons(&mut self) -> Result<Vec<Daemon>, Error> {
        Ok(Vec::new())
    }

    fn timeouts(&mut self) -> Result<Timeouts, Error> {
        Ok(Timeouts {
            tcp: 900,
            tcp_fin: 120,
            udp: 300,
        })
    }

    fn execute(&mut self, requests: &[IpvsMessage]) -> Vec<Result<(), Error>> {
        let outcomes = requests.iter().map(|request| self.carry_out(request));
        outcomes.collect()
    }
}
