//! With a partner of our kind: epochs, order of heartbeats, leaving.

use super::*;

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
    let primary = describing(ours(1, 1, Word::Running), |it| it.role = Role::Primary);
    equal.at(3500, primary);
    assert_eq!(
        equal.machine.phase(),
        Phase::Leaving,
        "equal: the primary stays"
    );
}

/// Not with its next heartbeat only: both are active until then.
/// It says "running" until its addresses are gone.
#[test]
fn a_partner_that_is_letting_go_is_no_clash() {
    let mut router = Router::primary().activated();
    router.at(4000, ours_in(Phase::Leaving, 1, 9, Word::Running));
    assert_eq!(router.machine.phase(), Phase::Active);
    let clashes = router.count(|action| matches!(action, Action::Report(Notice::Clash(_))));
    assert_eq!(clashes, 0);
}

/// The winner announces the addresses once more when it hears that word.
#[test]
fn who_yields_says_stopped_when_its_addresses_are_gone() {
    let mut router = Router::primary().activated();
    router.at(3500, ours(1, 9, Word::Running));
    assert_eq!(router.machine.phase(), Phase::Leaving);
    assert_eq!(router.machine.word(), Word::Running);
    router.record(Event::Deactivated);
    assert_eq!(router.machine.word(), Word::Stopped);
}

