//! Byte-level help for attributes: bounds are checked, nothing panics.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{DecodeError, NlaBuffer, NlasIterator, Parseable};

use crate::Family;

/// Bytes before an attribute's value.
const HEADER: usize = 4;

/// Copies `bytes` to the start of `buffer` and clears the rest.
pub(super) fn put(buffer: &mut [u8], bytes: &[u8]) {
    let padded = bytes.iter().chain(std::iter::repeat(&0));
    buffer
        .iter_mut()
        .zip(padded)
        .for_each(|(to, from)| *to = *from);
}

/// An address in the kernel's 16 bytes: IPv4 in the first four.
pub(super) fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => {
            let mut bytes = [0; 16];
            put(&mut bytes, &address.octets());
            bytes
        }
        IpAddr::V6(address) => address.octets(),
    }
}

/// The address of a family in the kernel's 16 bytes.
pub(super) fn address_of(family: Family, bytes: [u8; 16]) -> IpAddr {
    match (family, bytes) {
        (Family::V4, [a, b, c, d, ..]) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        (Family::V6, bytes) => IpAddr::V6(Ipv6Addr::from(bytes)),
    }
}

/// Exactly `N` bytes.
pub(super) fn array<const N: usize>(payload: &[u8]) -> Result<[u8; N], DecodeError> {
    payload
        .try_into()
        .map_err(|_| DecodeError::invalid_number(N, payload.len()))
}

/// Every attribute of a nest.
pub(super) fn attributes<A>(payload: &[u8]) -> Result<Vec<A>, DecodeError>
where
    A: for<'a> Parseable<NlaBuffer<&'a [u8]>>,
{
    NlasIterator::new(payload)
        .map(|nla| nla.and_then(|nla| A::parse(&nla)))
        .collect()
}

/// Number of an address family on the wire.
pub(super) const fn family_number(family: Family) -> u16 {
    match family {
        Family::V4 => 2,
        Family::V6 => 10,
    }
}

/// Family of a number on the wire.
pub(super) fn family_of(number: u16) -> Result<Family, DecodeError> {
    match number {
        2 => Ok(Family::V4),
        10 => Ok(Family::V6),
        other => Err(DecodeError::from(format!("unknown address family {other}"))),
    }
}

/// An answer lacks something that every kernel sends.
pub(super) fn missing(what: &str) -> DecodeError {
    DecodeError::from(format!("answer without {what}"))
}

/// The nest of this kind among the attributes of an answer.
pub(super) fn nest<'a>(
    payload: &'a [u8],
    kind: u16,
    what: &str,
) -> Result<NlasIterator<&'a [u8]>, DecodeError> {
    for nla in NlasIterator::new(payload) {
        let nla = nla?;
        if nla.kind() == kind {
            let end = usize::from(nla.length());
            let nested = nla.into_inner().get(HEADER..end).unwrap_or_default();
            return Ok(NlasIterator::new(nested));
        }
    }
    Err(missing(what))
}
