//! Rows of the list of faults that a pair must survive, with real pulses: what is sent to the
//! heartbeat port, files and limits of the system. (`docs/reliability.md` says where each row is.)

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::world::{Router, VIP, World, run, wait};
use crate::{DEADTIME, pair};

/// "Running" as an original sends it.
const RUNNING: [u8; 4] = 0xBDAD_DBDA_u32.to_le_bytes();
const PORT: u16 = 1539;

pub(crate) fn know_each_other(world: &World) {
    let (a, b) = (&world.a, &world.b);
    a.wait_said("run/pulse.json", "\"phase\": \"active\"");
    a.wait_said("run/pulse.json", "\"phase\": \"standby\"");
    b.wait_said("run/pulse.json", "\"says\": \"running\"");
}

/// A socket with the router's own address; made by a thread in its network namespace.
fn socket_of(router: &Router, address: &str) -> UdpSocket {
    let namespace = format!("/run/netns/{}", router.namespace);
    let address = format!("{address}:0");
    let made = std::thread::spawn(move || {
        let file = std::fs::File::open(namespace).unwrap();
        nix::sched::setns(file, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        UdpSocket::bind(address).unwrap()
    });
    made.join().unwrap()
}

/// Both have the same key.
fn keyed() -> World {
    let mut world = World::new();
    for router in [&world.a, &world.b] {
        let file = router.log.join("key");
        std::fs::write(&file, "a key that the pair shares\n").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        let line = format!("heartbeat_key = {}\n", file.display());
        router.configure(&world.configuration(&line));
    }
    world.a.start();
    world.a.wait_owns(VIP);
    world.b.start();
    know_each_other(&world);
    world
}

fn assert_unchanged(world: &World) {
    assert!(
        world.a.owns(VIP) && !world.b.owns(VIP),
        "a:\n{}\nb:\n{}",
        world.a.said("pulse.log"),
        world.b.said("pulse.log")
    );
    assert_eq!(world.a.count("pulse.log", "deactivating"), 0);
    assert_eq!(world.b.count("pulse.log", ": activating lvs"), 0);
}

#[test]
fn f8_one_direction_lost_changes_no_role_while_the_vips_answer() {
    let world = pair();
    know_each_other(&world);
    // The standby's heartbeats get lost, the other way works.
    for (network, device) in [("10.77.0", "eth0"), ("10.78.0", "eth1")] {
        run(&format!(
            "ip -n {} neighbour replace {network}.1 lladdr 02:de:ad:be:ef:00 nud permanent dev {device}",
            world.b.namespace
        ));
    }
    world.a.wait_said("pulse.log", "partner lost");
    std::thread::sleep(DEADTIME * 4);
    assert_unchanged(&world);
}

#[test]
fn f11_two_primaries_are_an_alarm_and_one_serves() {
    let mut world = World::new();
    // Each calls itself the primary.
    let mut swapped = world.configuration("");
    for network in ["10.77.0", "10.78.0"] {
        let (one, two) = (format!("{network}.1\n"), format!("{network}.2\n"));
        swapped = swapped
            .replace(&one, "SAME")
            .replace(&two, &one)
            .replace("SAME", &two);
    }
    world.b.configure(&swapped);
    world.a.start();
    world.b.start();
    let alarm = "ALARM: both routers have the same role";
    world.a.wait_said("pulse.log", alarm);
    world.b.wait_said("pulse.log", alarm);
    wait("exactly one serves", || {
        (world.a.owns(VIP) != world.b.owns(VIP)).then_some(())
    });
    let before = world.a.owns(VIP);
    std::thread::sleep(DEADTIME * 3);
    assert_eq!(world.a.owns(VIP), before, "it stays so");
    assert_eq!(world.b.owns(VIP), !before, "it stays so");
    for router in [&world.a, &world.b] {
        assert_eq!(router.count("pulse.log", alarm), 1);
    }
}

#[test]
fn f11_another_serial_or_network_type_is_told_once_and_changes_no_role() {
    let mut world = World::new();
    let text = world
        .configuration("")
        .replace("network = nat", "network = direct");
    world.b.configure(&format!("serial_no = 7\n{text}"));
    world.a.start();
    world.a.wait_owns(VIP);
    world.b.start();
    know_each_other(&world);
    let told = "the partner follows another file: ";
    world.a.wait_said("pulse.log", told);
    world.b.wait_said("pulse.log", told);
    std::thread::sleep(DEADTIME * 2);
    assert_unchanged(&world);
    for router in [&world.a, &world.b] {
        let said = router.said("pulse.log");
        assert_eq!(router.count("pulse.log", told), 1, "{said}");
        assert!(said.contains("serial_no 7"), "{said}");
    }
}

#[test]
fn f13_without_descriptors_the_partner_takes_over_and_pulse_lives_on() {
    let mut world = pair();
    know_each_other(&world);
    let pid = world.a.pid();
    let limit = |files: &str| run(&format!("prlimit --pid {pid} --nofile={files}"));
    limit("4:4096");
    run(&format!("kill -KILL {}", world.a.lvs_pid().unwrap()));
    world.a.wait_said("pulse.log", "Too many open files");
    world.b.wait_owns(VIP);
    wait("it lets go", || (!world.a.owns(VIP)).then_some(()));
    // With descriptors it is a router as before.
    limit("4096:4096");
    world
        .b
        .wait_said("run/pulse.json", "\"phase\": \"standby\"");
    world.b.kill();
    world.a.wait_owns(VIP);
    assert_eq!(world.a.pid(), pid);
}

#[test]
fn f14_folders_that_cannot_be_written_are_one_warning_and_no_obstacle() {
    let mut world = World::new();
    // Below a file nothing can be made, not even by root.
    for router in [&world.a, &world.b] {
        for folder in ["run", "state"] {
            std::fs::write(router.log.join(folder), "").unwrap();
        }
    }
    world.a.start();
    world.a.wait_owns(VIP);
    world.b.start();
    std::thread::sleep(DEADTIME * 2);
    world.a.signal("TERM");
    world.b.wait_owns(VIP);
    assert!(world.a.wait_end().success());
    for router in [&world.a, &world.b] {
        let warning = format!(
            "cannot write {}",
            router.log.join("run/pulse.json").display()
        );
        assert_eq!(
            router.count("pulse.log", &warning),
            1,
            "{}",
            router.said("pulse.log")
        );
    }
}

#[test]
fn f16_a_file_of_any_wrong_kind_leaves_the_old_configuration_in_force() {
    let world = pair();
    know_each_other(&world);
    let file = world.a.log.join("lvs.cf");
    let mut times = 0;
    let mut refused = |what: &str, make: &dyn Fn()| {
        let _ = std::fs::remove_file(&file);
        let _ = std::fs::remove_dir(&file);
        make();
        world.a.signal("HUP");
        times += 1;
        wait(what, || {
            let kept = "the old configuration stays in force";
            (world.a.count("pulse.log", kept) == times).then_some(())
        });
    };
    refused("a missing file is refused", &|| {});
    refused("an empty file is refused", &|| {
        std::fs::write(&file, "").unwrap()
    });
    refused("NUL bytes are refused", &|| {
        std::fs::write(&file, [0; 4096]).unwrap()
    });
    refused("a wrong line is refused", &|| {
        std::fs::write(&file, "primary = 10.77.0.1\nnonsense = 1\n").unwrap();
    });
    refused("100 MB are refused", &|| {
        let large = std::fs::File::create(&file).unwrap();
        large.set_len(100_000_000).unwrap();
    });
    refused("what cannot be read is refused", &|| {
        std::fs::create_dir(&file).unwrap()
    });
    assert!(world.a.said("pulse.log").contains("line 2"));
    assert_unchanged(&world);
    assert_eq!(world.a.count("lvs.log", "order reload"), 0);
}

#[test]
fn f26_a_flood_of_rubbish_changes_no_role_and_fills_no_log() {
    let world = keyed();
    let socket = socket_of(&world.b, "10.77.0.2");
    let target = format!("10.77.0.1:{PORT}");
    let heartbeat = [RUNNING.as_slice(), &[0x5a; 90]].concat();
    let large = vec![0x5a; 60_000];
    let lines = world.a.said("pulse.log").lines().count();
    for round in 0..200 {
        for packet in [&RUNNING[..2], &RUNNING, &heartbeat, &heartbeat[4..]] {
            for _ in 0..10 {
                let _ = socket.send_to(packet, &target);
            }
        }
        if round % 20 == 0 {
            let _ = socket.send_to(&large, &target);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    world.a.wait_said("pulse.log", "(10.77.0.2)");
    assert_unchanged(&world);
    let more = world.a.said("pulse.log").lines().count() - lines;
    assert!(more <= 20, "{more} lines:\n{}", world.a.said("pulse.log"));
}

#[test]
fn f27_a_forged_heartbeat_is_counted_where_there_is_a_key() {
    let world = keyed();
    let socket = socket_of(&world.b, "10.77.0.2");
    let forged = || {
        for _ in 0..20 {
            let _ = socket.send_to(&RUNNING, format!("10.77.0.1:{PORT}"));
        }
    };
    forged();
    wait_counted(&world.a, "untagged", 20);
    assert_unchanged(&world);
}

/// Waits until so many of a kind were refused.
fn wait_counted(router: &Router, kind: &str, wanted: u64) {
    wait("the status counts them", || {
        let output = router.command(&["--status", "--json"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let status: serde_json::Value = serde_json::from_str(&said).ok()?;
        let count = status.get("refused")?.get(kind)?.as_u64()?;
        (count >= wanted).then_some(())
    });
}

#[test]
fn what_another_host_sends_is_counted_and_changes_nothing() {
    let world = pair();
    know_each_other(&world);
    run(&format!(
        "ip -n {} address add 10.77.0.9/24 dev eth0",
        world.b.namespace
    ));
    let socket = socket_of(&world.b, "10.77.0.9");
    for _ in 0..20 {
        let _ = socket.send_to(&RUNNING, format!("10.77.0.1:{PORT}"));
    }
    wait_counted(&world.a, "stranger", 20);
    assert_unchanged(&world);
    assert_eq!(world.a.count("pulse.log", "both routers are active"), 0);
}

#[test]
fn f27_without_a_key_a_clash_leaves_evidence() {
    let world = pair();
    know_each_other(&world);
    let socket = socket_of(&world.b, "10.77.0.2");
    let _ = socket.send_to(&RUNNING, format!("10.77.0.1:{PORT}"));
    world.a.wait_said("pulse.log", "both routers are active");
    assert!(world.a.owns(VIP), "the primary stays");
}

/// Each one's notification started a look of its own, which told of all of them: in a kernel with
/// little to spare, telling took longer than the lifetime of what was added.
#[test]
fn many_vips_that_vanish_together_are_each_told_of_once() {
    const MANY: usize = 40;
    let mut world = World::new();
    let address = |number: usize| format!("10.77.0.{}", 100 + number);
    let blocks: String = (0..MANY)
        .map(|number| {
            let address = address(number);
            format!("virtual n{number} {{\n active = 1\n address = {address} eth0:n{number}\n vip_nmask = 255.255.255.0\n}}\n")
        })
        .collect();
    let text = format!("vip_lifetime = 60\n{}", world.configuration(&blocks));
    world.a.configure(&text);
    world.a.start();
    let all_are_there = |what: &str| {
        wait(what, || {
            let shown = world.a.addresses();
            let there = |number| shown.contains(&format!("inet {}/", address(number)));
            (0..MANY).all(there).then_some(())
        });
    };
    all_are_there("all addresses come");
    let batch = world.a.log.join("batch");
    let lines: String = (0..MANY)
        .map(|number| format!("address del {}/24 dev eth0\n", address(number)))
        .collect();
    std::fs::write(&batch, lines).unwrap();
    run(&format!(
        "ip -n {} -batch {}",
        world.a.namespace,
        batch.display()
    ));
    all_are_there("all addresses come back");
    // By then whoever looks has looked.
    world.a.signal("HUP");
    world
        .a
        .wait_said("pulse.log", "the configuration was read again");
    let told = world.a.count("pulse.log", "has vanished from eth0");
    assert!((1..=MANY * 2).contains(&told), "told {told} times");
}
