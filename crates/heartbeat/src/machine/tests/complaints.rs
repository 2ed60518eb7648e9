//! What the partner says of itself, and what is refused.

use super::*;

#[test]
fn an_own_heartbeat_that_comes_back_is_counted_and_changes_nothing() {
    let mut router = Router::backup();
    for counter in 1..4 {
        let own = describing(ours(counter, 9, Word::Running), |it| {
            it.boot = IDENTITY.boot
        });
        router.at(300 * counter, own);
    }
    assert_eq!(router.machine.counters().reflected, 3);
    let told = Action::Report(Notice::ReflectedHeartbeat);
    assert_eq!(router.count(|action| *action == told), 1);
    router.until(4000);
    assert_eq!(router.activation(), Some((3000, Cause::PartnerDead)));
}

#[test]
fn f11_another_file_and_the_same_role_are_told_once() {
    let mut router = Router::backup();
    for counter in 1..9 {
        router.at(
            1000 * counter,
            describing(ours(counter, 1, Word::Running), |it| {
                it.configuration.serial = if counter < 5 { 7 } else { 1 };
            }),
        );
    }
    let other = router.count(|it| matches!(it, Action::Report(Notice::OtherConfiguration { .. })));
    assert_eq!(other, 1);
    let same = Action::Report(Notice::SameRole);
    assert_eq!(
        router.count(|action| *action == same),
        1,
        "`ours` is a backup"
    );
}

#[test]
fn f11_of_two_routers_with_the_same_role_and_claim_one_stays() {
    for (boot, stays) in [(IDENTITY.boot - 1, false), (IDENTITY.boot + 1, true)] {
        let mut router = Router::backup().activated();
        router.at(
            3500,
            describing(ours(1, 1, Word::Running), |it| it.boot = boot),
        );
        assert_eq!(router.machine.phase() == Phase::Active, stays);
    }
}

#[test]
fn older_heartbeats_of_a_run_are_counted() {
    let mut router = Router::backup();
    for counter in [5, 6, 6, 3, 4] {
        router.at(1000, ours(counter, 1, Word::Running));
    }
    assert_eq!(router.machine.counters().replayed, 2);
}
