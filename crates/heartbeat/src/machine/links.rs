//! Failing links: hand over, do not take over, and forget about it when they are back.

use super::Machine;
use crate::{Action, Cause, Links, Notice, Path, Phase};
use std::time::Duration;

impl Machine {
    pub(super) fn links_changed(&mut self, now: Duration, links: Links, actions: &mut Vec<Action>) {
        let before = std::mem::replace(&mut self.links, links);
        self.no_carrier_told &= !links.vips;
        if links.vips && !before.vips && self.phase == Phase::Active {
            // Who was reached meanwhile may have learned otherwise (B51).
            actions.push(Action::Announce);
        }
        if !self.settings.partner {
            return;
        }
        if links.vips && !before.vips {
            // The silence may have been the missing link's: the partner can be heard again first.
            self.listen(now);
            self.forget_vips(actions);
        }
        if links.monitored {
            for (path, was, is) in [
                (Path::Public, before.public, links.public),
                (Path::Private, before.private, links.private),
            ] {
                if !is && (was || !before.monitored) {
                    actions.push(Action::Report(Notice::LinkDown(path)));
                }
            }
        }
        match (before.failed(), links.failed()) {
            (false, true) => actions.push(Action::Report(Notice::LinkFailure)),
            (true, false) => actions.push(Action::Report(Notice::LinksRestored)),
            _ => {}
        }
        // The partner should know whether this router could take over; and if both became active
        // meanwhile, no keepalive is to be lost before one yields.
        let ability_changed = links.failed() != before.failed() && !self.is_serving();
        if self.spoke && (ability_changed || links.regained(&before)) {
            self.send_own(now, actions);
        }
    }

    /// An active router with a failed link lets the partner serve, if there is one that can; with
    /// the VIPs' own links gone it serves nobody and need not ask.
    pub(super) fn hand_over_for_links(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if !self.settings.partner || !self.is_serving() || !self.links.failed() {
            return;
        }
        if !self.links.vips || self.partner_may_take_over(now) {
            self.hand_over(now, Cause::LinkFailure, actions);
        }
    }

    /// Whether this router would take over if it were asked to.
    pub(super) fn is_able(&self, now: Duration) -> bool {
        !self.cannot_take_over()
            && !self.lvs.is_failing_at(now)
            && self.retry_at.is_none_or(|at| now >= at)
            && (!self.settings.witness || self.sees_witness_at(now))
    }

    /// It was heard of late, is not active and does not say that it cannot.
    pub(super) fn partner_may_take_over(&self, now: Duration) -> bool {
        self.partner.could_take_over(now, self.settings.deadtime) && !self.partner_is_unable()
    }

    /// Whether links keep this router from taking over. One that lacks only links that VIPs do not
    /// need does it all the same when the partner is no better off.
    pub(super) fn links_forbid(&self) -> bool {
        self.settings.partner
            && (!self.links.vips || self.links.failed() && !self.partner_is_unable())
    }

    /// Says once per loss of carrier why nothing happens; a monitored link was told of already.
    pub(super) fn report_no_carrier(&mut self, actions: &mut Vec<Action>) {
        if !self.links.monitored && !self.no_carrier_told {
            self.no_carrier_told = true;
            actions.push(Action::Report(Notice::NoCarrier));
        }
    }

    pub(super) fn partner_is_unable(&self) -> bool {
        self.partner.extended().is_some_and(|partner| !partner.able)
    }

    pub(super) fn is_serving(&self) -> bool {
        matches!(self.phase, Phase::Activating | Phase::Active)
    }
}
