//! Carrier of interfaces, lost and found.

use crate::world::{VIP, World, run, wait};
use crate::{DEADTIME, pair};

/// A pair that minds its links.
fn watchful() -> World {
    let mut world = World::new();
    let text = format!("monitor_links = 1\n{}", world.configuration(""));
    for router in [&mut world.a, &mut world.b] {
        router.configure(&text);
        router.start();
    }
    world.a.wait_owns(VIP);
    for router in [&world.a, &world.b] {
        router.wait_said("run/pulse.json", "\"says\": \"");
    }
    world
}

#[test]
fn f20_a_lost_carrier_hands_over_and_its_return_changes_nothing() {
    let world = watchful();
    let (a, b) = (&world.a, &world.b);
    world.connect("a", "eth1", false);
    b.wait_owns(VIP);
    for words in [
        "Private NIC: link down",
        "Local NIC link failure: Pulse disabled",
        "local link failure: deactivating LVS",
    ] {
        a.wait_said("pulse.log", words);
    }
    // By hand-over, not by silence.
    b.wait_said("pulse.log", "primary inactive: activating lvs");
    wait("the addresses go", || (!a.owns(VIP)).then_some(()));

    world.connect("a", "eth1", true);
    a.wait_said("pulse.log", "Local NIC link(s) restored: Pulse enabled");
    std::thread::sleep(DEADTIME * 2);
    assert!(b.owns(VIP) && !a.owns(VIP));
    assert_eq!(a.count("pulse.log", "activating lvs"), 1);

    // An interface that the administrator takes down is no better.
    run(&format!("ip -n {} link set eth0 down", b.namespace));
    a.wait_owns(VIP);
    b.wait_said("pulse.log", "Primary NIC: link down");
}

#[test]
fn f20_an_interface_that_is_removed_hands_over_and_its_return_changes_nothing() {
    let world = watchful();
    let (a, b) = (&world.a, &world.b);
    run(&format!("ip -n {} link del eth1", a.namespace));
    b.wait_owns(VIP);
    a.wait_said("pulse.log", "Private NIC: link down");
    b.wait_said("pulse.log", "primary inactive: activating lvs");
    wait("the addresses go", || (!a.owns(VIP)).then_some(()));
    b.wait_said("pulse.log", "no heartbeats on the private path");

    world.in_witness(&format!(
        "link add aeth1 type veth peer name eth1 netns {}",
        a.namespace
    ));
    world.in_witness("link set aeth1 master private up");
    run(&format!(
        "ip -n {} address add 10.78.0.1/24 dev eth1",
        a.namespace
    ));
    run(&format!("ip -n {} link set eth1 up", a.namespace));
    a.wait_said("pulse.log", "Local NIC link(s) restored: Pulse enabled");
    b.wait_said("pulse.log", "heartbeats on the private path again");
    std::thread::sleep(DEADTIME * 2);
    assert!(b.owns(VIP) && !a.owns(VIP));
    assert_eq!(a.count("pulse.log", "activating lvs"), 1);
    assert_eq!(b.count("pulse.log", "activating lvs"), 1);
}

#[test]
fn nobody_takes_over_without_carrier_on_the_interfaces_of_its_vips() {
    let mut world = pair();
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    world.connect("b", "eth0", false);
    world.a.kill();
    world
        .b
        .wait_said("pulse.log", "no carrier on an interface of a VIP");
    std::thread::sleep(DEADTIME * 2);
    assert!(!world.b.owns(VIP));
    world.connect("b", "eth0", true);
    world.b.wait_owns(VIP);
}

#[test]
fn without_monitor_links_a_lost_carrier_changes_no_role() {
    let world = pair();
    world.connect("a", "eth1", false);
    std::thread::sleep(DEADTIME * 2);
    assert!(world.a.owns(VIP) && !world.b.owns(VIP));
    assert_eq!(
        world.a.count("pulse.log", "link"),
        0,
        "{}",
        world.a.said("pulse.log")
    );
}
