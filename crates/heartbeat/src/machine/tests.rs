use super::*;

const K: Duration = Duration::from_secs(1);
const D: Duration = Duration::from_secs(3);
const START: Duration = Duration::from_secs(1000);

const IDENTITY: Identity = Identity {
    boot: 7,
    epoch: 0,
    serial: 0,
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

#[test]
fn a_silent_partner_is_dead_after_the_deadtime() {
    let mut router = Router::backup();
    router.hear_each(200, 5000, Word::Running);
    router.until(20_000);
    assert_eq!(router.activation(), Some((7200, Cause::PartnerDead)));
    assert_eq!(
        router.count(|action| *action == Action::Report(Notice::NeverHeard)),
        0
    );
}

#[test]
fn a_partner_never_heard_is_dead_after_the_deadtime_with_a_hint() {
    let mut router = Router::primary();
    router.until(10_000);
    assert_eq!(router.activation(), Some((3000, Cause::PartnerDead)));
    assert_eq!(
        router.count(|action| *action == Action::Report(Notice::NeverHeard)),
        1
    );
}

#[test]
fn nothing_is_sent_while_listening_and_then_every_keepalive() {
    let mut router = Router::backup();
    router.hear_each(500, 5000, Word::Running);
    let sent: Vec<_> = router
        .log
        .iter()
        .filter(|(_, action)| matches!(action, Action::Send(_)))
        .map(|(at, action)| (at.as_millis(), *action))
        .collect();
    let stopped = send(Word::Stopped);
    assert_eq!(
        sent,
        [
            (1100, stopped),
            (2100, stopped),
            (3100, stopped),
            (4100, stopped)
        ]
    );
}

#[test]
fn b16_primary_goes_first_when_both_are_inactive() {
    let mut primary = Router::primary();
    primary.hear(300, Word::Stopped);
    primary.until(5000);
    assert_eq!(primary.activation(), Some((1100, Cause::BackupInactive)));

    let mut backup = Router::backup();
    backup.hear_each(300, 5000, Word::Stopped);
    assert_eq!(backup.activation(), Some((3100, Cause::PrimaryInactive)));
}

#[test]
fn backup_stays_standby_when_the_primary_uses_its_preference() {
    let mut backup = Router::backup();
    backup.hear(1100, Word::Stopped);
    backup.hear_each(1200, 20_000, Word::Running);
    assert_eq!(backup.activation(), None);
}

#[test]
fn a_partner_that_lets_go_is_replaced_at_once() {
    for mut router in [Router::primary(), Router::backup()] {
        router.hear_each(300, 9000, Word::Running);
        router.until(8500);
        router.at(8500, heard(Path::Public, Word::Stopped));
        assert_eq!(router.activation().map(|(at, _)| at), Some(8500));
        assert_eq!(router.machine.word(), Word::Running);
    }
}

#[test]
fn a_late_stopped_on_the_slower_path_is_no_hand_over() {
    let mut router = Router::backup();
    router.hear(500, Word::Stopped);
    router.at(1500, heard(Path::Public, Word::Running));
    router.at(1510, heard(Path::Private, Word::Stopped));
    router.hear_each(1520, 9000, Word::Running);
    assert_eq!(router.activation(), None);
}

#[test]
fn without_a_partner_it_activates_after_listening_and_sends_nothing() {
    let mut router = Router::new(Settings {
        partner: false,
        ..settings(Role::Primary)
    });
    router.until(5000);
    assert_eq!(router.activation(), Some((1100, Cause::Alone)));
    assert_eq!(router.count(|action| matches!(action, Action::Send(_))), 0);
    assert_eq!(router.machine.paths().count(), 0);
}

#[test]
fn backup_yields_with_one_more_running_and_says_stopped_when_done() {
    let mut router = Router::backup().activated();
    let actions = router.at(3500, heard(Path::Private, Word::Running));
    assert_eq!(
        actions,
        [
            send(Word::Running),
            Action::Deactivate(Cause::PartnerActive)
        ]
    );
    router.until(3550);
    assert_eq!(router.record(Event::Deactivated), [send(Word::Stopped)]);
    assert_eq!(router.machine.phase(), Phase::Standby);
    router.hear_each(4000, 20_000, Word::Running);
    assert_eq!(
        router.count(|action| matches!(action, Action::Activate(_))),
        1
    );
}

#[test]
fn b61_primary_announces_again_but_does_not_flood() {
    let mut router = Router::primary().activated();
    router.hear_each(3500, 303_500, Word::Running);
    assert_eq!(router.machine.phase(), Phase::Active);
    let resent = router.count(|action| *action == Action::Announce);
    assert!((6..=10).contains(&resent), "{resent} times in five minutes");
    router.hear(303_600, Word::Stopped);
    let after = router.count(|action| *action == Action::Announce);
    assert_eq!(
        after,
        resent + 1,
        "the winner announces when the other has let go"
    );
}

#[test]
fn term_says_stopped_before_anything_else_and_once_more_at_the_end() {
    let mut router = Router::primary().activated();
    let actions = router.at(3700, Event::Terminate);
    assert_eq!(
        actions,
        [send(Word::Stopped), Action::Deactivate(Cause::Terminating)]
    );
    router.until(3800);
    assert_eq!(
        router.record(Event::Deactivated),
        [send(Word::Stopped), Action::Finish]
    );
}

#[test]
fn term_on_a_listening_router_sends_nothing() {
    let mut router = Router::primary();
    let actions = router.at(500, Event::Terminate);
    assert_eq!(actions, [Action::Deactivate(Cause::Terminating)]);
    assert_eq!(router.record(Event::Deactivated), [Action::Finish]);
}

#[test]
fn one_silent_path_is_one_warning_within_two_keepalives() {
    let mut router = Router::backup();
    router.hear_each(200, 10_000, Word::Running);
    for millis in (10_200..40_000).step_by(1000) {
        router.at(millis, heard(Path::Public, Word::Running));
    }
    let silent = Action::Report(Notice::PathSilent(Path::Private));
    let warnings: Vec<_> = router
        .log
        .iter()
        .filter(|(_, action)| *action == silent)
        .collect();
    assert_eq!(warnings, [&(ms(11_200), silent)]);
    assert_eq!(router.activation(), None);

    router.hear_each(40_200, 60_000, Word::Running);
    let restored = Action::Report(Notice::PathRestored(Path::Private));
    assert_eq!(router.count(|action| *action == restored), 1);
    assert_eq!(router.count(|action| *action == silent), 1);
}

#[test]
fn a_partner_that_dies_or_returns_is_no_path_warning() {
    let mut router = Router::backup();
    for round in 0..3u64 {
        for millis in (round * 30_000 + 200..round * 30_000 + 10_000).step_by(1000) {
            router.at(millis, heard(Path::Public, Word::Stopped));
            router.at(millis + 2, heard(Path::Private, Word::Stopped));
        }
    }
    let warned = router.count(|action| matches!(action, Action::Report(Notice::PathSilent(_))));
    assert_eq!(warned, 0);
}

#[test]
fn b23_lvs_is_restarted_and_a_healthy_partner_asked_after_five_deaths() {
    let mut router = Router::primary().activated();
    router.hear(3200, Word::Stopped);
    for death in 0..4 {
        let actions = router.at(3300 + death, Event::LvsDied);
        assert!(actions.contains(&Action::StartLvs), "{actions:?}");
    }
    let actions = router.at(3400, Event::LvsDied);
    assert_eq!(
        actions,
        [Action::Deactivate(Cause::LvsFailing), send(Word::Stopped)]
    );
    router.at(3450, Event::Deactivated);
    router.hear(3460, Word::Stopped);
    assert_eq!(
        router.machine.phase(),
        Phase::Standby,
        "the partner is to act on it"
    );
    router.hear_each(3500, 20_000, Word::Running);
    assert_eq!(router.machine.phase(), Phase::Standby);
    router.hear(20_000, Word::Stopped);
    assert_eq!(
        router.machine.phase(),
        Phase::Activating,
        "the latch clears by itself"
    );
}

#[test]
fn b23_a_single_router_goes_on_restarting_lvs_with_back_off() {
    let mut router = Router::primary().activated();
    for death in 0..5 {
        router.at(3300 + death, Event::LvsDied);
    }
    assert_eq!(router.machine.phase(), Phase::Active);
    let starts = |router: &Router| router.count(|action| *action == Action::StartLvs);
    assert_eq!(starts(&router), 4);
    router.until(4304);
    assert_eq!(starts(&router), 5);
    router.at(4310, Event::LvsDied);
    router.hear(5000, Word::Stopped);
    assert_eq!(
        router.machine.why(),
        Some(Cause::LvsFailing),
        "a partner has come"
    );
}

#[test]
fn refused_activation_hands_over_and_is_tried_again() {
    let mut router = Router::primary();
    router.until(3000);
    let actions = router.at(3050, Event::Refused);
    assert_eq!(
        actions,
        [Action::Deactivate(Cause::Refused), send(Word::Stopped)]
    );
    router.at(3060, Event::Deactivated);
    router.until(4040);
    assert_eq!(router.machine.phase(), Phase::Standby);
    router.until(4060);
    assert_eq!(router.machine.phase(), Phase::Activating);
}

#[test]
fn a_pause_ends_in_letting_go_and_listening() {
    let mut router = Router::primary().activated();
    router.hear(3500, Word::Stopped);
    router.now += ms(10_000);
    let actions = router.record(heard(Path::Public, Word::Running));
    assert!(actions.contains(&Action::Drain));
    assert!(actions.contains(&Action::Deactivate(Cause::Gap)));
    assert!(!actions.contains(&send(Word::Running)), "{actions:?}");
    router.record(Event::Deactivated);
    router.hear_each(13_600, 20_000, Word::Running);
    assert_eq!(router.machine.phase(), Phase::Standby);
}

#[test]
fn a_standby_that_was_paused_does_not_take_over_by_old_silence() {
    let mut router = Router::backup();
    router.hear_each(200, 5000, Word::Running);
    router.now += ms(10_000);
    router.record(Event::Timeout);
    router.hear_each(15_000, 20_000, Word::Running);
    assert_eq!(router.activation(), None);
}

#[test]
fn b17_stopme_is_a_sign_of_life_and_no_order() {
    let mut router = Router::primary().activated();
    router.hear_each(4000, 20_000, Word::StopMe);
    assert_eq!(router.machine.phase(), Phase::Active);
    let mut standby = Router::backup();
    standby.hear_each(300, 20_000, Word::Hold);
    assert_eq!(standby.activation(), None);
}

#[test]
fn new_times_hold_from_the_next_heartbeat_on() {
    let mut router = Router::backup();
    router.hear_each(200, 5000, Word::Running);
    let faster = Settings {
        keepalive: ms(100),
        deadtime: ms(300),
        ..settings(Role::Backup)
    };
    router.at(5000, Event::Settings(faster));
    assert_eq!(router.activation(), None, "a deadtime passes first");
    router.until(6000);
    assert_eq!(router.activation(), Some((5300, Cause::PartnerDead)));

    let mut router = Router::primary().activated();
    let alone = Settings {
        partner: false,
        ..settings(Role::Backup)
    };
    router.at(5000, Event::Settings(alone));
    assert_eq!(
        router.machine.settings().role,
        Role::Primary,
        "the role never changes"
    );
    let sent = router.log.len();
    router.until(60_000);
    assert_eq!(router.log.len(), sent);
}

#[test]
fn a_lost_partner_is_reported_once_to_an_active_router() {
    let mut router = Router::primary().activated();
    router.hear_each(4000, 10_000, Word::Stopped);
    router.until(60_000);
    let lost = router.count(|action| *action == Action::Report(Notice::PartnerLost));
    assert_eq!(lost, 1);
    router.hear(60_000, Word::Stopped);
    assert_eq!(
        router.count(|action| *action == Action::Report(Notice::PartnerBack)),
        1
    );
}

#[test]
fn forced_active_goes_at_once() {
    let mut router = Router::backup();
    let actions = router.at(0, Event::ForceActive);
    assert_eq!(
        actions,
        [send(Word::Running), Action::Activate(Cause::Forced)]
    );
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

fn ours_in(phase: Phase, counter: u64, epoch: u64, word: Word) -> Event {
    let role = Role::Backup;
    let extended = Extended {
        boot: 9,
        counter,
        epoch,
        phase,
        role,
        serial: 0,
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

#[test]
fn who_took_over_later_stays() {
    let mut primary = Router::primary().activated();
    assert_eq!(primary.machine.epoch(), 1);
    let actions = primary.at(3500, ours(1, 2, Word::Running));
    assert!(
        actions.contains(&Action::Deactivate(Cause::PartnerActive)),
        "{actions:?}"
    );

    let mut backup = Router::backup().activated();
    backup.at(3500, ours(1, 0, Word::Running));
    assert_eq!(
        backup.machine.phase(),
        Phase::Active,
        "its epoch is the higher one"
    );

    let mut equal = Router::backup().activated();
    equal.at(3500, ours(1, 1, Word::Running));
    assert_eq!(
        equal.machine.phase(),
        Phase::Leaving,
        "equal: the primary stays"
    );
}

#[test]
fn an_activation_has_a_higher_epoch_than_any_heard_or_stored() {
    let identity = Identity {
        epoch: 40,
        ..IDENTITY
    };
    let mut machine = Machine::new(settings(Role::Primary), identity, START);
    machine.handle(START + ms(10), ours(1, 50, Word::Stopped));
    let actions = machine.handle(START + ms(1100), Event::Timeout);
    assert!(actions.contains(&Action::StoreEpoch(51)), "{actions:?}");
}

#[test]
fn an_overtaken_heartbeat_is_only_a_sign_of_life() {
    let mut router = Router::backup();
    router.at(300, ours(5, 1, Word::Running));
    router.at(900, ours(6, 1, Word::Running));
    router.at(1500, ours(4, 1, Word::Stopped));
    assert_eq!(router.machine.partner_word(), Some(Word::Running));
    assert_eq!(router.activation(), None);
    router.at(1600, ours(7, 1, Word::Stopped));
    assert_eq!(router.activation(), Some((1600, Cause::PrimaryInactive)));
}

#[test]
fn a_leaving_router_serves_until_its_partner_does() {
    let mut router = Router::primary().activated();
    router.at(3500, ours(1, 0, Word::Stopped));
    assert_eq!(router.at(3600, Event::Terminate), [send(Word::Stopped)]);
    router.at(3610, ours_in(Phase::Activating, 2, 2, Word::Running));
    assert_eq!(router.machine.phase(), Phase::Leaving);
    let actions = router.at(3700, ours(3, 2, Word::Running));
    assert_eq!(actions, [Action::Deactivate(Cause::Terminating)]);
    let actions = router.at(3750, Event::Deactivated);
    assert_eq!(actions, [send(Word::Stopped), Action::Finish]);
}

#[test]
fn a_leaving_router_does_not_wait_for_ever() {
    let mut router = Router::primary().activated();
    router.at(3500, ours(1, 0, Word::Stopped));
    router.at(3600, Event::Terminate);
    router.until(5099);
    assert_eq!(
        router.count(|action| matches!(action, Action::Deactivate(_))),
        0
    );
    router.until(5100);
    assert_eq!(
        router.count(|action| matches!(action, Action::Deactivate(_))),
        1
    );

    let mut impatient = Router::primary().activated();
    impatient.at(3500, ours(1, 0, Word::Stopped));
    impatient.at(3600, Event::Terminate);
    let actions = impatient.at(3700, Event::Terminate);
    assert_eq!(actions, [Action::Deactivate(Cause::Terminating)]);
}

#[test]
fn the_relieving_router_says_so_and_announces_again_when_the_other_is_done() {
    let mut router = Router::backup();
    router.at(500, ours(1, 1, Word::Running));
    router.at(1500, ours_in(Phase::Leaving, 2, 1, Word::Stopped));
    assert_eq!(router.activation(), Some((1500, Cause::PrimaryInactive)));
    router.at(1600, Event::LvsReady);
    assert_eq!(router.at(1600, Event::Activated), [send(Word::Running)]);
    let actions = router.at(1650, ours(3, 1, Word::Stopped));
    assert_eq!(actions, [Action::Announce]);
}

#[test]
fn half_the_deadtime_of_silence_prepares_once() {
    let mut router = Router::backup();
    router.hear_each(200, 5000, Word::Running);
    let count = |router: &Router| router.count(|action| *action == Action::Prepare);
    router.until(5699);
    assert_eq!(count(&router), 0);
    router.until(6500);
    assert_eq!(count(&router), 1);
    router.hear_each(6600, 9000, Word::Running);
    assert_eq!(count(&router), 1, "{:?}", router.log);
    router.until(20_000);
    assert_eq!(count(&router), 2);
}
