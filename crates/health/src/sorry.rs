//! Whether a service needs its sorry server: the one that answers when no real server can.

/// What is known about one active real server of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Its first check is not finished.
    Unknown,
    /// Its last verdict: available.
    Up,
    /// Its last verdict: not available.
    Down,
}

/// The sorry server is used exactly while every active server is known to be down; a service
/// without active servers needs it from the beginning (B41).
pub fn sorry_wanted(servers: impl IntoIterator<Item = Answer>) -> bool {
    servers.into_iter().all(|answer| answer == Answer::Down)
}

#[cfg(test)]
mod tests {
    use super::{Answer::*, *};

    #[test]
    fn B41_only_when_all_first_checks_have_failed() {
        assert!(!sorry_wanted([Unknown, Down]));
        assert!(!sorry_wanted([Up, Down]));
        assert!(sorry_wanted([Down, Down]));
    }

    #[test]
    fn B41_also_without_active_servers() {
        assert!(sorry_wanted([]));
    }
}
