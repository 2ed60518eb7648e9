//! With an original as partner: who becomes active when, and what is said.

use super::*;
use crate::{Clash, Stand};

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
    let clash = Clash {
        path: Path::Private,
        own: Stand {
            role: Role::Backup,
            boot: IDENTITY.boot,
            phase: Phase::Active,
            epoch: 1,
        },
        partner: None,
        stays: false,
    };
    assert_eq!(
        actions,
        [
            Action::Report(Notice::Clash(clash)),
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
fn a_numbered_heartbeat_shows_on_both_paths_that_they_work() {
    let mut router = Router::backup();
    for counter in 1..20 {
        let by_public = ours(counter, 1, Word::Running);
        let mut by_private = by_public;
        if let Event::Heartbeat { path, .. } = &mut by_private {
            *path = Path::Private;
        }
        router.at(200 + 1000 * counter, by_public);
        router.record(by_private);
    }
    let alive = |path: PathStatus| path.health == crate::PathHealth::Alive;
    assert_eq!(
        router.machine.paths().filter(|path| alive(*path)).count(),
        2
    );
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
