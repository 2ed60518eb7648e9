//! Carrier of the interfaces.

use super::*;

const GOOD: Links = Links {
    monitored: true,
    public: true,
    private: true,
    vips: true,
};
const NO_PRIVATE: Links = Links {
    private: false,
    ..GOOD
};
const NO_VIPS: Links = Links {
    vips: false,
    ..GOOD
};

fn unable(counter: u64, word: Word) -> Event {
    describing(ours(counter, 0, word), |it| it.able = false)
}

#[test]
fn a_failed_link_hands_over_and_clears_by_itself() {
    let mut router = Router::primary().activated();
    router.at(3400, Event::Links(GOOD));
    router.hear(3500, Word::Stopped);
    let actions = router.at(3600, Event::Links(NO_PRIVATE));
    assert_eq!(
        actions,
        [
            Action::Report(Notice::LinkDown(Path::Private)),
            Action::Report(Notice::LinkFailure),
            Action::Deactivate(Cause::LinkFailure),
            send(Word::Stopped)
        ]
    );
    router.at(3650, Event::Deactivated);
    router.hear_each(4000, 20_000, Word::Running);
    // Not even when the partner lets go or is silent.
    router.hear(20_000, Word::Stopped);
    router.until(40_000);
    assert_eq!(router.machine.phase(), Phase::Standby);
    let actions = router.at(40_000, Event::Links(GOOD));
    assert!(actions.contains(&Action::Report(Notice::LinksRestored)));
    assert_eq!(router.machine.phase(), Phase::Activating);
}

#[test]
fn a_link_that_is_not_monitored_is_no_reason_to_let_go() {
    let mut router = Router::primary().activated();
    router.hear(3500, Word::Stopped);
    let dead = Links {
        monitored: false,
        public: false,
        private: false,
        vips: false,
    };
    assert_eq!(router.at(3600, Event::Links(dead)), []);
    assert_eq!(router.machine.phase(), Phase::Active);
}

#[test]
fn monitoring_begins_with_a_reload() {
    let mut router = Router::primary().activated();
    router.hear(3500, Word::Stopped);
    let off = Links {
        monitored: false,
        ..NO_PRIVATE
    };
    router.at(3600, Event::Links(off));
    let actions = router.at(3700, Event::Links(NO_PRIVATE));
    assert!(actions.contains(&Action::Report(Notice::LinkDown(Path::Private))));
    assert!(actions.contains(&Action::Deactivate(Cause::LinkFailure)));
}

#[test]
fn nobody_takes_over_without_carrier_on_the_vips_and_says_so_once() {
    let mut router = Router::backup();
    let links = Links {
        monitored: false,
        ..NO_VIPS
    };
    router.at(100, Event::Links(links));
    router.hear_each(200, 5000, Word::Running);
    router.until(30_000);
    assert_eq!(router.activation(), None);
    let told = Action::Report(Notice::NoCarrier);
    assert_eq!(router.count(|action| *action == told), 1);
    let restored = Links {
        vips: true,
        ..links
    };
    router.at(30_000, Event::Links(restored));
    router.until(40_000);
    assert_eq!(router.activation(), Some((31_100, Cause::PartnerDead)));
}

#[test]
fn a_router_whose_links_return_hears_its_partner_before_it_decides() {
    let mut router = Router::backup();
    router.hear_each(200, 5000, Word::Running);
    let links = Links {
        monitored: false,
        ..NO_VIPS
    };
    router.at(5100, Event::Links(links));
    router.until(30_000);
    let restored = Links {
        vips: true,
        ..links
    };
    router.at(30_000, Event::Links(restored));
    router.hear_each(30_900, 40_000, Word::Running);
    assert_eq!(router.activation(), None, "the partner served all the time");
}

#[test]
fn the_only_router_serves_whatever_its_links_say() {
    let mut router = Router::new(Settings {
        partner: false,
        ..settings(Role::Primary)
    });
    router.at(100, Event::Links(NO_VIPS));
    router.until(5000);
    assert_eq!(router.activation(), Some((1100, Cause::Alone)));
}

#[test]
fn nothing_is_handed_over_to_a_dead_or_unable_partner() {
    let mut router = Router::primary().activated();
    router.at(3600, Event::Links(NO_PRIVATE));
    assert_eq!(router.machine.phase(), Phase::Active, "it is dead");
    router.at(4000, unable(1, Word::Stopped));
    assert_eq!(router.machine.phase(), Phase::Active, "it is unable");
    let actions = router.at(5000, ours(2, 0, Word::Stopped));
    assert!(actions.contains(&Action::Deactivate(Cause::LinkFailure)));

    let mut useless = Router::primary().activated();
    let actions = useless.at(3600, Event::Links(NO_VIPS));
    assert!(actions.contains(&Action::Deactivate(Cause::LinkFailure)));
}

#[test]
fn with_both_unable_but_the_vips_reachable_one_of_them_serves() {
    let mut router = Router::primary();
    router.at(100, Event::Links(NO_PRIVATE));
    router.at(900, unable(1, Word::Stopped));
    router.until(1200);
    assert_eq!(router.activation(), Some((1100, Cause::BackupInactive)));
}

#[test]
fn an_active_router_speaks_at_once_when_a_link_is_back() {
    let mut router = Router::primary().activated();
    let off = Links {
        monitored: false,
        ..NO_PRIVATE
    };
    router.at(5200, Event::Links(off));
    let on = Links {
        monitored: false,
        ..GOOD
    };
    assert_eq!(router.at(5300, Event::Links(on)), [send(Word::Running)]);
}

#[test]
fn a_partner_that_cannot_take_over_is_not_waited_for() {
    let mut router = Router::primary();
    for counter in 1..10 {
        router.at(1000 * counter, unable(counter, Word::Stopped));
        if counter == 3 {
            router.at(3100, Event::Refused);
            router.at(3200, Event::Deactivated);
        }
    }
    let activations: Vec<_> = router
        .log
        .iter()
        .filter(|(_, action)| matches!(action, Action::Activate(_)))
        .map(|(at, _)| at.as_millis())
        .collect();
    assert_eq!(activations, [1100, 4100]);
}

#[test]
fn a_shorter_deadtime_shortens_the_wait_for_a_partner_that_was_asked() {
    let slow = Settings {
        deadtime: ms(20_000),
        ..settings(Role::Primary)
    };
    let mut router = Router::new(slow);
    router.hear(1000, Word::Stopped);
    router.at(1200, Event::Refused);
    router.at(1300, Event::Deactivated);
    router.at(1400, Event::Settings(settings(Role::Primary)));
    router.hear_each(2000, 9000, Word::Stopped);
    let again = router
        .log
        .iter()
        .rposition(|(_, action)| matches!(action, Action::Activate(_)));
    let at = router.log[again.unwrap()].0;
    assert_eq!(at, ms(1400) + D + K * 2);
}

#[test]
fn b51_an_active_router_announces_when_the_link_of_its_vips_is_back() {
    for partner in [true, false] {
        let mut router = Router::new(Settings {
            partner,
            ..settings(Role::Primary)
        });
        router.until(4000);
        router.at(4000, Event::Activated);
        let off = Links {
            monitored: false,
            ..NO_VIPS
        };
        router.at(5200, Event::Links(off));
        let on = Links {
            monitored: false,
            ..GOOD
        };
        let actions = router.at(5300, Event::Links(on));
        assert!(actions.contains(&Action::Announce), "{actions:?}");
    }
}
