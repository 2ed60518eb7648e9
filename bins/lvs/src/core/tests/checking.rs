//! Checkers: deaths, silence, bursts, programs of others.

use super::*;

const SERVED: &str = "-A -t 192.0.2.80:80 -s wlc\n\
    -a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 10\n\
    -a -t 192.0.2.80:80 -r 10.0.0.2:80 -m -w 10\n";

#[test]
fn b28_a_dead_checker_is_started_again_and_its_verdict_stands() {
    let mut world = World::serving("", &web("", ""));
    world.report("10.0.0.1:80", Health::Up(4));
    let batches = world.batches.len();
    for _ in 0..4 {
        let (id, _) = world.checker("10.0.0.1:80");
        world.die(id);
        world.settle();
        assert_eq!(world.starts.last().unwrap().weight, Some(4));
    }
    let (id, _) = world.checker("10.0.0.1:80");
    world.die(id);
    world.settle();
    assert_eq!(world.running.len(), 1);
    world.pass(Duration::from_millis(1100));
    assert_eq!(world.running.len(), 2);
    assert_eq!(world.batches.len(), batches);
    assert!(world.logged("nanny for child web/a died! starting it again now"));
    assert!(world.logged("nanny for child web/a died! starting it again in 1 s"));
}

#[test]
fn b28_a_checker_of_a_server_that_is_down_dies_without_effect() {
    let mut world = World::serving("", &web("", "sorry_server = 10.0.0.9"));
    world.report("10.0.0.1:80", Health::Down);
    world.report("10.0.0.2:80", Health::Down);
    let saved = world.saved();
    assert!(saved.contains("10.0.0.9"));
    let (id, _) = world.checker("10.0.0.2:80");
    world.die(id);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.saved(), saved);
}

#[test]
fn b28_hard_shutdown_only_when_written() {
    let mut world = World::serving(SERVED, &web("hard_shutdown = 1", ""));
    let (id, _) = world.checker("10.0.0.1:80");
    world.die(id);
    world.settle();
    assert!(world.logged("nanny for child web/a died! shutting down lvs"));
    assert_eq!(world.exit, Some((FAILED, None)));
    assert_eq!(world.saved(), "");
}

#[test]
fn every_service_has_a_checker_before_any_has_them_all() {
    let mail = "virtual mail {\nactive = 1\naddress = 192.0.2.81 eth0:2\nport = 25\n\
        server a {\naddress = 10.0.0.1\nactive = 1\n}\nserver b {\naddress = 10.0.0.2\nactive = 1\n}\n}\n";
    let world = World::serving("", &(web("", "") + mail));
    let started: Vec<&str> = world.starts.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(started, ["web/a", "mail/a", "web/b", "mail/b"]);
}

#[test]
fn a_thousand_verdicts_at_once_are_one_batch() {
    let mut text =
        "deadtime = 1\nvirtual web {\nactive = 1\naddress = 192.0.2.80 eth0:1\n".to_owned();
    let address = |n: u32| format!("10.1.{}.{}", n / 250, n % 250 + 1);
    for n in 0..1000 {
        text += &format!("server s{n} {{\naddress = {}\nactive = 1\n}}\n", address(n));
    }
    let mut world = World::serving("", &(text + "}\n"));
    assert_eq!(world.starts.len(), 1000);
    for health in [Health::Up(1), Health::Down] {
        world.pass(Duration::from_secs(2));
        world.batches.clear();
        let running: Vec<_> = world
            .running
            .iter()
            .map(|(id, start)| (*id, start.key))
            .collect();
        let now = world.time();
        for (id, key) in running {
            world
                .core
                .handle(now, Event::Reported(key, id, Report::Greeting));
            let verdict = Report::Verdict(health.clone(), String::new());
            world.core.handle(now, Event::Reported(key, id, verdict));
        }
        world.pass(Duration::from_millis(20));
        assert_eq!(world.batches.len(), 1);
        assert_eq!(world.batches[0].len(), 1000);
    }
}

#[test]
fn f5_a_silent_checker_is_killed_within_20_seconds_and_replaced() {
    let mut world = World::serving(SERVED, &web("", "timeout = 2"));
    let (a, key_a) = world.checker("10.0.0.1:80");
    let (b, key_b) = world.checker("10.0.0.2:80");
    for _ in 0..4 {
        world.event(Event::Reported(key_b, b, Report::Greeting));
        world.event(Event::Reported(key_b, b, Report::Alive(None)));
        world.pass(Duration::from_secs(5));
    }
    assert_eq!(world.killed, [a]);
    assert!(world.checker("10.0.0.1:80").0 != a);
    assert!(world.logged("nanny for child web/a is silent"));
    assert!(world.batches.is_empty());
    // Late words of the dead one mean nothing.
    world.event(Event::Reported(
        key_a,
        a,
        Report::Verdict(Health::Down, String::new()),
    ));
    world.pass(Duration::from_secs(1));
    assert!(world.batches.is_empty());
}

#[test]
fn when_lvs_itself_stood_still_nobody_is_killed() {
    let mut world = World::serving(SERVED, &web("", ""));
    world.now += Duration::from_secs(600);
    world.settle();
    assert!(world.killed.is_empty());
}

#[test]
fn a_program_of_a_site_keeps_its_entry_itself() {
    let mut world = World::serving("", &web("", "client_monitor = /opt/check"));
    assert!(world.starts.is_empty());
    world.pass(Duration::from_millis(250));
    assert_eq!(world.starts.len(), 2);
    let line = "-A -t 192.0.2.80:80 -s wlc\n-a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 7\n";
    world.kernel = table(line);
    world.pass(Duration::from_secs(120));
    world.reload(&web("", "client_monitor = /opt/check\nscheduler = rr"));
    assert_eq!(world.saved(), line.replace("wlc", "rr"));
    assert!(world.killed.is_empty());
    // One that greets speaks the language of the others.
    world.report("10.0.0.1:80", Health::Up(3));
    assert!(world.saved().contains("10.0.0.1:80 -m -w 3"));
}

#[test]
fn a_checker_that_cannot_be_started_is_tried_again() {
    let mut world = World::serving(SERVED, &web("", ""));
    let (id, key) = world.checker("10.0.0.1:80");
    world.running.remove(&id);
    world.event(Event::NotStarted(key, id, "no memory".into()));
    assert_eq!(world.running.len(), 2);
    assert!(world.batches.is_empty());
}

#[test]
fn pulse_hears_from_lvs_every_five_seconds() {
    let mut world = World::serving(SERVED, &web("", ""));
    // At once, then every five seconds.
    assert_eq!(world.alive, [Duration::ZERO]);
    world.pass(Duration::from_secs(51));
    assert_eq!(world.alive.len(), 11);
}

#[test]
fn b62_first_checks_begin_at_once_and_beside_each_other() {
    let servers: String = (1..=50)
        .map(|number| format!("server s{number} {{\naddress = 10.0.0.{number}\nactive = 1\n}}\n"))
        .collect();
    let text = format!("virtual web {{\nactive = 1\naddress = 192.0.2.80 eth0:1\n{servers}}}\n");
    let mut world = World::new("", &[]);
    let begun = world.now;
    world.event(Event::Plan(Box::new(plan(&text))));
    world.event(Event::Mode(Mode::Active));
    world.settle();
    assert_eq!((world.running.len(), world.now), (50, begun));
}
