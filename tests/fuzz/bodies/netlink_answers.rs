//! Any bytes as the kernel's answers.
//!
//! The first byte chooses what was asked. With 0 the rest is one message: generic header and
//! attributes. With 10 the datagrams really pass a socket. Otherwise the rest is what the socket gives, datagram by datagram: two bytes of
//! length, the lower one first, then as many bytes; 0xffff stands for one that is too long.

use std::fmt::Debug;
use std::io;
use std::os::unix::net::UnixDatagram;

use ipvs::codec::Attribute;
use ipvs::codec::Command;
use ipvs::codec::IpvsMessage;
use ipvs::codec::config;
use ipvs::codec::daemon::{self, DaemonAttribute};
use ipvs::codec::destination::{self, DestinationAttribute};
use ipvs::codec::info::{self, InfoAttribute};
use ipvs::codec::service::{self, ServiceAttribute};
use ipvs::codec::stats::StatsAttribute;
use ipvs::text::print_table;
use ipvs::{
    Client, Daemon, Datagrams, Error, Family, Link, Operation, Server, Service, ServiceId, Table,
    apply, diff,
};
use netlink_packet_core::{DefaultNla, Emitable, NLA_TYPE_MASK, Nla, ParseableParametrized};
use netlink_packet_generic::GenlMessage;

/// Panics when something does not hold for these bytes.
pub(crate) fn run(data: &[u8]) {
    let Some((asked, rest)) = data.split_first() else {
        return;
    };
    match asked {
        0 => message(rest),
        1 => answers(rest, |client| client.info().map(drop)),
        2 => answers(rest, |client| client.timeouts().map(drop)),
        3 => answers(rest, |client| {
            let states = client.services()?;
            states
                .iter()
                .for_each(|state| service_again(&state.service));
            Ok(())
        }),
        4 => answers(rest, |client| servers(client, Family::V4)),
        5 => answers(rest, |client| servers(client, Family::V6)),
        6 => answers(rest, |client| {
            client.daemons()?.iter().for_each(daemon_again);
            Ok(())
        }),
        7 => answers(rest, |client| {
            table(&client.table()?);
            Ok(())
        }),
        8 => answers(rest, |client| {
            let state = client.service(&mark(Family::V4))?;
            service_again(&state.service);
            Ok(())
        }),
        9 => answers(rest, |client| {
            let id = mark(Family::V4);
            let changes = [Operation::DeleteService(id), Operation::DeleteService(id)];
            let outcomes = client.apply(&changes);
            assert_eq!(outcomes.len(), changes.len());
            for error in outcomes.into_iter().filter_map(Result::err) {
                assert!(!error.to_string().is_empty());
            }
            Ok(())
        }),
        10 => through_socket(rest),
        // The answer that names the family.
        _ => drop(Client::over(Script { rest })),
    }
}

const fn mark(family: Family) -> ServiceId {
    ServiceId::Mark { mark: 1, family }
}

/// A socket whose datagrams are known beforehand. Whatever is asked after them stays unanswered.
struct Script<'a> {
    rest: &'a [u8],
}

impl Link for Script<'_> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        assert_eq!(bytes.len() % 4, 0);
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let (length, rest) = self.rest.split_first_chunk().ok_or(Error::Lost)?;
        let length = u16::from_le_bytes(*length);
        if length == u16::MAX {
            self.rest = rest;
            return Err(Error::Truncated);
        }
        let length = usize::from(length).min(rest.len()).min(buffer.len());
        let (datagram, rest) = rest.split_at_checked(length).ok_or(Error::Lost)?;
        self.rest = rest;
        let room = buffer.get_mut(..length).ok_or(Error::Truncated)?;
        room.copy_from_slice(datagram);
        Ok(length)
    }

    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Room for a datagram here.
const ROOM: usize = 8192;

