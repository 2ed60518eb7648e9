//! What a router sees on the service network: its partner's answers for the VIPs, witnesses, and
//! others that claim its VIPs.

use crate::world::{Router, VIP, World, run, wait};
use crate::{DEADTIME, pair};

/// A hardware address that nobody has.
const NOBODY: &str = "02:de:ad:be:ef:00";

/// Heartbeats of `router` to the partner get lost on both paths; ARP does not.
fn silence(router: &Router, partner: u8) {
    for (network, device) in [("10.77.0", "eth0"), ("10.78.0", "eth1")] {
        run(&format!(
            "ip -n {} neighbour replace {network}.{partner} lladdr {NOBODY} nud permanent dev {device}",
            router.namespace
        ));
    }
}

fn knows_each_other(world: &World) {
    world
        .a
        .wait_said("run/pulse.json", "\"phase\": \"standby\"");
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
}

#[test]
fn f7_a_partner_that_answers_for_the_vip_is_not_replaced_until_it_is_gone() {
    let mut world = pair();
    knows_each_other(&world);
    silence(&world.a, 2);
    let alarm = "heartbeat lost, partner still serving";
    world.b.wait_said("pulse.log", alarm);
    std::thread::sleep(DEADTIME * 3);
    assert!(world.a.owns(VIP) && !world.b.owns(VIP));
    assert_eq!(world.b.count("pulse.log", alarm), 1);
    let output = world.b.command(&["--status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    // Dead, it does not answer any more once its addresses have ended.
    world.a.kill();
    world.b.wait_owns(VIP);
    assert!(world.b.said("pulse.log").contains("partner dead"));
}

/// A kernel that has asked for a neighbour in vain does not ask again for ten minutes.
fn ask_seldom(router: &Router) {
    let script = "for device in eth0 eth1; do \
        echo 600000 > /proc/sys/net/ipv4/neigh/$device/retrans_time_ms || exit 1; done";
    let status = std::process::Command::new("ip")
        .args(["netns", "exec", &router.namespace, "sh", "-c", script])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The routers find each other all the same.
#[test]
fn f7_after_a_cut_the_winner_hears_of_it_at_once_and_announces() {
    let mut world = World::new();
    let text = world.configuration("arp_interval = 0\n");
    for router in [&world.a, &world.b] {
        router.configure(&text);
    }
    world.a.start();
    world.a.wait_owns(VIP);
    world.b.start();
    knows_each_other(&world);
    for router in [&world.a, &world.b] {
        ask_seldom(router);
    }
    world.connect("a", "eth0", false);
    world.connect("a", "eth1", false);
    world.b.wait_owns(VIP);
    let line = format!("eth0 {VIP} ");
    world
        .b
        .wait_said("pulse.log", "gratuitous lvs arps finished");
    let announced = world.b.count("send_arp.log", &line);
    world.connect("a", "eth0", true);
    world.connect("a", "eth1", true);
    world
        .a
        .wait_said("pulse.log", "partner active: deactivating LVS");
    wait("the winner announces", || {
        (world.b.count("send_arp.log", &line) > announced).then_some(())
    });
}

/// The carrier was there all the time, so that the kernels have no reason to ask anew.
#[test]
fn f7_routers_find_each_other_when_both_kernels_have_asked_in_vain() {
    let world = pair();
    knows_each_other(&world);
    for device in ["eth0", "eth1"] {
        world.attach("a", device, None);
    }
    world.b.wait_owns(VIP);
    for (router, partner) in [(&world.a, 2), (&world.b, 1)] {
        ask_seldom(router);
        for (network, device) in [("10.77.0", "eth0"), ("10.78.0", "eth1")] {
            let ip = format!("ip -n {} neighbour", router.namespace);
            run(&format!("{ip} del {network}.{partner} dev {device}"));
            wait("a question in vain", || {
                run(&format!("{ip} show {network}.{partner} dev {device}"))
                    .contains("INCOMPLETE")
                    .then_some(())
            });
        }
    }
    for (device, network) in [("eth0", "public"), ("eth1", "private")] {
        world.attach("a", device, Some(network));
    }
    world
        .a
        .wait_said("pulse.log", "partner active: deactivating LVS");
}

#[test]
fn f19_a_vip_on_another_host_is_an_alarm_with_its_hardware_address() {
    let world = pair();
    knows_each_other(&world);
    world.in_witness(&format!("address add {VIP}/32 dev public"));
    let mac = world.witness_mac();
    world.a.wait_said("pulse.log", &mac);
    wait("the status tells", || {
        let output = world.a.command(&["--status"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code() == Some(4) && said.contains(&format!("{VIP} at {mac}"))).then_some(())
    });
    assert!(world.a.owns(VIP), "it is still ours");
    assert!(!world.b.said("pulse.log").contains("activating"));
}

#[test]
fn nobody_takes_over_while_no_witness_answers() {
    let mut world = World::new();
    let text = world.configuration("witness = \"10.77.0.9\"\n");
    for router in [&world.a, &world.b] {
        router.configure(&text);
    }
    world.in_witness("address add 10.77.0.9/24 dev public");
    world.a.start();
    world.a.wait_owns(VIP);
    world.b.start();
    knows_each_other(&world);
    world.b.wait_said("run/pulse.json", "\"witness\": true");
    world.in_witness("address del 10.77.0.9/24 dev public");
    world.b.wait_said("run/pulse.json", "\"witness\": false");
    world.a.kill();
    world.b.wait_said("pulse.log", "no witness answers");
    std::thread::sleep(DEADTIME * 2);
    assert!(!world.b.owns(VIP));
    world.in_witness("address add 10.77.0.9/24 dev public");
    world.b.wait_owns(VIP);
}

#[test]
fn failback_gives_the_primary_its_role_back() {
    let mut world = World::new();
    let text = world.configuration("failback = 2\n");
    for router in [&world.a, &world.b] {
        router.configure(&text);
    }
    world.b.start();
    world.b.wait_owns(VIP);
    world.a.start();
    world.a.wait_owns(VIP);
    wait("the backup lets go", || (!world.b.owns(VIP)).then_some(()));
    assert_eq!(world.a.count("pulse.log", "partner dead"), 0);
}
