//! Who is logged in. Time is an argument; tokens are made elsewhere.

use std::collections::HashMap;
use std::time::Duration;

use account::{Account, Role};

/// When sessions end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Unused for so long.
    pub(crate) idle: Duration,
    /// In any case.
    pub(crate) longest: Duration,
    /// So many at once; a further one takes the place of the one that is unused for longest.
    pub(crate) count: usize,
}

/// One log-in.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// As it was at the log-in: another password or role ends the session.
    pub(crate) account: Account,
    /// What forms must carry.
    pub(crate) form_token: String,
    opened: Duration,
    used: Duration,
}

impl Session {
    pub(crate) fn user(&self) -> &str {
        self.account.user()
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.account.role() == Role::Admin
    }
}

/// All log-ins.
#[derive(Debug)]
pub(crate) struct Sessions {
    limits: Limits,
    by_token: HashMap<String, Session>,
}

impl Sessions {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            by_token: HashMap::new(),
        }
    }

    pub(crate) fn open(
        &mut self,
        now: Duration,
        token: String,
        form_token: String,
        account: Account,
    ) {
        let limits = self.limits;
        self.by_token
            .retain(|_, session| is_open(&limits, session, now));
        if self.by_token.len() >= limits.count
            && let Some(oldest) = self.longest_unused()
        {
            self.by_token.remove(&oldest);
        }
        let session = Session {
            account,
            form_token,
            opened: now,
            used: now,
        };
        self.by_token.insert(token, session);
    }

    fn longest_unused(&self) -> Option<String> {
        let oldest = self.by_token.iter().min_by_key(|(_, session)| session.used);
        oldest.map(|(token, _)| token.clone())
    }

    /// The session, which counts as used now.
    pub(crate) fn uses(&mut self, now: Duration, token: &str) -> Option<Session> {
        let session = self.by_token.get_mut(token)?;
        if !is_open(&self.limits, session, now) {
            self.by_token.remove(token);
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    /// Whether the session is open; does not count as use.
    pub(crate) fn is_open(&self, now: Duration, token: &str) -> bool {
        let session = self.by_token.get(token);
        session.is_some_and(|session| is_open(&self.limits, session, now))
    }

    pub(crate) fn close(&mut self, token: &str) {
        self.by_token.remove(token);
    }
}

fn is_open(limits: &Limits, session: &Session, now: Duration) -> bool {
    now.saturating_sub(session.used) < limits.idle
        && now.saturating_sub(session.opened) < limits.longest
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn sessions() -> Sessions {
        Sessions::new(Limits {
            idle: 30 * MINUTE,
            longest: 60 * MINUTE,
            count: 3,
        })
    }

    fn open(sessions: &mut Sessions, minutes: u32, token: &str) {
        let account = Account::new("piranha", Role::Admin, "x").unwrap();
        sessions.open(
            minutes * MINUTE,
            token.to_owned(),
            "form".to_owned(),
            account,
        );
    }

    #[test]
    fn r5_an_unused_session_ends() {
        let mut sessions = sessions();
        open(&mut sessions, 0, "a");
        assert!(sessions.uses(29 * MINUTE, "a").is_some());
        assert!(sessions.uses(58 * MINUTE, "a").is_some());
        open(&mut sessions, 58, "b");
        assert!(sessions.uses(88 * MINUTE, "b").is_none());
        assert!(
            sessions.uses(60 * MINUTE, "b").is_none(),
            "it does not come back"
        );
    }

    #[test]
    fn r5_a_used_session_ends_too() {
        let mut sessions = sessions();
        open(&mut sessions, 0, "a");
        for minute in (0..60).step_by(10) {
            assert!(sessions.uses(minute * MINUTE, "a").is_some());
        }
        assert!(!sessions.is_open(60 * MINUTE, "a"));
        assert!(sessions.uses(60 * MINUTE, "a").is_none());
    }

    #[test]
    fn r5_after_the_log_out_there_is_none() {
        let mut sessions = sessions();
        open(&mut sessions, 0, "a");
        sessions.close("a");
        assert!(sessions.uses(MINUTE, "a").is_none());
    }

    #[test]
    fn r23_there_are_only_so_many() {
        let mut sessions = sessions();
        for (minute, token) in ["a", "b", "c"].into_iter().enumerate() {
            open(&mut sessions, minute.try_into().unwrap(), token);
        }
        assert!(sessions.uses(3 * MINUTE, "a").is_some());
        open(&mut sessions, 4, "d");
        assert_eq!(sessions.by_token.len(), 3);
        assert!(
            !sessions.is_open(4 * MINUTE, "b"),
            "the one unused for longest"
        );
    }
}
