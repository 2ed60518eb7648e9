//! Rules broken on purpose, to see that the invariants notice: what a machine is told, what it
//! says or what is done of it is changed on the way.

use heartbeat::{Action, Cause, Event, Extended, Heartbeat, Phase, Settings, Word};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    None,
    /// Nobody lets go of the active role for the partner's sake.
    NobodyYields,
    /// Everybody says "running" all the time.
    AlwaysRunning,
    /// Answers for the VIP are not heard.
    DeafToVips,
    /// Questions for the VIP are answered whoever holds it.
    VipsNeverEnd,
    /// Time stands still while a process does not run.
    PausesUnnoticed,
    /// Epochs are not carried on the wire.
    NoEpochs,
    /// A router says that it is active before it has the addresses.
    ActiveTooEarly,
    /// Half the deadtime.
    Impatient,
    /// Four deadtimes.
    TooPatient,
    /// What has a good tag is believed whenever it was sent.
    ReplaysBelieved,
    /// The witness answers always.
    BlindWitness,
    /// A hand-over does not wait for the partner.
    HandOverWithoutWaiting,
    /// Heartbeats that were overtaken count like new ones.
    OldIsNew,
    /// Loss of carrier is not noticed.
    CarrierUnnoticed,
    /// The primary always asks for its role.
    AsksAtOnce,
    /// lvs is never started again.
    LvsForgotten,
    /// Every run has the same number.
    SameBoot,
    /// Timers go off a deadtime late.
    LateTimers,
    /// Only the public path is listened to.
    OnePath,
    /// Who has taken over hands over at once, a few times in a row.
    Flapping,
}

impl Mutant {
    pub(crate) const ALL: [Self; 20] = [
        Self::NobodyYields,
        Self::AlwaysRunning,
        Self::DeafToVips,
        Self::VipsNeverEnd,
        Self::PausesUnnoticed,
        Self::NoEpochs,
        Self::ActiveTooEarly,
        Self::Impatient,
        Self::TooPatient,
        Self::ReplaysBelieved,
        Self::BlindWitness,
        Self::HandOverWithoutWaiting,
        Self::OldIsNew,
        Self::CarrierUnnoticed,
        Self::AsksAtOnce,
        Self::LvsForgotten,
        Self::SameBoot,
        Self::LateTimers,
        Self::OnePath,
        Self::Flapping,
    ];

    pub(crate) fn settings(self, settings: Settings) -> Settings {
        let deadtime = match self {
            Self::Impatient => settings.deadtime / 2,
            Self::TooPatient => settings.deadtime * 4,
            _ => settings.deadtime,
        };
        Settings {
            deadtime,
            ..settings
        }
    }

    /// What a router hears of a heartbeat; `None`: nothing.
    pub(crate) fn heard(self, path: usize, heartbeat: Heartbeat, to: Phase) -> Option<Heartbeat> {
        let change = |change: fn(&mut Extended)| {
            let mut changed = heartbeat;
            if let Some(extended) = &mut changed.extended {
                change(extended);
            }
            Some(changed)
        };
        match self {
            Self::NobodyYields if heartbeat.word == Word::Running && to != Phase::Standby => None,
            Self::OnePath if path == 1 => None,
            Self::NoEpochs => change(|extended| extended.epoch = 0),
            Self::OldIsNew => change(|extended| extended.counter = 1),
            _ => Some(heartbeat),
        }
    }

    pub(crate) fn sent(self, heartbeat: Heartbeat) -> Heartbeat {
        let mut changed = heartbeat;
        match (self, &mut changed.extended) {
            (Self::AlwaysRunning, _) => changed.word = Word::Running,
            (Self::HandOverWithoutWaiting, Some(extended)) if extended.phase == Phase::Leaving => {
                changed.word = Word::Running;
            }
            (Self::AsksAtOnce, Some(extended)) => {
                extended.asking = extended.phase == Phase::Standby;
            }
            _ => {}
        }
        changed
    }

    /// Whether an event reaches the machine.
    pub(crate) fn passes(self, event: &Event) -> bool {
        !matches!(
            (self, event),
            (Self::DeafToVips, Event::VipAnswered { .. })
                | (Self::CarrierUnnoticed, Event::Links(_))
        )
    }

    /// Whether an action is performed.
    pub(crate) fn performs(self, action: &Action) -> bool {
        !matches!(
            (self, action),
            (Self::LvsForgotten, Action::StartLvs)
                | (Self::NobodyYields, Action::Deactivate(Cause::PartnerActive))
        )
    }

    /// How much later than asked a timer goes off.
    pub(crate) fn lateness(self, settings: &Settings) -> Duration {
        match self {
            Self::LateTimers => settings.deadtime,
            _ => Duration::ZERO,
        }
    }
}
