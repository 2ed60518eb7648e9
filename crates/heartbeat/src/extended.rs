//! What our heartbeats say after the four bytes of an original, which ignores it.
//!
//! Owns layout and bounds. An unknown version or a damaged part is no error: such a heartbeat
//! counts by its first four bytes alone. All numbers are little-endian:
//! magic 4, version 1, role 1, length of the whole part 2, boot id 8, counter 8, epoch 8, phase 1, flags 1, unused 2, serial 4, echo of the receiver's boot id 8 and counter 8;
//! then, not from every build: digest 8, number of hardware addresses 1, each 6; later items follow, and the tag is last.

use crate::{Configuration, Mac, Macs, Phase, Role};

const MAGIC: [u8; 4] = *b"PHB\xA5";
const VERSION: u8 = 1;
/// Bytes that are never missing.
const FIXED: usize = 56;
/// Length of a tag.
pub(crate) const TAG: usize = 32;

/// It could not take over.
const UNABLE: u8 = 1;
/// The last bytes are a tag.
const TAGGED: u8 = 2;
/// A `witness` of its answers.
const SEES_WITNESS: u8 = 4;
/// Its VIPs end by themselves when it does not renew them.
const EXPIRING: u8 = 8;
/// It asks for the active role.
const ASKING: u8 = 16;
/// It serves on although it leaves, and passes new connections on to a partner that is active.
const RELAYS: u8 = 32;
/// Places in a datagram of the length (two bytes) and the flags.
const LENGTH_AT: usize = 4 + 6;
const FLAGS_AT: usize = 4 + 33;

/// Makes room for a tag in the length and flags of a whole datagram that has an extended part.
pub(crate) fn announce_tag(datagram: &mut [u8]) {
    let Some(length) = datagram.get_mut(LENGTH_AT..LENGTH_AT + 2) else {
        return;
    };
    if let Ok(without) = <[u8; 2]>::try_from(&*length) {
        let with = u16::from_le_bytes(without).saturating_add(TAG as u16);
        length.copy_from_slice(&with.to_le_bytes());
    }
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
    /// It could take over: links, witness and the last activation allow it.
    pub able: bool,
    /// A `witness` of the sender's answers.
    pub sees_witness: bool,
    /// The sender's VIPs end by themselves when it does not renew them.
    pub expiring: bool,
    /// The sender asks for the active role (`failback`).
    pub asking: bool,
    /// The sender leaves but serves on, and passes new connections on once its partner is active:
    /// the addresses are not to be announced before that ends.
    pub relays: bool,
    /// The sender's role.
    pub role: Role,
    /// The sender's configuration.
    pub configuration: Configuration,
    /// Hardware addresses of the interfaces of the sender's VIPs.
    pub macs: Macs,
    /// Boot id and counter of the last heartbeat that the sender heard; zero: none.
    pub echo: (u64, u64),
}

impl Extended {
    /// The bytes after the first four.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED + 9 + 6 * Macs::MOST + TAG);
        bytes.extend(MAGIC);
        bytes.push(VERSION);
        bytes.push(match self.role {
            Role::Primary => 0,
            Role::Backup => 1,
        });
        let count = self.macs.iter().count();
        let length = FIXED + 9 + 6 * count;
        bytes.extend((length as u16).to_le_bytes());
        bytes.extend(self.boot.to_le_bytes());
        bytes.extend(self.counter.to_le_bytes());
        bytes.extend(self.epoch.to_le_bytes());
        bytes.push(match self.phase {
            Phase::Standby => 0,
            Phase::Activating => 1,
            Phase::Active => 2,
            Phase::Leaving => 3,
        });
        bytes.extend([self.flags(), 0, 0]);
        bytes.extend(self.configuration.serial.to_le_bytes());
        bytes.extend(self.echo.0.to_le_bytes());
        bytes.extend(self.echo.1.to_le_bytes());
        bytes.extend(self.configuration.digest.to_le_bytes());
        bytes.push(count as u8);
        bytes.extend(self.macs.iter().flat_map(|mac| mac.0));
        bytes
    }

    fn flags(&self) -> u8 {
        let flag = |set, flag| if set { flag } else { 0 };
        flag(!self.able, UNABLE)
            | flag(self.sees_witness, SEES_WITNESS)
            | flag(self.expiring, EXPIRING)
            | flag(self.asking, ASKING)
            | flag(self.relays, RELAYS)
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
        let tag = if flags & TAGGED == 0 { 0 } else { TAG };
        let items = bytes.get(FIXED..length.checked_sub(tag)?)?;
        let (digest, macs) = later_items(items)?;
        Some(Self {
            boot,
            counter,
            epoch,
            phase,
            able: flags & UNABLE == 0,
            sees_witness: flags & SEES_WITNESS != 0,
            expiring: flags & EXPIRING != 0,
            asking: flags & ASKING != 0,
            relays: flags & RELAYS != 0,
            role,
            configuration: Configuration { serial, digest },
            macs,
            echo,
        })
    }
}

