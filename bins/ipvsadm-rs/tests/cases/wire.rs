//! A link that answers every request and writes down what was asked.

use std::collections::VecDeque;
use std::io;

use ipvs::codec::Command;
use ipvs::{Error, Link};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer,
};

/// Number that the family has here.
const FAMILY: u16 = 30;
/// A service as Linux 6.1 tells it, shortened to what every kernel sends.
const SERVICE: &str = "010100005400010006000100020000000600020006000000140003000a000001000000000000000000000000060004000050000008000600777272000c00070002000000ffffffff080008000000000008000900ffffffff";
/// Version and table size as Linux 6.1 tells them.
const INFO: &str = "0e01000008000100010201000800020000100000";

/// What was asked, one line per request, in the form of the case table.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) asked: String,
    answers: VecDeque<Vec<u8>>,
}

impl Recorder {
    fn answer(&mut self, kind: u16, number: u32, payload: &[u8]) {
        let length = u32::try_from(16 + payload.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend([kind.to_ne_bytes(), 0u16.to_ne_bytes()].concat());
        bytes.extend([number.to_ne_bytes(), 0u32.to_ne_bytes()].concat());
        bytes.extend(payload);
        self.answers.push_back(bytes);
    }

    fn take(&mut self, message: &NetlinkBuffer<&[u8]>) {
        let (number, payload) = (message.sequence_number(), message.payload());
        if message.message_type() != FAMILY {
            // The look-up: generic header, then the family's number as attribute 1.
            let told = [
                [1, 2, 0, 0],
                [6, 0, 1, 0],
                [FAMILY.to_ne_bytes()[0], 0, 0, 0],
            ]
            .concat();
            return self.answer(16, number, &told);
        }
        let command = Command::from(payload[0]);
        if command != Command::GetInfo {
            let line = format!(
                "{} {} {}\n",
                name(command),
                flags(message.flags()),
                hex(payload)
            );
            self.asked += &line;
        }
        match command {
            Command::GetInfo => return self.answer(FAMILY, number, &bytes(INFO)),
            _ if message.flags() & NLM_F_DUMP == NLM_F_DUMP => {
                return self.answer(NLMSG_DONE, number, &[0; 4]);
            }
            Command::GetService => self.answer(FAMILY, number, &bytes(SERVICE)),
            Command::GetConfig => self.answer(FAMILY, number, &bytes("0c010000")),
            _ => {}
        }
        if message.flags() & NLM_F_ACK != 0 {
            self.answer(NLMSG_ERROR, number, &[0; 20]);
        }
    }
}

impl Link for Recorder {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let message = NetlinkBuffer::new_checked(rest).unwrap();
            let length = usize::try_from(message.length()).unwrap();
            self.take(&message);
            rest = &rest[length..];
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let answer = self.answers.pop_front().ok_or(Error::Lost)?;
        buffer[..answer.len()].copy_from_slice(&answer);
        Ok(answer.len())
    }

    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn name(command: Command) -> &'static str {
    match command {
        Command::NewService => "NEW_SERVICE",
        Command::SetService => "SET_SERVICE",
        Command::DelService => "DEL_SERVICE",
        Command::GetService => "GET_SERVICE",
        Command::NewDest => "NEW_DEST",
        Command::SetDest => "SET_DEST",
        Command::DelDest => "DEL_DEST",
        Command::GetDest => "GET_DEST",
        Command::NewDaemon => "NEW_DAEMON",
        Command::DelDaemon => "DEL_DAEMON",
        Command::GetDaemon => "GET_DAEMON",
        Command::SetConfig => "SET_CONFIG",
        Command::GetConfig => "GET_CONFIG",
        Command::SetInfo => "SET_INFO",
        Command::GetInfo => "GET_INFO",
        Command::Zero => "ZERO",
        Command::Flush => "FLUSH",
        Command::Other(_) => "?",
    }
}

fn flags(flags: u16) -> String {
    let names = [
        (NLM_F_REQUEST, "REQUEST"),
        (NLM_F_ACK, "ACK"),
        (NLM_F_DUMP, "DUMP"),
    ];
    let set = names.iter().filter(|(bits, _)| flags & bits == *bits);
    set.map(|(_, name)| *name).collect::<Vec<_>>().join("+")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}
