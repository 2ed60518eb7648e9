//! The decisions of `piranha-daemons.md` 5.6, 5.7 and 5.10, one by one and as properties.
#![allow(
    non_snake_case,
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of known bugs are named after them; a test may stop at the first surprise"
)]

use health::{Action, Cause, Entry, Force, Removal, Server, Settings, Standing, Verdict};
use proptest::prelude::*;
use std::time::Duration;

const INTERVAL: Duration = Duration::from_secs(6);

fn settings(weight: u32) -> Settings {
    let mut settings = Settings::new(INTERVAL, weight);
    settings.reentry = Duration::from_secs(15);
    settings
}

fn down() -> Verdict {
    Verdict::Unavailable("refused".into())
}

fn left(removal: Removal) -> Vec<Action> {
    vec![Action::Leave {
        cause: Cause::Check("refused".into()),
        removal,
    }]
}

/// A server with a clock: each check takes no time and starts when it is due.
struct Run {
    server: Server,
    now: Duration,
}

impl Run {
    fn new(settings: Settings) -> Self {
        Self {
            server: Server::new(settings),
            now: Duration::ZERO,
        }
    }

    fn check(&mut self, verdict: Verdict) -> Vec<Action> {
        self.now = self.server.next_check().expect("no state is forced");
        self.server.handle_check(self.now, verdict)
    }

    fn ok(&mut self) -> Vec<Action> {
        self.check(Verdict::Available)
    }

    fn fail(&mut self) -> Vec<Action> {
        self.check(down())
    }

    fn signal(&mut self, force: Force) -> Vec<Action> {
        self.server.handle_signal(self.now, force)
    }
}

#[test]
fn first_success_activates_at_once_and_one_failure_is_enough() {
    let mut run = Run::new(settings(1));
    assert_eq!(run.server.next_check(), Some(Duration::ZERO));
    assert_eq!(
        run.ok(),
        [Action::Join {
            weight: 1,
            entry: Entry::Add
        }]
    );
    assert_eq!(run.ok(), []);
    assert_eq!(run.fail(), left(Removal::Delete));
    assert_eq!(run.server.entry(), None);
}

#[test]
fn after_a_failure_it_takes_threshold_successes_in_a_row() {
    let mut run = Run::new(settings(1));
    run.ok();
    run.fail();
    assert_eq!(run.ok(), []);
    assert_eq!(
        run.fail(),
        [Action::Failed {
            reason: "refused".into(),
            first: false
        }]
    );
    assert_eq!(run.ok(), []);
    assert_eq!(
        run.ok(),
        [Action::Join {
            weight: 1,
            entry: Entry::Add
        }]
    );
}

#[test]
fn a_server_that_never_answered_is_told_once() {
    let mut run = Run::new(settings(1));
    assert_eq!(
        run.fail(),
        [Action::Failed {
            reason: "refused".into(),
            first: true
        }]
    );
    assert_eq!(
        run.fail(),
        [Action::Failed {
            reason: "refused".into(),
            first: false
        }]
    );
}

#[test]
fn B53_retries() {
    let mut with_retries = settings(1);
    with_retries.retries = 3;
    let mut run = Run::new(with_retries);
    run.ok();
    for _ in 0..2 {
        assert_eq!(
            run.fail(),
            [Action::Failed {
                reason: "refused".into(),
                first: false
            }]
        );
    }
    assert_eq!(run.ok(), []);
    run.fail();
    run.fail();
    assert_eq!(run.fail(), left(Removal::Delete));
}

#[test]
fn quiesced_and_brought_back_by_edits() {
    let mut quiesced = settings(64);
    quiesced.quiesce = true;
    let mut run = Run::new(quiesced);
    run.ok();
    assert_eq!(run.fail(), left(Removal::Quiesce));
    assert_eq!(run.server.entry(), Some(0));
    run.ok();
    assert_eq!(
        run.ok()[0],
        Action::Join {
            weight: 2,
            entry: Entry::Edit
        }
    );
}

