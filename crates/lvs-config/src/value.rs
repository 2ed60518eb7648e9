//! Values as the keywords take them (`piranha-daemons.md` 1.6): reading, printing.
//!
//! Owns one value at a time. Knows neither keywords nor blocks.

use std::net::Ipv4Addr;

use crate::diagnostic::Code;
use crate::lexer::Word;
use crate::lexer::is_blank;
use crate::model::Address;
use crate::model::Host;
use crate::model::Text;
use crate::services::Services;

/// What a keyword takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 0 or 1.
    Flag,
    /// A number, both ends included.
    Number(i64, i64),
    /// A port number or the name of a TCP service.
    Port,
    /// An address or a name; the flag says whether 0.0.0.0 is allowed.
    Host(bool),
    /// An address or a name, then a device.
    HostAndDevice,
    /// An address in numbers.
    Ip,
    /// A subnet mask.
    Mask,
    /// A subnet mask whose 255.255.255.255 means "none".
    PersistenceMask,
    /// One word.
    Text,
    /// One word, whose quotes the original handed on to the checker.
    Quoted,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Words between brackets.
    List,
    /// Up to so many hosts in one pair of quotes.
    Hosts(usize),
}

/// A value of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Flag(bool),
    Number(i64),
    Host(Host),
    Address(Address),
    /// `None`: absent or meaning "none".
    Ip(Option<Ipv4Addr>),
    Text(Text),
    Choice(&'static str),
    List(Vec<Text>),
    Hosts(Vec<Host>),
}

/// A value that cannot be read: the kind of error, the word, what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused<'a> {
    pub(crate) code: Code,
    pub(crate) word: Word<'a>,
    pub(crate) help: Option<String>,
}

impl Kind {
    /// How many words the value has; `None`: any number.
    pub(crate) const fn words(self) -> Option<usize> {
        match self {
            Self::HostAndDevice => Some(2),
            Self::List => None,
            _ => Some(1),
        }
    }

    /// What would be right, for people.
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Flag => "0 or 1".into(),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Port => "a port number from 0 to 65535 or the name of a TCP service".into(),
            Self::Host(true) => "an IPv4 address or a host name".into(),
            Self::Host(false) => "an IPv4 address other than 0.0.0.0, or a host name".into(),
            Self::HostAndDevice => {
                "an IPv4 address or a host name, then a device: 192.0.2.80 eth0:1".into()
            }
            Self::Ip => "an IPv4 address".into(),
            Self::Mask | Self::PersistenceMask => "a subnet mask, as 255.255.255.0".into(),
            Self::Text => "one word, or a text in quotes".into(),
            Self::Quoted => "a text in quotes".into(),
            Self::Choice(names) => format!("one of {}", names.join(", ")),
            Self::List => "a list between brackets, as [ /etc /var/www ]".into(),
            Self::Hosts(most) => {
                format!("up to {most} IPv4 addresses or host names, together in quotes")
            }
        }
    }

    /// Reads the words of a value; their number is right already.
    pub(crate) fn read<'a>(
        self,
        words: &[Word<'a>],
        services: &mut Option<Services>,
    ) -> Result<Value, Refused<'a>> {
        let nothing = Word {
            bytes: b"",
            raw: b"",
            quote: None,
        };
        let word = words.first().copied().unwrap_or(nothing);
        let refused = |code, help| Err(Refused { code, word, help });
        match self {
            Self::Flag => match number(word.bytes) {
                None => refused(Code::IntegerExpected, None),
                Some(0) => Ok(Value::Flag(false)),
                Some(1) => Ok(Value::Flag(true)),
                Some(_) => refused(Code::BooleanExpected, None),
            },
            Self::Number(least, most) => match number(word.bytes) {
                None => refused(Code::IntegerExpected, None),
                Some(n) if (least..=most).contains(&n) => Ok(Value::Number(n)),
                Some(_) => refused(Code::InvalidArgument, None),
            },
            Self::Port => read_port(word, services),
            Self::Host(zero) => match host(word.bytes) {
                None => refused(Code::InvalidArgument, None),
                Some(Host::Address(Ipv4Addr::UNSPECIFIED)) if !zero => {
                    refused(Code::InvalidHost, None)
                }
                Some(host) => Ok(Value::Host(host)),
            },
            Self::HostAndDevice => read_address(word, words.get(1).copied().unwrap_or(nothing)),
            Self::Ip => match inet_aton(word.bytes) {
                None => refused(Code::InvalidHost, None),
                Some(address) => Ok(Value::Ip(Some(address).filter(|a| !a.is_unspecified()))),
            },
            Self::Mask | Self::PersistenceMask => self.read_mask(word),
            Self::Text => Ok(Value::Text(Text::from(word.bytes))),
            Self::Quoted => Ok(Value::Text(Text::from(without_stray_quote(word)))),
            Self::Choice(names) => match names.iter().find(|name| word == ***name) {
                None => refused(Code::InvalidArgument, None),
                Some(name) => Ok(Value::Choice(name)),
            },
            Self::List => read_list(words),
            Self::Hosts(most) => read_hosts(word, most),
        }
    }

    fn read_mask(self, word: Word<'_>) -> Result<Value, Refused<'_>> {
        let refused = |help| {
            Err(Refused {
                code: Code::BadSubnetMask,
                word,
                help,
            })
        };
        let Some(mask) = inet_aton(word.bytes) else {
            return refused(None);
        };
        let bits = u32::from(mask);
        if bits.leading_ones() + bits.trailing_zeros() < u32::BITS {
            return refused(Some(format!(
                "{mask} is not a mask: its ones do not stand together"
            )));
        }
        let unset = bits == 0 || (self == Self::PersistenceMask && bits == u32::MAX);
        Ok(Value::Ip(Some(mask).filter(|_| !unset)))
    }
}