/// Digest and hardware addresses, which the first builds did not send.
fn later_items(items: &[u8]) -> Option<(u64, Macs)> {
    if items.is_empty() {
        return Some((0, Macs::NONE));
    }
    let mut reader = Reader(items);
    let digest = reader.number()?;
    let [count] = reader.take()?;
    let macs: Option<Macs> = (0..count).map(|_| reader.take().map(Mac)).collect();
    Some((digest, macs?))
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
        let macs = proptest::collection::vec(any::<[u8; 6]>(), 0..=Macs::MOST);
        let any = (
            any::<[u64; 6]>(),
            any::<i32>(),
            0usize..4,
            any::<[bool; 6]>(),
            macs,
        );
        any.prop_map(move |(numbers, serial, phase, flags, macs)| {
            let [boot, counter, epoch, digest, echo_boot, echo_counter] = numbers;
            let [primary, able, sees_witness, expiring, asking, relays] = flags;
            Extended {
                boot,
                counter,
                epoch,
                phase: phases[phase],
                able,
                sees_witness,
                expiring,
                asking,
                relays,
                role: if primary { Role::Primary } else { Role::Backup },
                configuration: Configuration { serial, digest },
                macs: macs.into_iter().map(Mac).collect(),
                echo: (echo_boot, echo_counter),
            }
        })
    }

    proptest! {
        #[test]
        fn survives_the_wire_with_and_without_later_items(
            extended in any_extended(),
            later in proptest::collection::vec(any::<u8>(), 0..32),
        ) {
            let mut bytes = extended.encode();
            prop_assert_eq!(Extended::decode(&bytes), Some(extended));
            bytes[6] += later.len() as u8;
            bytes.extend(later);
            prop_assert_eq!(Extended::decode(&bytes), Some(extended));
        }

        #[test]
        fn cut_short_is_nothing(extended in any_extended(), cut in 1usize..200) {
            let bytes = extended.encode();
            let length = bytes.len().saturating_sub(cut);
            prop_assert_eq!(Extended::decode(&bytes[..length]), None);
        }

        #[test]
        fn a_claimed_length_is_never_believed_beyond_the_bytes(
            extended in any_extended(), length in any::<u16>(), count in any::<u8>(), flags in any::<u8>(),
        ) {
            let mut bytes = extended.encode();
            bytes[6..8].copy_from_slice(&length.to_le_bytes());
            bytes[33] = flags;
            bytes[FIXED + 8] = count;
            if let Some(read) = Extended::decode(&bytes) {
                prop_assert!(usize::from(length) <= bytes.len());
                prop_assert!(read.macs.iter().count() <= Macs::MOST);
            }
        }

        #[test]
        fn anything_may_follow_an_originals_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Extended::decode(&bytes);
        }
    }

    const PLAIN: Extended = Extended {
        boot: 1,
        counter: 2,
        epoch: 3,
        phase: Phase::Active,
        able: true,
        sees_witness: false,
        expiring: true,
        asking: false,
        relays: false,
        role: Role::Backup,
        configuration: Configuration {
            serial: 4,
            digest: 7,
        },
        macs: Macs::NONE,
        echo: (5, 6),
    };

    #[test]
    fn unknown_versions_and_lengths_beyond_the_datagram_are_nothing() {
        for (index, value) in [(0, 0), (4, 2), (5, 9), (6, 66), (6, 8), (32, 7), (64, 1)] {
            let mut bytes = PLAIN.encode();
            bytes[index] = value;
            assert_eq!(Extended::decode(&bytes), None, "byte {index} = {value}");
        }
    }

    #[test]
    fn a_tag_that_is_announced_and_missing_is_nothing() {
        let mut datagram = [&[0; 4], PLAIN.encode().as_slice()].concat();
        announce_tag(&mut datagram);
        assert_eq!(Extended::decode(&datagram[4..]), None);
        assert_eq!(split_tag(&datagram), None);
        datagram.extend([0; TAG]);
        assert_eq!(Extended::decode(&datagram[4..]), Some(PLAIN));
    }

    #[test]
    fn a_build_without_the_later_items_is_understood() {
        let mut bytes = PLAIN.encode();
        bytes.truncate(FIXED);
        bytes[6] = FIXED as u8;
        let configuration = Configuration {
            digest: 0,
            ..PLAIN.configuration
        };
        let expected = Extended {
            configuration,
            ..PLAIN
        };
        assert_eq!(Extended::decode(&bytes), Some(expected));
    }
}