/// A socket's datagrams come one by one as they were sent, also when two are received at once.
fn through_socket(rest: &[u8]) {
    let Ok((far, near)) = UnixDatagram::pair() else {
        return;
    };
    assert!(near.set_nonblocking(true).is_ok());
    let (mut script, mut datagrams) = (Script { rest }, Datagrams::default());
    let (mut sent, mut received) = (vec![0; ROOM], vec![0; ROOM]);
    for number in (1..=3).cycle() {
        let mut waiting = Vec::new();
        for _ in 0..number {
            match script.receive(&mut sent) {
                Ok(length) => waiting.push(sent.get(..length).map(<[u8]>::to_vec)),
                Err(Error::Truncated) => waiting.push(None),
                Err(_) => break,
            }
        }
        for datagram in &waiting {
            let bytes = datagram.clone().unwrap_or_else(|| vec![1; ROOM + 1]);
            assert_eq!(far.send(&bytes).ok(), Some(bytes.len()));
        }
        for datagram in &waiting {
            match (datagram, datagrams.receive(&near, &mut received)) {
                (None, Err(Error::Truncated)) => {}
                (Some(bytes), Ok(length)) => assert_eq!(received.get(..length), Some(&bytes[..])),
                (sent, received) => panic!("{sent:?} came as {received:?}"),
            }
        }
        if waiting.len() < number {
            break;
        }
    }
    let after = datagrams.receive(&near, &mut received);
    assert!(matches!(after, Err(Error::Lost)), "{after:?}");
}

/// The controller's answer: the family has the number 29.
const FAMILY: &[u8] = &[
    28, 0, // datagram
    28, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, // netlink header
    1, 2, 0, 0, 6, 0, 1, 0, 29, 0, 0, 0,
];

