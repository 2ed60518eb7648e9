//! What this router tells of itself, and who stays when both say that they are active.

use super::{Afterwards, Leaving, Machine};
use crate::{Action, Cause, Clash, Extended, Heartbeat, Notice, Path, Phase, Role, Stand, Word};
use std::time::Duration;

/// Shortest time between two announcements because both routers are active.
pub(super) const SHORTEST: Duration = Duration::from_secs(5);
/// Longest.
const LONGEST: Duration = Duration::from_secs(60);

impl Machine {
    pub(super) fn both_active(&mut self, now: Duration, path: Path, actions: &mut Vec<Action>) {
        if self.partner_is(Phase::Leaving) {
            return;
        }
        let clash = |stays| Action::Report(Notice::Clash(self.clash(path, stays)));
        if self.partner_has_better_claim() {
            if self.phase == Phase::Active && self.partner_is(Phase::Activating) {
                // Nobody would serve until it does.
                return;
            }
            actions.push(clash(false));
            // One more "running", so that an original primary announces its addresses.
            self.send(now, Word::Running, actions);
            let leaving = Leaving {
                afterwards: Afterwards::StandBy,
                yielding: true,
            };
            self.let_go(now, Cause::PartnerActive, leaving, actions);
        } else if self.phase == Phase::Active {
            self.insist(now, path, actions);
        }
        // While activating: the addresses are announced anyway when they are up.
    }

    /// Who took over later knows more; else the primary stays, as with an original (3.7); of two
    /// with the same role, any, but always the same.
    fn partner_has_better_claim(&self) -> bool {
        let own = self.identity.epoch;
        match self.partner.extended() {
            Some(partner) if partner.epoch != own => partner.epoch > own,
            Some(partner) if partner.role == self.settings.role => {
                partner.boot < self.identity.boot
            }
            _ => self.settings.role == Role::Backup,
        }
    }

    /// Stays active and announces its addresses, but not with every heartbeat (B61).
    fn insist(&mut self, now: Duration, path: Path, actions: &mut Vec<Action>) {
        if now < self.resend_at {
            self.resends_suppressed += 1;
            return;
        }
        if now > self.resend_at + LONGEST {
            self.resend_delay = SHORTEST;
        }
        let suppressed = std::mem::take(&mut self.resends_suppressed);
        actions.push(Action::Report(Notice::Clash(self.clash(path, true))));
        actions.push(Action::Report(Notice::ResendingArps { suppressed }));
        actions.push(Action::Announce);
        // Which orders the other to stop.
        self.send_own(now, actions);
        self.resend_at = now + self.resend_delay;
        self.resend_delay = (self.resend_delay * 2).min(LONGEST);
    }

    /// The evidence.
    fn clash(&self, path: Path, stays: bool) -> Clash {
        Clash {
            path,
            own: Stand {
                role: self.settings.role,
                boot: self.identity.boot,
                phase: self.phase,
                epoch: self.identity.epoch,
            },
            partner: self.partner.extended().map(|partner| Stand {
                role: partner.role,
                boot: partner.boot,
                phase: partner.phase,
                epoch: partner.epoch,
            }),
            stays,
        }
    }

    pub(super) fn send_own(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.send(now, self.word(), actions);
    }

    pub(super) fn send(&mut self, now: Duration, word: Word, actions: &mut Vec<Action>) {
        if self.settings.partner {
            self.spoke = true;
            self.next_send = now + self.settings.keepalive;
            self.counter += 1;
            let extended = Extended {
                boot: self.identity.boot,
                counter: self.counter,
                epoch: self.identity.epoch,
                phase: self.phase,
                able: self.is_able(now),
                sees_witness: self.sees_witness_at(now),
                expiring: self.settings.vip_lifetime.is_some(),
                asking: self.is_asking(now),
                relays: self.relays(),
                role: self.settings.role,
                configuration: self.settings.configuration,
                macs: self.macs,
                echo: self.echo(),
            };
            actions.push(Action::Send(Heartbeat {
                word,
                extended: Some(extended),
            }));
        }
    }
}