/// The users of these texts take one mark off either end, so an unquoted word loses a last `"`.
fn without_stray_quote(word: Word<'_>) -> &[u8] {
    match word.quote {
        None => word.bytes.strip_suffix(b"\"").unwrap_or(word.bytes),
        Some(_) => word.bytes,
    }
}

fn read_port<'a>(word: Word<'a>, services: &mut Option<Services>) -> Result<Value, Refused<'a>> {
    let port = match number(word.bytes) {
        Some(n) => u16::try_from(n).ok(),
        None => services
            .get_or_insert_with(Services::of_this_machine)
            .port(word.bytes),
    };
    match port {
        Some(port) => Ok(Value::Number(port.into())),
        None => Err(Refused {
            code: Code::InvalidArgument,
            word,
            help: None,
        }),
    }
}

fn read_address<'a>(word: Word<'a>, device: Word<'a>) -> Result<Value, Refused<'a>> {
    let Some(host) = host(word.bytes) else {
        return Err(Refused {
            code: Code::InvalidArgument,
            word,
            help: None,
        });
    };
    let Ok(device) = std::str::from_utf8(device.bytes) else {
        let help = Some("a device name is plain text".to_owned());
        return Err(Refused {
            code: Code::InvalidArgument,
            word: device,
            help,
        });
    };
    Ok(Value::Address(Address {
        host,
        device: device.to_owned(),
    }))
}

/// What stands behind the closing bracket is ignored, as in the original.
fn read_list<'a>(words: &[Word<'a>]) -> Result<Value, Refused<'a>> {
    let nothing = Word {
        bytes: b"",
        raw: b"",
        quote: None,
    };
    let word = words.first().copied().unwrap_or(nothing);
    let end = words.iter().position(|w| w == "]").filter(|_| word == *"[");
    match end.and_then(|end| words.get(1..end)) {
        Some(items) => Ok(Value::List(
            items.iter().map(|w| Text::from(w.bytes)).collect(),
        )),
        None => Err(Refused {
            code: Code::ListExpected,
            word,
            help: None,
        }),
    }
}

fn read_hosts(word: Word<'_>, most: usize) -> Result<Value, Refused<'_>> {
    let names = || {
        word.bytes
            .split(|&b| is_blank(b))
            .filter(|name| !name.is_empty())
    };
    match names().map(host).collect::<Option<Vec<_>>>() {
        Some(hosts) if hosts.len() <= most => Ok(Value::Hosts(hosts)),
        _ => Err(Refused {
            code: Code::InvalidArgument,
            word,
            help: None,
        }),
    }
}

/// A number in C notation, as strtol with base 0 reads it: sign, `0x` and `0`, blanks before it;
/// nothing may follow. No text at all is 0. Too large numbers stay too large.
pub(crate) fn number(text: &[u8]) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let space = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b;
    let start = text.iter().position(|b| !space(b))?;
    let (negative, digits) = match text.get(start..)? {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (base, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', _, ..] => (8, digits),
        _ => (10, digits),
    };
    let value = digits_of(digits, base)?;
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    Some(if negative { -value } else { value })
}

/// The value of `digits`, at most `u64::MAX`; `None` when there are none or others among them.
fn digits_of(digits: &[u8], base: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, &digit| {
        let digit = char::from(digit).to_digit(base)?;
        Some(
            value
                .saturating_mul(base.into())
                .saturating_add(digit.into()),
        )
    })
}

