//! A kernel in memory, for rows whose data no real kernel gives at will: counters.

use ipvs::codec::{Command, IpvsMessage, destination, service};
use ipvs::{
    Counters, Daemon, Entry, Error, Info, Operation, ServerState, ServiceId, ServiceState, Table,
    Timeouts, apply,
};
use ipvsadm_rs::kernel::Kernel;

/// The table and what all counters say.
pub(crate) struct Memory {
    pub(crate) table: Table,
    pub(crate) counters: Counters,
    /// How many changes were asked for.
    pub(crate) writes: usize,
}

impl Memory {
    /// An empty table whose counters will all be this.
    pub(crate) fn counting(value: u64) -> Self {
        let counters = Counters {
            connections: value,
            in_packets: value,
            out_packets: value,
            in_bytes: value,
            out_bytes: value,
            connection_rate: value,
            in_packet_rate: value,
            out_packet_rate: value,
            in_byte_rate: value,
            out_byte_rate: value,
        };
        Self {
            table: Table::new(),
            counters,
            writes: 0,
        }
    }

    /// As the kernel does it, on values.
    fn carry_out(&mut self, request: &IpvsMessage) -> Result<(), Error> {
        self.writes += 1;
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
            other => panic!("not needed by any test: {other:?}"),
        };
        if apply(&mut self.table, &operation) {
            return Ok(());
        }
        let errno = match operation {
            Operation::AddService(_) => libc::EEXIST,
            Operation::EditService(_) | Operation::DeleteService(_) => libc::ESRCH,
            Operation::AddServer(id, _) if self.table.contains_key(&id) => libc::EEXIST,
            Operation::EditServer(id, _) | Operation::DeleteServer(id, _)
                if self.table.contains_key(&id) =>
            {
                libc::ENOENT
            }
            _ => libc::ESRCH,
        };
        Err(Error::of_kernel(request.command, errno))
    }
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
            counters: self.counters,
        };
        Ok(self.table.values().map(state).collect())
    }

    fn service(&mut self, id: &ServiceId) -> Result<ServiceState, Error> {
        let found = self
            .services()?
            .into_iter()
            .find(|state| state.service.id == *id);
        found.ok_or(Error::NoSuchService)
    }

    fn servers(&mut self, id: &ServiceId) -> Result<Vec<ServerState>, Error> {
        let servers = self.table.get(id).map(|entry| entry.servers.values());
        let state = |server: &ipvs::Server| ServerState {
            server: server.clone(),
            active_connections: 0,
            inactive_connections: 0,
            persistent_connections: 0,
            counters: self.counters,
        };
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
        requests
            .iter()
            .map(|request| self.carry_out(request))
            .collect()
    }
}
