//! What the partner's description of itself should not be: told once each.

use super::Machine;
use crate::{Action, Configuration, Heartbeat, Notice};
use std::time::Duration;

/// Between two reports of what somebody else can bring about at will.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// What was told already.
#[derive(Debug, Clone, Default)]
pub(super) struct Complaints {
    /// The run of a partner that has this router's role.
    same_role: Option<u64>,
    /// Both configurations, this router's first.
    configurations: Option<(Configuration, Configuration)>,
    reflected: bool,
}

impl Machine {
    /// Sent by this very run: somebody, or a loop in the network, sends it back.
    pub(super) fn is_own(&self, heartbeat: &Heartbeat) -> bool {
        heartbeat
            .extended
            .is_some_and(|extended| extended.boot == self.identity.boot)
    }

    pub(super) fn reflected(&mut self, actions: &mut Vec<Action>) {
        self.counters.reflected = self.counters.reflected.saturating_add(1);
        if !std::mem::replace(&mut self.complaints.reflected, true) {
            actions.push(Action::Report(Notice::ReflectedHeartbeat));
        }
    }

    /// Compares what the partner says of itself with what it should be.
    pub(super) fn compare(&mut self, actions: &mut Vec<Action>) {
        let Some(partner) = self.partner.extended() else {
            return;
        };
        if partner.role == self.settings.role && self.complaints.same_role != Some(partner.boot) {
            self.complaints.same_role = Some(partner.boot);
            actions.push(Action::Report(Notice::SameRole));
        }
        let (own, partner) = (self.settings.configuration, partner.configuration);
        let comparable = own.digest != 0 && partner.digest != 0;
        if own == partner || !comparable {
            self.complaints.configurations = None;
        } else if self.complaints.configurations != Some((own, partner)) {
            self.complaints.configurations = Some((own, partner));
            actions.push(Action::Report(Notice::OtherConfiguration { own, partner }));
        }
    }
}
