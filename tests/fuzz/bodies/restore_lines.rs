//! Any text as the lines of `ipvsadm -R`, and as a saved table.

use std::path::PathBuf;

use ipvs::codec::IpvsMessage;
use ipvs::text::{parse_table, print_table};
use ipvs::{Entry, Operation, Service, Table, diff};
use ipvsadm_rs::flags::{self, Action, Change, Word};
use ipvsadm_rs::session::{DONE, Session};
use netlink_packet_core::{Emitable, ParseableParametrized};
use netlink_packet_generic::GenlMessage;

use memory::{Memory, has_modules};

#[path = "memory.rs"]
mod memory;
#[path = "names.rs"]
mod names;

/// Panics when something does not hold for this text.
pub(crate) fn run(text: &[u8]) {
    names::from_files();
    for line in text.split(|byte| *byte == b'\n') {
        let words = words(line);
        if !words.is_empty()
            && let Ok(Action::Change(change)) = flags::parse_line(words)
        {
            request(&change);
        }
    }
    restored(text);
    if let Ok(table) = std::str::from_utf8(text).map_or(Ok(Table::new()), parse_table) {
        saved(&table);
    }
}

fn words(line: &[u8]) -> Vec<Word> {
    let parts = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(<[u8]>::to_vec).collect()
}

/// What a line asks for reaches the kernel, and its own text asks for the same.
fn request(change: &Change) {
    let request = GenlMessage::from_payload(change.request());
    let mut bytes = vec![0xaa; request.buffer_len()];
    request.emit(&mut bytes);
    match GenlMessage::<IpvsMessage>::parse_with_param(bytes.as_slice(), 0u16) {
        Ok(received) => assert_eq!(received.payload, request.payload),
        Err(error) => panic!("{error}: {change:?}"),
    }
    if let Change::Table { operation, .. } = change {
        // A name may hold bytes that are not UTF-8, of which no more than that is left, or the
        // sign by which the parser puts the next word in its place. No module has such a name.
        if let Operation::AddService(service) | Operation::EditService(service) = operation
            && !has_modules(service)
        {
            return;
        }
        let line = operation.to_string();
        let again = flags::parse_line(words(line.as_bytes()));
        let Ok(Action::Change(Change::Table {
            operation: again, ..
        })) = again
        else {
            panic!("{line:?} is not {operation:?}: {again:?}");
        };
        assert_eq!(&again, operation, "{line}");
    }
}

/// One run of the program: exit status, standard output, standard error.
fn program(kernel: &mut Memory, words: &[&str], mut input: &[u8]) -> (u8, Vec<u8>, Vec<u8>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut session = Session {
        program: b"ipvsadm".to_vec(),
        kernel,
        input: &mut input,
        stdout: &mut out,
        out: Vec::new(),
        err: &mut err,
        connections: PathBuf::from("/dev/null"),
        warned: false,
        line: None,
    };
    let status = session.run(words.iter().map(|word| word.as_bytes().to_vec()).collect());
    assert!(session.deliver());
    drop(session);
    (status, out, err)
}

/// The lines are carried out; the table that they leave is listed, saved and restored.
fn restored(text: &[u8]) {
    let mut unchanged = Memory::default();
    program(&mut unchanged, &["-R", "--check"], text);
    assert_eq!(unchanged.requests, 0);

    let mut kernel = Memory::default();
    program(&mut kernel, &["-R"], text);
    let table = kernel.table.clone();
    for listing in [
        &["-L", "-n"][..],
        &["-L", "-n", "--stats", "--exact"],
        &["-L", "-n", "--thresholds", "--nosort"],
        &["-L", "-n", "--json"],
    ] {
        let (status, shown, complaints) = program(&mut kernel, listing, b"");
        assert_eq!((status, complaints.as_slice()), (DONE, &b""[..]));
        if listing.contains(&"--json") {
            let value: Result<serde_json::Value, _> = serde_json::from_slice(&shown);
            assert!(value.is_ok(), "{}", String::from_utf8_lossy(&shown));
        }
    }
    let (status, lines, complaints) = program(&mut kernel, &["-S", "-n"], b"");
    assert_eq!((status, complaints.as_slice()), (DONE, &b""[..]));
    if !table.values().all(|entry| is_readable(&entry.service)) {
        return;
    }
    for restore in [&["-R"][..], &["-R", "--sync"]] {
        let mut second = Memory::default();
        let (status, _, complaints) = program(&mut second, restore, &lines);
        assert_eq!((status, complaints.as_slice()), (DONE, &b""[..]));
        assert_eq!(second.table, without_thresholds(table.clone()));
    }
    // The table is what the saved lines say: thresholds are not theirs to change.
    let requests = kernel.requests;
    program(&mut kernel, &["-R", "--sync"], &lines);
    assert_eq!((kernel.requests, &kernel.table), (requests, &table));
}

/// As a table comes out of `-S`, which leaves thresholds out.
fn without_thresholds(mut table: Table) -> Table {
    let entries = table.values_mut();
    for server in entries.flat_map(|entry| entry.servers.values_mut()) {
        server.upper_threshold = 0;
        server.lower_threshold = 0;
    }
    table
}

/// Whether `-S` saves all of the service, as it does unless flag 3 is set and has no name.
fn is_readable(service: &Service) -> bool {
    !matches!(&*service.scheduler, "sh" | "mh") || service.scheduler_flags & 0x20 == 0
}

/// A saved table that was read: what is printed of it is read as the same.
fn saved(table: &Table) {
    if table.values().all(|entry| is_readable(&entry.service)) {
        let again = parse_table(&print_table(table));
        assert_eq!(again, Ok(without_thresholds(table.clone())));
    }
    let operations = diff(&Table::new(), table);
    let lines: String = operations.iter().map(|it| format!("{it}\n")).collect();
    assert_eq!(parse_table(&lines).as_ref(), Ok(table), "{lines}");
    let count = |entry: &Entry| 1 + entry.servers.len();
    assert_eq!(operations.len(), table.values().map(count).sum::<usize>());
    let adds = |it: &Operation| matches!(it, Operation::AddService(_) | Operation::AddServer(..));
    assert!(operations.iter().all(adds));
}
