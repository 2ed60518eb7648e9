//! Single faults of the list that a pair must survive, each by itself.

use super::config::{Config, ms};
use super::mutants::Mutant;
use super::rng::Rng;
use super::simulation::Simulation;
use heartbeat::{Event, Phase, Settings};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// A pair that has settled; the primary is active.
fn settled(config: Config, seed: u64) -> Simulation {
    let mut pair = Simulation::with(config, Rng::new(seed), Mutant::None, true);
    pair.boot_both(ms(seed % 50));
    pair.advance(config.settings.deadtime * 4 + ms(15_000));
    assert_eq!(active(&pair), [true, false], "{}", pair.trace());
    assert_eq!(pair.activations, 1);
    pair
}

fn active(pair: &Simulation) -> [bool; 2] {
    pair.nodes.each_ref().map(super::node::Node::is_active)
}

fn config(keepalive: u64, deadtime: u64) -> Config {
    Config::plain(ms(keepalive), ms(deadtime))
}

/// Without the VIPs as witnesses.
fn permanent(config: Config) -> Config {
    Config {
        settings: Settings {
            vip_lifetime: None,
            ..config.settings
        },
        ..config
    }
}

fn unbroken(pair: &Simulation) {
    assert_eq!(pair.violation, None, "{}", pair.trace());
}

#[test]
fn f7_both_paths_cut_while_the_vips_answer_changes_nothing() {
    for seed in 0..20 {
        let mut pair = settled(config(1000, 3000), seed);
        pair.cut(&[0, 1], &[0, 1]);
        pair.advance(MINUTE * 10);
        assert_eq!(active(&pair), [true, false]);
        let warned = pair.trace().matches("partner still serving").count();
        assert_eq!(warned, 1, "{}", pair.trace());
        assert_eq!(pair.trace().matches("partner lost").count(), 1);
        pair.heal();
        pair.advance(MINUTE);
        assert_eq!(pair.activations, 1);
        unbroken(&pair);
    }
}

#[test]
fn f8_one_direction_lost_for_five_minutes_is_at_most_one_role_change() {
    for seed in 0..40 {
        for (keyed, witnesses) in [(false, true), (false, false), (true, true), (true, false)] {
            let base = config(1000, 3000);
            let base = if witnesses { base } else { permanent(base) };
            let mut pair = settled(Config { keyed, ..base }, seed);
            pair.cut(&[0, 1], &[seed as usize % 2]);
            pair.advance(MINUTE * 5);
            assert!(pair.activations <= 2, "{}", pair.trace());
            assert_eq!(active(&pair).iter().filter(|it| **it).count(), 1);
            unbroken(&pair);
        }
    }
}

/// One simulated hour each; gives the role changes in all of them.
fn hours_of_loss(config: Config, hours: u64, service_too: bool) -> u64 {
    let mut changes = 0;
    for seed in 0..hours {
        let mut pair = settled(config, seed);
        pair.spoil(30, 100, 5);
        if service_too {
            pair.spoil_service(30, 100);
        }
        let before = pair.activations;
        pair.advance(MINUTE * 60);
        changes += pair.activations - before;
    }
    changes
}

/// As many heartbeats as are in a deadtime, less one, are lost in a row on every path, and the next
/// one comes later by jitter, which is so half of the time. Each time, two routers are active until
/// one yields, which is one change.
fn predicted(in_a_deadtime: i32, paths: i32) -> f64 {
    3600.0 * 0.3f64.powi((in_a_deadtime - 1) * paths) / 2.0
}

#[test]
fn f9_role_changes_under_loss_come_at_the_rate_that_loss_predicts() {
    let one_path = |config: Config| Config {
        settings: Settings {
            second_path: false,
            ..config.settings
        },
        ..config
    };
    let six = config(1000, 6000);
    let three = config(1000, 3000);
    for (what, config, service_too, predicted) in [
        ("D/K = 3, two paths, VIPs answer", three, false, 0.0),
        (
            "D/K = 3, two paths, VIPs answer with the same loss",
            three,
            true,
            0.0,
        ),
        (
            "D/K = 3, two paths, VIPs not asked",
            permanent(three),
            false,
            predicted(3, 2),
        ),
        (
            "D/K = 6, two paths, VIPs not asked",
            permanent(six),
            false,
            predicted(6, 2),
        ),
        (
            "D/K = 3, one path, VIPs answer",
            one_path(three),
            false,
            0.0,
        ),
        (
            "D/K = 3, one path, VIPs not asked",
            permanent(one_path(three)),
            false,
            predicted(3, 1),
        ),
    ] {
        let hours = 10;
        let changes = hours_of_loss(config, hours, service_too);
        let rate = changes as f64 / hours as f64;
        println!("{what}: {rate:.2} an hour, predicted {predicted:.2}");
        assert!(rate <= predicted * 1.2 + 0.3, "{what}: {rate}");
        assert!(rate >= predicted / 5.0 - 0.3, "{what}: {rate}");
    }
}

