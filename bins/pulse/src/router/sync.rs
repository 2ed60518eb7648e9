//! Which of the kernel's sync daemons are wanted when (`piranha-daemons.md` 3.9, F32).

use heartbeat::{Phase, Word};

use super::Router;
use crate::plan::SyncPlan;
use crate::syncd::{Daemons, Told};

/// What was asked for last, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Sync {
    wanted: Option<(SyncPlan, Daemons)>,
    pub(super) error: Option<String>,
}

impl Router {
    /// Letting go sees to the daemons itself, last of all.
    pub(super) fn keep_sync(&mut self) {
        let daemons = match self.machine.phase() {
            Phase::Standby => Daemons::BACKUP,
            // The partner is still the master of connections that it has not told of.
            Phase::Active if self.partner_has_not_let_go() => Daemons::BOTH,
            Phase::Active => Daemons::MASTER,
            Phase::Activating | Phase::Leaving => return,
        };
        let wanted = self.plan.sync.clone().map(|plan| (plan, daemons));
        if wanted == self.sync.wanted {
            return;
        }
        let before = std::mem::replace(&mut self.sync.wanted, wanted);
        match (&self.sync.wanted, before) {
            (Some((plan, daemons)), _) => self.sync_keeper.want(plan, *daemons),
            (None, Some((plan, _))) => self.sync_keeper.want(&plan, Daemons::NONE),
            (None, None) => {}
        }
    }

    /// One that hands over says "stopped" while it still serves.
    fn partner_has_not_let_go(&self) -> bool {
        let is_leaving = self
            .machine
            .partner_extended()
            .is_some_and(|partner| partner.phase != Phase::Standby);
        match self.machine.partner_word() {
            Some(Word::Running) => true,
            Some(_) => is_leaving,
            None => false,
        }
    }

    pub(super) fn sync_told(&mut self, told: &Told) {
        self.sync.error = match told {
            Told::Failed(_) => Some(told.to_string()),
            Told::Vanished(_) | Told::WellAgain => None,
        };
        self.tell(told);
    }
}
