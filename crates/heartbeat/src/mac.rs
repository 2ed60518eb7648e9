//! Hardware addresses of a router's service interfaces: by them an answer for a VIP is known to
//! be the partner's.

use std::fmt;

/// A hardware address of Ethernet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// As many as a heartbeat has room for; further ones are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Macs([Option<Mac>; Macs::MOST]);

impl Macs {
    /// How many there can be.
    pub const MOST: usize = 8;

    /// None at all.
    pub const NONE: Self = Self([None; Self::MOST]);

    /// The addresses, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = Mac> + '_ {
        self.0.iter().flatten().copied()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether this is one of them.
    pub fn contains(&self, mac: Mac) -> bool {
        self.iter().any(|own| own == mac)
    }
}

impl FromIterator<Mac> for Macs {
    /// Each once.
    fn from_iter<T: IntoIterator<Item = Mac>>(macs: T) -> Self {
        let mut all = Self::NONE;
        for mac in macs {
            if !all.contains(mac)
                && let Some(free) = all.0.iter_mut().find(|place| place.is_none())
            {
                *free = Some(mac);
            }
        }
        all
    }
}