/// An address in any form of `inet_aton`: one to four numbers in C notation, the last one filling
/// what is left; what follows white space does not count.
pub(crate) fn inet_aton(text: &[u8]) -> Option<Ipv4Addr> {
    let end = text
        .iter()
        .position(|b| b.is_ascii_whitespace() || *b == 0x0b);
    let text = text.get(..end.unwrap_or(text.len()))?;
    let mut parts = text.split(|&b| b == b'.').map(part);
    let mut address = 0u64;
    let mut left = 32u32;
    let mut current = parts.next()??;
    for next in parts {
        if current > 255 || left <= 8 {
            return None;
        }
        left -= 8;
        address |= current << left;
        current = next?;
    }
    if current >> left != 0 {
        return None;
    }
    u32::try_from(address | current).ok().map(Ipv4Addr::from)
}

fn part(digits: &[u8]) -> Option<u64> {
    match digits {
        [b'0', b'x' | b'X', rest @ ..] => digits_of(rest, 16),
        [b'0', _, ..] => digits_of(digits, 8),
        _ => digits_of(digits, 10),
    }
}

/// An address, or a text that could be a host name. What looks like numbers must be an address.
pub(crate) fn host(text: &[u8]) -> Option<Host> {
    if let Some(address) = inet_aton(text) {
        return Some(Host::Address(address));
    }
    let name = std::str::from_utf8(text).ok()?;
    let labels = name.strip_suffix('.').unwrap_or(name);
    let good = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let last = labels.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || part(last.as_bytes()).is_some();
    let fits = labels.len() <= 253 && !numeric && labels.split('.').all(good);
    fits.then(|| Host::Name(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_c_notation() {
        let of = |text: &str| number(text.as_bytes());
        assert_eq!(of("6"), Some(6));
        assert_eq!(of("0x1F"), Some(31));
        assert_eq!(of("022"), Some(18));
        assert_eq!(of("-5"), Some(-5));
        assert_eq!(of("+5"), Some(5));
        assert_eq!(of(""), Some(0));
        assert_eq!(of("0"), Some(0));
        assert_eq!(of(" 7"), Some(7));
        assert_eq!(of("99999999999999999999999"), Some(i64::MAX));
        for bad in [
            "5.5", "5s", "6#", "0x", "09", "-", " ", "7 ", "yes", "--1", "18;",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_are_those_of_inet_aton() {
        let of = |text: &str| inet_aton(text.as_bytes()).map(|a| a.to_string());
        assert_eq!(of("192.0.2.1").as_deref(), Some("192.0.2.1"));
        assert_eq!(of("10.1").as_deref(), Some("10.0.0.1"));
        assert_eq!(of("10.1.2").as_deref(), Some("10.1.0.2"));
        assert_eq!(of("0x0a000001").as_deref(), Some("10.0.0.1"));
        assert_eq!(of("012.0.0.1").as_deref(), Some("10.0.0.1"));
        assert_eq!(of("0").as_deref(), Some("0.0.0.0"));
        assert_eq!(of("24").as_deref(), Some("0.0.0.24"));
        assert_eq!(of("0xffffff00").as_deref(), Some("255.255.255.0"));
        for bad in [
            "",
            "256.1.1.1",
            "1.2.3.4.5",
            "1.2.3.",
            "::1",
            "10.0.0.0/8",
            "4294967296",
            "08.1",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_are_kept_as_text() {
        let name = |text: &str| matches!(host(text.as_bytes()), Some(Host::Name(_)));
        assert!(name("lb1.example.com") && name("lb_1") && name("localhost") && name("a.b."));
        for bad in [
            "",
            "::1",
            "10.0.0.0/8",
            "256.1.1.1",
            "1.2.3.4.5",
            "a b",
            "a..b",
            "-a",
            "x.1",
        ] {
            assert_eq!(host(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn masks_are_contiguous() {
        let read = |kind: Kind, text: &'static str| {
            let word = Word {
                bytes: text.as_bytes(),
                raw: text.as_bytes(),
                quote: None,
            };
            kind.read(&[word], &mut None)
                .map_err(|refused| refused.code)
        };
        let ones = Ipv4Addr::BROADCAST;
        assert_eq!(
            read(Kind::Mask, "255.255.255.255"),
            Ok(Value::Ip(Some(ones)))
        );
        assert_eq!(
            read(Kind::PersistenceMask, "255.255.255.255"),
            Ok(Value::Ip(None))
        );
        assert_eq!(read(Kind::Mask, "0.0.0.0"), Ok(Value::Ip(None)));
        assert!(read(Kind::Mask, "255.255.240.0").is_ok());
        for bad in ["24", "255.0.255.0", "/24", "255.255.255.256"] {
            assert_eq!(read(Kind::Mask, bad), Err(Code::BadSubnetMask), "{bad}");
        }
    }
}
