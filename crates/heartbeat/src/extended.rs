//! What our heartbeats say after the four bytes of an original, which ignores it.
//!
//! Owns layout and bounds. An unknown version or a damaged part is no error: such a heartbeat
//! counts by its first four bytes alone. All numbers are little-endian:
//! magic 4, version 1, role 1, length of the whole part 2, boot id 8, counter 8, epoch 8, phase 1,
//! flags 1 (1: it could not take over, 2: the last 32 bytes are a tag), unused 2, serial 4, echo of the receiver's boot id 8 and counter 8; later items follow.

use crate::{Phase, Role};

const MAGIC: [u8; 4] = *b"PHB\xA5";
const VERSION: u8 = 1;
/// Bytes of the fixed part; what follows it within the length is for later.
const FIXED: usize = 56;
/// Length of a tag.
pub(crate) const TAG: usize = 32;

const UNABLE: u8 = 1;
const TAGGED: u8 = 2;
/// Places in a datagram of the length (two bytes) and the flags.
const LENGTH_AT: usize = 4 + 6;
const FLAGS_AT: usize = 4 + 33;

/// Makes room for a tag in the length and flags of a whole datagram that has an extended part.
pub(crate) fn announce_tag(datagram: &mut [u8]) {
    let Some(length) = datagram.get_mut(LENGTH_AT..LENGTH_AT + 2) else {
        return;
    };
    length.copy_from_slice(&((FIXED + TAG) as u16).to_le_bytes());
    if let Some(flags) = datagram.get_mut(FLAGS_AT) {
        *flags |= TAGGED;
    }
}

/// A whole datagram's bytes before its tag, and the tag. What follows the extended part is nothing.
pub(crate) fn split_tag(datagram: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = datagram.get(LENGTH_AT..LENGTH_AT + 2)?.try_into().ok()?;
    let end = 4 + usize::from(u16::from_le_bytes(length));
    let tagged = datagram.get(FLAGS_AT)? & TAGGED != 0;
    let body = end.checked_sub(TAG).filter(|body| *body >= 4 + FIXED);
    match (tagged, body) {
        (true, Some(body)) => Some((datagram.get(..body)?, datagram.get(body..end)?)),
        _ => None,
    }
}

/// The extended part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extended {
    /// Distinguishes the sender's runs.
    pub boot: u64,
    /// Counts the heartbeats of a run; copies on several paths have the same.
    pub counter: u64,
    /// The sender's claim to the active role: higher wins.
    pub epoch: u64,
    /// Where the sender stands.
    pub phase: Phase,
    /// Its links would let it take over.
    pub able: bool,
    /// The sender's role.
    pub role: Role,
    /// `serial_no` of the sender's configuration.
    pub serial: i32,
    /// Boot id and counter of the last heartbeat that the sender heard; zero: none.
    pub echo: (u64, u64),
}

impl Extended {
    /// The bytes after the first four.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED);
        bytes.extend(MAGIC);
        bytes.push(VERSION);
        bytes.push(match self.role {
            Role::Primary => 0,
            Role::Backup => 1,
        });
        bytes.extend((FIXED as u16).to_le_bytes());
        bytes.extend(self.boot.to_le_bytes());
        bytes.extend(self.counter.to_le_bytes());
        bytes.extend(self.epoch.to_le_bytes());
        bytes.push(match self.phase {
            Phase::Standby => 0,
            Phase::Activating => 1,
            Phase::Active => 2,
            Phase::Leaving => 3,
        });
        bytes.extend([if self.able { 0 } else { UNABLE }, 0, 0]);
        bytes.extend(self.serial.to_le_bytes());
        bytes.extend(self.echo.0.to_le_bytes());
        bytes.extend(self.echo.1.to_le_bytes());
        bytes
    }

    /// Reads what follows the first four bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.take()? != MAGIC || reader.take()? != [VERSION] {
            return None;
        }
        let role = match reader.take()? {
            [0] => Role::Primary,
            [1] => Role::Backup,
            _ => return None,
        };
        let length = usize::from(u16::from_le_bytes(reader.take()?));
        if length < FIXED || length > bytes.len() {
            return None;
        }
        let (boot, counter, epoch) = (reader.number()?, reader.number()?, reader.number()?);
        let phase = match reader.take()? {
            [0] => Phase::Standby,
            [1] => Phase::Activating,
            [2] => Phase::Active,
            [3] => Phase::Leaving,
            _ => return None,
        };
        let [flags, _, _] = reader.take()?;
        let serial = i32::from_le_bytes(reader.take()?);
        let echo = (reader.number()?, reader.number()?);
        Some(Self {
            boot,
            counter,
            epoch,
            phase,
            able: flags & UNABLE == 0,
            role,
            serial,
            echo,
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_extended() -> impl Strategy<Value = Extended> {
        let phases = [
            Phase::Standby,
            Phase::Activating,
            Phase::Active,
            Phase::Leaving,
        ];
        (
            any::<[u64; 5]>(),
            any::<i32>(),
            0usize..4,
            any::<[bool; 2]>(),
        )
            .prop_map(
                move |(
                    [boot, counter, epoch, echo_boot, echo_counter],
                    serial,
                    phase,
                    [primary, able],
                )| {
                    Extended {
                        boot,
                        counter,
                        epoch,
                        phase: phases[phase],
                        able,
                        role: if primary { Role::Primary } else { Role::Backup },
                        serial,
                        echo: (echo_boot, echo_counter),
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn survives_the_wire_with_and_without_later_items(
            extended in any_extended(),
            later in proptest::collection::vec(any::<u8>(), 0..32),
        ) {
            let mut bytes = extended.encode();
            prop_assert_eq!(bytes.len(), FIXED);
            prop_assert_eq!(Extended::decode(&bytes), Some(extended));
            bytes[6] += later.len() as u8;
            bytes.extend(later);
            prop_assert_eq!(Extended::decode(&bytes), Some(extended));
        }

        #[test]
        fn cut_short_is_nothing(extended in any_extended(), length in 0..FIXED) {
            prop_assert_eq!(Extended::decode(&extended.encode()[..length]), None);
        }

        #[test]
        fn anything_may_follow_an_originals_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Extended::decode(&bytes);
        }
    }

    #[test]
    fn unknown_versions_and_lengths_beyond_the_datagram_are_nothing() {
        let extended = Extended {
            boot: 1,
            counter: 2,
            epoch: 3,
            phase: Phase::Active,
            able: true,
            role: Role::Backup,
            serial: 4,
            echo: (5, 6),
        };
        for (index, value) in [(0, 0), (4, 2), (5, 9), (6, 57), (6, 8), (32, 7)] {
            let mut bytes = extended.encode();
            bytes[index] = value;
            assert_eq!(Extended::decode(&bytes), None, "byte {index} = {value}");
        }
    }
}