#[test]
fn the_ramp_steps_every_third_check_at_six_seconds() {
    let mut run = Run::new(settings(100));
    let mut weights = Vec::new();
    for check in 0..30 {
        for action in run.ok() {
            match action {
                Action::Join { weight, .. } | Action::SetWeight { weight } => {
                    weights.push((check, weight));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // The count starts at the threshold, 2, so that the first check already makes a step.
    let expected = [
        (0, 3),
        (0, 6),
        (3, 12),
        (6, 24),
        (9, 48),
        (12, 96),
        (15, 100),
    ];
    assert_eq!(weights, expected);
}

#[test]
fn load_is_asked_for_only_after_the_ramp() {
    let mut loaded = settings(2);
    loaded.load_monitor = true;
    let mut run = Run::new(loaded);
    assert_eq!(
        run.ok(),
        [
            Action::Join {
                weight: 1,
                entry: Entry::Add
            },
            Action::SetWeight { weight: 2 }
        ]
    );
    assert_eq!(run.ok(), []);
    assert_eq!(run.ok(), []);
    assert_eq!(run.ok(), [Action::QueryLoad]);
    assert_eq!(
        run.server.handle_load(0.0),
        [Action::SetWeight { weight: 3 }]
    );
    run.fail();
    assert_eq!(run.server.handle_load(0.0), []);
}

#[test]
fn B45_forced_down_and_back_with_quiesce() {
    let mut quiesced = settings(64);
    quiesced.quiesce = true;
    let mut run = Run::new(quiesced);
    run.ok();
    assert_eq!(
        run.signal(Force::Down),
        [Action::Leave {
            cause: Cause::Forced,
            removal: Removal::Delete
        }]
    );
    assert_eq!(run.server.next_check(), None);
    assert_eq!(run.signal(Force::Down), []);
    assert_eq!(run.signal(Force::Normal), []);
    assert_eq!(run.server.next_check(), Some(run.now));
    assert_eq!(
        run.ok()[0],
        Action::Join {
            weight: 2,
            entry: Entry::Add
        }
    );
}

#[test]
fn B45_forced_up_keeps_its_weight_afterwards() {
    let mut run = Run::new(settings(64));
    run.fail();
    assert_eq!(
        run.signal(Force::Up),
        [Action::Join {
            weight: 64,
            entry: Entry::Add
        }]
    );
    assert_eq!(run.server.handle_check(run.now, down()), []);
    assert_eq!(run.signal(Force::Up), []);
    run.signal(Force::Normal);
    for _ in 0..10 {
        assert_eq!(run.ok(), []);
    }
    assert_eq!(run.server.entry(), Some(64));
}

#[test]
fn a_failure_after_a_forced_down_is_told() {
    let mut run = Run::new(settings(1));
    run.fail();
    run.signal(Force::Down);
    run.signal(Force::Normal);
    assert_eq!(
        run.fail(),
        [Action::Failed {
            reason: "refused".into(),
            first: true
        }]
    );
}

#[test]
fn hup_lets_the_next_success_count_at_once() {
    let mut run = Run::new(settings(1));
    run.fail();
    assert_eq!(run.signal(Force::Normal), []);
    assert_eq!(
        run.ok(),
        [Action::Join {
            weight: 1,
            entry: Entry::Add
        }]
    );
}

#[test]
fn a_restarted_checker_goes_on_from_the_weight_in_the_table() {
    let mut found = settings(100);
    found.found_weight = Some(24);
    let mut run = Run::new(found.clone());
    assert_eq!(
        run.ok(),
        [
            Action::Join {
                weight: 24,
                entry: Entry::Keep
            },
            Action::SetWeight { weight: 48 }
        ]
    );
    let mut run = Run::new(found);
    assert_eq!(run.fail(), left(Removal::Delete));
}

#[test]
fn an_entry_found_with_weight_zero_had_been_quiesced() {
    let mut found = settings(64);
    found.found_weight = Some(0);
    let mut run = Run::new(found);
    assert_eq!(run.server.standing(), Standing::Unknown);
    assert_eq!(
        run.ok()[0],
        Action::Join {
            weight: 2,
            entry: Entry::Edit
        }
    );
}

#[test]
fn B30_weight_zero_joins_with_zero() {
    let mut run = Run::new(settings(0));
    assert_eq!(
        run.ok(),
        [Action::Join {
            weight: 0,
            entry: Entry::Add
        }]
    );
    for _ in 0..10 {
        assert_eq!(run.ok(), []);
    }
}

#[test]
fn stopping_takes_out_what_is_up_only() {
    let mut run = Run::new(settings(1));
    run.ok();
    assert_eq!(
        run.server.handle_stop(),
        [Action::Leave {
            cause: Cause::Terminated,
            removal: Removal::Delete
        }]
    );
    assert_eq!(run.server.handle_stop(), []);
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Ok,
    Fail,
    Load(f64),
    Force(Force),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Ok),
        3 => Just(Event::Fail),
        1 => (0.0f64..20.0).prop_map(Event::Load),
        1 => prop_oneof![Just(Force::Down), Just(Force::Up), Just(Force::Normal)].prop_map(Event::Force),
    ]
}

prop_compose! {
    fn any_settings()(
        seconds in 1u64..40, reentry in 0u64..200, retries in 1u32..5, weight in 0u32..1000,
        scale in 0u32..20, quiesce: bool, slow_start: bool, load_monitor: bool, seed: u64,
        found_weight in proptest::option::of(0u32..1000),
    ) -> Settings {
        Settings {
            interval: Duration::from_secs(seconds), reentry: Duration::from_secs(reentry), retries,
            weight, scale, quiesce, slow_start, load_monitor, found_weight, seed,
        }
    }
}

/// The kernel's table as it follows from the actions: whether each can be carried out.
#[derive(Debug)]
struct Kernel {
    entry: Option<u32>,
}

impl Kernel {
    fn apply(&mut self, action: &Action) {
        match action {
            Action::Join {
                weight,
                entry: Entry::Add,
            } => {
                assert_eq!(self.entry, None, "added twice");
                self.entry = Some(*weight);
            }
            Action::Join {
                weight,
                entry: Entry::Edit,
            }
            | Action::SetWeight { weight } => {
                assert!(self.entry.is_some(), "edited without entry");
                self.entry = Some(*weight);
            }
            Action::Join {
                weight,
                entry: Entry::Keep,
            } => assert_eq!(self.entry, Some(*weight)),
            Action::Leave {
                removal: Removal::Delete,
                ..
            } => {
                assert!(self.entry.take().is_some(), "deleted without entry");
            }
            Action::Leave {
                removal: Removal::Quiesce,
                ..
            } => {
                assert!(self.entry.is_some(), "quiesced without entry");
                self.entry = Some(0);
            }
            Action::Leave {
                removal: Removal::Nothing,
                ..
            } => assert_eq!(self.entry, None),
            Action::Failed { .. } | Action::QueryLoad => {}
        }
    }
}

proptest! {
    /// Whatever happens, each action can be carried out, and the checker's book-keeping is right.
    #[test]
    fn the_table_and_the_book_keeping_agree(
        settings in any_settings(), events in proptest::collection::vec(event(), 0..200)
    ) {
        let mut kernel = Kernel { entry: settings.found_weight };
        let mut server = Server::new(settings.clone());
        let mut now = Duration::ZERO;
        for event in events {
            now = server.next_check().unwrap_or(now).max(now);
            let actions = match event {
                Event::Ok => server.handle_check(now, Verdict::Available),
                Event::Fail => server.handle_check(now, down()),
                Event::Load(load) => server.handle_load(load),
                Event::Force(force) => server.handle_signal(now, force),
            };
            for action in &actions {
                kernel.apply(action);
            }
            prop_assert_eq!(kernel.entry, server.entry());
            if let Some(next) = server.next_check() {
                prop_assert!(next <= now + settings.interval);
            }
            let top = settings.weight.saturating_mul(settings.scale.max(1));
            for action in &actions {
                if let Action::Join { weight, .. } | Action::SetWeight { weight } = action {
                    prop_assert!(*weight <= top);
                }
            }
        }
        for action in server.handle_stop() {
            kernel.apply(&action);
        }
        prop_assert!(kernel.entry.is_none_or(|weight| weight == 0) || server.standing() == Standing::Unknown);
    }

    /// Without signals a server joins after a failure only by as many successes as re-entry asks.
    #[test]
    fn never_back_with_fewer_successes_than_re_entry_asks(
        settings in any_settings(), checks in proptest::collection::vec(any::<bool>(), 0..200)
    ) {
        let threshold = settings.threshold().max(1);
        let mut server = Server::new(settings);
        let mut since_failure: Option<u64> = None;
        for ok in checks {
            let was_up = server.standing() == Standing::Up;
            let now = server.next_check().expect("no state is forced");
            let verdict = if ok { Verdict::Available } else { down() };
            server.handle_check(now, verdict);
            since_failure = if ok { since_failure.map(|n| n + 1) } else { Some(0) };
            let joined = !was_up && server.standing() == Standing::Up;
            if joined {
                prop_assert!(since_failure.is_none_or(|n| n >= threshold));
            }
            if !was_up && since_failure.is_some_and(|n| n >= threshold) {
                prop_assert!(joined);
            }
        }
    }

    /// The ramp never falls and ends at the configured weight.
    #[test]
    fn the_ramp_climbs_to_the_weight(mut settings in any_settings()) {
        settings.load_monitor = false;
        settings.found_weight = settings.found_weight.filter(|found| *found <= settings.weight);
        let mut server = Server::new(settings.clone());
        let mut last = 0;
        for _ in 0..300 {
            let now = server.next_check().expect("no state is forced");
            server.handle_check(now, Verdict::Available);
            let weight = server.entry().expect("up");
            prop_assert!(weight >= last && weight <= settings.weight);
            last = weight;
        }
        prop_assert_eq!(last, settings.weight);
    }
}
