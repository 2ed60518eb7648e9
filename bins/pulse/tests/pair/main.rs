//! Real pulses in network namespaces of the host's kernel, with stand-ins for the other programs.
//! Everything but the IPVS table is real. Needs root.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod command_line;
#[path = "../../../disk.rs"]
mod disk;
mod faults;
mod helpers;
mod keys;
mod known_bugs;
mod limits;
mod links;
mod network;
mod people;
mod reloads;
mod standby;
mod world;

use std::process::Output;
use std::time::{Duration, Instant};

use world::{NAT_ROUTER, Router, VIP, World, run, secs, wait};

/// That of the tests: longer than a busy machine stands still.
const DEADTIME: Duration = Duration::from_millis(1200);

fn pair() -> World {
    let mut world = World::new();
    world.a.start();
    world.b.start();
    world.a.wait_owns(VIP);
    world.b.wait_said("pulse.log", "STARTING PULSE AS BACKUP");
    world
}

#[test]
fn activation_is_complete_and_named_as_the_original_does() {
    let world = pair();
    let a = &world.a;
    a.wait_said("send_arp.log", VIP);
    assert!(
        a.said("pulse.log")
            .contains("pulse: STARTING PULSE AS MASTER")
    );
    let addresses = a.addresses();
    let line = |address: &str| {
        addresses
            .lines()
            .find(|line| line.contains(address))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let vip = line("inet 10.77.0.80/24");
    assert!(
        vip.contains("brd 10.77.0.255") && vip.contains("eth0:1"),
        "{addresses}"
    );
    assert!(
        line("inet 10.78.0.254/24").contains("eth1:1"),
        "{addresses}"
    );
    assert!(
        addresses.contains("valid_lft 2sec"),
        "an address lives by renewal: {addresses}"
    );
    let mac = std::process::Command::new("ip")
        .args([
            "netns",
            "exec",
            &a.namespace,
            "cat",
            "/sys/class/net/eth0/address",
        ])
        .output()
        .unwrap();
    let mac = String::from_utf8(mac.stdout)
        .unwrap()
        .trim()
        .replace(':', "")
        .to_uppercase();
    let announced = format!("--batch eth0 {VIP} {mac} 10.77.0.255 ffffffffffff");
    assert!(
        a.said("send_arp.log").contains(&announced),
        "{}",
        a.said("send_arp.log")
    );
    a.wait_said("pulse.log", "gratuitous lvs arps finished");
    assert_eq!(a.count("send_arp.log", &format!("eth0 {VIP} ")), 5);
    assert_eq!(a.count("send_arp.log", &format!("eth1 {NAT_ROUTER} ")), 5);
    assert_eq!(
        a.said("lvs.config"),
        a.said("lvs.cf"),
        "lvs has the accepted file"
    );
    assert!(a.said("lvs.log").contains("--nodaemon -c "));
    assert!(a.said("commands.log").contains("became active"));
    let start = "--start-daemon master --mcast-interface eth1 --syncid 44";
    assert!(
        a.said("ipvsadm.log").contains(start),
        "{}",
        a.said("ipvsadm.log")
    );
    assert!(!world.b.owns(VIP));
    assert_eq!(world.b.lvs_pid(), None);
    assert!(world.b.said("commands.log").contains("became inactive"));
    // Renewed several times over by now.
    assert!(a.owns(VIP) && a.owns(NAT_ROUTER));
    assert_eq!(
        a.count("pulse.log", "vanished"),
        0,
        "{}",
        a.said("pulse.log")
    );
    let status = a.said("run/pulse.json");
    assert!(
        status.contains("\"phase\": \"active\"") && status.contains(VIP),
        "{status}"
    );
}

#[test]
fn term_hands_over_at_once_and_leaves_nothing() {
    let mut world = pair();
    world.a.signal("TERM");
    world.b.wait_owns(VIP);
    // It did not wait for the deadtime.
    assert_eq!(world.b.count("pulse.log", "partner dead"), 0);
    assert!(world.a.wait_end().success());
    assert!(!world.a.owns(VIP) && !world.a.owns(NAT_ROUTER));
    let said = world.a.said("pulse.log");
    assert!(
        said.contains("pulse: Terminating due to signal 15"),
        "{said}"
    );
    assert!(world.a.said("lvs.log").contains("terminated"));
    assert!(!world.a.log.join("run/pulse.json").exists());
    world
        .b
        .wait_said("pulse.log", "primary inactive: activating lvs");

    world.a.start();
    world.a.wait_said("run/pulse.json", "\"says\": \"running\"");
    world.b.signal("INT");
    world.a.wait_owns(VIP);
    assert!(world.b.wait_end().success());
    assert!(
        world
            .b
            .said("pulse.log")
            .contains("Terminating due to signal 2")
    );
}

#[test]
fn a_router_that_is_cut_off_is_replaced_and_one_gives_way_when_it_is_back() {
    let world = pair();
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    world.connect("a", "eth0", false);
    world.connect("a", "eth1", false);
    world.b.wait_owns(VIP);
    world
        .b
        .wait_said("pulse.log", "partner dead: activating lvs");
    world.connect("a", "eth0", true);
    world.connect("a", "eth1", true);
    wait("the one that was cut off gives way", || {
        (!world.a.owns(VIP)).then_some(())
    });
    assert!(world.b.owns(VIP), "who took over later stays");
    assert!(
        world
            .a
            .said("pulse.log")
            .contains("partner active: deactivating LVS")
    );
    let announced = world.b.count("send_arp.log", &format!("eth0 {VIP} "));
    wait("it announces once more", || {
        (world.b.count("send_arp.log", &format!("eth0 {VIP} ")) > announced).then_some(())
    });
}

#[test]
fn one_cut_path_is_a_warning() {
    let world = pair();
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    world.connect("a", "eth1", false);
    world
        .b
        .wait_said("pulse.log", "no heartbeats on the private path");
    world
        .a
        .wait_said("pulse.log", "no heartbeats on the private path");
    std::thread::sleep(DEADTIME * 2);
    world.connect("a", "eth1", true);
    world
        .b
        .wait_said("pulse.log", "heartbeats on the private path again");
    assert!(!world.b.owns(VIP));
    assert_eq!(
        world
            .b
            .count("pulse.log", "no heartbeats on the private path"),
        1
    );
}

#[test]
fn a_killed_pulse_loses_its_addresses_and_cleans_up_when_it_is_back() {
    let mut world = pair();
    let lvs = world.a.lvs_pid().unwrap();
    world.a.kill();
    world
        .a
        .wait_said("lvs.log", &format!("end of orders {lvs}"));
    world.b.wait_owns(VIP);
    let gone = |router: &Router| (!router.owns(VIP) && !router.owns(NAT_ROUTER)).then_some(());
    wait("the addresses expire", || gone(&world.a));

    // What permanent addresses of an earlier run would leave, and its services.
    run(&format!(
        "ip -n {} address add {VIP}/24 dev eth0",
        world.a.namespace
    ));
    std::fs::create_dir_all(world.a.log.join("run")).unwrap();
    std::fs::write(
        world.a.log.join("run/owned.json"),
        "{\"services\":[\"t 1.2.3.4:80\"]}",
    )
    .unwrap();
    world.a.start();
    world
        .a
        .wait_said("pulse.log", "was left up by an earlier run: removed");
    wait("the leftover is removed", || gone(&world.a));
    let cleaner = wait("an lvs that removes the services", || {
        world.a.lvs_pid().filter(|pid| *pid != lvs)
    });
    // Far sooner than if it had not spoken.
    world
        .a
        .wait_said("lvs.log", &format!("terminated {cleaner}"));
    assert!(world.b.owns(VIP));
    assert_eq!(
        world.b.count("pulse.log", "partner active"),
        0,
        "{}",
        world.b.said("pulse.log")
    );
}

#[test]
fn an_lvs_that_says_nothing_is_not_waited_for_without_end() {
    let mut world = World::new();
    world.b.start();
    world.b.wait_owns(VIP);
    world.a.set("lvs-mute", true);
    std::fs::create_dir_all(world.a.log.join("run")).unwrap();
    let list = world.a.log.join("run/owned.json");
    std::fs::write(list, "{\"services\":[\"t 1.2.3.4:80\"]}").unwrap();
    world.a.start();
    world.a.wait_said("lvs.log", "order standby");
    let cleaner = world.a.lvs_pid().unwrap();
    assert_eq!(
        world.a.count("lvs.log", "terminated"),
        0,
        "it has not spoken"
    );
    world
        .a
        .wait_said("lvs.log", &format!("terminated {cleaner}"));
    assert_eq!(world.a.count("pulse.log", "Child process"), 0);
}

#[test]
fn a_killed_lvs_is_restarted_and_the_addresses_stay() {
    let world = pair();
    let first = world.a.lvs_pid().unwrap();
    run(&format!("kill -KILL {first}"));
    world.a.wait_said("pulse.log", "terminated with signal 9");
    let second = wait("another lvs", || {
        world.a.lvs_pid().filter(|pid| *pid != first)
    });
    world.a.wait_said("lvs.log", &format!("started {second}"));
    assert!(world.a.owns(VIP));
    assert_eq!(world.a.count("pulse.log", "vanished"), 0);
    assert!(!world.b.owns(VIP));
}

#[test]
fn an_lvs_that_keeps_dying_hands_over() {
    let world = pair();
    world.a.wait_said("run/pulse.json", "\"says\": \"stopped\"");
    world.a.set("lvs-dies", true);
    run(&format!("kill -KILL {}", world.a.lvs_pid().unwrap()));
    world.b.wait_owns(VIP);
    wait("the addresses go", || (!world.a.owns(VIP)).then_some(()));
    assert!(world.a.said("pulse.log").contains("exited with status 7"));
}

#[test]
fn a_vip_deleted_by_hand_is_back_within_a_second() {
    let world = pair();
    run(&format!(
        "ip -n {} address del {VIP}/24 dev eth0",
        world.a.namespace
    ));
    world.a.wait_owns(VIP);
    world.a.wait_said("pulse.log", "has vanished from eth0");
}

#[test]
fn reload_follows_addresses_and_keeps_the_old_file_when_the_new_one_is_wrong() {
    let world = pair();
    let second =
        "virtual two {\n active = 1\n address = 10.77.0.81 eth0:2\n vip_nmask = 255.255.255.0\n}\n";
    world.a.configure(&world.configuration(second));
    world.a.signal("HUP");
    world.a.wait_owns("10.77.0.81");
    world.a.wait_said("send_arp.log", "10.77.0.81");
    world.a.wait_said("lvs.log", "order reload");
    world
        .a
        .wait_said("pulse.log", "lvs follows the new configuration");
    assert_eq!(world.a.said("lvs.config"), world.a.said("lvs.cf"));

    world.a.configure("nonsense = 1\n");
    world.a.signal("HUP");
    world
        .a
        .wait_said("pulse.log", "lvs.cf at line 1: unknown command");
    std::fs::remove_file(world.a.log.join("lvs.cf")).unwrap();
    world.a.signal("HUP");
    world.a.wait_said("pulse.log", "failed to open");
    assert!(world.a.owns("10.77.0.81"));
    assert_eq!(world.a.count("lvs.log", "order reload"), 1);

    world.a.configure(
        &world
            .configuration("")
            .replace("10.78.0.2\n", "10.78.0.3\n"),
    );
    world.a.signal("HUP");
    world
        .a
        .wait_said("pulse.log", "restart pulse to follow that");
    wait("the VIP goes", || {
        (!world.a.owns("10.77.0.81")).then_some(())
    });
    assert!(world.a.owns(VIP));
}

#[test]
fn b19_hup_on_a_standby_is_harmless() {
    let mut world = pair();
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    for _ in 0..20 {
        world.b.signal("HUP");
        world.b.signal("USR2");
    }
    world
        .b
        .wait_said("pulse.log", "rereading configuration file");
    assert!(!world.b.owns(VIP));
    world.b.signal("TERM");
    assert!(world.b.wait_end().success());
}

#[test]
fn a_frozen_pulse_lets_go_before_it_claims_anything() {
    let world = pair();
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    world.a.signal("STOP");
    world.b.wait_owns(VIP);
    wait("the frozen one's addresses expire", || {
        (!world.a.owns(VIP)).then_some(())
    });
    world.a.signal("CONT");
    let woken = Instant::now();
    while woken.elapsed() < secs(1) {
        assert!(!world.a.owns(VIP), "{}", world.a.said("pulse.log"));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(world.b.owns(VIP));
    assert!(
        world
            .a
            .said("pulse.log")
            .contains("this process did not run for")
    );
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_second_pulse_is_refused_and_disturbs_nothing() {
    let world = pair();
    let output = world.a.command(&["-n"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "pulse: another pulse is already running in this network namespace\n"
    );
    assert!(world.a.owns(VIP));
}

#[test]
fn a_daemon_detaches_with_a_pid_file_and_ends_by_term() {
    let world = World::new();
    let output = world.a.command(&[]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let pid = world.a.said("run/pulse.pid");
    assert!(
        pid.ends_with('\n') && pid.trim().parse::<u32>().is_ok(),
        "{pid:?}"
    );
    world.a.wait_owns(VIP);
    run(&format!("kill -TERM {}", pid.trim()));
    wait("the pid file goes", || {
        world.a.said("run/pulse.pid").is_empty().then_some(())
    });
    assert!(!world.a.owns(VIP));
}

#[test]
fn a_missing_interface_is_one_line_and_no_vip() {
    let mut world = World::new();
    let text = world
        .configuration("")
        .replace("eth0:1", "eth7:1")
        .replace("eth1:1", "eth8:1");
    world.a.configure(&text);
    world.a.start();
    world.a.wait_said("pulse.log", "no network interface eth7");
    world.a.wait_said("pulse.log", "activation failed");
    assert!(!world.a.owns(VIP));
}

#[test]
fn the_address_of_an_interface_that_comes_later_is_added_then() {
    let mut world = World::new();
    let text = world.configuration("").replace("eth1:1", "eth8:1");
    world.a.configure(&text);
    world.a.start();
    world.a.wait_owns(VIP);
    world.a.wait_said("pulse.log", "no network interface eth8");
    world.a.ip("link add eth8 type veth peer name peer8");
    world.a.ip("link set eth8 up");
    world.a.wait_owns(NAT_ROUTER);
}

/// Else the routers' claims would be equal after a restart, and who took over last would not be known.
#[test]
fn b16_claims_grow_from_run_to_run() {
    let mut world = World::new();
    std::fs::create_dir_all(world.a.log.join("state")).unwrap();
    std::fs::write(world.a.log.join("state/epoch"), "41\n").unwrap();
    world.a.start();
    world.a.wait_owns(VIP);
    world.a.wait_said("state/epoch", "42\n");
}

#[test]
fn forceactive_does_not_ask() {
    let mut world = World::new();
    let log = std::fs::File::create(world.a.log.join("pulse.log")).unwrap();
    let mut child = world
        .a
        .command(&["-n", "--forceactive"])
        .stdout(log)
        .spawn()
        .unwrap();
    world
        .a
        .wait_said("pulse.log", "Forced active on startup: activating lvs");
    world.a.wait_owns(VIP);
    let _ = child.kill();
    let _ = child.wait();
    world.a.kill();
}
