//! Keyed heartbeats and their freshness.

use super::*;

fn keyed(event: Event, echo: (u64, u64)) -> Event {
    let Event::Heartbeat {
        path,
        mut heartbeat,
    } = event
    else {
        return event;
    };
    if let Some(extended) = &mut heartbeat.extended {
        extended.echo = echo;
    }
    Event::Keyed { path, heartbeat }
}

/// The echo of what the router sent last.
fn current(router: &Router) -> (u64, u64) {
    (IDENTITY.boot, router.machine.counter)
}

#[test]
fn a_replay_changes_nothing_and_is_no_sign_of_life() {
    let mut router = Router::backup();
    router.until(1200);
    for counter in 0..5 {
        let fresh = keyed(ours(counter + 1, 1, Word::Running), current(&router));
        router.at(1200 + 1000 * counter, fresh);
    }
    assert_eq!(router.machine.partner_word(), Some(Word::Running));
    // From an earlier run of the partner, when it had let go; and the last one, again and again.
    let mut old = keyed(ours(77, 9, Word::Stopped), (3, 3));
    if let Event::Keyed { heartbeat, .. } = &mut old
        && let Some(extended) = &mut heartbeat.extended
    {
        extended.boot = 4;
    }
    for millis in (5300..8100).step_by(100) {
        router.at(millis, old);
        assert_eq!(router.machine.phase(), Phase::Standby);
    }
    router.until(9000);
    assert_eq!(router.activation(), Some((8200, Cause::PartnerDead)));
    let told = Action::Report(Notice::StaleHeartbeat);
    assert_eq!(router.count(|action| *action == told), 1);
}

#[test]
fn f26_replays_between_fresh_heartbeats_are_told_of_every_ten_seconds() {
    let mut router = Router::backup();
    router.until(1200);
    let old = keyed(ours(1, 1, Word::Running), (3, 3));
    for counter in 0..30 {
        let fresh = keyed(ours(counter + 2, 1, Word::Running), current(&router));
        router.at(1200 + 1000 * counter, fresh);
        for _ in 0..10 {
            router.record(old);
        }
    }
    let told = Action::Report(Notice::StaleHeartbeat);
    assert_eq!(router.count(|action| *action == told), 3);
    assert_eq!(router.machine.counters().stale, 300);
}

/// Somebody who can hold heartbeats back could tell of a partner that has long been dead.
#[test]
fn what_repeats_a_number_of_longer_ago_than_the_deadtime_proves_nothing() {
    for (age, proves) in [(7, true), (8, false)] {
        let mut router = Router::backup();
        router.until(1200);
        let fresh = keyed(ours(1, 1, Word::Running), current(&router));
        router.at(1200, fresh);
        let (boot, number) = current(&router);
        let held_back = keyed(ours(2, 1, Word::Running), (boot, number));
        while router.machine.counter < number + age {
            router.until((router.now - START).as_millis() as u64 + 100);
        }
        router.record(held_back);
        let stale = router.machine.counters().stale;
        assert_eq!(stale == 0, proves, "a number {age} heartbeats ago");
    }
}

/// After a cut in which heartbeats were overheard that this router never got.
#[test]
fn replays_of_lost_heartbeats_do_not_keep_two_routers_apart() {
    let mut router = Router::backup();
    router.until(1200);
    for counter in 1..=3 {
        let fresh = keyed(ours(counter, 1, Word::Running), current(&router));
        router.at(1200 + 1000 * counter, fresh);
    }
    router.at(8000, keyed(ours(5, 1, Word::Running), (3, 3)));
    router.at(8100, keyed(ours(4, 1, Word::Running), (3, 3)));
    let deaf = keyed(ours(40, 1, Word::Running), (3, 3));
    router.at(9000, deaf);
    assert_eq!(router.machine.echo(), (9, 40), "the newest of its run");
}

#[test]
fn a_repeated_heartbeat_is_no_sign_of_life_even_while_its_echo_is_current() {
    let mut router = Router::backup();
    router.until(1200);
    let last = keyed(ours(1, 1, Word::Running), current(&router));
    for millis in (1200..9000).step_by(100) {
        router.at(millis, last);
    }
    assert_eq!(router.activation(), Some((4200, Cause::PartnerDead)));
}

