//! The declarative restore: a whole table as input, and the changes that lead to it.

use std::collections::{BTreeMap, BTreeSet};

use ipvs::{Entry, Error, Operation, ServiceId, Table, apply};

use crate::flags::{self, Action, Change, UsageError};
use crate::kernel::Kernel;
use crate::restore::{Line, Lines};

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

/// Reads a table as `-S` prints it; every fault is told.
pub(crate) fn read_table(
    text: &[u8],
    scope: Option<&BTreeSet<ServiceId>>,
    program: &[u8],
) -> Result<Table, Vec<Fault>> {
    let mut table = Table::new();
    let mut faults = Vec::new();
    for line in lines(text) {
        let number = line.number;
        if let Err(text) = take_line(&mut table, line, scope, program) {
            faults.push(Fault { line: number, text });
        }
    }
    if faults.is_empty() {
        Ok(table)
    } else {
        Err(faults)
    }
}

fn take_line(
    table: &mut Table,
    line: Line,
    scope: Option<&BTreeSet<ServiceId>>,
    program: &[u8],
) -> Result<(), Vec<u8>> {
    let text = |error: Error| error.to_string().into_bytes();
    let action = flags::parse_line(line.words).map_err(|error| error.text(program))?;
    let Action::Change(Change::Table { operation, .. }) = action else {
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
    if apply(table, &operation) {
        return Ok(());
    }
    Err(text(match operation {
        Operation::AddService(_) => Error::ServiceExists,
        _ if table.contains_key(&id) => Error::ServerExists,
        _ => Error::ServiceNotDefined,
    }))
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

/// Gives servers for which no thresholds are written those that they have: `-S` does not write them.
pub(crate) fn keep_thresholds(desired: &mut Table, actual: &Table) {
    for (id, entry) in desired {
        let Some(found) = actual.get(id) else {
            continue;
        };
        for server in entry.servers.values_mut() {
            if let Some(old) = found.servers.get(&server.id)
                && server.upper_threshold == 0
                && server.lower_threshold == 0
            {
                server.upper_threshold = old.upper_threshold;
                server.lower_threshold = old.lower_threshold;
            }
        }
    }
}
