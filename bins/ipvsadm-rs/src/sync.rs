//! The declarative restore: a whole table as input, and the changes that lead to it.

use std::collections::{BTreeMap, BTreeSet};

use ipvs::text::{write_numeric, write_saved_server, write_saved_service};
use ipvs::{Entry, Error, Operation, Server, Service, ServiceId, ServiceState, Table, apply};

use crate::flags::{self, Action, Change, UsageError};
use crate::kernel::Kernel;
use crate::list::sort_services;
use crate::names::Names;
use crate::restore::{Line, Lines};
use crate::save;

/// A line that cannot be taken, with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) text: Vec<u8>,
}

/// Lines of a text without those that begin with `#`; all of them, also the last one. They are taken apart
/// one at a time, so that a large table is not held twice.
fn lines(text: &[u8]) -> impl Iterator<Item = Line> {
    let mut lines = Lines::default();
    let pieces = text.split_inclusive(|byte| *byte == b'\n');
    let found = pieces.flat_map(move |piece| {
        let mut found = lines.take(piece);
        if !piece.ends_with(b"\n") {
            found.extend(lines.take(b"\n"));
        }
        found
    });
    found.filter(|line| {
        !line
            .words
            .first()
            .is_some_and(|word| word.starts_with(b"#"))
    })
}

/// The table that standard input describes.
#[derive(Debug, Default)]
pub(crate) struct Desired {
    pub(crate) table: Table,
    /// Whether any line names a threshold, which `-S` never does.
    thresholds: bool,
}

/// Reads a table as `-S` prints it; every fault is told.
pub(crate) fn read_table(
    text: &[u8],
    scope: Option<&BTreeSet<ServiceId>>,
    program: &[u8],
) -> Result<Desired, Vec<Fault>> {
    let mut desired = Desired::default();
    let mut faults = Vec::new();
    for line in lines(text) {
        let number = line.number;
        if let Err(text) = desired.take_line(line, scope, program) {
            faults.push(Fault { line: number, text });
        }
    }
    if faults.is_empty() {
        Ok(desired)
    } else {
        Err(faults)
    }
}

impl Desired {
    fn take_line(
        &mut self,
        line: Line,
        scope: Option<&BTreeSet<ServiceId>>,
        program: &[u8],
    ) -> Result<(), Vec<u8>> {
        let text = |error: Error| error.to_string().into_bytes();
        let action = flags::parse_line(line.words).map_err(|error| error.text(program))?;
        let Action::Change(Change::Table {
            operation,
            thresholds,
            ..
        }) = action
        else {
            return Err(b"Only -A and -a describe a table".to_vec());
        };
        let id = match &operation {
            Operation::AddService(service) => service.id,
            Operation::AddServer(id, _) => *id,
            _ => return Err(b"Only -A and -a describe a table".to_vec()),
        };
        if scope.is_some_and(|scope| !scope.contains(&id)) {
            return Err(b"The service is not among those named by --only".to_vec());
        }
        self.thresholds |= thresholds;
        if apply(&mut self.table, &operation) {
            return Ok(());
        }
        Err(text(match operation {
            Operation::AddService(_) => Error::ServiceExists,
            _ if self.table.contains_key(&id) => Error::ServerExists,
            _ => Error::ServiceNotDefined,
        }))
    }

    /// Takes over from `actual` what the lines do not say of services and servers that it holds: what
    /// `-S` prints of both is the same, or it is thresholds and no line names any.
    pub(crate) fn keep_unsaid(&mut self, actual: &Table) {
        for (id, entry) in &mut self.table {
            let Some(found) = actual.get(id) else {
                continue;
            };
            if entry.service != found.service && saved(&entry.service) == saved(&found.service) {
                entry.service = found.service.clone();
            }
            for server in entry.servers.values_mut() {
                let Some(old) = found.servers.get(&server.id) else {
                    continue;
                };
                if !self.thresholds {
                    server.upper_threshold = old.upper_threshold;
                    server.lower_threshold = old.lower_threshold;
                }
                if server != old && saved_server(id, server) == saved_server(id, old) {
                    server.forward = old.forward;
                }
            }
        }
    }
}

fn saved(service: &Service) -> String {
    let mut line = String::new();
    // Writing to a string does not fail.
    let _ = write_saved_service(&mut line, service, &mut write_numeric);
    line
}

fn saved_server(service: &ServiceId, server: &Server) -> String {
    let mut line = String::new();
    let _ = write_saved_server(&mut line, service, server, &mut write_numeric);
    line
}

/// Reads the services that a file names, one a line, in the words of `-D`.
pub(crate) fn read_scope(text: &[u8], program: &[u8]) -> Result<BTreeSet<ServiceId>, Vec<Fault>> {
    let mut scope = BTreeSet::new();
    let mut faults = Vec::new();
    for mut line in lines(text) {
        line.words.insert(0, b"-D".to_vec());
        match flags::parse_line(line.words) {
            Ok(Action::Change(Change::Table {
                operation: Operation::DeleteService(id),
                ..
            })) => {
                scope.insert(id);
            }
            Ok(_) => {
                let error = UsageError::Try;
                faults.push(Fault {
                    line: line.number,
                    text: error.text(program),
                });
            }
            Err(error) => faults.push(Fault {
                line: line.number,
                text: error.text(program),
            }),
        }
    }
    if faults.is_empty() {
        Ok(scope)
    } else {
        Err(faults)
    }
}

/// The services in scope as the kernel holds them.
pub(crate) fn actual_table(
    kernel: &mut dyn Kernel,
    scope: Option<&BTreeSet<ServiceId>>,
) -> Result<Table, Error> {
    let mut table = Table::new();
    for state in kernel.services()? {
        let service = state.service;
        if scope.is_some_and(|scope| !scope.contains(&service.id)) {
            continue;
        }
        let states = kernel.servers(&service.id)?;
        let servers: BTreeMap<_, _> = states
            .into_iter()
            .map(|state| (state.server.id, state.server))
            .collect();
        table.insert(service.id, Entry { service, servers });
    }
    Ok(table)
}

/// Whether the text is, to the byte, what `-S -n` prints of the services in scope. Then there is nothing
/// to do, which is known without taking a single line apart.
pub(crate) fn is_as_saved(
    text: &[u8],
    kernel: &mut dyn Kernel,
    scope: Option<&BTreeSet<ServiceId>>,
) -> Result<bool, Error> {
    let services = kernel.services()?;
    let mut rest = text;
    let mut entry = String::new();
    for ServiceState { service, .. } in sort_services(&services) {
        if scope.is_some_and(|scope| !scope.contains(&service.id)) {
            continue;
        }
        entry.clear();
        save::write_entry(&mut entry, kernel, service, Names { numeric: true })?;
        match rest.strip_prefix(entry.as_bytes()) {
            Some(after) => rest = after,
            None => return Ok(false),
        }
    }
    Ok(rest.is_empty())
}
