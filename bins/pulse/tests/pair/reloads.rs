//! What a reload changes of addresses that are held.

use crate::world::{NAT_ROUTER, Router, VIP, World, wait};

const SECOND: &str = "10.77.0.81";

fn reload(router: &Router, text: &str) {
    router.configure(text);
    router.signal("HUP");
}

/// Otherwise they would outlive a pulse that is killed, while its heartbeats said that they end.
#[test]
fn a_lifetime_that_a_reload_brings_holds_at_once() {
    let mut world = World::new();
    prepare(&world, "vip_lifetime = 0\n");
    world.a.start();
    world.a.wait_owns(VIP);
    world.a.wait_owns(NAT_ROUTER);
    assert!(
        !world.a.addresses().contains("dynamic"),
        "addresses should be permanent:\n{}",
        world.a.addresses()
    );
    reload(&world.a, &world.configuration("vip_lifetime = 2\n"));
    wait("both addresses get a lifetime", || {
        (world.a.addresses().matches("dynamic").count() == 2).then_some(())
    });
    world.a.signal("KILL");
    wait("they end with their pulse", || {
        (!world.a.owns(VIP) && !world.a.owns(NAT_ROUTER)).then_some(())
    });
}

#[test]
fn a_lifetime_that_a_reload_takes_away_no_longer_ends() {
    let mut world = World::new();
    prepare(&world, "vip_lifetime = 2\n");
    world.a.start();
    world.a.wait_owns(VIP);
    reload(&world.a, &world.configuration("vip_lifetime = 0\n"));
    wait("both addresses become permanent", || {
        let shown = world.a.addresses();
        (world.a.owns(VIP) && !shown.contains("dynamic")).then_some(())
    });
}

#[test]
fn an_address_that_a_reload_removes_is_no_longer_announced() {
    let mut world = World::new();
    let times = "arp_interval = 1\n";
    let second = format!(
        "virtual two {{\n active = 1\n address = {SECOND} eth0:2\n vip_nmask = 255.255.255.0\n}}\n"
    );
    prepare(&world, &format!("{times}{second}"));
    world.a.start();
    world.a.wait_owns(SECOND);
    world.a.wait_said("send_arp.log", SECOND);
    reload(&world.a, &world.configuration(times));
    wait("the address goes", || (!world.a.owns(SECOND)).then_some(()));
    let announced = |address| world.a.count("send_arp.log", &format!("eth0 {address} "));
    let more = |rounds| {
        let now = announced(VIP);
        wait("the other one is announced on", || {
            (announced(VIP) >= now + rounds).then_some(())
        });
    };
    // One may have been on its way.
    more(2);
    let before = announced(SECOND);
    more(3);
    assert_eq!(announced(SECOND), before, "announced although removed");
}

/// By then a frozen partner has lost its addresses; the five rounds after a take-over may be too early.
#[test]
fn b51_addresses_are_announced_once_more_when_those_of_a_frozen_partner_have_ended() {
    let mut world = World::new();
    prepare(&world, "vip_lifetime = 4\narp_interval = 0\n");
    world.a.start();
    wait("a sixth round", || {
        (world.a.count("send_arp.log", &format!("eth0 {VIP} ")) == 6).then_some(())
    });
}

/// The kernel takes some 20 ms to close one, in which no heartbeat is sent.
#[test]
fn a_reload_keeps_the_sockets_that_hear_of_vips() {
    let mut world = World::new();
    prepare(&world, "");
    world.a.start();
    world.a.wait_owns(VIP);
    let sockets = || packet_sockets(&world.a);
    let before = wait("who has the VIPs is heard", || {
        Some(sockets()).filter(|list| !list.is_empty())
    });
    let second = format!(
        "virtual two {{\n active = 1\n address = {SECOND} eth0:2\n vip_nmask = 255.255.255.0\n}}\n"
    );
    reload(&world.a, &world.configuration(&second));
    world.a.wait_owns(SECOND);
    world.in_witness(&format!("address add {SECOND}/32 dev public"));
    let mac = world.witness_mac();
    let alarm = format!("{SECOND} is answered for by {mac}");
    world.a.wait_said("pulse.log", &alarm);
    assert_eq!(sockets(), before);
}

#[test]
fn a_reload_follows_times_and_commands() {
    let mut world = World::new();
    let text = world.configuration("");
    let slow = text.replace("deadtime_ms = 1200", "deadtime_ms = 600000");
    for router in [&mut world.a, &mut world.b] {
        router.configure(&slow);
        router.start();
    }
    world.a.wait_owns(VIP);
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    reload(&world.b, &text.replace("became active", "serves"));
    world
        .b
        .wait_said("pulse.log", "the configuration was read again");
    world.connect("a", "eth0", false);
    world.connect("a", "eth1", false);
    world.b.wait_owns(VIP);
    world.b.wait_said("commands.log", "serves");
}

/// Those that hear ARP on an interface, by their numbers.
fn packet_sockets(router: &Router) -> Vec<String> {
    let path = format!("/proc/{}/net/packet", router.pid());
    let table = std::fs::read_to_string(path).unwrap();
    let number = |line: &str| {
        let mut columns = line.split_whitespace().skip(3);
        let (protocol, interface) = (columns.next()?, columns.next()?);
        let number = columns.nth(3)?.to_owned();
        (protocol == "0806" && interface != "0").then_some(number)
    };
    table.lines().skip(1).filter_map(number).collect()
}

fn prepare(world: &World, more: &str) {
    world.a.configure(&world.configuration(more));
}
