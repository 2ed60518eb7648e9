//! One router of the pair: its machine (the computer), its pulse and its addresses.

use super::original::Original;
use super::simulation::Arrival;
use heartbeat::{Mac, Machine, Role};
use std::collections::VecDeque;
use std::time::Duration;

/// What runs on it.
pub(crate) enum Pulse {
    Ours(Box<Machine>),
    Original(Box<Original>),
}

/// The VIP on this router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vip {
    Absent,
    /// Pulse holds and renews it.
    Held,
    /// Nobody renews it; with a lifetime it ends.
    Left,
}

/// Why pulse does not run at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleep {
    Awake,
    /// The process is stopped, the kernel goes on.
    Frozen,
    /// The whole computer stands still, and nothing arrives.
    Suspended,
}

pub(crate) struct Node {
    pub(crate) role: Role,
    pub(crate) is_original: bool,
    pub(crate) mac: Mac,
    pub(crate) pulse: Option<Pulse>,
    /// Counts runs of pulse.
    pub(crate) life: u32,
    /// Stored for the next run.
    pub(crate) epoch: u64,
    /// Activation and deactivation void each other's completion.
    pub(crate) job: u32,
    pub(crate) sleep: Sleep,
    pub(crate) slept_at: Duration,
    /// How long the whole computer last stood still, and until when.
    pub(crate) stood_still: (Duration, Duration),
    /// When its pulse has something to do.
    pub(crate) due: Option<Duration>,
    pub(crate) powered: bool,
    pub(crate) vip: Vip,
    /// Pulse means to hold it.
    pub(crate) held: bool,
    /// Since when it is there.
    pub(crate) vip_since: Duration,
    /// Tells ends of lifetimes apart.
    pub(crate) expiry: u32,
    pub(crate) carrier: bool,
    pub(crate) carrier_since: Duration,
    /// As its pulse knows it: what happens while it sleeps it is told of afterwards.
    pub(crate) carrier_told: bool,
    /// It heard nobody when it fell asleep.
    pub(crate) slept_alone: bool,
    pub(crate) lvs_died_at: Option<Duration>,
    /// How often lvs will die before it becomes ready.
    pub(crate) lvs_deaths: u64,
    /// It died, and the next start that can succeed has not come yet.
    pub(crate) lvs_waits: bool,
    /// How often addresses will not come up.
    pub(crate) refusals: u64,
    pub(crate) refused_in_a_row: u32,
    /// A hand-over of its was not taken.
    pub(crate) untaken_at: Duration,
    /// After a refusal it tries again at this time.
    pub(crate) refused_until: Duration,
    /// What waits in the sockets while pulse does not run.
    pub(crate) inbox: VecDeque<Arrival>,
    /// It was told to hand over without a gap since this time.
    pub(crate) handing_over: Option<Duration>,
    /// The partner's VIPs were last answered for.
    pub(crate) answered_at: Option<Duration>,
    /// A witness was last reached.
    pub(crate) witness_at: Option<Duration>,
    /// Time that a broken clock did not count.
    pub(crate) unnoticed: Duration,
    /// By how much the wall clock is ahead.
    pub(crate) wall_offset: Duration,
}

impl Node {
    pub(crate) fn new(role: Role, is_original: bool) -> Self {
        Self {
            role,
            is_original,
            mac: Mac([2, 0, 0, 0, 0, u8::from(role == Role::Backup)]),
            pulse: None,
            life: 0,
            epoch: 0,
            job: 0,
            sleep: Sleep::Awake,
            slept_at: Duration::ZERO,
            stood_still: (Duration::ZERO, Duration::ZERO),
            due: None,
            powered: true,
            vip: Vip::Absent,
            held: false,
            vip_since: Duration::ZERO,
            expiry: 0,
            carrier: true,
            carrier_since: Duration::ZERO,
            carrier_told: true,
            slept_alone: false,
            lvs_died_at: None,
            lvs_deaths: 0,
            lvs_waits: false,
            refusals: 0,
            refused_in_a_row: 0,
            untaken_at: Duration::ZERO,
            refused_until: Duration::ZERO,
            inbox: VecDeque::new(),
            handing_over: None,
            answered_at: None,
            witness_at: None,
            unnoticed: Duration::ZERO,
            wall_offset: Duration::from_secs(100_000),
        }
    }

    pub(crate) fn machine(&self) -> Option<&Machine> {
        match &self.pulse {
            Some(Pulse::Ours(machine)) => Some(machine),
            _ => None,
        }
    }

    pub(crate) fn original(&self) -> Option<&Original> {
        match &self.pulse {
            Some(Pulse::Original(original)) => Some(original),
            _ => None,
        }
    }

    pub(crate) fn is_awake(&self) -> bool {
        self.pulse.is_some() && self.sleep == Sleep::Awake
    }

    /// It holds the VIP and means to.
    pub(crate) fn is_active(&self) -> bool {
        self.vip == Vip::Held && self.is_awake()
    }

    /// The kernel answers for the VIP.
    pub(crate) fn has_vip(&self) -> bool {
        self.powered && self.vip != Vip::Absent && self.sleep != Sleep::Suspended
    }

    /// Then its partner takes over as soon as it can, which may be a minute after its own lvs died.
    pub(crate) fn lvs_keeps_dying(&self) -> bool {
        self.lvs_deaths > 0 || self.lvs_waits
    }

    /// Nothing keeps it from being active.
    pub(crate) fn is_healthy(&self, now: Duration) -> bool {
        self.is_awake()
            && self.carrier
            && !self.lvs_keeps_dying()
            && self.refusals == 0
            && now >= self.refused_until
            && !self.original().is_some_and(|original| original.latched)
    }
}
