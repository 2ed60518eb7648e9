//! Top-level attributes.

use netlink_packet_core::{
    DecodeError, DefaultNla, Emitable, ErrorContext, NLA_F_NESTED, Nla, NlaBuffer, NlasIterator,
    Parseable, parse_u32,
};

use super::command::Command;
use super::daemon::DaemonAttribute;
use super::destination::DestinationAttribute;
use super::info::InfoAttribute;
use super::service::ServiceAttribute;
use super::wire::{attributes, put};

pub(super) const SERVICE: u16 = 1;
pub(super) const DEST: u16 = 2;
const DAEMON: u16 = 3;
const TIMEOUT_TCP: u16 = 4;
const TIMEOUT_TCP_FIN: u16 = 5;
const TIMEOUT_UDP: u16 = 6;

/// A top-level attribute. The answer to `GET_INFO` has numbers of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// 1, nested.
    Service(Vec<ServiceAttribute>),
    /// 2, nested.
    Destination(Vec<DestinationAttribute>),
    /// 3, nested.
    Daemon(Vec<DaemonAttribute>),
    /// 4, seconds; 0 in a request leaves the timeout as it is.
    TimeoutTcp(u32),
    /// 5, seconds.
    TimeoutTcpFin(u32),
    /// 6, seconds.
    TimeoutUdp(u32),
    /// Of the answer to `GET_INFO`.
    Info(InfoAttribute),
    /// Of a later kernel.
    Other(DefaultNla),
}

impl Nla for Attribute {
    fn value_len(&self) -> usize {
        match self {
            Self::Service(nested) => nested.as_slice().buffer_len(),
            Self::Destination(nested) => nested.as_slice().buffer_len(),
            Self::Daemon(nested) => nested.as_slice().buffer_len(),
            Self::TimeoutTcp(_) | Self::TimeoutTcpFin(_) | Self::TimeoutUdp(_) => 4,
            Self::Info(attribute) => attribute.value_len(),
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Service(_) => SERVICE | NLA_F_NESTED,
            Self::Destination(_) => DEST | NLA_F_NESTED,
            Self::Daemon(_) => DAEMON | NLA_F_NESTED,
            Self::TimeoutTcp(_) => TIMEOUT_TCP,
            Self::TimeoutTcpFin(_) => TIMEOUT_TCP_FIN,
            Self::TimeoutUdp(_) => TIMEOUT_UDP,
            Self::Info(attribute) => attribute.kind(),
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Service(nested) => nested.as_slice().emit(buffer),
            Self::Destination(nested) => nested.as_slice().emit(buffer),
            Self::Daemon(nested) => nested.as_slice().emit(buffer),
            Self::TimeoutTcp(seconds)
            | Self::TimeoutTcpFin(seconds)
            | Self::TimeoutUdp(seconds) => {
                put(buffer, &seconds.to_ne_bytes());
            }
            Self::Info(attribute) => attribute.emit_value(buffer),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl Parseable<NlaBuffer<&[u8]>> for Attribute {
    fn parse(nla: &NlaBuffer<&[u8]>) -> Result<Self, DecodeError> {
        let payload = nla.value();
        Ok(match nla.kind() {
            SERVICE => Self::Service(attributes(payload).context("invalid SERVICE")?),
            DEST => Self::Destination(attributes(payload).context("invalid DEST")?),
            DAEMON => Self::Daemon(attributes(payload).context("invalid DAEMON")?),
            TIMEOUT_TCP => Self::TimeoutTcp(parse_u32(payload)?),
            TIMEOUT_TCP_FIN => Self::TimeoutTcpFin(parse_u32(payload)?),
            TIMEOUT_UDP => Self::TimeoutUdp(parse_u32(payload)?),
            _ => Self::Other(DefaultNla::parse(nla)?),
        })
    }
}

/// The attributes of a message with this command.
pub(super) fn parse_top_level(
    command: Command,
    payload: &[u8],
) -> Result<Vec<Attribute>, DecodeError> {
    if command != Command::SetInfo {
        return attributes(payload);
    }
    NlasIterator::new(payload)
        .map(|nla| nla.and_then(|nla| InfoAttribute::parse(&nla).map(Attribute::Info)))
        .collect()
}
