//! The operations that turn one table into another.
//!
//! Owns their order: whatever a client uses is removed only after its replacement stands. Sends nothing.

use crate::{Entry, Operation, Table};

/// What has to be done to `actual` so that it becomes `desired`; empty when they are equal.
///
/// First everything that is added or edited, service by service (servers are added before others of the
/// same service are edited, so that a weight of 0 never empties a service that is about to grow), then
/// servers that go from services that stay, then services that go. Applied in this order each operation
/// succeeds on a kernel that holds `actual`.
pub fn diff(actual: &Table, desired: &Table) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (id, wanted) in desired {
        match actual.get(id) {
            None => add_entry(wanted, &mut operations),
            Some(found) if found != wanted => change_entry(found, wanted, &mut operations),
            Some(_) => {}
        }
    }
    for (id, found) in actual {
        let Some(wanted) = desired.get(id) else {
            continue;
        };
        let gone = found
            .servers
            .keys()
            .filter(|server| !wanted.servers.contains_key(server));
        operations.extend(gone.map(|server| Operation::DeleteServer(*id, *server)));
    }
    let gone = actual.keys().filter(|id| !desired.contains_key(id));
    operations.extend(gone.map(|id| Operation::DeleteService(*id)));
    operations
}

fn add_entry(wanted: &Entry, operations: &mut Vec<Operation>) {
    let id = wanted.service.id;
    operations.push(Operation::AddService(wanted.service.clone()));
    let servers = wanted.servers.values();
    operations.extend(servers.map(|server| Operation::AddServer(id, server.clone())));
}

fn change_entry(found: &Entry, wanted: &Entry, operations: &mut Vec<Operation>) {
    let id = wanted.service.id;
    if found.service != wanted.service {
        operations.push(Operation::EditService(wanted.service.clone()));
    }
    let added = wanted
        .servers
        .values()
        .filter(|server| !found.servers.contains_key(&server.id));
    operations.extend(added.map(|server| Operation::AddServer(id, server.clone())));
    for server in wanted.servers.values() {
        if found
            .servers
            .get(&server.id)
            .is_some_and(|old| old != server)
        {
            operations.push(Operation::EditServer(id, server.clone()));
        }
    }
}

/// Performs one operation on a table of values as the kernel would on its own.
///
/// `false` and no change where the kernel would refuse: something to add exists, something to edit or
/// delete does not.
pub fn apply(table: &mut Table, operation: &Operation) -> bool {
    match operation {
        Operation::AddService(service) => {
            let absent = !table.contains_key(&service.id);
            if absent {
                let entry = Entry {
                    service: service.clone(),
                    servers: Default::default(),
                };
                table.insert(service.id, entry);
            }
            absent
        }
        Operation::EditService(service) => match table.get_mut(&service.id) {
            Some(entry) => {
                entry.service = service.clone();
                true
            }
            None => false,
        },
        Operation::DeleteService(id) => table.remove(id).is_some(),
        Operation::AddServer(id, server) => match table.get_mut(id) {
            Some(entry) if !entry.servers.contains_key(&server.id) => {
                entry.servers.insert(server.id, server.clone());
                true
            }
            _ => false,
        },
        Operation::EditServer(id, server) => {
            match table
                .get_mut(id)
                .and_then(|entry| entry.servers.get_mut(&server.id))
            {
                Some(old) => {
                    *old = server.clone();
                    true
                }
                None => false,
            }
        }
        Operation::DeleteServer(id, server) => table
            .get_mut(id)
            .is_some_and(|entry| entry.servers.remove(server).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary;

    proptest! {
        #[test]
        fn applying_the_difference_gives_the_desired_table(
            (actual, desired) in arbitrary::two_tables()
        ) {
            let mut table = actual.clone();
            for operation in diff(&actual, &desired) {
                prop_assert!(apply(&mut table, &operation), "refused: {operation:?}");
            }
            prop_assert_eq!(table, desired);
        }

        #[test]
        fn a_table_does_not_differ_from_itself(table in arbitrary::table()) {
            prop_assert_eq!(diff(&table, &table), Vec::new());
        }

        /// A service that both tables hold with at least one server never stands empty in between.
        #[test]
        fn no_service_in_use_stands_empty((actual, desired) in arbitrary::two_tables()) {
            let mut table = actual.clone();
            for operation in diff(&actual, &desired) {
                apply(&mut table, &operation);
                for (id, entry) in &table {
                    let had = actual.get(id).is_some_and(|entry| !entry.servers.is_empty());
                    let has = desired.get(id).is_some_and(|entry| !entry.servers.is_empty());
                    prop_assert!(!(had && has && entry.servers.is_empty()), "{id:?} is empty");
                }
            }
        }
    }
}
