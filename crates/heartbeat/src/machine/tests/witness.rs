//! `witness` and `failback`.

use super::*;

fn guarded(role: Role) -> Router {
    Router::new(Settings {
        witness: true,
        ..settings(role)
    })
}

impl Router {
    /// Runs until then; the witness answers each question.
    fn seen(&mut self, millis: u64) {
        let target = START + ms(millis);
        while let Some(deadline) = self.machine.deadline().filter(|at| *at <= target) {
            self.now = deadline;
            if self.record(Event::Timeout).contains(&Action::AskWitnesses) {
                self.record(Event::WitnessAnswered);
            }
        }
        self.now = target;
    }

    fn heard_at(&mut self, millis: u64, event: Event) -> Vec<Action> {
        self.seen(millis);
        self.record(event)
    }
}

#[test]
fn nobody_takes_over_before_a_witness_has_answered_in_this_silence() {
    let mut blind = guarded(Role::Backup);
    blind.hear_each(200, 5000, Word::Running);
    blind.record(Event::WitnessAnswered);
    blind.until(20_000);
    assert_eq!(blind.activation(), None);
    let told = Action::Report(Notice::NoWitness);
    assert_eq!(blind.count(|action| *action == told), 1);
    blind.at(20_000, Event::WitnessAnswered);
    assert_eq!(blind.activation(), Some((20_000, Cause::PartnerDead)));

    let mut seeing = guarded(Role::Backup);
    for second in 0..5 {
        seeing.heard_at(200 + 1000 * second, heard(Path::Public, Word::Running));
    }
    seeing.seen(20_000);
    assert_eq!(seeing.activation(), Some((7200, Cause::PartnerDead)));
}

/// Otherwise a partner would hand over to it in vain.
#[test]
fn who_sees_no_witness_says_that_it_could_not_take_over() {
    let says = |actions: Vec<Action>| {
        actions.into_iter().find_map(|action| match action {
            Action::Send(heartbeat) => heartbeat.extended.map(|it| (it.able, it.sees_witness)),
            _ => None,
        })
    };
    let mut router = guarded(Role::Backup);
    router.until(1000);
    let mut speak = |now, event| {
        router.machine.handle(START + ms(now), event);
        says(
            router
                .machine
                .handle(START + ms(now + 1000), Event::Timeout),
        )
    };
    let running = heard(Path::Public, Word::Running);
    assert_eq!(speak(1200, running), Some((false, false)));
    assert_eq!(speak(2300, Event::WitnessAnswered), Some((true, true)));
}

/// Active, with a partner that is heard on the private path only.
fn cut_off(partner_sees: bool) -> Router {
    let mut router = guarded(Role::Primary);
    router.seen(3500);
    router.record(Event::Activated);
    let says = |counter, path| {
        let mut event = describing(ours(counter, 0, Word::Stopped), |it| {
            it.sees_witness = partner_sees;
        });
        if let Event::Heartbeat { path: by, .. } = &mut event {
            *by = path;
        }
        event
    };
    for counter in 4..8 {
        router.heard_at(1000 * counter, says(counter, Path::Public));
        router.record(says(counter, Path::Private));
    }
    for counter in 8..=11 {
        router.at(1000 * counter, says(counter, Path::Private));
    }
    router
}

#[test]
fn an_active_router_without_its_public_network_lets_a_partner_serve_that_has_it() {
    let router = cut_off(true);
    assert_eq!(router.machine.phase(), Phase::Leaving);
    assert_eq!(router.machine.why(), Some(Cause::Isolated));
    let router = cut_off(false);
    assert_eq!(router.machine.phase(), Phase::Active);
    let told = Action::Report(Notice::WitnessSilent);
    assert_eq!(router.count(|action| *action == told), 1);
}

fn primary_with_failback() -> Router {
    Router::new(Settings {
        failback: Some(ms(10_000)),
        ..settings(Role::Primary)
    })
}

fn asks(machine: &Machine, now: Duration) -> bool {
    machine.is_asking(now)
}

#[test]
fn a_primary_asks_for_its_role_after_being_healthy_for_long_enough() {
    let mut router = primary_with_failback();
    for counter in 0..30 {
        router.at(500 + 1000 * counter, ours(counter, 3, Word::Running));
        let expected = counter >= 10;
        assert_eq!(asks(&router.machine, router.now), expected, "{counter}");
    }
    let no_carrier = Links {
        vips: false,
        ..Links::default()
    };
    router.record(Event::Links(no_carrier));
    assert!(!asks(&router.machine, router.now));
}

fn asking(counter: u64) -> Event {
    describing(ours(counter, 0, Word::Stopped), |it| {
        it.role = Role::Primary;
        it.asking = true;
    })
}

/// With files that make both the primary, the role would go to and fro.
#[test]
fn a_primary_gives_its_role_to_nobody_who_asks() {
    let mut router = Router::primary().activated();
    for counter in 4..30 {
        router.at(1000 * counter, asking(counter));
        assert_eq!(router.machine.phase(), Phase::Active);
    }
}

#[test]
fn a_backup_gives_the_primary_what_it_asks_for_and_waits_before_it_does_again() {
    let mut router = Router::backup().activated();
    let actions = router.at(3500, asking(1));
    assert_eq!(actions, [send(Word::Stopped)]);
    assert_eq!(router.machine.why(), Some(Cause::Failback));
    for counter in 2..9 {
        router.at(2500 + 1000 * counter, asking(counter));
    }
    assert_eq!(
        router.machine.phase(),
        Phase::Active,
        "it did not take over"
    );
    router.at(15_600, asking(20));
    assert_eq!(router.machine.phase(), Phase::Leaving);
}
