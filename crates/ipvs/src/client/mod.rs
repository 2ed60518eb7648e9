//! A blocking client for the kernel's IPVS: changes in batches, complete listings.
//!
//! Owns one netlink socket. Matches every answer to its request; a listing that may be incomplete is an
//! error, never a short list. Decides nothing about the table.

mod answer;
mod datagrams;
mod link;

use std::collections::BTreeMap;

use netlink_packet_core::{
    DecodeError, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable, ParseableParametrized,
};
use netlink_packet_generic::GenlMessage;
use netlink_packet_generic::constants::GENL_HDRLEN;
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd, nlas::GenlCtrlAttrs};

use self::answer::{Answer, Answers, family_id};
pub use self::datagrams::Datagrams;
pub use self::link::{KernelLink, Link};
use crate::codec::{Command, FAMILY_NAME, IpvsMessage, config, daemon, destination, info, service};
use crate::{
    Daemon, Entry, Error, Info, Operation, ServerState, ServiceId, ServiceState, Table, Timeouts,
};

/// How often a listing is started again.
const RETRIES: usize = 3;
/// Requests of one send: their refusals, one datagram each, fit into the default receive buffer.
const BATCH: usize = 128;
/// The kernel fills datagrams of a listing up to the largest buffer that was offered, at most 32 KiB. An
/// allocation of this size comes as pages that are zero already: only those that are used are touched.
const RECEIVE_BUFFER: usize = 128 * 1024;
/// Entries of a listing for which there is room at once; most services have no more servers.
const USUAL: usize = 16;

/// An open connection to the kernel's IPVS in the network namespace in which it was opened.
#[derive(Debug)]
pub struct Client<L = KernelLink> {
    link: L,
    family: u16,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Client<KernelLink> {
    /// Opens a socket and looks up the family, which makes the kernel load the module.
    /// [`Error::NotAvailable`] when there is no IPVS.
    pub fn open() -> Result<Self, Error> {
        Self::over(KernelLink::open().map_err(Error::Open)?)
    }
}

impl<L: Link> Client<L> {
    /// A client over a link that was just opened.
    pub fn over(link: L) -> Result<Self, Error> {
        let buffer = vec![0; RECEIVE_BUFFER];
        let mut client = Self {
            link,
            family: 0,
            sequence: 0,
            buffer,
        };
        client.family = client.look_up_family()?;
        Ok(client)
    }

    /// Ends the client and gives its link back.
    pub fn into_link(self) -> L {
        self.link
    }

