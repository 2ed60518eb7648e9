//! lvs that dies, refusals, pauses, silence, new settings.

use super::*;

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
fn b23_while_activating_a_failing_lvs_lets_a_partner_serve_that_is_not_heard() {
    let mut router = Router::backup();
    router.hear_each(200, 1500, Word::Running);
    router.until(4200);
    for death in 0..5 {
        router.at(4210 + death, Event::LvsDied);
    }
    assert_eq!(router.machine.word(), Word::Stopped);
    router.at(4230, Event::Deactivated);
    router.until(5213);
    assert_eq!(router.machine.phase(), Phase::Standby);
    router.until(5214);
    assert_eq!(router.machine.phase(), Phase::Activating, "it tries again");
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
fn a_pause_in_which_addresses_may_have_ended_is_one_with_every_partner() {
    let slow = Settings {
        keepalive: ms(2000),
        deadtime: ms(4000),
        ..settings(Role::Primary)
    };
    let mut router = Router::new(slow);
    router.until(4100);
    router.record(Event::Activated);
    router.hear(4500, Word::Stopped);
    router.now += ms(1400);
    router.record(Event::Timeout);
    assert_eq!(router.machine.why(), Some(Cause::Gap));

    let mut alone = Router::new(slow);
    alone.until(4100);
    alone.record(Event::Activated);
    alone.now += ms(1400);
    alone.record(Event::Timeout);
    assert_eq!(alone.machine.phase(), Phase::Active, "nobody could notice");
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

/// What it hears first may be as old as the pause.
#[test]
fn a_standby_that_was_paused_listens_before_it_decides() {
    let mut router = Router::primary();
    router.hear_each(200, 5000, Word::Running);
    router.now += ms(10_000);
    router.record(Event::Timeout);
    let woken = (router.now - START).as_millis() as u64;
    router.hear(woken + 10, Word::Stopped);
    router.until(woken + 5000);
    assert_eq!(
        router.activation(),
        Some((woken + 1100, Cause::BackupInactive))
    );
}

#[test]
fn b17_stopme_is_a_sign_of_life_and_no_order() {
    let mut router = Router::primary().activated();
    router.hear_each(4000, 20_000, Word::StopMe);
    assert_eq!(router.machine.phase(), Phase::Active);
    for word in [Word::StopMe, Word::Hold, Word::Held] {
        let mut standby = Router::backup();
        standby.hear_each(300, 20_000, word);
        assert_eq!(standby.activation(), None, "{word:?}");
    }
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
    router.at(5200, Event::Settings(faster));
    let sent = router.count(|action| *action == send(Word::Stopped));
    assert_eq!(router.activation(), None, "a deadtime passes first");
    router.until(5300);
    let sent_since = router.count(|action| *action == send(Word::Stopped)) - sent;
    assert_eq!(sent_since, 1, "the next one is due by the new keepalive");
    router.until(6000);
    assert_eq!(router.activation(), Some((5500, Cause::PartnerDead)));

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
    assert_eq!(
        router.machine.partner_word(),
        None,
        "people see no old word"
    );
    router.hear(60_000, Word::Stopped);
    assert_eq!(router.machine.partner_word(), Some(Word::Stopped));
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

/// Late packets of a run that has ended were reported as a return, and its loss with them.
#[test]
fn a_heartbeat_that_does_not_count_is_no_return() {
    let mut router = Router::primary().activated();
    let of_run = |boot, counter| {
        describing(ours(counter, 0, Word::Stopped), |extended| {
            extended.boot = boot;
        })
    };
    router.at(3500, of_run(9, 1));
    router.at(4500, of_run(10, 1));
    router.until(8000);
    for counter in 2..6 {
        router.at(8000 + counter, of_run(9, counter));
    }
    let told = |notice| router.count(|action| *action == Action::Report(notice));
    assert_eq!(told(Notice::PartnerLost), 1);
    assert_eq!(told(Notice::PartnerBack), 0);
}
