//! The VIP as a witness.

use super::*;
use crate::Mac;
use std::net::Ipv4Addr;

const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 100);
const PARTNER: Mac = Mac([2, 0, 0, 0, 0, 9]);
const STRANGER: Mac = Mac([2, 0, 0, 0, 0, 77]);

fn with_macs(counter: u64, word: Word) -> Event {
    describing(ours(counter, 1, word), |it| {
        it.macs = [PARTNER].into_iter().collect();
    })
}

/// A backup that heard an active partner of our kind for the last time at 5000 ms.
fn deserted() -> Router {
    let mut router = Router::backup();
    for counter in 1..=5 {
        router.at(1000 * counter, with_macs(counter, Word::Running));
    }
    router
}

impl Router {
    /// Runs until then; what `answers` says answers each question half a millisecond later.
    fn probed(&mut self, millis: u64, answers: impl Fn(u64) -> Option<Mac>) {
        let target = START + ms(millis);
        let mut seen = self.log.len();
        while let Some(deadline) = self.machine.deadline().filter(|at| *at <= target) {
            self.now = deadline;
            self.record(Event::Timeout);
            let asked = self.log[seen..]
                .iter()
                .any(|(_, action)| matches!(action, Action::ProbeVips(_)));
            seen = self.log.len();
            let at = (self.now - START).as_millis() as u64;
            if let Some(mac) = answers(at).filter(|_| asked) {
                self.now += Duration::from_micros(500);
                self.record(Event::VipAnswered { address: VIP, mac });
            }
        }
        self.now = target;
    }
}

#[test]
fn questions_begin_before_the_vips_can_have_ended_and_go_to_the_partner() {
    let mut router = deserted();
    router.until(7990);
    let questions: Vec<_> = router
        .log
        .iter()
        .filter(|(_, action)| *action == Action::ProbeVips([PARTNER].into_iter().collect()))
        .map(|(at, _)| at.as_millis())
        .collect();
    let expected: Vec<_> = (6133..7990).step_by(20).collect();
    assert_eq!(questions, expected);
    router.until(8000);
    assert_eq!(router.activation(), Some((8000, Cause::PartnerDead)));
}

#[test]
fn a_partner_whose_vips_answer_serves_until_they_fall_silent() {
    let mut router = deserted();
    router.probed(60_000, |at| (at < 40_000).then_some(PARTNER));
    let alarms = router.count(|it| *it == Action::Report(Notice::StillServing));
    assert_eq!(alarms, 1);
    let (at, cause) = router.activation().unwrap();
    assert_eq!(cause, Cause::PartnerDead);
    // A computer may stand still for a moment.
    assert!((40_500..40_560).contains(&at), "{at}");
    assert!(!router.machine.partner_still_serves());
}

#[test]
fn vips_that_end_before_the_deadtime_end_the_wait() {
    let mut router = deserted();
    router.probed(9000, |at| (at < 7200).then_some(PARTNER));
    let (at, _) = router.activation().unwrap();
    assert!((7240..7300).contains(&at), "{at}");
}

#[test]
fn a_few_answers_are_no_reason_to_go_before_the_deadtime() {
    let mut router = deserted();
    router.probed(9000, |at| (at < 6200).then_some(PARTNER));
    assert_eq!(router.activation(), Some((8000, Cause::PartnerDead)));
}

#[test]
fn f19_answers_of_others_are_told_and_not_obeyed() {
    let mut router = deserted();
    router.probed(9000, |_| Some(STRANGER));
    assert_eq!(router.activation(), Some((8000, Cause::PartnerDead)));
    let conflict = Action::Report(Notice::VipConflict {
        address: VIP,
        mac: STRANGER,
    });
    assert_eq!(router.count(|action| *action == conflict), 1);
}

#[test]
fn without_lifetime_or_with_an_original_the_vips_do_not_count() {
    let mut permanent = Router::new(Settings {
        vip_lifetime: None,
        ..settings(Role::Backup)
    });
    permanent.at(1000, with_macs(1, Word::Running));
    permanent.probed(9000, |_| Some(PARTNER));
    assert_eq!(permanent.activation(), Some((4000, Cause::PartnerDead)));

    let mut router = Router::backup();
    router.hear_each(1000, 5000, Word::Running);
    router.probed(9000, |_| Some(PARTNER));
    assert_eq!(router.activation(), Some((7000, Cause::PartnerDead)));
    let asked = router.count(|action| matches!(action, Action::ProbeVips(_)));
    assert_eq!(asked, 0);
}

#[test]
fn a_late_turn_leaves_time_to_hear_what_waits() {
    let mut router = deserted();
    router.until(7980);
    router.now = START + ms(8100);
    router.record(Event::Timeout);
    assert_eq!(router.activation(), None);
    router.at(8101, with_macs(6, Word::Running));
    router.until(9000);
    assert_eq!(router.activation(), None);

    let mut dead = deserted();
    dead.until(7980);
    dead.now = START + ms(8100);
    dead.record(Event::Timeout);
    dead.until(9000);
    assert_eq!(dead.activation(), Some((8120, Cause::PartnerDead)));
}

/// Its VIPs have two seconds; its partner heeds them.
fn heeded() -> Router {
    let mut router = Router::primary().activated();
    let own = [Mac([2, 0, 0, 0, 0, 1])].into_iter().collect();
    router.at(3400, Event::ServiceMacs(own));
    let standby = describing(ours(1, 0, Word::Stopped), |it| {
        it.macs = [PARTNER].into_iter().collect();
    });
    router.at(3500, standby);
    router
}

#[test]
fn a_pause_in_which_heeded_vips_stay_is_none() {
    let mut router = heeded();
    router.now += ms(1300);
    router.record(Event::Timeout);
    assert_eq!(router.machine.phase(), Phase::Active);
    router.now += ms(1400);
    router.record(Event::Timeout);
    assert_eq!(router.machine.why(), Some(Cause::Gap));
}

#[test]
fn a_short_pause_of_a_fast_pair_changes_nothing() {
    let fast = |role| Settings {
        keepalive: ms(10),
        deadtime: ms(30),
        ..settings(role)
    };
    let mut router = Router::new(fast(Role::Backup));
    for counter in 1..20 {
        router.at(10 * counter, with_macs(counter, Word::Running));
    }
    router.now += ms(25);
    let leaving = describing(ours_in(Phase::Leaving, 30, 1, Word::Stopped), |it| {
        it.macs = [PARTNER].into_iter().collect();
    });
    let actions = router.record(leaving);
    assert!(
        actions.contains(&Action::Activate(Cause::PrimaryInactive)),
        "{actions:?}"
    );
}
