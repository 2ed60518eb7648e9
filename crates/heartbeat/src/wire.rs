//! The bytes of a heartbeat (`piranha-daemons.md` 3.5).
//!
//! Owns the meaning of the first four bytes; for what follows them see `extended`. Must not know
//! who sent a datagram or what is to be done about it.

use thiserror::Error;

use crate::Extended;

/// What the first four bytes say. Only the values of LVS mode and those that an original accepts
/// in it; the values of FOS mode are [`WireError::Incompatible`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Word {
    /// The sender is active, or has just decided to be.
    Running,
    /// The sender is not active.
    Stopped,
    /// "Stop yourself": never sent in LVS mode and not obeyed there.
    StopMe,
    /// Reserved; a sign of life.
    Hold,
    /// Reserved; a sign of life.
    Held,
}

impl Word {
    const ALL: [Self; 5] = [
        Self::Running,
        Self::Stopped,
        Self::StopMe,
        Self::Hold,
        Self::Held,
    ];

    /// The 32-bit number, which originals send in host byte order.
    pub const fn number(self) -> u32 {
        match self {
            Self::Running => 0xBDAD_DBDA,
            Self::Stopped => 0xADBD_DABD,
            Self::StopMe => 0xDEAD_DADA,
            Self::Hold => 0xDEAF_BABE,
            Self::Held => 0xDEAF_DADA,
        }
    }

    /// The bytes on the wire: those of a little-endian original on every machine.
    pub const fn bytes(self) -> [u8; 4] {
        self.number().to_le_bytes()
    }
}

/// Why a datagram is no heartbeat. The texts are those of the original's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WireError {
    /// Fewer than four bytes.
    #[error("bad heartbeat packet")]
    Short {
        /// Bytes received.
        length: usize,
    },
    /// A number that LVS mode does not know, for example one of FOS mode.
    #[error("Incompatible heartbeat received -- other system not using identical services")]
    Incompatible {
        /// The number received.
        number: u32,
    },
}

/// A heartbeat as it is sent and received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// What originals understand.
    pub word: Word,
    /// What only ours do.
    pub extended: Option<Extended>,
}

impl Heartbeat {
    /// The datagram.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.word.bytes().to_vec();
        bytes.extend(self.extended.iter().flat_map(Extended::encode));
        bytes
    }

    /// Reads a datagram.
    pub fn decode(datagram: &[u8]) -> Result<Self, WireError> {
        let Some((head, rest)) = datagram.split_first_chunk::<4>() else {
            return Err(WireError::Short {
                length: datagram.len(),
            });
        };
        let number = u32::from_le_bytes(*head);
        Word::ALL
            .into_iter()
            .find(|word| word.number() == number)
            .map(|word| Self {
                word,
                extended: Extended::decode(rest),
            })
            .ok_or(WireError::Incompatible { number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_those_of_an_original() {
        assert_eq!(Word::Running.bytes(), [0xDA, 0xDB, 0xAD, 0xBD]);
        assert_eq!(Word::Stopped.bytes(), [0xBD, 0xDA, 0xBD, 0xAD]);
        assert_eq!(Word::StopMe.bytes(), [0xDA, 0xDA, 0xAD, 0xDE]);
        assert_eq!(Word::Hold.bytes(), [0xBE, 0xBA, 0xAF, 0xDE]);
        assert_eq!(Word::Held.bytes(), [0xDA, 0xDA, 0xAF, 0xDE]);
    }

    #[test]
    fn longer_datagrams_count_by_their_first_four_bytes() {
        let heartbeat = Heartbeat {
            word: Word::Running,
            extended: None,
        };
        assert_eq!(
            Heartbeat::decode(&[0xDA, 0xDB, 0xAD, 0xBD, 1, 2]),
            Ok(heartbeat)
        );
        assert_eq!(heartbeat.encode(), [0xDA, 0xDB, 0xAD, 0xBD]);
    }

    #[test]
    fn fos_mode_is_incompatible() {
        let fos_running = 0xBEEF_BABEu32;
        assert_eq!(
            Heartbeat::decode(&fos_running.to_le_bytes()),
            Err(WireError::Incompatible {
                number: fos_running
            })
        );
    }

    proptest! {
        #[test]
        fn every_datagram_has_an_answer(datagram in proptest::collection::vec(any::<u8>(), 0..64)) {
            match Heartbeat::decode(&datagram) {
                Ok(heartbeat) => prop_assert_eq!(&datagram[..4], heartbeat.word.bytes()),
                Err(WireError::Short { length }) => prop_assert!(length < 4),
                Err(WireError::Incompatible { .. }) => prop_assert!(datagram.len() >= 4),
            }
        }
    }
}
