//! Faults of the original that take a real router to show (`docs/known-bugs.md` has them all).

use crate::DEADTIME;
use crate::pair;
use crate::world::{NAT_ROUTER, Router, VIP, World, run, wait};

#[test]
fn b21_no_signal_ends_the_wait_for_lvs() {
    let mut world = World::new();
    world.a.set("lvs-hangs", true);
    world.a.start();
    world.a.wait_said("lvs.log", "order active");
    for signal in ["HUP", "USR2", "CHLD"] {
        world.a.signal(signal);
    }
    // Ended children too send a signal.
    world.a.wait_said("commands.log", "became active");
    std::thread::sleep(DEADTIME);
    assert!(!world.a.owns(VIP), "{}", world.a.said("pulse.log"));
    world.a.set("lvs-hangs", false);
    world.a.wait_owns(VIP);
}

/// The states of pulse's children, as `ps` has them.
fn children(router: &Router) -> Vec<char> {
    let pid = router.pid().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let state = |process: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        let mut fields = stat.rsplit(") ").next()?.split(' ');
        let state = fields.next()?.chars().next()?;
        (fields.next()? == pid).then_some(state)
    };
    processes.filter_map(state).collect()
}

#[test]
fn b59_every_child_is_known_and_collected() {
    let world = pair();
    for _ in 0..3 {
        let lvs = world.a.lvs_pid().unwrap();
        run(&format!("kill -KILL {lvs}"));
        wait("another lvs", || {
            world.a.lvs_pid().filter(|pid| *pid != lvs)
        });
    }
    world
        .a
        .wait_said("pulse.log", "gratuitous lvs arps finished");
    wait("no child is left behind", || {
        (!children(&world.a).contains(&'Z')).then_some(())
    });
    assert!(!children(&world.a).is_empty());
    assert_eq!(world.a.count("pulse.log", "unknown child"), 0);
}

#[test]
fn b36_an_interface_without_a_hardware_address_is_not_announced() {
    let mut world = World::new();
    let text = world.configuration("").replace("eth0:1", "lo:1");
    world.a.configure(&text);
    world.a.start();
    world.a.wait_owns(VIP);
    world.a.wait_said("pulse.log", "gratuitous arp failed: ");
    // What can be announced is.
    world.a.wait_said("send_arp.log", NAT_ROUTER);
    world
        .a
        .wait_said("pulse.log", "gratuitous lvs arps finished");
    assert_eq!(world.a.count("send_arp.log", VIP), 0);
    assert_eq!(world.a.count("pulse.log", "gratuitous arp failed"), 1);
}

#[test]
fn b37_main_addresses_stay_and_vips_of_one_alias_are_kept_apart() {
    let mut world = World::new();
    let block = |name: &str, address: &str, device: &str| {
        format!(
            "virtual {name} {{\n active = 1\n address = {address} {device}\n vip_nmask = 255.255.255.0\n}}\n"
        )
    };
    let more = block("two", "10.77.0.81", "eth0:1") + &block("three", "10.77.0.82", "eth0");
    world.a.configure(&world.configuration(&more));
    world.a.start();
    for vip in [VIP, "10.77.0.81", "10.77.0.82"] {
        world.a.wait_owns(vip);
    }
    assert!(world.a.owns("10.77.0.1"), "{}", world.a.addresses());
    let warning = "eth0:1 is the device of both";
    assert_eq!(world.a.count("pulse.log", warning), 1);
    world.a.signal("TERM");
    assert!(world.a.wait_end().success());
    for vip in [VIP, "10.77.0.81", "10.77.0.82"] {
        assert!(!world.a.owns(vip), "{}", world.a.addresses());
    }
    assert!(world.a.owns("10.77.0.1"), "{}", world.a.addresses());
    assert!(world.a.addresses().contains("eth0@"));
    assert_eq!(world.a.addresses().matches("state DOWN").count(), 0);
}

#[test]
fn b39_a_stop_is_over_although_lvs_does_not_end() {
    let mut world = World::new();
    world.a.set("lvs-stubborn", true);
    world.a.start();
    world.a.wait_owns(VIP);
    let lvs = world.a.lvs_pid().unwrap();
    world.a.signal("TERM");
    assert!(world.a.wait_end().success());
    assert!(!world.a.owns(VIP) && !world.a.owns(NAT_ROUTER));
    wait("lvs is killed", || {
        let process = format!("/proc/{lvs}/stat");
        std::fs::read_to_string(process)
            .map_or(true, |stat| stat.contains(") Z "))
            .then_some(())
    });
}

#[test]
fn b51_addresses_are_announced_again_when_a_link_is_back() {
    let world = pair();
    let a = &world.a;
    a.wait_said("pulse.log", "gratuitous lvs arps finished");
    let line = format!("eth0 {VIP} ");
    let announced = a.count("send_arp.log", &line);
    world.connect("b", "eth0", false);
    world.connect("b", "eth1", false);
    world.connect("a", "eth0", false);
    // So that it is seen as lost before it returns.
    wait("the carrier goes", || {
        a.addresses().contains("NO-CARRIER").then_some(())
    });
    world.connect("a", "eth0", true);
    wait("it announces again", || {
        (a.count("send_arp.log", &line) > announced).then_some(())
    });
}

#[test]
fn b51_addresses_are_announced_now_and_then() {
    let mut world = World::new();
    world
        .a
        .configure(&world.configuration("arp_interval = 1\n"));
    world.a.start();
    world
        .a
        .wait_said("pulse.log", "gratuitous lvs arps finished");
    let line = format!("eth0 {VIP} ");
    wait("it goes on", || {
        (world.a.count("send_arp.log", &line) >= 8).then_some(())
    });
}

#[test]
fn b60_a_path_that_cannot_be_sent_on_is_told_of_once() {
    let world = pair();
    let link = |state: &str| {
        run(&format!(
            "ip -n {} link set eth1 {state}",
            world.b.namespace
        ));
    };
    link("down");
    let failed = "Warning -- failed to send heartbeat (private if): ";
    world.b.wait_said("pulse.log", failed);
    std::thread::sleep(DEADTIME);
    assert_eq!(world.b.count("pulse.log", failed), 1);
    link("up");
    world
        .b
        .wait_said("pulse.log", "heartbeats can be sent again (private if)");
}
