//! Failover mode (`--fos`): the checker tells by its end that the partner's service is gone.
//! Source: `piranha-daemons.md` 5.9.

use crate::server::Verdict;

/// What a failover monitor knows: whether it has ever seen the service, and one failure before.
#[derive(Debug, Clone, Default)]
pub struct Failover {
    seen: bool,
    failed: bool,
}

/// What follows from a check in failover mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailoverAction {
    /// Nothing has changed.
    Continue,
    /// The service was seen for the first time.
    Available,
    /// It has not come up yet; once more and the monitor gives up.
    NotYet,
    /// It was up and is gone: end, status 0.
    Lost,
    /// It never came up: end, status 1.
    NeverCame,
}

impl Failover {
    /// Takes the verdict of one check.
    pub fn handle_check(&mut self, verdict: &Verdict) -> FailoverAction {
        match verdict {
            Verdict::Available if self.seen => FailoverAction::Continue,
            Verdict::Available => {
                self.seen = true;
                FailoverAction::Available
            }
            Verdict::Unavailable(_) if self.seen => FailoverAction::Lost,
            Verdict::Unavailable(_) if self.failed => FailoverAction::NeverCame,
            Verdict::Unavailable(_) => {
                self.failed = true;
                FailoverAction::NotYet
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Verdict {
        Verdict::Unavailable("refused".into())
    }

    #[test]
    fn a_service_that_goes_away() {
        let mut failover = Failover::default();
        assert_eq!(failover.handle_check(&failed()), FailoverAction::NotYet);
        assert_eq!(
            failover.handle_check(&Verdict::Available),
            FailoverAction::Available
        );
        assert_eq!(
            failover.handle_check(&Verdict::Available),
            FailoverAction::Continue
        );
        assert_eq!(failover.handle_check(&failed()), FailoverAction::Lost);
    }

    #[test]
    fn a_service_that_never_comes() {
        let mut failover = Failover::default();
        assert_eq!(failover.handle_check(&failed()), FailoverAction::NotYet);
        assert_eq!(failover.handle_check(&failed()), FailoverAction::NeverCame);
    }
}