#[test]
fn a_lesser_claim_is_answered_at_once() {
    let mut router = Router::primary().activated();
    let clash = router.at(3500, ours(1, 0, Word::Running));
    assert!(clash.contains(&send(Word::Running)), "{clash:?}");
    let again = router.at(3510, ours(2, 0, Word::Running));
    assert_eq!(again, [], "whoever repeats it gets no more answers");
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
fn an_overtaken_heartbeat_changes_nothing() {
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
    router.until(5599);
    assert_eq!(
        router.count(|action| matches!(action, Action::Deactivate(_))),
        0
    );
    router.until(5600);
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
    let actions = router.at(1600, Event::Activated);
    assert_eq!(actions, [Action::Announce, send(Word::Running)]);
    let actions = router.at(1650, ours(3, 1, Word::Stopped));
    assert_eq!(actions, [Action::Announce]);
}

fn relaying() -> Router {
    let settings = Settings {
        relays: true,
        ..settings(Role::Primary)
    };
    let mut router = Router::new(settings).activated();
    router.at(3500, ours(1, 0, Word::Stopped));
    router
}

/// Whether the first heartbeat after the event does.
fn tells_of_a_relay(router: &mut Router, millis: u64, event: Event) -> bool {
    router.until(millis);
    let actions = router.machine.handle(router.now, event);
    let sent = actions.into_iter().find_map(|action| match action {
        Action::Send(heartbeat) => heartbeat.extended,
        _ => None,
    });
    sent.is_some_and(|extended| extended.relays)
}

fn deactivations(router: &Router) -> usize {
    router.count(|action| matches!(action, Action::Deactivate(_)))
}

#[test]
fn a_leaving_router_passes_new_connections_on_before_it_lets_go() {
    let mut router = relaying();
    assert!(tells_of_a_relay(&mut router, 3600, Event::Terminate));
    let actions = router.at(3700, ours(2, 2, Word::Running));
    assert_eq!(actions, [Action::Relay]);
    let actions = router.at(3800, ours(3, 2, Word::Running));
    assert_eq!(actions, [], "once is enough");
    router.until(4099);
    assert!(router.machine.relays());
    router.until(4100);
    assert!(!router.machine.relays(), "the partner is to announce");
    assert_eq!(router.log.last(), Some(&(ms(4100), send(Word::Stopped))));
    router.until(4149);
    assert_eq!(deactivations(&router), 0, "its addresses stay for that");
    router.until(4150);
    assert_eq!(deactivations(&router), 1);
}

#[test]
fn a_late_relay_is_as_short_as_the_stop_must_be() {
    let mut router = relaying();
    router.at(3600, Event::Terminate);
    router.at(5500, ours(2, 2, Word::Running));
    router.until(5650);
    assert_eq!(deactivations(&router), 1);
}

#[test]
fn a_hand_over_with_a_relay_is_not_taken_back() {
    let mut router = relaying();
    assert!(tells_of_a_relay(&mut router, 3600, Event::HandOver));
    router.at(3700, ours(2, 2, Word::Running));
    router.until(4150);
    assert_eq!(deactivations(&router), 1);
    router.at(4160, Event::Deactivated);
    assert_eq!(router.machine.phase(), Phase::Standby);
}

#[test]
fn a_second_signal_ends_a_relay() {
    let mut router = relaying();
    router.at(3600, Event::Terminate);
    router.at(3700, ours(2, 2, Word::Running));
    let actions = router.at(3750, Event::Terminate);
    assert_eq!(actions, [Action::Deactivate(Cause::Terminating)]);
}

/// A backup that took over at 1600 ms from a primary that relays.
fn relieving() -> Router {
    let mut router = Router::backup();
    router.at(500, ours(1, 1, Word::Running));
    router.at(1500, leaving(2, true));
    router.at(1600, Event::LvsReady);
    let actions = router.at(1600, Event::Activated);
    assert_eq!(actions, [send(Word::Running)], "nothing is announced yet");
    router
}

fn leaving(counter: u64, relays: bool) -> Event {
    let event = ours_in(Phase::Leaving, counter, 1, Word::Stopped);
    describing(event, |it| it.relays = relays)
}

#[test]
fn addresses_are_announced_when_the_partner_does_not_relay_any_more() {
    let mut router = relieving();
    assert_eq!(router.at(1700, leaving(3, true)), []);
    let actions = router.at(2000, leaving(4, false));
    assert_eq!(actions, [Action::Announce]);
    let announced = |router: &Router| router.count(|action| *action == Action::Announce);
    router.at(2100, ours(5, 1, Word::Stopped));
    assert_eq!(announced(&router), 2, "once more when it has let go");
    router.until(2400);
    assert_eq!(announced(&router), 2);
}

#[test]
fn addresses_are_announced_even_if_the_partner_dies_while_it_relays() {
    let mut router = relieving();
    router.until(2049);
    let announced = |router: &Router| router.count(|action| *action == Action::Announce);
    assert_eq!(announced(&router), 0);
    router.until(2050);
    assert_eq!(announced(&router), 1);
    router.until(9000);
    assert_eq!(announced(&router), 1);
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

#[test]
fn a_hand_over_that_people_ask_for_is_hitless_and_ends_in_standby() {
    let mut router = Router::primary().activated();
    router.at(3500, ours(1, 0, Word::Stopped));
    assert_eq!(router.at(3600, Event::HandOver), [send(Word::Stopped)]);
    assert_eq!(router.machine.phase(), Phase::Leaving);
    let actions = router.at(3700, ours(2, 2, Word::Running));
    assert_eq!(actions, [Action::Deactivate(Cause::HandOver)]);
    assert_eq!(
        router.at(3750, Event::Deactivated),
        [send(Word::Stopped)],
        "it goes on running"
    );
    assert_eq!(router.machine.phase(), Phase::Standby);
    for (counter, millis) in (4000..9000).step_by(1000).enumerate() {
        router.at(millis, ours(3 + counter as u64, 2, Word::Running));
    }
    assert_eq!(router.machine.phase(), Phase::Standby);
}

#[test]
fn a_hand_over_that_the_partner_does_not_act_on_is_taken_back() {
    let mut router = Router::primary().activated();
    router.at(3500, ours(1, 0, Word::Stopped));
    router.at(3600, Event::HandOver);
    router.until(5600);
    assert_eq!(
        router.machine.phase(),
        Phase::Active,
        "it served all the time"
    );
    assert_eq!(
        router.count(|action| matches!(action, Action::Deactivate(_))),
        0
    );
    assert_eq!(
        router.count(|action| *action == Action::Report(Notice::HandOverNotTaken)),
        1
    );
    assert_eq!(router.machine.word(), Word::Running);
}

#[test]
fn lvs_that_dies_during_a_hand_over_is_restarted() {
    let mut router = Router::primary().activated();
    router.at(3500, ours(1, 0, Word::Stopped));
    router.at(3600, Event::HandOver);
    let actions = router.at(3700, Event::LvsDied);
    assert!(actions.contains(&Action::StartLvs), "{actions:?}");
}

#[test]
fn a_partner_that_is_only_activating_is_not_yielded_to() {
    let mut router = Router::primary().activated();
    router.at(3500, ours_in(Phase::Activating, 1, 2, Word::Running));
    assert_eq!(router.machine.phase(), Phase::Active);
    router.at(3600, ours(2, 2, Word::Running));
    assert_eq!(router.machine.phase(), Phase::Leaving);
}

#[test]
fn without_a_partner_that_could_serve_nothing_is_handed_over() {
    let mut router = Router::primary().activated();
    let nobody = Action::Report(Notice::NobodyToHandOverTo);
    assert_eq!(router.at(3600, Event::HandOver), [nobody]);
    assert_eq!(router.machine.phase(), Phase::Active);
    let mut standby = Router::backup();
    standby.hear_each(200, 2000, Word::Running);
    assert_eq!(standby.at(2000, Event::HandOver), [nobody]);
    let mut with_original = Router::primary().activated();
    with_original.hear(3500, Word::Stopped);
    assert_eq!(
        with_original.at(3600, Event::HandOver),
        [Action::Deactivate(Cause::HandOver), send(Word::Stopped)]
    );
}
