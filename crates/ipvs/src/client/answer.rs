//! Taking a received datagram apart into answers.

use netlink_packet_core::{
    DecodeError, DoneBuffer, ErrorBuffer, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP,
    NLMSG_OVERRUN, NetlinkBuffer, NlasIterator,
};
use netlink_packet_generic::constants::{CTRL_ATTR_FAMILY_ID, GENL_HDRLEN};

/// One message of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    /// Data: generic header and attributes.
    Message {
        /// Header and attributes.
        payload: &'a [u8],
        /// The kernel noticed a change while it listed.
        interrupted: bool,
    },
    /// End of a listing, with a positive error number or 0.
    Done(i32),
    /// The request was carried out (0) or refused (positive error number).
    Outcome(i32),
    /// Nothing of interest.
    Other,
}

/// The answers of a datagram, each with the sequence number of its request.
pub(super) struct Answers<'a> {
    rest: &'a [u8],
}

impl<'a> Answers<'a> {
    pub(super) const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    fn take(&mut self) -> Result<(u32, Answer<'a>), DecodeError> {
        let message = NetlinkBuffer::new_checked(self.rest)?;
        let length = usize::try_from(message.length()).unwrap_or(usize::MAX);
        let answer = match message.message_type() {
            NLMSG_NOOP | NLMSG_OVERRUN => Answer::Other,
            NLMSG_ERROR => {
                let error = ErrorBuffer::new_checked(message.payload())?;
                Answer::Outcome(error.code().map_or(0, |code| code.get().saturating_neg()))
            }
            NLMSG_DONE => {
                let done = DoneBuffer::new_checked(message.payload())?;
                Answer::Done(done.code().saturating_neg())
            }
            _ => Answer::Message {
                payload: message.payload(),
                interrupted: message.flags() & NLM_F_DUMP_INTR != 0,
            },
        };
        self.rest = self
            .rest
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
        Ok((message.sequence_number(), answer))
    }
}

impl<'a> Iterator for Answers<'a> {
    type Item = Result<(u32, Answer<'a>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let answer = self.take();
        if answer.is_err() {
            self.rest = &[];
        }
        Some(answer)
    }
}

/// The family's number in the controller's answer. The other attributes are not looked at: they grow
/// with every kernel.
pub(super) fn family_id(payload: &[u8]) -> Result<u16, DecodeError> {
    for nla in NlasIterator::new(payload.get(GENL_HDRLEN..).unwrap_or_default()) {
        let nla = nla?;
        if nla.kind() == CTRL_ATTR_FAMILY_ID {
            return netlink_packet_core::parse_u16(nla.value());
        }
    }
    Err(DecodeError::from(
        "answer without the family's number".to_owned(),
    ))
}
