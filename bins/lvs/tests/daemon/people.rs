//! Requests of people to a running lvs.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;

use crate::by_hand::{A, B, SERVICE, WEB};
use crate::world::{Lvs, World, wait};

fn serving() -> (World, Lvs) {
    let world = World::new(WEB);
    let lvs = world.by_hand();
    world.verdict("10.0.0.1:80", "up 10");
    world.table(&format!("{SERVICE}{A}"));
    world.verdict("10.0.0.2:8080", "up 1");
    world.table(&format!("{SERVICE}{A}{B}"));
    (world, lvs)
}

/// The output of a request that succeeds.
fn ask(world: &World, args: &[&str]) -> String {
    let (status, output, errors) = world.run(args);
    assert!(status.success() && errors.is_empty(), "{errors}");
    output
}

fn refused(world: &World, args: &[&str]) -> String {
    let (status, output, errors) = world.run(args);
    assert_eq!((status.code(), output.as_str()), (Some(1), ""));
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors
}

#[test]
fn the_status_shows_verdicts_and_connections() {
    let (world, _lvs) = serving();
    world.write("connections", "10.0.0.1:80 3 4\n");
    world.verdict("10.0.0.2:8080", "down refused");
    wait("the verdict", || !world.read("table").contains("8080"));
    let text = ask(&world, &["--status"]);
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "web (-t 192.0.2.80:80) wlc",
            "  a 10.0.0.1:80  up  weight 10 of 10  connections 3+4",
            "  b 10.0.0.2:8080  down  weight - of 1  connections -+-  refused",
        ]
    );
    let json = ask(&world, &["--status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status["services"][0]["servers"][0]["active_connections"], 3);
    let mode = world
        .path("lvs.sock")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_drain_outlives_lvs_until_it_is_ended() {
    let (world, mut lvs) = serving();
    assert_eq!(ask(&world, &["--drain", "web/a", "--why", "new disk"]), "");
    let drained = format!("{SERVICE}{}{B}", A.replace("-w 10", "-w 0"));
    world.table(&drained);
    assert!(ask(&world, &["--status"]).contains("the partner does not know): new disk"));
    assert!(world.read("drains.json").contains("\"web/a\""));
    lvs.signal(Signal::SIGKILL);
    lvs.ends();
    let mut lvs = world.by_hand();
    lvs.logs("create_monitor for web/b");
    world.verdict("10.0.0.1:80", "up 10");
    wait("the verdict", || {
        ask(&world, &["--status"]).contains("a 10.0.0.1:80  up")
    });
    assert_eq!(world.read("table"), drained);
    ask(&world, &["--enable", "web/a"]);
    world.table(&format!("{SERVICE}{A}{B}"));
    assert_eq!(world.read("drains.json"), "{}\n");
    ask(&world, &["--drain", "web/a", "--for", "1"]);
    world.table(&drained);
    world.table(&format!("{SERVICE}{A}{B}"));
    lvs.logs("enabling web/a: the time of its drain is over");
}

#[test]
fn an_inactive_server_leaves_when_it_has_no_connection() {
    let (world, mut lvs) = serving();
    world.write("connections", "10.0.0.1:80 1 0\n");
    let inactive = WEB.replacen("10.0.0.1\nactive = 1", "10.0.0.1\nactive = 0", 1);
    world.write("lvs.cf", &inactive);
    lvs.signal(Signal::SIGHUP);
    world.table(&format!("{SERVICE}{}{B}", A.replace("-w 10", "-w 0")));
    wait("a count", || world.read("calls").contains("-Ln"));
    assert!(ask(&world, &["--status"]).contains("a 10.0.0.1:80  inactive, leaves"));
    world.write("connections", "");
    world.table(&format!("{SERVICE}{B}"));
    lvs.logs("removing web/a, which is inactive: no connection is left");
}

#[test]
fn a_plan_says_what_a_reload_would_change_and_changes_nothing() {
    let (world, _lvs) = serving();
    assert_eq!(ask(&world, &["--plan"]), "");
    world.write("lvs.cf", &WEB.replace("weight = 10", "weight = 4"));
    let table = world.read("table");
    let change = "-e -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 4\n";
    assert_eq!(ask(&world, &["--plan"]), change);
    assert_eq!(world.read("table"), table);
    world.write("lvs.cf", "virtual {\n");
    assert!(refused(&world, &["--plan"]).contains("at line 1: "));
}

#[test]
fn wrong_requests_are_refused_in_one_line() {
    let (world, _lvs) = serving();
    assert_eq!(
        refused(&world, &["--drain", "web/z"]),
        "lvs: no active server web/z\n"
    );
    assert_eq!(
        refused(&world, &["--enable", "web/a"]),
        "lvs: web/a is not drained\n"
    );
    refused(&world, &["--status", "--plan"]);
    refused(&world, &["--enable", "web/a", "--for", "5m"]);
    let mut stream = UnixStream::connect(world.path("lvs.sock")).unwrap();
    stream
        .write_all(b"{\"command\":\"dance\"}\n\xff\n")
        .unwrap();
    let mut lines = BufReader::new(stream).lines();
    for _ in 0..2 {
        assert!(lines.next().unwrap().unwrap().contains("not a request"));
    }
}

#[test]
fn without_lvs_it_is_said() {
    let world = World::new(WEB);
    assert!(refused(&world, &["--status"]).contains("is lvs running here"));
}
