use std::collections::VecDeque;

use netlink_packet_core::{
    DoneMessage, Emitable, ErrorMessage, NLM_F_DUMP_INTR, NLM_F_MULTIPART, NetlinkBuffer,
};

use super::*;
use crate::{Family, Protocol, Service};

/// A kernel that answers from a script, datagram by datagram.
struct Script {
    sent: Vec<Vec<u8>>,
    /// Each attempt has its own answers.
    attempts: VecDeque<VecDeque<Step>>,
    reopened: usize,
}

#[derive(Clone)]
enum Step {
    /// A datagram of these messages; 0 as sequence number stands for that of the last request.
    Datagram(Vec<Reply>),
    Lost,
    Truncated,
}

#[derive(Clone)]
enum Reply {
    Family,
    Service(Service, u16),
    Outcome { before_last: u32, errno: i32 },
    Done,
    Garbage,
}

impl Script {
    fn new(attempts: Vec<Vec<Step>>) -> Self {
        let attempts = attempts.into_iter().map(VecDeque::from).collect();
        Self {
            sent: Vec::new(),
            attempts,
            reopened: 0,
        }
    }

    /// Sequence number of the last request that was sent.
    fn last_number(&self) -> u32 {
        numbers(self.sent.last().unwrap()).last().copied().unwrap()
    }
}

fn numbers(mut bytes: &[u8]) -> Vec<u32> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        let message = NetlinkBuffer::new_checked(bytes).unwrap();
        numbers.push(message.sequence_number());
        bytes = &bytes[message.length() as usize..];
    }
    numbers
}