fn answers(rest: &[u8], ask: impl Fn(&mut Client<Script<'_>>) -> Result<(), Error>) {
    let datagrams = [FAMILY, rest].concat();
    let script = Script { rest: &datagrams };
    match Client::over(script) {
        Ok(mut client) => {
            if let Err(error) = ask(&mut client) {
                assert!(!error.to_string().is_empty());
            }
        }
        Err(error) => unreachable!("the family was named: {error}"),
    }
}

fn servers(client: &mut Client<Script<'_>>, family: Family) -> Result<(), Error> {
    for state in client.servers(&mark(family))? {
        server_again(&mark(family), &state.server);
    }
    Ok(())
}

fn decoded(bytes: &[u8]) -> Option<IpvsMessage> {
    let message = GenlMessage::<IpvsMessage>::parse_with_param(bytes, 0u16);
    message.ok().map(|message| message.payload)
}

fn encoded(message: &IpvsMessage) -> Vec<u8> {
    let message = GenlMessage::from_payload(message.clone());
    // Whatever stands in the buffer beforehand must not be sent.
    let mut buffer = vec![0xaa; message.buffer_len()];
    message.emit(&mut buffer);
    buffer
}

/// What our own requests say, after the way over the wire.
fn sent(request: &IpvsMessage) -> IpvsMessage {
    let bytes = encoded(request);
    let received = decoded(&bytes);
    assert_eq!(received.as_ref(), Some(request));
    received.unwrap_or_else(|| IpvsMessage::bare(request.command))
}

/// One message: what can be read is read again from what is written of it.
fn message(bytes: &[u8]) {
    let Some(message) = decoded(bytes) else {
        return;
    };
    let again = encoded(&message);
    if !is_marked_twice(&message) {
        assert_eq!(decoded(&again).as_ref(), Some(&message));
    }
    assert_eq!(decoded(&again).as_ref().map(encoded), Some(again));

    let state = service::value(&message).ok();
    if let Some(state) = &state {
        service_again(&state.service);
    }
    as_listed(bytes, &message, state, |client| client.services());
    for family in [Family::V4, Family::V6] {
        let state = destination::value(&message, family).ok();
        if let Some(state) = &state {
            server_again(&mark(family), &state.server);
        }
        as_listed(bytes, &message, state, |client| {
            client.servers(&mark(family))
        });
    }
    if let Ok(found) = daemon::value(&message) {
        daemon_again(&found);
    }
    let timeouts = config::value(&message);
    assert_eq!(config::value(&sent(&config::set(&timeouts))), timeouts);
    if let Ok(found) = info::value(&message) {
        let named = |attribute: &&Attribute| matches!(attribute, Attribute::Info(_));
        assert!(
            message.attributes.iter().filter(named).count() >= 2,
            "{found:?}"
        );
    }
}

/// A client, which reads an entry of a listing without decoding the message, takes it for the same.
fn as_listed<T: PartialEq + Debug>(
    bytes: &[u8],
    message: &IpvsMessage,
    state: Option<T>,
    list: impl Fn(&mut Client<Script<'_>>) -> Result<Vec<T>, Error>,
) {
    let Ok(length) = u16::try_from(bytes.len().next_multiple_of(4) + 36) else {
        return;
    };
    // Its attributes have other meanings.
    if message.command == Command::SetInfo {
        return;
    }
    // Both messages belong to the request that follows the question for the family.
    let header = |length: usize, kind: u8| {
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        [&length[..], &[kind, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0]].concat()
    };
    let mut datagram = length.to_le_bytes().to_vec();
    datagram.extend(header(16 + bytes.len(), 29));
    datagram.extend(bytes);
    datagram.resize(
        datagram.len() + bytes.len().next_multiple_of(4) - bytes.len(),
        0,
    );
    datagram.extend(header(20, 3));
    datagram.extend([0; 4]);
    answers(&datagram, |client| {
        let listed = list(client).ok();
        let first = listed.as_ref().map(|list| list.iter().collect::<Vec<_>>());
        assert_eq!(first, state.as_ref().map(|it| vec![it]));
        Ok(())
    });
}

/// Whether an attribute that we do not know is marked both as nested and as in network order, which
/// no kernel does: netlink-packet-core 0.9 writes only the first of the two marks.
fn is_marked_twice(message: &IpvsMessage) -> bool {
    let twice = |other: &DefaultNla| other.kind() & !NLA_TYPE_MASK == !NLA_TYPE_MASK;
    let stats = |nested: &[StatsAttribute]| {
        let mut nested = nested.iter();
        nested.any(|it| matches!(it, StatsAttribute::Other(other) if twice(other)))
    };
    message.attributes.iter().any(|attribute| match attribute {
        Attribute::Service(nested) => nested.iter().any(|it| match it {
            ServiceAttribute::Stats(nested) | ServiceAttribute::Stats64(nested) => stats(nested),
            ServiceAttribute::Other(other) => twice(other),
            _ => false,
        }),
        Attribute::Destination(nested) => nested.iter().any(|it| match it {
            DestinationAttribute::Stats(nested) | DestinationAttribute::Stats64(nested) => {
                stats(nested)
            }
            DestinationAttribute::Other(other) => twice(other),
            _ => false,
        }),
        Attribute::Daemon(nested) => {
            let mut nested = nested.iter();
            nested.any(|it| matches!(it, DaemonAttribute::Other(other) if twice(other)))
        }
        Attribute::Info(InfoAttribute::Other(other)) | Attribute::Other(other) => twice(other),
        _ => false,
    })
}

/// A service as an answer told it can be asked for again.
fn service_again(service: &Service) {
    for request in [service::add(service), service::edit(service)] {
        let told = service::value(&sent(&request)).map(|state| state.service);
        assert_eq!(told.as_ref().ok(), Some(service));
    }
    for request in [service::get(&service.id), service::delete(&service.id)] {
        let told = service::value(&sent(&request)).map(|state| state.service.id);
        assert_eq!(told.ok(), Some(service.id));
    }
    assert!(
        !Operation::EditService(service.clone())
            .to_string()
            .contains('\n')
            || named(service)
    );
}

/// Whether a name of the kernel's holds a line end, which no module's name does.
fn named(service: &Service) -> bool {
    let engine = service.engine.as_deref().unwrap_or_default();
    service.scheduler.contains('\n') || engine.contains('\n')
}

fn server_again(owner: &ServiceId, server: &Server) {
    for request in [
        destination::add(owner, server),
        destination::edit(owner, server),
    ] {
        let request = sent(&request);
        let told = destination::value(&request, owner.family()).map(|state| state.server);
        assert_eq!(told.as_ref().ok(), Some(server));
        let told = service::value(&request).map(|state| state.service.id);
        assert_eq!(told.ok(), Some(*owner));
    }
    let line = Operation::EditServer(*owner, server.clone()).to_string();
    assert!(!line.contains('\n'));
}

fn daemon_again(found: &Daemon) {
    let told = daemon::value(&sent(&daemon::start(found)));
    assert_eq!(told.as_ref().ok(), Some(found));
    let told = daemon::value(&sent(&daemon::stop(found.role, found.sync_id)));
    assert_eq!(told.ok().map(|it| it.role), Some(found.role));
}

/// A table: the operations that build it do build it.
fn table(found: &Table) {
    let mut built = Table::new();
    for operation in diff(&built, found) {
        assert!(apply(&mut built, &operation), "{operation:?}");
    }
    assert_eq!(&built, found);
    for entry in found.values() {
        service_again(&entry.service);
        for server in entry.servers.values() {
            server_again(&entry.service.id, server);
        }
    }
    assert_eq!(print_table(found).is_empty(), found.is_empty());
}
