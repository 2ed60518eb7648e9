//! Commands of the family (`ipvsadm.md` 4.1).

/// Command number in the generic header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// 1, also the answer to [`Command::GetService`].
    NewService,
    /// 2.
    SetService,
    /// 3.
    DelService,
    /// 4.
    GetService,
    /// 5, also the answer to [`Command::GetDest`].
    NewDest,
    /// 6.
    SetDest,
    /// 7.
    DelDest,
    /// 8, dump only.
    GetDest,
    /// 9, also the answer to [`Command::GetDaemon`].
    NewDaemon,
    /// 10.
    DelDaemon,
    /// 11, dump only.
    GetDaemon,
    /// 12, also the answer to [`Command::GetConfig`].
    SetConfig,
    /// 13.
    GetConfig,
    /// 14, only the answer to [`Command::GetInfo`].
    SetInfo,
    /// 15.
    GetInfo,
    /// 16.
    Zero,
    /// 17.
    Flush,
    /// A number of a later kernel.
    Other(u8),
}

const KNOWN: [Command; 17] = [
    Command::NewService,
    Command::SetService,
    Command::DelService,
    Command::GetService,
    Command::NewDest,
    Command::SetDest,
    Command::DelDest,
    Command::GetDest,
    Command::NewDaemon,
    Command::DelDaemon,
    Command::GetDaemon,
    Command::SetConfig,
    Command::GetConfig,
    Command::SetInfo,
    Command::GetInfo,
    Command::Zero,
    Command::Flush,
];

impl From<u8> for Command {
    fn from(number: u8) -> Self {
        let index = usize::from(number).checked_sub(1);
        index
            .and_then(|index| KNOWN.get(index))
            .copied()
            .unwrap_or(Self::Other(number))
    }
}

impl From<Command> for u8 {
    fn from(command: Command) -> Self {
        match command {
            Command::Other(number) => number,
            known => KNOWN
                .iter()
                .zip(1..)
                .find(|(entry, _)| **entry == known)
                .map_or(0, |(_, n)| n),
        }
    }
}
