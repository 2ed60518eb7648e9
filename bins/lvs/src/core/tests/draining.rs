//! Servers that finish what they have.

use super::*;
use crate::connections::Count;

const WEB: &str = "-A -t 192.0.2.80:80 -s wlc\n";
const A: &str = "-a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 10\n";
const B: &str = "-a -t 192.0.2.80:80 -r 10.0.0.2:80 -m -w 10\n";

fn serving(global: &str) -> World {
    let mut world = World::serving("", &web(global, ""));
    world.report("10.0.0.1:80", Health::Up(10));
    world.report("10.0.0.2:80", Health::Up(10));
    world.batches.clear();
    world
}

/// The same file with server a inactive.
fn without_a(global: &str) -> String {
    web(global, "").replacen("10.0.0.1\nactive = 1", "10.0.0.1\nactive = 0", 1)
}

fn drained_a() -> String {
    A.replace("-w 10", "-w 0")
}

fn connect(world: &mut World, active: u64) {
    let (_, key) = world.checker("10.0.0.1:80");
    let inactive = 5;
    let counters = None;
    let count = Count {
        active,
        inactive,
        counters,
    };
    world.connections.servers.insert(key, count);
}

#[test]
fn an_inactive_server_goes_when_its_connections_are_gone() {
    let mut world = serving("");
    connect(&mut world, 3);
    let (_, key) = world.checker("10.0.0.1:80");
    world.reload(&without_a(""));
    assert_eq!(world.saved(), format!("{WEB}{}{B}", drained_a()));
    assert_eq!(world.running.len(), 1);
    world.pass_alive(60);
    assert_eq!(world.saved(), format!("{WEB}{}{B}", drained_a()));
    assert_eq!(world.batches.len(), 1);
    world.connections.servers.get_mut(&key).unwrap().active = 0;
    world.pass(Duration::from_millis(2_100));
    assert_eq!(world.saved(), format!("{WEB}{B}"));
    assert!(world.logged("removing web/a, which is inactive: no connection is left"));
}

#[test]
fn an_inactive_server_goes_after_the_limit() {
    let mut world = serving("drain_limit = 20");
    connect(&mut world, 3);
    world.reload(&without_a("drain_limit = 20"));
    world.pass(Duration::from_millis(19_900));
    assert!(world.saved().contains("10.0.0.1"));
    world.pass(Duration::from_millis(200));
    assert_eq!(world.saved(), format!("{WEB}{B}"));
}

#[test]
fn an_inactive_server_that_is_down_has_nothing_to_finish() {
    let mut world = serving("");
    world.report("10.0.0.1:80", Health::Down);
    world.batches.clear();
    world.reload(&without_a(""));
    world.pass_alive(10);
    assert!(world.batches.is_empty() && !world.logged("removing"));
}

#[test]
fn a_server_made_active_again_stays() {
    let mut world = serving("");
    connect(&mut world, 3);
    world.reload(&without_a(""));
    world.reload(&web("", ""));
    world.report("10.0.0.1:80", Health::Up(10));
    assert_eq!(world.saved(), format!("{WEB}{A}{B}"));
    world.connections.servers.clear();
    world.pass_alive(20);
    assert_eq!(world.saved(), format!("{WEB}{A}{B}"));
}

#[test]
fn a_restarted_lvs_goes_on_with_it() {
    let mut world = World::new(&format!("{WEB}{}{B}", drained_a()), &["-t 192.0.2.80:80"]);
    let key = (
        parse_service("-t 192.0.2.80:80").unwrap(),
        *world
            .kernel
            .values()
            .next()
            .unwrap()
            .servers
            .keys()
            .next()
            .unwrap(),
    );
    let (active, inactive) = (1, 0);
    let counters = None;
    let count = Count {
        active,
        inactive,
        counters,
    };
    world.connections.servers.insert(key, count);
    world.event(Event::Plan(Box::new(plan(&without_a("")))));
    world.event(Event::Mode(Mode::Active));
    world.pass_alive(20);
    assert!(world.batches.is_empty());
    world.connections.servers.clear();
    world.pass(Duration::from_secs(3));
    assert_eq!(world.saved(), format!("{WEB}{B}"));
}

#[test]
fn a_drain_lasts_over_verdicts_and_reloads_until_it_is_ended() {
    let mut world = serving("");
    let now = world.time();
    world.core.drain(now, "web/a", None, "new disk").unwrap();
    world.settle();
    let drained = format!("{WEB}{}{B}", drained_a());
    assert_eq!(world.saved(), drained);
    assert!(world.logged("draining web/a (new disk)"));
    world.report("10.0.0.1:80", Health::Down);
    assert_eq!(world.saved(), format!("{WEB}{B}"));
    world.report("10.0.0.1:80", Health::Up(10));
    world.reload(&web("# changed", ""));
    world.pass_alive(600);
    assert_eq!(world.saved(), drained);
    assert_eq!(world.drains["web/a"].why, "new disk");
    let now = world.time();
    world.core.enable(now, "web/a").unwrap();
    world.settle();
    assert_eq!(world.saved(), format!("{WEB}{A}{B}"));
    assert!(world.drains.is_empty());
    assert_eq!(
        world.core.enable(now, "web/a"),
        Err("web/a is not drained".to_owned())
    );
    assert_eq!(
        world.core.drain(now, "web/z", None, ""),
        Err("no active server web/z".to_owned())
    );
}

#[test]
fn a_drain_for_a_time_ends_by_itself() {
    let mut world = serving("");
    let now = world.time();
    let time = Some(Duration::from_secs(60));
    world.core.drain(now, "web/a", time, "").unwrap();
    world.pass_alive(55);
    assert!(world.saved().contains(&drained_a()));
    world.pass_alive(10);
    assert_eq!(world.saved(), format!("{WEB}{A}{B}"));
    assert!(world.drains.is_empty());
}

#[test]
fn a_drain_of_an_earlier_run_holds_from_the_first_batch() {
    let mut world = serving("");
    let now = world.time();
    world.core.drain(now, "web/a", None, "").unwrap();
    world.settle();
    let mut later = World::new("", &[]);
    later.core.set_drains(world.drains.clone());
    later.event(Event::Plan(Box::new(plan(&web("", "")))));
    later.event(Event::Mode(Mode::Active));
    later.report("10.0.0.1:80", Health::Up(10));
    assert_eq!(later.saved(), format!("{WEB}{}", drained_a()));
}

#[test]
fn a_preview_is_what_the_reload_then_does() {
    let files = [
        web("", ""),
        without_a(""),
        web("", "scheduler = rr"),
        web("", "").replacen("weight = 10", "weight = 3", 1),
        web("", "").replace("2.80", "2.81"),
        "# nothing\n".to_owned(),
    ];
    for file in files {
        let mut world = serving("");
        connect(&mut world, 1);
        let lines = |operations: Vec<Operation>| -> Vec<String> {
            operations.iter().map(ToString::to_string).collect()
        };
        let preview = lines(world.core.preview(&plan(&file)));
        world.reload(&file);
        assert_eq!(world.batches.concat(), preview, "{file}");
    }
}