fn message(kind: u16, flags: u16, number: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (16 + payload.len() as u32).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(number.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn emitted(value: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; value.buffer_len()];
    value.emit(&mut bytes);
    bytes
}

impl Reply {
    fn bytes(&self, last: u32) -> Vec<u8> {
        match self {
            Self::Family => {
                let payload = GenlMessage::from_payload(GenlCtrl {
                    cmd: GenlCtrlCmd::NewFamily,
                    nlas: vec![GenlCtrlAttrs::FamilyId(30)],
                });
                message(16, 0, last, &emitted(&payload))
            }
            Self::Service(service, flags) => {
                let payload = GenlMessage::from_payload(service::add(service));
                message(30, NLM_F_MULTIPART | flags, last, &emitted(&payload))
            }
            Self::Outcome { before_last, errno } => {
                let mut outcome = ErrorMessage::default();
                outcome.code = std::num::NonZeroI32::new(-errno);
                message(2, 0, last - before_last, &emitted(&outcome))
            }
            Self::Done => message(3, NLM_F_MULTIPART, last, &emitted(&DoneMessage::default())),
            Self::Garbage => vec![9, 0, 0, 0, 1],
        }
    }
}

impl Link for Script {
    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.sent.push(bytes.to_vec());
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let last = self.last_number();
        match self.attempts[0]
            .pop_front()
            .expect("asked for more than the script holds")
        {
            Step::Datagram(replies) => {
                let bytes: Vec<u8> = replies.iter().flat_map(|reply| reply.bytes(last)).collect();
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            Step::Lost => Err(Error::Lost),
            Step::Truncated => Err(Error::Truncated),
        }
    }

    fn reopen(&mut self) -> std::io::Result<()> {
        self.reopened += 1;
        self.attempts.pop_front();
        Ok(())
    }
}

fn one(reply: Reply) -> Step {
    Step::Datagram(vec![reply])
}

/// A client whose first attempt also answers the look-up of the family.
fn client(mut attempts: Vec<Vec<Step>>) -> Client<Script> {
    attempts[0].insert(0, one(Reply::Family));
    Client::over(Script::new(attempts)).unwrap()
}

fn service(port: u16) -> Service {
    Service {
        id: ServiceId::Address {
            protocol: Protocol::Tcp,
            address: "10.0.0.1".parse().unwrap(),
            port,
        },
        scheduler: "rr".to_owned(),
        scheduler_flags: 0,
        one_packet: false,
        persistence: None,
        engine: None,
    }
}

fn listed(states: &[ServiceState]) -> Vec<Service> {
    states.iter().map(|state| state.service.clone()).collect()
}

#[test]
fn a_listing_ends_with_done() {
    let mut client = client(vec![vec![
        Step::Datagram(vec![
            Reply::Service(service(1), 0),
            Reply::Service(service(2), 0),
        ]),
        one(Reply::Service(service(3), 0)),
        one(Reply::Done),
    ]]);
    assert_eq!(
        listed(&client.services().unwrap()),
        [service(1), service(2), service(3)]
    );
    assert_eq!(client.link.reopened, 0);
}

#[test]
fn an_incomplete_listing_is_started_again() {
    let part = || one(Reply::Service(service(1), 0));
    for fault in [
        Step::Lost,
        Step::Truncated,
        one(Reply::Garbage),
        one(Reply::Service(service(2), NLM_F_DUMP_INTR)),
    ] {
        let mut client = client(vec![
            vec![part(), fault],
            vec![one(Reply::Service(service(7), 0)), one(Reply::Done)],
        ]);
        assert_eq!(listed(&client.services().unwrap()), [service(7)]);
        assert_eq!(client.link.reopened, 1);
    }
}

#[test]
fn a_listing_that_stays_incomplete_is_an_error() {
    let mut client = client(vec![vec![Step::Lost]; 4]);
    assert!(matches!(client.services(), Err(Error::Lost)));
    assert_eq!(client.link.reopened, 3);
}

#[test]
fn a_missing_family_is_no_ipvs() {
    let outcome = one(Reply::Outcome {
        before_last: 0,
        errno: libc::ENOENT,
    });
    let link = Script::new(vec![vec![outcome]]);
    assert!(matches!(Client::over(link), Err(Error::NotAvailable)));
}

#[test]
fn each_refusal_belongs_to_its_request() {
    let mut client = client(vec![vec![
        one(Reply::Outcome {
            before_last: 3,
            errno: libc::EEXIST,
        }),
        one(Reply::Outcome {
            before_last: 1,
            errno: libc::ESRCH,
        }),
        one(Reply::Outcome {
            before_last: 0,
            errno: 0,
        }),
    ]]);
    let outcomes = client.execute_all(&[
        service::add(&service(1)),
        service::add(&service(2)),
        service::delete(&service(3).id),
        IpvsMessage::bare(Command::Flush),
    ]);
    assert!(matches!(
        outcomes[..],
        [
            Err(Error::ServiceExists),
            Ok(()),
            Err(Error::NoSuchService),
            Ok(())
        ]
    ));
    assert_eq!(client.link.sent.len(), 2, "look-up and one batch");
}

#[test]
fn a_lost_answer_leaves_no_change_for_done() {
    let mut client = client(vec![vec![
        one(Reply::Outcome {
            before_last: 1,
            errno: libc::EEXIST,
        }),
        Step::Lost,
    ]]);
    let outcomes = client.execute_all(&[service::add(&service(1)), service::add(&service(2))]);
    assert!(matches!(
        outcomes[..],
        [Err(Error::ServiceExists), Err(Error::Lost)]
    ));
}

#[test]
fn long_batches_are_cut() {
    let done = || {
        one(Reply::Outcome {
            before_last: 0,
            errno: 0,
        })
    };
    let mut client = client(vec![vec![done(), done(), done()]]);
    let requests = vec![IpvsMessage::bare(Command::Flush); 2 * BATCH + 1];
    assert!(client.execute_all(&requests).iter().all(Result::is_ok));
    let lengths: Vec<_> = client
        .link
        .sent
        .iter()
        .map(|sent| numbers(sent).len())
        .collect();
    assert_eq!(lengths, [1, BATCH, BATCH, 1]);
}

#[test]
fn late_answers_are_not_taken_for_others() {
    let mut client = client(vec![vec![
        one(Reply::Outcome {
            before_last: 1,
            errno: libc::EPERM,
        }),
        one(Reply::Outcome {
            before_last: 0,
            errno: 0,
        }),
    ]]);
    assert!(client.execute(&service::delete(&service(1).id)).is_ok());
    assert_eq!(service(1).id.family(), Family::V4);
}
