//! What must hold at every moment. Times count from the last change of the world outside.

use super::*;
use heartbeat::Cause;

/// For lvs to start, addresses to come up and go, and packets to travel.
const SLACK: Duration = ms(600);
/// An original looks at nothing while it activates.
const BLOCKED: Duration = ms(10_000);

/// Changes of roles after a fault.
const LIMIT: u64 = 2;

/// Since when something is as it is.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) calm_since: Duration,
    pub(super) network_changed_at: Duration,
    both_since: Option<Duration>,
    none_since: Option<Duration>,
    cut_off_since: Option<Duration>,
    /// How often a router of ours became active since the world last changed.
    pub(super) role_changes: u64,
}

impl Simulation {
    /// The world changed: time for the pair to settle, and changes of roles, count from here.
    pub(super) fn disturbed(&mut self) {
        self.watch.calm_since = self.now;
        self.watch.role_changes = 0;
    }

    /// After it, a calm pair changes no more.
    pub(super) fn settling(&self) -> Duration {
        let settings = &self.config.settings;
        let lifetime = settings.vip_lifetime.unwrap_or_default();
        let failback = settings.failback.unwrap_or_default();
        let original = self.config.original.map_or(Duration::ZERO, |_| BLOCKED * 2);
        (settings.deadtime + settings.keepalive) * 4 + lifetime + failback + original + ms(14_000)
    }

    pub(super) fn check(&mut self) {
        let settings = self.config.settings;
        let paths = self.paths();
        let active = self.nodes.iter().filter(|node| node.is_active()).count();
        let awake = self.nodes.iter().all(|node| node.sleep == Sleep::Awake);
        let both = active == 2 && awake && self.network.connects(paths);
        let absent = self.nodes.iter().all(|node| !node.has_vip());
        let lossy = self
            .network
            .links
            .iter()
            .flatten()
            .any(|link| link.loss > 0);
        let none = absent && !lossy && (0..2).any(|node| self.could_serve(node));
        let cut_off = (0..2).any(|node| self.is_cut_off(node));
        let now = self.now;
        let since = |holds: bool, since: Option<Duration>| holds.then(|| since.unwrap_or(now));
        let watch = &mut self.watch;
        watch.both_since = since(both, watch.both_since);
        watch.none_since = since(none, watch.none_since);
        watch.cut_off_since = since(cut_off, watch.cut_off_since);
        let lasted = |since: Option<Duration>| {
            since.map_or(Duration::ZERO, |since| now - since.max(watch.calm_since))
        };
        let original = self.config.original.map_or(Duration::ZERO, |_| BLOCKED);
        let (keepalive, deadtime) = (settings.keepalive, settings.deadtime);
        for (what, lasted, limit) in [
            (
                "both active",
                lasted(watch.both_since),
                deadtime + keepalive + SLACK + original,
            ),
            (
                "none active",
                lasted(watch.none_since),
                deadtime + keepalive * 2 + SLACK + original,
            ),
            (
                "active without its public network",
                lasted(watch.cut_off_since),
                deadtime * 2 + keepalive * 4 + SLACK,
            ),
        ] {
            if lasted > limit && self.violation.is_none() {
                let at = now - Duration::from_secs(1000);
                self.violation = Some(format!("{what} for {lasted:?}, at {at:?}"));
            }
        }
        self.check_hand_over(absent);
        self.check_role_changes();
    }

    /// A fault, or the end of one, may move the active role, which may then be given back: to the
    /// primary that asks for it, or by one of two that were active. An original is not counted: one
    /// that was blocked changes its role with every old packet. Loss and jitter are faults in each
    /// moment that they last.
    fn check_role_changes(&mut self) {
        let mut links = self.network.links.iter().flatten();
        if links.any(|link| link.loss > 0 || link.jitter > 0) {
            self.watch.role_changes = 0;
        }
        let changes = self.watch.role_changes;
        if changes > LIMIT && self.violation.is_none() {
            self.violation = Some(format!("{changes} changes of roles after one fault"));
        }
    }

    fn check_hand_over(&mut self, absent: bool) {
        let calm = self.watch.calm_since;
        // One that falls asleep in that very moment cannot serve on.
        let awake = self.nodes.iter().filter(|node| node.is_awake());
        let begun = awake.filter_map(|node| node.handing_over);
        if absent && begun.clone().any(|begun| calm <= begun) && self.violation.is_none() {
            self.violation = Some("nobody serves during a hand-over".to_owned());
        }
    }

