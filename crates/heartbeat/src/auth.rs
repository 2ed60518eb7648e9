//! Tags on heartbeats: HMAC-SHA256 with a key that both routers have (`heartbeat_key`).
//!
//! Owns keys, the tag's place and what is asked of the partner's heartbeats. Whether a heartbeat
//! with a good tag is of this moment is the state machine's question.

use std::fmt;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::extended::{self, TAG};
use crate::{Heartbeat, Role, WireError};

/// Shortest key in bytes.
pub const SHORTEST_KEY: usize = 16;

/// The keys of a router: the first signs, all verify.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys(Vec<Vec<u8>>);

/// Why a key file is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Neither one nor two keys.
    #[error("{0} keys, one a line: one or two are expected")]
    Count(usize),
    /// Easy to guess.
    #[error("a key of {0} bytes: at least {SHORTEST_KEY} are expected")]
    Short(usize),
}

impl fmt::Debug for Keys {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// From the bytes of a key file: one or two lines of any bytes, blanks around them removed;
    /// empty lines and those that start with `#` do not count.
    pub fn parse(file: &[u8]) -> Result<Self, KeyError> {
        let keys: Vec<Vec<u8>> = file
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
            .map(<[u8]>::to_vec)
            .collect();
        if !(1..=2).contains(&keys.len()) {
            return Err(KeyError::Count(keys.len()));
        }
        match keys.iter().find(|key| key.len() < SHORTEST_KEY) {
            Some(key) => Err(KeyError::Short(key.len())),
            None => Ok(Self(keys)),
        }
    }

    fn mac(key: &[u8], sender: Role, body: &[u8]) -> Option<Hmac<Sha256>> {
        // Keys of every length are taken.
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(match sender {
            Role::Primary => b"piranha heartbeat: primary to backup",
            Role::Backup => b"piranha heartbeat: backup to primary",
        });
        mac.update(body);
        Some(mac)
    }
}

/// `heartbeat_auth`: what is asked of the partner's heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: only own ones are tagged.
    Send,
    /// What is tagged must be so correctly.
    Permissive,
    /// Everything must.
    Enforce,
}

/// Why a heartbeat is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejected {
    /// It is none.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// By an original, or a router without `heartbeat_key`.
    #[error("heartbeat without a tag refused: does the partner have heartbeat_key?")]
    Untagged,
    /// Forged, damaged, or of another key.
    #[error("heartbeat with a wrong tag refused: do both routers have the same heartbeat_key?")]
    Forged,
}

/// What stands between the wire and the state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Without keys, heartbeats pass as with an original.
    pub keys: Option<Keys>,
    /// What is asked, with keys.
    pub mode: Mode,
    /// This router's.
    pub role: Role,
}

impl Guard {
    /// The datagram for a heartbeat.
    pub fn seal(&self, heartbeat: &Heartbeat) -> Vec<u8> {
        let mut bytes = heartbeat.encode();
        let key = self.keys.as_ref().and_then(|keys| keys.0.first());
        let (Some(key), Some(_)) = (key, heartbeat.extended) else {
            return bytes;
        };
        extended::announce_tag(&mut bytes);
        if let Some(mac) = Keys::mac(key, self.role, &bytes) {
            bytes.extend(mac.finalize().into_bytes());
        }
        bytes
    }

    /// Reads a datagram; the second value tells that its tag is good, so that it must be of this
    /// moment too ([`Event::Keyed`](crate::Event::Keyed)). An own heartbeat that came back passes;
    /// the state machine knows it by its run.
    pub fn open(&self, datagram: &[u8]) -> Result<(Heartbeat, bool), Rejected> {
        let heartbeat = Heartbeat::decode(datagram)?;
        let Some(keys) = self.keys.as_ref().filter(|_| self.mode != Mode::Send) else {
            return Ok((heartbeat, false));
        };
        let (Some(extended), Some((body, tag))) =
            (heartbeat.extended, extended::split_tag(datagram))
        else {
            return match self.mode {
                Mode::Enforce => Err(Rejected::Untagged),
                Mode::Permissive | Mode::Send => Ok((heartbeat, false)),
            };
        };
        let fits = |key: &Vec<u8>| {
            Keys::mac(key, extended.role, body).is_some_and(|mac| mac.verify_slice(tag).is_ok())
        };
        if keys.0.iter().any(fits) {
            Ok((heartbeat, true))
        } else {
            Err(Rejected::Forged)
        }
    }
}

