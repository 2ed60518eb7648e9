//! `ipvsadm =` names another tool: one command per change with the original's arguments.

use std::fs;

use nix::sys::signal::Signal;

use crate::world::{World, wait};

fn config(world: &World, text: &str) {
    let tool = world.path("site-ipvsadm");
    world.write("lvs.cf", &format!("ipvsadm = {}\n{text}", tool.display()));
}

const SERVICE: &str = "network = direct\ntcp_timeout = 900\nvirtual web {\nactive = 1\n\
    address = 192.0.2.80 eth0:1\nsorry_server = 10.0.0.9\npersistent = 60\npmask = 255.255.255.0\n\
    server a {\naddress = 10.0.0.1\nactive = 1\nweight = 64\nport = 8080\n}\n}\n";

#[test]
fn the_commands_of_appendix_b() {
    let world = World::new("");
    world.script("site-ipvsadm", include_str!("ipvsadm.sh"));
    config(&world, SERVICE);
    let mut lvs = world.by_hand();
    world.verdict("10.0.0.1:8080", "up 2");
    wait("the server", || {
        world.read("table").contains("-r 10.0.0.1:80 -g -w 2")
    });
    world.verdict("10.0.0.1:8080", "up 4");
    wait("its weight", || world.read("table").contains("-w 4"));
    world.verdict("10.0.0.1:8080", "down refused");
    wait("the sorry server", || {
        world.read("table").contains("10.0.0.9")
    });
    lvs.signal(Signal::SIGTERM);
    assert_eq!(lvs.ends().code(), Some(0));
    let calls = world.lines("calls");
    let changes: Vec<&str> = calls
        .iter()
        .map(String::as_str)
        .filter(|call| !matches!(*call, "-Sn" | "-Ln"))
        .collect();
    assert_eq!(
        changes,
        [
            "--set 900 0 0",
            "-A -t 192.0.2.80:80 -s wlc -p 60 -M 255.255.255.0",
            "-a -t 192.0.2.80:80 -r 10.0.0.1:80 -g -w 2",
            "-e -t 192.0.2.80:80 -r 10.0.0.1:80 -g -w 4",
            "-a -t 192.0.2.80:80 -r 10.0.0.9:80 -g -w 1",
            "-d -t 192.0.2.80:80 -r 10.0.0.1:80",
            "-D -t 192.0.2.80:80",
        ]
    );
    let nanny = &world.lines("nannies")[0];
    let tool = world.path("site-ipvsadm");
    assert!(
        nanny.ends_with(&format!(
            "-c -h 10.0.0.1 -p 80 -r 8080 -a 180 -I {} -t 10 -w 64 -V 192.0.2.80 -M g --nodaemon --lvs",
            tool.display()
        )),
        "{nanny}"
    );
}

#[test]
fn a_tool_that_prints_nothing_is_said_once_and_the_record_counts() {
    let world = World::new("");
    let mute = include_str!("ipvsadm.sh").replace("cat \"$table\"; exit 0", "exit 0");
    world.script("site-ipvsadm", &mute);
    config(&world, &format!("audit_interval = 1\n{SERVICE}"));
    let mut lvs = world.by_hand();
    lvs.logs("-Sn does not show the table");
    world.verdict("10.0.0.1:8080", "up 2");
    wait("the server", || {
        world.read("table").contains("-r 10.0.0.1:80 -g -w 2")
    });
    lvs.signal(Signal::SIGTERM);
    assert_eq!(lvs.ends().code(), Some(0));
    assert_eq!(world.read("table"), "");
}

#[test]
fn a_checker_of_the_site_keeps_its_own_entry() {
    let world = World::new("");
    // Started when its service stands; adds its server itself, as the original's did.
    world.script(
        "site-check",
        "#!/bin/sh\nhere=${0%/*}\n$here/ipvsadm-rs -a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 7\n\
         trap \"$here/ipvsadm-rs -d -t 192.0.2.80:80 -r 10.0.0.1:80; exit 0\" TERM\n\
         touch $here/up\nwhile :; do sleep 0.1; done\n",
    );
    let check = world.path("site-check");
    world.write(
        "lvs.cf",
        &format!(
            "audit_interval = 1\nvirtual web {{\nactive = 1\naddress = 192.0.2.80 eth0:1\n\
             client_monitor = {}\nserver a {{\naddress = 10.0.0.1\nactive = 1\n}}\n}}\n",
            check.display()
        ),
    );
    let mut lvs = world.by_hand();
    world.table("-A -t 192.0.2.80:80 -s wlc\n-a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 7\n");
    wait("the checker", || world.path("up").exists());
    let readings = || {
        let calls = world.lines("calls");
        calls.iter().filter(|call| *call == "-Sn").count()
    };
    let before = readings();
    wait("three audits", || readings() >= before + 3);
    assert!(world.read("table").contains("-w 7"));
    lvs.signal(Signal::SIGTERM);
    assert_eq!(lvs.ends().code(), Some(0));
    assert_eq!(world.read("table"), "");
    let calls = fs::read_to_string(world.path("calls")).unwrap();
    let own = calls
        .find("-d -t 192.0.2.80:80 -r 10.0.0.1:80")
        .expect("its own removal");
    assert!(
        calls[own..].contains("--apply"),
        "the service went first:\n{calls}"
    );
}
