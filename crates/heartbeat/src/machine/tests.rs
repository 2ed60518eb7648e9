use super::*;
use crate::{Configuration, Role};

mod complaints;
mod links;
mod ours;
mod proof;
mod roles;
mod trouble;
mod vips;
mod witness;

const K: Duration = Duration::from_secs(1);
const D: Duration = Duration::from_secs(3);
const START: Duration = Duration::from_secs(1000);

const IDENTITY: Identity = Identity { boot: 7, epoch: 0 };

const CONFIGURATION: Configuration = Configuration {
    serial: 1,
    digest: 2,
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn settings(role: Role) -> Settings {
    Settings {
        role,
        partner: true,
        second_path: true,
        keepalive: K,
        deadtime: D,
        vip_lifetime: Some(ms(2000)),
        witness: false,
        failback: None,
        relays: false,
        configuration: CONFIGURATION,
    }
}

/// From an original.
const fn heard(path: Path, word: Word) -> Event {
    Event::Heartbeat {
        path,
        heartbeat: Heartbeat {
            word,
            extended: None,
        },
    }
}

/// Without what differs from run to run.
fn plain(actions: Vec<Action>) -> Vec<Action> {
    let strip = |action| match action {
        Action::Send(heartbeat) => Action::Send(Heartbeat {
            extended: None,
            ..heartbeat
        }),
        other => other,
    };
    let is_told = |action: &Action| !matches!(action, Action::StoreEpoch(_));
    actions.into_iter().filter(is_told).map(strip).collect()
}

const fn send(word: Word) -> Action {
    Action::Send(Heartbeat {
        word,
        extended: None,
    })
}

/// A machine with its clock; handles timeouts on the way to each event.
struct Router {
    machine: Machine,
    now: Duration,
    log: Vec<(Duration, Action)>,
}

impl Router {
    fn new(settings: Settings) -> Self {
        Self {
            machine: Machine::new(settings, IDENTITY, START),
            now: START,
            log: Vec::new(),
        }
    }

    fn primary() -> Self {
        Self::new(settings(Role::Primary))
    }

    fn backup() -> Self {
        Self::new(settings(Role::Backup))
    }

    fn at(&mut self, millis: u64, event: Event) -> Vec<Action> {
        self.until(millis);
        self.record(event)
    }

    fn record(&mut self, event: Event) -> Vec<Action> {
        let actions = plain(self.machine.handle(self.now, event));
        self.log
            .extend(actions.iter().map(|action| (self.now - START, *action)));
        actions
    }

    fn until(&mut self, millis: u64) -> &mut Self {
        let target = START + ms(millis);
        while let Some(deadline) = self.machine.deadline().filter(|at| *at <= target) {
            assert!(deadline > self.now, "a deadline in the past would spin");
            self.now = deadline;
            self.record(Event::Timeout);
        }
        self.now = target;
        self
    }

    fn hear(&mut self, millis: u64, word: Word) -> Vec<Action> {
        self.until(millis);
        let mut actions = self.record(heard(Path::Public, word));
        actions.extend(self.record(heard(Path::Private, word)));
        actions
    }

    /// Hears `word` each keepalive from `from` to before `to`.
    fn hear_each(&mut self, from: u64, to: u64, word: Word) {
        for millis in (from..to).step_by(1000) {
            self.hear(millis, word);
        }
    }

    fn activation(&self) -> Option<(u64, Cause)> {
        self.log.iter().find_map(|(at, action)| match action {
            Action::Activate(cause) => Some((at.as_millis() as u64, *cause)),
            _ => None,
        })
    }

    fn count(&self, wanted: impl Fn(&Action) -> bool) -> usize {
        self.log.iter().filter(|(_, action)| wanted(action)).count()
    }

    /// Brings it to `Active` at 3100 ms or so, the partner being silent.
    fn activated(mut self) -> Self {
        self.until(3000);
        assert_eq!(self.activation(), Some((3000, Cause::PartnerDead)));
        self.at(3100, Event::LvsReady);
        self.at(3100, Event::Activated);
        assert_eq!(self.machine.phase(), Phase::Active);
        self
    }
}

/// A heartbeat of ours.
fn ours(counter: u64, epoch: u64, word: Word) -> Event {
    let phase = if word == Word::Running {
        Phase::Active
    } else {
        Phase::Standby
    };
    ours_in(phase, counter, epoch, word)
}

/// The same, with changes.
fn describing(mut event: Event, change: impl Fn(&mut Extended)) -> Event {
    if let Event::Heartbeat { heartbeat, .. } = &mut event
        && let Some(extended) = &mut heartbeat.extended
    {
        change(extended);
    }
    event
}

fn ours_in(phase: Phase, counter: u64, epoch: u64, word: Word) -> Event {
    let role = Role::Backup;
    let extended = Extended {
        boot: 9,
        counter,
        epoch,
        phase,
        able: true,
        sees_witness: false,
        expiring: true,
        asking: false,
        relays: false,
        role,
        configuration: CONFIGURATION,
        macs: Macs::NONE,
        echo: (0, 0),
    };
    Event::Heartbeat {
        path: Path::Public,
        heartbeat: Heartbeat {
            word,
            extended: Some(extended),
        },
    }
}
