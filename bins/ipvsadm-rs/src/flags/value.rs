//! Values of options that stand for themselves: numbers, masks, names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::names::cut;

/// A decimal number as C's `strtol` reads it: leading white space and a sign are fine, anything after the
/// digits is not. `None` too when it lies outside the range.
pub(super) fn number(text: &[u8], lowest: i64, highest: i64) -> Option<i64> {
    let (value, rest) = leading_number(text)?;
    (rest.is_empty() && (lowest..=highest).contains(&value)).then_some(value)
}

/// The number at the start of a text, and what follows; numbers too large are not a number.
pub(super) fn leading_number(text: &[u8]) -> Option<(i64, &[u8])> {
    let start = text
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(text.len());
    let text = text.get(start..).unwrap_or_default();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let length = digits
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(length)?;
    let value = i64::from_str(std::str::from_utf8(digits).ok()?).ok()?;
    Some((if negative { -value } else { value }, rest))
}

/// White space of the C locale.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// An IPv4 address in the forms of `inet_aton`: one to four numbers, each decimal, octal or hexadecimal,
/// the last one filling what is left; white space ends it.
pub(super) fn lenient_ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let end = text
        .iter()
        .position(|byte| is_space(*byte))
        .unwrap_or(text.len());
    let parts: Vec<u64> = text
        .get(..end)?
        .split(|byte| *byte == b'.')
        .map(c_number)
        .collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    let room = 4usize.checked_sub(leading.len()).filter(|room| *room > 0)?;
    if leading.iter().any(|part| *part > 0xff) || *last >= 1 << (8 * room) {
        return None;
    }
    let high = leading.iter().fold(0, |sum, part| sum << 8 | part);
    u32::try_from(high << (8 * room) | last)
        .ok()
        .map(Ipv4Addr::from)
}

/// A number with C's prefixes for octal and hexadecimal.
fn c_number(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    // from_str_radix would take a sign.
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// An IPv6 address in text form, without a zone.
pub(super) fn ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A multicast group; the family that was meant when it is none.
pub(super) fn multicast_group(text: &[u8]) -> Result<IpAddr, &'static str> {
    if text.contains(&b':') {
        let group = ipv6(text).filter(Ipv6Addr::is_multicast);
        return group.map(IpAddr::V6).ok_or("IPv6");
    }
    let group = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<Ipv4Addr>().ok());
    group
        .filter(Ipv4Addr::is_multicast)
        .map(IpAddr::V4)
        .ok_or("IPv4")
}

/// A name of at most so many bytes. What is not UTF-8 is replaced before the name is cut, because a
/// replacement is longer than what it stands for.
pub(super) fn name(text: &[u8], most: usize) -> String {
    let mut name = String::from_utf8_lossy(text).into_owned();
    cut(&mut name, 0, most);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_name_not_utf8() {
        for bad in [
            &[0xff; 20][..],
            b"round-robin-\xff\xff\xff\xff",
            b"12345678901234\xc3\xa9",
        ] {
            let name = name(bad, 15);
            assert!(name.len() <= 15, "{name:?}");
        }
        assert_eq!(name(b"12345678901234567", 15), "123456789012345");
        assert_eq!(name(b"wlc", 15), "wlc");
    }
}