const _: () = assert!(TAG == 32, "as long as the hash");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Configuration, Extended, Mac, Phase, Word};

    const ONE: &[u8] = b"first key of the pair\n";
    const TWO: &[u8] = b"# new\nsecond key of the pair\n\nfirst key of the pair\n";

    fn guard(role: Role, keys: Option<&[u8]>, mode: Mode) -> Guard {
        let keys = keys.map(|text| Keys::parse(text).unwrap());
        Guard { keys, mode, role }
    }

    fn heartbeat(role: Role) -> Heartbeat {
        Heartbeat {
            word: Word::Running,
            extended: Some(Extended {
                boot: 1,
                counter: 2,
                epoch: 3,
                phase: Phase::Active,
                able: true,
                sees_witness: false,
                expiring: false,
                asking: false,
                relays: false,
                role,
                configuration: Configuration {
                    serial: 4,
                    digest: 5,
                },
                macs: [Mac([2; 6])].into_iter().collect(),
                echo: (5, 6),
            }),
        }
    }

    #[test]
    fn what_the_partner_signed_passes_and_nothing_else() {
        let sender = guard(Role::Primary, Some(ONE), Mode::Enforce);
        let receiver = guard(Role::Backup, Some(ONE), Mode::Enforce);
        let sent = heartbeat(Role::Primary);
        let datagram = sender.seal(&sent);
        assert_eq!(receiver.open(&datagram), Ok((sent, true)));
        let mut turned = datagram.clone();
        turned[9] ^= 1;
        assert_eq!(
            receiver.open(&turned),
            Err(Rejected::Forged),
            "the other direction"
        );
        for index in 0..datagram.len() {
            let mut damaged = datagram.clone();
            damaged[index] ^= 4;
            assert!(receiver.open(&damaged).is_err(), "byte {index}");
        }
        for length in 0..datagram.len() {
            assert!(
                receiver.open(&datagram[..length]).is_err(),
                "{length} bytes"
            );
        }
        assert_eq!(receiver.open(&sent.encode()), Err(Rejected::Untagged));
        let stranger = guard(Role::Primary, Some(b"another key of somebody"), Mode::Send);
        assert_eq!(receiver.open(&stranger.seal(&sent)), Err(Rejected::Forged));
    }

    #[test]
    fn the_modes_let_a_pair_change_over_one_router_at_a_time() {
        let (old, sent) = (
            guard(Role::Primary, None, Mode::Enforce),
            heartbeat(Role::Primary),
        );
        let tagged = guard(Role::Primary, Some(ONE), Mode::Send).seal(&sent);
        assert_eq!(
            guard(Role::Backup, None, Mode::Enforce).open(&tagged),
            Ok((sent, false))
        );
        for (mode, plain) in [
            (Mode::Send, Ok((sent, false))),
            (Mode::Permissive, Ok((sent, false))),
            (Mode::Enforce, Err(Rejected::Untagged)),
        ] {
            let receiver = guard(Role::Backup, Some(ONE), mode);
            assert_eq!(receiver.open(&old.seal(&sent)), plain, "{mode:?}");
            assert_eq!(
                receiver.open(&tagged),
                Ok((sent, mode != Mode::Send)),
                "{mode:?}"
            );
        }
        let original = Word::Running.bytes();
        let permissive = guard(Role::Backup, Some(ONE), Mode::Permissive);
        assert!(permissive.open(&original).is_ok());
        let stranger = guard(Role::Primary, Some(b"another key of somebody"), Mode::Send);
        assert_eq!(
            permissive.open(&stranger.seal(&sent)),
            Err(Rejected::Forged)
        );
    }

    /// Another build of the partner must find the same; computed by another program.
    #[test]
    fn the_tag_depends_on_key_direction_and_bytes_alone() {
        for (role, expected) in [
            (
                Role::Primary,
                "ca180837a3051ae1d3079b1cef040730a477048c5f10e1362e415bc13adbdbd4",
            ),
            (
                Role::Backup,
                "dfc00a758f2e2dd887932323ce92e287dd2c152bd59eed343837d632bf7061f7",
            ),
        ] {
            let datagram = guard(role, Some(ONE), Mode::Enforce).seal(&heartbeat(role));
            let (_, tag) = datagram.split_at(datagram.len() - TAG);
            let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(tag, expected, "{role}");
        }
    }

    #[test]
    fn keys_change_one_router_at_a_time() {
        let sent = heartbeat(Role::Primary);
        let old = guard(Role::Primary, Some(ONE), Mode::Enforce);
        let new = guard(Role::Backup, Some(TWO), Mode::Enforce);
        assert_eq!(new.open(&old.seal(&sent)), Ok((sent, true)));
        let back = heartbeat(Role::Backup);
        assert_eq!(
            old.open(&new.seal(&back)),
            Err(Rejected::Forged),
            "the first signs"
        );
    }

    #[test]
    fn key_files() {
        assert_eq!(Keys::parse(b""), Err(KeyError::Count(0)));
        assert_eq!(Keys::parse(b"short\n"), Err(KeyError::Short(5)));
        let three = [ONE, ONE, ONE].concat();
        assert_eq!(Keys::parse(&three), Err(KeyError::Count(3)));
        assert_eq!(format!("{:?}", Keys::parse(TWO).unwrap()), "Keys(2)");
    }
}