    fn look_up_family(&mut self) -> Result<u16, Error> {
        let lookup = GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(FAMILY_NAME.to_owned())],
        };
        let mut bytes = Vec::new();
        let sequence = self.append(&mut bytes, GenlMessage::from_payload(lookup), 0);
        self.link.send(&bytes).map_err(Error::Send)?;
        let mut found = None;
        self.receive_until(|number, answer| match answer {
            _ if number != sequence => Ok(false),
            Answer::Message { payload, .. } => {
                found = Some(family_id(payload)?);
                Ok(true)
            }
            Answer::Outcome(libc::ENOENT) => Err(Error::NotAvailable),
            Answer::Outcome(errno) => Err(Error::of_kernel(Command::GetInfo, *errno)),
            Answer::Done(_) | Answer::Other => Ok(false),
        })?;
        found.ok_or(Error::Lost)
    }

    /// Version of IPVS and size of the connection table.
    pub fn info(&mut self) -> Result<Info, Error> {
        let message = self.ask(IpvsMessage::bare(Command::GetInfo), 0)?;
        Ok(info::value(&message)?)
    }

    /// Timeouts of connections.
    pub fn timeouts(&mut self) -> Result<Timeouts, Error> {
        Ok(config::value(&self.ask(config::get(), NLM_F_ACK)?))
    }

    /// One service.
    pub fn service(&mut self, id: &ServiceId) -> Result<ServiceState, Error> {
        Ok(service::value(&self.ask(service::get(id), NLM_F_ACK)?)?)
    }

    /// All services in the kernel's order.
    pub fn services(&mut self) -> Result<Vec<ServiceState>, Error> {
        self.dump(&service::list(), |payload| service::read(content(payload)?))
    }

    /// The servers of a service in the kernel's order; none for a service that does not exist.
    pub fn servers(&mut self, id: &ServiceId) -> Result<Vec<ServerState>, Error> {
        self.dump(&destination::list(id), |payload| {
            destination::read(content(payload)?, id.family())
        })
    }

    /// The running connection-sync daemons, the master first.
    pub fn daemons(&mut self) -> Result<Vec<Daemon>, Error> {
        self.dump(&daemon::list(), |payload| daemon::value(&decode(payload)?))
    }

    /// The whole table.
    pub fn table(&mut self) -> Result<Table, Error> {
        let mut table = Table::new();
        for ServiceState { service, .. } in self.services()? {
            let servers = self.servers(&service.id)?;
            let servers = servers
                .into_iter()
                .map(|state| (state.server.id, state.server));
            let id = service.id;
            table.insert(
                id,
                Entry {
                    service,
                    servers: servers.collect(),
                },
            );
        }
        Ok(table)
    }

    /// Carries out one change.
    pub fn execute(&mut self, request: &IpvsMessage) -> Result<(), Error> {
        let mut outcomes = self.execute_all(std::slice::from_ref(request));
        outcomes.pop().unwrap_or(Err(Error::Lost))
    }

    /// Carries out changes in their order and gives the outcome of each. One that is refused does not stop
    /// those after it. They travel in batches, so an outcome costs no round trip of its own.
    pub fn execute_all(&mut self, requests: &[IpvsMessage]) -> Vec<Result<(), Error>> {
        let mut outcomes = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            self.execute_batch(batch, &mut outcomes);
        }
        outcomes
    }

    /// The kernel works through a batch in order and always answers a refusal. Only the last request asks
    /// for an answer in any case; with it, those before that were not refused are known to be done.
    fn execute_batch(&mut self, batch: &[IpvsMessage], outcomes: &mut Vec<Result<(), Error>>) {
        let mut bytes = Vec::with_capacity(batch.len() * 256);
        let mut pending = BTreeMap::new();
        let mut last = 0;
        for (index, request) in batch.iter().enumerate() {
            let flags = if index + 1 == batch.len() {
                NLM_F_ACK
            } else {
                0
            };
            last = self.append(&mut bytes, self.addressed(request.clone()), flags);
            pending.insert(last, (index, request.command));
        }
        let mut answers: Vec<Result<(), Error>> = batch.iter().map(|_| Ok(())).collect();
        if let Err(error) = self.link.send(&bytes) {
            outcomes.push(Err(Error::Send(error)));
            outcomes.extend(batch.iter().skip(1).map(|_| Err(Error::Lost)));
            return;
        }
        let received = self.receive_until(|number, answer| {
            if let (Answer::Outcome(errno), Some((index, command))) = (answer, pending.get(&number))
                && *errno != 0
                && let Some(slot) = answers.get_mut(*index)
            {
                *slot = Err(Error::of_kernel(*command, *errno));
            }
            Ok(number == last && matches!(answer, Answer::Outcome(_)))
        });
        if received.is_err() {
            // What was not refused so far may be done or not.
            for slot in answers.iter_mut().filter(|slot| slot.is_ok()) {
                *slot = Err(Error::Lost);
            }
        }
        outcomes.append(&mut answers);
    }

    /// Carries out operations on the table; see [`Client::execute_all`].
    pub fn apply(&mut self, operations: &[Operation]) -> Vec<Result<(), Error>> {
        let requests: Vec<_> = operations.iter().map(IpvsMessage::from).collect();
        self.execute_all(&requests)
    }

    fn addressed(&self, request: IpvsMessage) -> GenlMessage<IpvsMessage> {
        let mut message = GenlMessage::from_payload(request);
        message.set_resolved_family_id(self.family);
        message
    }

    /// Appends a message to what is sent next and gives its sequence number.
    fn append<M>(&mut self, bytes: &mut Vec<u8>, message: M, flags: u16) -> u32
    where
        M: NetlinkSerializable + Into<NetlinkPayload<M>>,
    {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, message.into());
        message.finalize();
        let start = bytes.len();
        // Messages are padded to four bytes; attributes already are.
        bytes.resize(start + message.buffer_len().next_multiple_of(4), 0);
        if let Some(room) = bytes.get_mut(start..start + message.buffer_len()) {
            message.serialize(room);
        }
        self.sequence
    }

    /// Sends a request that has one message as answer; asks again when the answer is lost.
    fn ask(&mut self, request: IpvsMessage, flags: u16) -> Result<IpvsMessage, Error> {
        self.retry(|client| client.ask_once(&request, flags))
    }

    fn ask_once(&mut self, request: &IpvsMessage, flags: u16) -> Result<IpvsMessage, Error> {
        let mut bytes = Vec::new();
        let sequence = self.append(&mut bytes, self.addressed(request.clone()), flags);
        self.link.send(&bytes).map_err(Error::Send)?;
        let mut found = None;
        self.receive_until(|number, answer| match answer {
            _ if number != sequence => Ok(false),
            Answer::Message { payload, .. } => {
                found = Some(decode(payload)?);
                Ok(flags & NLM_F_ACK == 0)
            }
            Answer::Outcome(0) => Ok(true),
            Answer::Outcome(errno) => Err(Error::of_kernel(request.command, *errno)),
            Answer::Done(_) | Answer::Other => Ok(false),
        })?;
        found.ok_or(Error::Lost)
    }

    /// Asks for a list; starts again when any part of it may be missing.
    fn dump<T>(
        &mut self,
        request: &IpvsMessage,
        value: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, Error> {
        self.retry(|client| client.dump_once(request, &value))
    }

    fn dump_once<T>(
        &mut self,
        request: &IpvsMessage,
        value: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, Error> {
        let mut bytes = Vec::new();
        let flags = NLM_F_ACK | NLM_F_DUMP;
        let sequence = self.append(&mut bytes, self.addressed(request.clone()), flags);
        self.link.send(&bytes).map_err(Error::Send)?;
        let mut list = Vec::with_capacity(USUAL);
        self.receive_until(|number, answer| match answer {
            _ if number != sequence => Ok(false),
            Answer::Message {
                interrupted: true, ..
            } => Err(Error::Interrupted),
            Answer::Message { payload, .. } => {
                list.push(value(payload)?);
                Ok(false)
            }
            Answer::Done(0) => Ok(true),
            Answer::Done(errno) => Err(Error::of_kernel(request.command, *errno)),
            Answer::Outcome(0) | Answer::Other => Ok(false),
            Answer::Outcome(errno) => Err(Error::of_kernel(request.command, *errno)),
        })?;
        Ok(list)
    }

    /// Tries again on a new socket, so that nothing of the failed attempt can be taken for an answer.
    fn retry<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut outcome = attempt(self);
        for _ in 0..RETRIES {
            match outcome {
                Err(error) if error.is_transient() => {
                    self.link.reopen().map_err(Error::Open)?;
                    outcome = attempt(self);
                }
                finished => return finished,
            }
        }
        outcome
    }

    /// Receives datagrams until `each` says that the last answer has come. `each` is given the sequence
    /// number of the request that an answer belongs to.
    fn receive_until(
        &mut self,
        mut each: impl FnMut(u32, &Answer<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        loop {
            let length = self.link.receive(&mut self.buffer)?;
            let datagram = self.buffer.get(..length).ok_or(Error::Truncated)?;
            let mut finished = false;
            for answer in Answers::new(datagram) {
                let (number, answer) = answer?;
                finished |= each(number, &answer)?;
            }
            if finished {
                return Ok(());
            }
        }
    }
}

/// The attributes of an answer, behind its generic header.
fn content(payload: &[u8]) -> Result<&[u8], DecodeError> {
    let content = payload.get(GENL_HDRLEN..);
    content.ok_or_else(|| DecodeError::from("answer without a header".to_owned()))
}

fn decode(payload: &[u8]) -> Result<IpvsMessage, DecodeError> {
    Ok(GenlMessage::<IpvsMessage>::parse_with_param(payload, 0u16)?.payload)
}

impl From<&Operation> for IpvsMessage {
    fn from(operation: &Operation) -> Self {
        match operation {
            Operation::AddService(service) => service::add(service),
            Operation::EditService(service) => service::edit(service),
            Operation::DeleteService(id) => service::delete(id),
            Operation::AddServer(id, server) => destination::add(id, server),
            Operation::EditServer(id, server) => destination::edit(id, server),
            Operation::DeleteServer(id, server) => destination::delete(id, server),
        }
    }
}

#[cfg(test)]
mod tests;
