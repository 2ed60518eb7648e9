//! Heartbeats with `heartbeat_key`.

use std::os::unix::fs::PermissionsExt;

use crate::DEADTIME;
use crate::world::{Router, VIP, World, wait};

const ONE: &str = "first key of the pair\n";
const TWO: &str = "second key of the pair\nfirst key of the pair\n";

/// Writes the router's key file and an lvs.cf that names it.
fn give(world: &World, router: &Router, key: &str, mode: &str) {
    let file = router.log.join("key");
    std::fs::write(&file, key).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = file.display();
    let lines = format!("heartbeat_key = {file}\nheartbeat_auth = {mode}\n");
    router.configure(&format!("{lines}{}", world.configuration("")));
}

fn reload(router: &Router, times: usize) {
    router.signal("HUP");
    wait("the file is read again", || {
        let read = router.count("pulse.log", "the configuration was read again");
        (read == times).then_some(())
    });
}

/// One is active and the other knows; nobody has changed its mind.
fn assert_calm(world: &World) {
    std::thread::sleep(DEADTIME * 3);
    assert!(world.a.owns(VIP) && !world.b.owns(VIP));
    assert_eq!(world.a.count("pulse.log", "activating lvs"), 1);
    assert_eq!(world.b.count("pulse.log", "activating lvs"), 0);
}

#[test]
fn a_keyed_pair_works_and_changes_its_key_without_an_outage() {
    let mut world = World::new();
    give(&world, &world.a, ONE, "enforce");
    give(&world, &world.b, ONE, "enforce");
    world.a.start();
    world.b.start();
    world.a.wait_owns(VIP);
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    give(
        &world,
        &world.a,
        &format!("{ONE}second key of the pair\n"),
        "enforce",
    );
    reload(&world.a, 1);
    give(&world, &world.b, TWO, "enforce");
    reload(&world.b, 1);
    give(&world, &world.a, TWO, "enforce");
    reload(&world.a, 2);
    assert_calm(&world);
    for router in [&world.a, &world.b] {
        let said = router.said("pulse.log");
        assert!(
            !said.contains("refused") && !said.contains("authenticated"),
            "{said}"
        );
    }

    world.a.signal("TERM");
    world.b.wait_owns(VIP);
    assert!(world.a.wait_end().success());
    world.a.start();
    world.a.wait_said("run/pulse.json", "\"says\": \"running\"");
    std::thread::sleep(DEADTIME * 2);
    assert!(world.b.owns(VIP) && !world.a.owns(VIP));
}

#[test]
fn a_pair_comes_to_a_key_one_router_at_a_time() {
    let mut world = World::new();
    world.a.start();
    world.b.start();
    world.a.wait_owns(VIP);
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    let mut times = [0, 0];
    for mode in ["send", "permissive", "enforce"] {
        for (router, times) in [&world.a, &world.b].into_iter().zip(&mut times) {
            give(&world, router, ONE, mode);
            *times += 1;
            reload(router, *times);
        }
    }
    assert_calm(&world);
    assert_eq!(world.a.count("pulse.log", "refused"), 0);
    assert_eq!(
        world
            .a
            .count("pulse.log", "heartbeats are not authenticated"),
        1
    );
}

/// Each way back is told once; a pair that never had a key is told at its start only.
#[test]
fn a_reload_that_takes_the_key_away_is_warned_of() {
    let mut world = World::new();
    give(&world, &world.a, ONE, "permissive");
    world.a.start();
    world.a.wait_owns(VIP);
    let warned = || {
        world
            .a
            .count("pulse.log", "heartbeats are not authenticated")
    };
    assert_eq!(warned(), 0);
    world.a.configure(&world.configuration(""));
    reload(&world.a, 1);
    world
        .a
        .wait_said("pulse.log", "heartbeats are not authenticated");
    reload(&world.a, 2);
    assert_eq!(warned(), 1);
}

#[test]
fn another_key_is_no_partner_and_a_missing_one_no_start() {
    let mut world = World::new();
    give(&world, &world.a, ONE, "enforce");
    give(&world, &world.b, "somebody else's own key\n", "enforce");
    world.a.start();
    world.a.wait_owns(VIP);
    world.b.start();
    world
        .a
        .wait_said("pulse.log", "heartbeat with a wrong tag refused");
    std::fs::remove_file(world.a.log.join("key")).unwrap();
    let output = world.a.command(&["-t"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot read heartbeat_key"), "{said}");
}
