//! Requests of people to a running lvs.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;

use crate::by_hand::{A, B, SERVICE, WEB};
use crate::world::{Lvs, World, wait, wait_for};

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
    wait("a count without the removed server", || {
        let text = ask(&world, &["--status"]);
        text.contains("connections 3+4") && text.contains("connections -+-")
    });
    let text = ask(&world, &["--status"]);
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert_eq!(lines[0], "web (-t 192.0.2.80:80) wlc  connections 1");
    for (line, begin, end) in [
        (
            lines[1],
            "  a 10.0.0.1:80  up for ",
            "  weight 10 of 10  connections 3+4",
        ),
        (lines[2], "    up ", " ago"),
        (
            lines[3],
            "  b 10.0.0.2:8080  down for ",
            "  weight - of 1  connections -+-  refused",
        ),
        (lines[4], "    down ", " ago: refused"),
        (lines[5], "    up ", " ago"),
    ] {
        assert!(line.starts_with(begin) && line.ends_with(end), "{text}");
    }
    let json = ask(&world, &["--status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&json).unwrap();
    let service = &status["services"][0];
    assert_eq!(service["counters"]["connections"], 1);
    assert_eq!(service["servers"][0]["active_connections"], 3);
    assert_eq!(service["servers"][0]["counters"]["in_bytes"], 7);
    wait("the file with counters", || {
        let file: serde_json::Value =
            serde_json::from_str(&world.read("lvs.json")).unwrap_or_default();
        file["services"][0]["servers"][0]["counters"]["connections"] == 7
    });
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
    wait("a count", || world.read("calls").contains("-L --json"));
    assert!(ask(&world, &["--status"]).contains("a 10.0.0.1:80  inactive, leaves"));
    world.write("connections", "");
    world.table(&format!("{SERVICE}{B}"));
    lvs.logs("removing web/a, which is inactive: no connection is left");
}

#[test]
fn a_plan_says_what_a_reload_would_change_and_changes_nothing() {
    let (world, _lvs) = serving();
    // The table is written a moment before lvs hears that it is.
    wait_for("", || ask(&world, &["--plan"]));
    world.write("lvs.cf", &WEB.replace("weight = 10", "weight = 4"));
    let table = world.read("table");
    let change = "-e -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 4\n";
    assert_eq!(ask(&world, &["--plan"]), change);
    assert_eq!(world.read("table"), table);
    world.write("lvs.cf", "virtual {\n");
    assert!(refused(&world, &["--plan"]).contains("at line 1: "));
}

#[test]
fn a_reload_answers_when_the_table_follows() {
    let (world, _lvs) = serving();
    world.write("lvs.cf", &WEB.replace("weight = 10", "weight = 4"));
    assert_eq!(ask(&world, &["--reload"]), "");
    let changed = A.replace("-w 10", "-w 4");
    assert_eq!(world.read("table"), format!("{SERVICE}{changed}{B}"));
    // Nothing changed, nothing written.
    let operations = world.lines("operations").len();
    assert_eq!(ask(&world, &["--reload"]), "");
    assert_eq!(world.lines("operations").len(), operations);
    world.write("lvs.cf", "virtual {\n");
    assert!(refused(&world, &["--reload"]).contains("at line 1: "));
    let twice = format!("{WEB}{}", WEB.replace("web", "again"));
    world.write("lvs.cf", &twice);
    let notes = ask(&world, &["--reload"]);
    assert!(notes.starts_with("# virtual service again is the same service as web"));
    world.write("lvs.cf", &WEB.replace("weight = 10", "weight = 5"));
    world.write("refuse", "-e -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 5\n");
    assert_eq!(
        refused(&world, &["--reload"]),
        "lvs: ipvsadm-rs: Memory allocation problem\n"
    );
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
