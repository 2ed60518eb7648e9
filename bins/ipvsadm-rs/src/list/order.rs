//! The order of listings (`ipvsadm.md` 2.3).
//!
//! The comparison is not transitive, so the result depends on the algorithm: it is the merge sort of the C
//! library on the kernel's order. The standard sort may refuse such a comparison.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipvs::{Family, Protocol, ServerState, ServiceId, ServiceState};

/// Services in the order in which ipvsadm lists them.
pub fn sort_services(services: &[ServiceState]) -> Vec<&ServiceState> {
    sorted(services, |left, right| {
        compare_services(&left.service.id, &right.service.id)
    })
}

/// Servers in the order in which ipvsadm lists them.
pub fn sort_servers(servers: &[ServerState]) -> Vec<&ServerState> {
    sorted(servers, |left, right| {
        let (left, right) = (left.server.id, right.server.id);
        let family = Family::of(left.address);
        compare_addresses(family, left.address, right.address).then(left.port.cmp(&right.port))
    })
}

fn sorted<T>(list: &[T], compare: impl Fn(&T, &T) -> Ordering) -> Vec<&T> {
    let mut order: Vec<&T> = list.iter().collect();
    let mut merged = Vec::with_capacity(order.len());
    merge_sort(&mut order, &mut merged, &compare);
    order
}

/// Sorts halves, the first one rounded down, and merges them; the left element goes first unless it is
/// greater. `merged` is room for the work.
fn merge_sort<'a, T>(
    list: &mut [&'a T],
    merged: &mut Vec<&'a T>,
    compare: &impl Fn(&T, &T) -> Ordering,
) {
    if list.len() < 2 {
        return;
    }
    let (left, right) = list.split_at_mut(list.len() / 2);
    merge_sort(left, merged, compare);
    merge_sort(right, merged, compare);
    merged.clear();
    let mut left = left.iter().copied().peekable();
    let mut right = right.iter().copied().peekable();
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let side = if compare(first, second).is_le() {
            &mut left
        } else {
            &mut right
        };
        merged.extend(side.next());
    }
    merged.extend(left);
    merged.extend(right);
    list.copy_from_slice(merged);
}

/// The difference of two unsigned numbers read as a signed one, as ipvsadm compares.
const fn wrapping(left: u32, right: u32) -> i32 {
    left.wrapping_sub(right).cast_signed()
}

const fn protocol_number(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
        Protocol::Other(number) => number,
    }
}

fn compare_services(left: &ServiceId, right: &ServiceId) -> Ordering {
    let mark = |id: &ServiceId| match id {
        ServiceId::Mark { mark, .. } => *mark,
        ServiceId::Address { .. } => 0,
    };
    let protocol = |id: &ServiceId| id.protocol().map_or(0, protocol_number);
    let marks = wrapping(mark(left), mark(right)).cmp(&0);
    let keys = marks
        .then(left.family().cmp(&right.family()))
        .then_with(|| protocol(left).cmp(&protocol(right)));
    match (left, right) {
        (
            ServiceId::Address { address, port, .. },
            ServiceId::Address {
                address: other,
                port: other_port,
                ..
            },
        ) => keys
            .then_with(|| compare_addresses(left.family(), *address, *other))
            .then(port.cmp(other_port)),
        _ => keys,
    }
}

/// Compares as addresses of a family; the words of the other family's address count as they lie in memory.
fn compare_addresses(family: Family, left: IpAddr, right: IpAddr) -> Ordering {
    if let (IpAddr::V4(left), IpAddr::V4(right)) = (left, right) {
        return wrapping(left.into(), right.into()).cmp(&0);
    }
    let count = match family {
        Family::V4 => 1,
        Family::V6 => 4,
    };
    let pairs = words(left).into_iter().zip(words(right)).take(count);
    let differences = pairs.map(|(left, right)| wrapping(left, right));
    differences
        .map(|difference| difference.cmp(&0))
        .find(|it| it.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The four words of an address; IPv4 has one.
fn words(address: IpAddr) -> [u32; 4] {
    match address {
        IpAddr::V4(address) => [address.into(), 0, 0, 0],
        IpAddr::V6(address) => {
            let number = u128::from(address);
            [96, 64, 32, 0].map(|shift| (number >> shift & u128::from(u32::MAX)) as u32)
        }
    }
}