#[test]
fn a_standby_that_does_not_hear_us_does_not_keep_us_from_serving() {
    let mut router = Router::backup();
    router.until(1200);
    let proven = keyed(ours(1, 1, Word::Running), current(&router));
    router.at(1200, proven);
    for counter in 1..9 {
        let deaf = keyed(ours(counter + 1, 1, Word::Stopped), (3, 3));
        router.at(1200 + 1000 * counter, deaf);
    }
    assert_eq!(router.activation(), Some((4200, Cause::PartnerDead)));
}

#[test]
fn a_partner_that_does_not_hear_us_is_alive_all_the_same() {
    let mut router = Router::backup();
    router.until(1200);
    let deaf = current(&router);
    for counter in 0..20 {
        let event = keyed(ours(counter + 1, 1, Word::Running), deaf);
        router.at(1200 + 1000 * counter, event);
    }
    assert_eq!(router.activation(), None);
}

#[test]
fn two_keyed_routers_that_start_together_find_each_other() {
    let mut machines = [Role::Primary, Role::Backup].map(|role| {
        let boot = if role == Role::Primary { 7 } else { 8 };
        Machine::new(settings(role), Identity { boot, ..IDENTITY }, START)
    });
    let mut now = START;
    let end = START + ms(20_000);
    let mut waiting: Vec<(usize, Event)> = Vec::new();
    let mut activations = [0, 0];
    while now < end {
        let (index, event) = match waiting.pop() {
            Some(next) => next,
            None => {
                let deadlines = machines
                    .each_ref()
                    .map(|machine| machine.deadline().unwrap());
                let index = usize::from(deadlines[1] < deadlines[0]);
                now = now.max(deadlines[index]);
                (index, Event::Timeout)
            }
        };
        for action in machines[index].handle(now, event) {
            match action {
                Action::Send(heartbeat) => {
                    let path = Path::Public;
                    waiting.insert(0, (1 - index, Event::Keyed { path, heartbeat }));
                }
                Action::Activate(_) => {
                    activations[index] += 1;
                    waiting.insert(0, (index, Event::Activated));
                }
                Action::Deactivate(_) => waiting.insert(0, (index, Event::Deactivated)),
                _ => {}
            }
        }
    }
    assert_eq!(activations, [1, 0]);
    assert_eq!(machines[1].partner_word(), Some(Word::Running));
}

/// While it was suspended, its partner went on for ten heartbeats; then it died, and somebody
/// sends them again.
#[test]
fn replays_of_what_a_suspended_router_missed_are_no_sign_of_life() {
    let mut router = Router::backup();
    router.until(1200);
    for counter in 1..=3 {
        let fresh = keyed(ours(counter, 1, Word::Running), current(&router));
        router.at(200 + 1000 * counter, fresh);
    }
    router.now = START + ms(14_000);
    router.record(Event::Timeout);
    for counter in 4..=13 {
        let old = keyed(ours(counter, 1, Word::Running), (3, 3));
        router.at(10_300 + 1000 * counter, old);
    }
    assert_eq!(router.activation(), Some((17_000, Cause::PartnerDead)));
}

/// Those of a short cut, one by one, as slowly as is of use.
#[test]
fn replays_of_lost_heartbeats_put_a_take_over_off_once_by_a_keepalive() {
    let mut router = Router::backup();
    router.until(1200);
    for counter in 1..=3 {
        let fresh = keyed(ours(counter, 1, Word::Running), current(&router));
        router.at(200 + 1000 * counter, fresh);
    }
    for counter in 4..=6 {
        let lost = keyed(ours(counter, 1, Word::Running), (3, 3));
        router.at(3200 + 1900 * (counter - 3), lost);
    }
    let (at, cause) = router.activation().unwrap();
    assert_eq!(cause, Cause::PartnerDead);
    assert!(at <= 6200 + 1000 + 3000, "{at}");
}