#[test]
fn f10_a_suspend_beyond_the_deadtime_changes_roles_once_and_keys_still_verify() {
    for seed in 0..40 {
        for keyed in [false, true] {
            let mut pair = settled(
                Config {
                    keyed,
                    ..config(1000, 3000)
                },
                seed,
            );
            let frozen = seed % 2 == 0;
            pair.freeze(0, !frozen, ms(3500 + 250 * seed));
            pair.advance(MINUTE * 2);
            assert!(pair.activations <= 2, "{}", pair.trace());
            assert_eq!(active(&pair).iter().filter(|it| **it).count(), 1);
            unbroken(&pair);
        }
    }
}

/// Twenty packets a second of all that the pair ever said, through pauses, crashes and cuts.
#[test]
fn f26_replays_without_end_break_nothing_where_there_is_a_key() {
    for seed in 0..20 {
        let base = config(1000, 3000);
        let base = if seed % 2 == 0 { base } else { permanent(base) };
        let mut pair = settled(
            Config {
                keyed: true,
                ..base
            },
            seed,
        );
        let mut rng = Rng::new(seed);
        let mut recorded = Vec::new();
        for round in 0..60 {
            recorded.extend_from_slice(pair.overheard());
            for count in 0..200 {
                let chosen = rng.below(recorded.len() as u64) as usize;
                pair.replay(ms(count * 50), recorded[chosen]);
            }
            let (node, span) = (rng.below(2) as usize, ms(1000 + rng.below(20_000)));
            match (round % 3, rng.below(4)) {
                (0, 0) => pair.freeze(node, true, span),
                (0, 1) => pair.freeze(node, false, span),
                (0, 2) => pair.crash_for(node, span),
                (0, _) => pair.cut(&[0, 1], &[node]),
                (1, _) => pair.heal(),
                _ => {}
            }
            pair.advance(ms(10_000));
        }
        unbroken(&pair);
        assert_eq!(active(&pair).iter().filter(|it| **it).count(), 1);
    }
}

#[test]
fn f12_both_booted_at_once_are_one_active_and_at_most_one_hand_over() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let keepalive = [10, 100, 1000, 2000][rng.below(4) as usize];
        let base = config(keepalive, keepalive * (2 + rng.below(5)));
        let keyed = rng.chance(50);
        let mut pair = Simulation::with(Config { keyed, ..base }, rng, Mutant::None, true);
        pair.boot_both(ms(seed % 100));
        pair.advance(base.settings.deadtime + base.settings.keepalive * 2 + ms(600));
        let count = active(&pair).iter().filter(|it| **it).count();
        assert_eq!(count, 1, "seed {seed}: {}", pair.trace());
        pair.advance(MINUTE);
        assert!(pair.activations <= 2, "{}", pair.trace());
        unbroken(&pair);
    }
}

#[test]
fn short_stalls_of_a_fast_pair_change_no_roles() {
    for seed in 0..10 {
        let mut pair = settled(config(10, 30), seed);
        for stall in 0..300 {
            let node = ((seed + stall) % 2) as usize;
            pair.freeze(node, false, ms(15 + stall % 60));
            pair.advance(ms(200));
        }
        assert_eq!(pair.activations, 1, "{}", pair.trace());
        unbroken(&pair);
    }
}

#[test]
fn a_fast_pair_hands_over_within_a_stall_of_its_standby() {
    for stall in [0, 5, 15, 25, 40] {
        let mut pair = settled(config(10, 30), stall);
        if stall > 0 {
            pair.freeze(1, false, ms(stall));
        }
        pair.tell(0, Event::HandOver);
        pair.advance(ms(stall + 2));
        let phase = pair.nodes[1].machine().map(heartbeat::Machine::phase);
        assert_eq!(phase, Some(Phase::Activating), "stalled for {stall} ms");
    }
}

#[test]
fn a_fast_pair_cut_off_takes_over_right_after_its_deadtime() {
    for seed in 0..20 {
        let mut pair = settled(config(10, 30), seed);
        pair.advance(ms(seed));
        pair.crash_for(0, MINUTE);
        pair.advance(ms(31));
        let phase = pair.nodes[1].machine().map(heartbeat::Machine::phase);
        assert_eq!(phase, Some(Phase::Activating));
    }
}

#[test]
fn f1_a_killed_pulse_is_replaced_when_its_vips_end() {
    for seed in 0..40 {
        let mut pair = settled(config(1000, 3000), seed);
        pair.advance(ms(25 * seed));
        pair.kill_for(0, MINUTE);
        let mut absent = Duration::ZERO;
        while !active(&pair)[1] {
            pair.advance(ms(1));
            if !pair.nodes[0].has_vip() {
                absent += ms(1);
            }
            assert!(absent < ms(3000));
        }
        // Answers for the VIP had begun when it ended; else the deadtime is waited for.
        let asked = pair.nodes[1].answered_at.is_some();
        assert!(!asked || absent <= ms(200), "{absent:?}: {}", pair.trace());
    }
}
