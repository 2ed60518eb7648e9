//! Where a keyword or block stands: in the form of the keys of `--show-config`.
//!
//! Owns the names of places. Does not know what is there.

use std::fmt;
use std::str::FromStr;

use crate::keywords::Level;

/// A block, or the text outside of blocks. Blocks are counted from 0 here and from 1 in text, as
/// `virtual[2].server[1]`; each kind in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Outside of blocks: `global`.
    Global,
    /// A virtual block.
    Virtual(usize),
    /// A failover block.
    Failover(usize),
    /// A server of a virtual block: block, server.
    VirtualServer(usize, usize),
    /// A server of a failover block: block, server.
    FailoverServer(usize, usize),
}

impl Place {
    /// Which keywords can stand there.
    pub const fn level(self) -> Level {
        match self {
            Self::Global => Level::Global,
            Self::Virtual(_) => Level::Virtual,
            Self::Failover(_) => Level::Failover,
            Self::VirtualServer(..) | Self::FailoverServer(..) => Level::Server,
        }
    }

    /// The server of that number within this block.
    pub const fn server(self, server: usize) -> Option<Self> {
        match self {
            Self::Virtual(block) => Some(Self::VirtualServer(block, server)),
            Self::Failover(block) => Some(Self::FailoverServer(block, server)),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Virtual(block) => write!(f, "virtual[{}]", block + 1),
            Self::Failover(block) => write!(f, "failover[{}]", block + 1),
            Self::VirtualServer(block, server) => {
                write!(f, "virtual[{}].server[{}]", block + 1, server + 1)
            }
            Self::FailoverServer(block, server) => {
                write!(f, "failover[{}].server[{}]", block + 1, server + 1)
            }
        }
    }
}

/// Not the name of a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the name of a block")]
pub struct PlaceError(String);

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let number = |part: &str, kind: &str| -> Option<usize> {
            let number = part
                .strip_prefix(kind)?
                .strip_prefix('[')?
                .strip_suffix(']')?;
            number.parse::<usize>().ok()?.checked_sub(1)
        };
        let (block, server) = match text.split_once('.') {
            Some((block, server)) => (block, Some(server)),
            None => (text, None),
        };
        let place = match server {
            None if block == "global" => Some(Self::Global),
            None => number(block, "virtual")
                .map(Self::Virtual)
                .or_else(|| number(block, "failover").map(Self::Failover)),
            Some(server) => number(server, "server").and_then(|server| {
                let of = |kind| number(block, kind);
                of("virtual")
                    .map(|block| Self::VirtualServer(block, server))
                    .or_else(|| of("failover").map(|block| Self::FailoverServer(block, server)))
            }),
        };
        place.ok_or_else(|| PlaceError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_places_are_read_as_printed() {
        for place in [
            Place::Global,
            Place::Virtual(0),
            Place::Failover(11),
            Place::VirtualServer(1, 2),
            Place::FailoverServer(0, 0),
        ] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for bad in [
            "",
            "virtual",
            "virtual[0]",
            "virtual[1].port",
            "global.server[1]",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