/// Nobody has ever been heard; somebody sends what was overheard in another run, without end.
#[test]
fn replays_at_a_start_put_a_take_over_off_once() {
    let mut router = Router::backup();
    let old = keyed(ours(1, 1, Word::Running), (3, 3));
    for millis in (200..10_000).step_by(100) {
        router.at(millis, old);
    }
    assert_eq!(router.activation(), Some((3100, Cause::PartnerDead)));
}

/// A keyed heartbeat of the partner's run `boot`.
fn of_run(boot: u64, event: Event, echo: (u64, u64)) -> Event {
    keyed(describing(event, |extended| extended.boot = boot), echo)
}

/// Its number stood still while it did, so that a replay seemed to repeat a new one.
#[test]
fn what_was_sent_before_a_pause_proves_nothing_after_it() {
    let mut router = Router::backup();
    router.until(1200);
    let missed = keyed(ours(5, 1, Word::Stopped), current(&router));
    router.now = START + ms(40_000);
    router.record(Event::Timeout);
    router.at(41_500, missed);
    assert_eq!(router.machine.partner_word(), None);
    let present = of_run(10, ours(1, 2, Word::Running), current(&router));
    router.at(41_600, present);
    assert_eq!(router.machine.partner_word(), Some(Word::Running));
    assert_eq!(router.machine.phase(), Phase::Standby);
}

#[test]
fn of_two_runs_the_one_that_repeats_the_newer_number_is_the_later() {
    let mut router = Router::backup();
    router.until(1200);
    // Never heard before: its way to this router was cut.
    let ended = of_run(9, ours(5, 1, Word::Stopped), current(&router));
    router.until(3200);
    let present = of_run(10, ours(1, 2, Word::Running), current(&router));
    router.at(3300, present);
    router.at(3400, ended);
    assert_eq!(router.machine.partner_word(), Some(Word::Running));
    assert_eq!(router.machine.echo(), (10, 1));
    assert_eq!(router.machine.counters().stale, 1);
}

#[test]
fn a_run_that_proves_itself_is_heard_whatever_came_after_it() {
    let mut router = Router::backup();
    router.until(1200);
    for (millis, boot) in [(1300, 10), (2300, 9), (3300, 10)] {
        router.until(millis);
        let counter = millis / 1000;
        let event = of_run(boot, ours(counter, 1, Word::Running), current(&router));
        router.record(event);
        assert_eq!(router.machine.echo(), (boot, counter));
    }
}

#[test]
fn a_replay_does_not_take_the_place_of_what_is_to_be_echoed() {
    let mut router = Router::backup();
    router.until(500);
    for counter in [3, 8, 4] {
        router.record(keyed(ours(counter, 1, Word::Running), (3, 3)));
    }
    assert_eq!(router.machine.echo(), (9, 8));
}

/// It does not hear this router, whose take-over its every try put off by a deadtime.
#[test]
fn a_partner_that_tries_in_vain_to_serve_does_not_put_a_take_over_off() {
    let mut router = Router::backup();
    router.until(1200);
    router.at(1200, keyed(ours(1, 1, Word::Running), current(&router)));
    let unproven = (3, 3);
    let tries = ours_in(Phase::Activating, 3, 2, Word::Running);
    router.at(3000, keyed(tries, unproven));
    router.at(3100, keyed(ours(4, 2, Word::Stopped), unproven));
    router.until(5000);
    assert_eq!(router.activation(), Some((4200, Cause::PartnerDead)));
}

/// Whoever sends old heartbeats all the time had a router echo them alone, and so kept a pair apart.
#[test]
fn f26_an_earlier_run_does_not_take_the_place_of_the_one_that_serves() {
    let mut router = Router::backup();
    let stale = (3, 3);
    router.at(500, of_run(10, ours(7, 5, Word::Running), stale));
    router.at(510, of_run(9, ours(99, 4, Word::Running), stale));
    assert_eq!(router.machine.echo(), (10, 7));
    router.at(900, of_run(11, ours(1, 5, Word::Stopped), stale));
    assert_eq!(router.machine.echo(), (11, 1), "later, if equal");
    // It has lost its state, or there is no other: two keepalives are enough.
    router.at(2900, of_run(12, ours(1, 0, Word::Stopped), stale));
    assert_eq!(router.machine.echo(), (12, 1));
}