    fn sees_witness(&self, node: usize) -> bool {
        self.network.service[node].is_good() && !self.network.witness_down
    }

    fn could_serve(&self, node: usize) -> bool {
        let asks_witness = self.config.settings.witness && !self.nodes[node].is_original;
        self.nodes[node].is_healthy(self.now) && (!asks_witness || self.sees_witness(node))
    }

    /// Active, its public path dead and its witness unreachable, while the partner could serve
    /// and says so on the private path.
    fn is_cut_off(&self, node: usize) -> bool {
        let [public, private] = &self.network.links;
        self.config.settings.witness
            && self.config.settings.second_path
            && self.config.original.is_none()
            && self.nodes[node].is_active()
            && self.could_serve(1 - node)
            && !self.nodes[1 - node].is_active()
            // Nothing is offered to one whose lvs kept dying within the last minute.
            && self.nodes[1 - node]
                .lvs_died_at
                .is_none_or(|at| self.now > at + ms(62_000))
            // What the partner did not take is offered again after a while.
            && self.now > self.nodes[node].untaken_at + ms(12_000)
            && !self.sees_witness(node)
            && public.iter().all(|link| link.cut)
            && private.iter().all(Link::is_good)
    }

    /// Whether there is cause for becoming active.
    pub(super) fn check_activation(&mut self, node: usize, cause: Cause) {
        let violation = if !self.nodes[node].carrier_told {
            Some("without carrier")
        } else if self.now - self.watch.calm_since > self.settling()
            && self.network.is_good(self.paths())
            && !self.nodes[1 - node].lvs_keeps_dying()
        {
            Some("without anything having happened")
        } else if cause == Cause::PartnerDead {
            self.check_death(node)
        } else {
            None
        };
        if let Some(text) = violation {
            self.violation = Some(format!("a take-over {text}"));
        }
    }

    fn check_death(&self, node: usize) -> Option<&'static str> {
        let settings = &self.config.settings;
        let (now, router, other) = (self.now, &self.nodes[node], &self.nodes[1 - node]);
        let machine = router.machine()?;
        let heard = machine
            .paths()
            .filter_map(|path| path.last_heard)
            .max()
            .map(|heard| heard + router.unnoticed);
        let early = heard.is_some_and(|heard| now < heard + settings.deadtime);
        if early && router.answered_at.is_none_or(|at| Some(at) <= heard) {
            return Some("before the deadtime");
        }
        let half = heard.map_or(Duration::ZERO, |heard| heard + settings.deadtime / 2);
        let asked_from = half.max(now.saturating_sub(settings.deadtime));
        let reached = router.witness_at.map(|at| at + ms(300));
        if settings.witness && reached.is_none_or(|at| at < asked_from) {
            return Some("without a witness");
        }
        let heeded = settings.vip_lifetime.is_some()
            && machine
                .partner_extended()
                .is_some_and(|partner| partner.expiring && !partner.macs.is_empty());
        let while_ago = now.saturating_sub(settings.deadtime + ms(1000));
        // So does a computer that stands still, which only time can tell from one whose VIPs have
        // ended. It is given more of it when those of a dead pulse must have ended long ago.
        let long_silent = heard
            .zip(settings.vip_lifetime)
            .is_some_and(|(heard, lifetime)| {
                router
                    .answered_at
                    .is_some_and(|at| at > heard + settings.keepalive + lifetime + ms(2000))
            });
        let shortest = if long_silent {
            settings.deadtime.clamp(ms(60), ms(500))
        } else {
            ms(60)
        };
        let (length, until) = other.stood_still;
        // Questions are 20 ms apart: of two, one is asked just before and one just after.
        let stood_still = length + ms(41) > shortest && until > while_ago;
        let reachable = other.has_vip()
            && other.vip_since < while_ago
            && other.carrier
            // VIPs that were silent for a moment count as ended.
            && other.carrier_since < while_ago
            && !stood_still
            // Questions begin when half of the deadtime has passed: slower answers come too late.
            && self.network.serves_within(settings.deadtime / 3)
            && self.watch.network_changed_at < while_ago;
        (heeded && reachable).then_some("from a partner whose VIP answers")
    }
}
