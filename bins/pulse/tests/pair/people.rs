//! What people and the service manager hear of a running pulse.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::{Duration, Instant};

use crate::world::{Router, VIP, World, secs, wait};
use crate::{DEADTIME, pair, stderr};

fn ask(router: &Router, options: &[&str]) -> (Option<i32>, String) {
    let output = router.command(options).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    (output.status.code(), said)
}

#[test]
fn status_tells_role_partner_paths_addresses_and_events() {
    let world = pair();
    world.a.wait_said("run/pulse.json", "\"says\": \"stopped\"");
    wait("active", || {
        (ask(&world.a, &["--status"]).0 == Some(0)).then_some(())
    });
    let (_, said) = ask(&world.a, &["--status"]);
    for words in [
        "role      primary\n",
        "state     active since ",
        "partner   10.77.0.2 standby, has the same lvs.cf\n",
        "path      public alive, last heartbeat ",
        "VIP       10.77.0.80/24 eth0:1 up\n",
        "STARTING PULSE AS MASTER",
        "activating lvs",
    ] {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
    world.b.wait_said("run/pulse.json", "\"says\": \"running\"");
    let (code, json) = ask(&world.b, &["--status", "--json"]);
    assert_eq!(code, Some(3), "{json}");
    assert!(
        json.contains("\"phase\":\"standby\"") && json.contains("\"events\":["),
        "{json}"
    );
    assert_eq!(json.lines().count(), 1);

    let socket = world.a.log.join("run/pulse.sock");
    let mode = socket.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream
        .write_all(b"nonsense\n{\"request\":\"status\"}\n")
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert!(answers.starts_with("{\"error\":"), "{answers}");
    assert_eq!(answers.lines().count(), 2, "{answers}");
}

#[test]
fn a_pulse_that_does_not_run_is_trouble() {
    let world = World::new();
    for option in ["--status", "--hand-over"] {
        let (code, said) = ask(&world.a, &[option]);
        assert_eq!(code, Some(4), "{said}");
        assert!(
            said.starts_with("pulse: no running pulse answers at "),
            "{said}"
        );
    }
}

#[test]
fn hand_over_is_answered_when_the_partner_serves() {
    let world = pair();
    let (a, b) = (&world.a, &world.b);
    a.wait_said("run/pulse.json", "\"phase\": \"standby\"");
    let (code, said) = ask(b, &["--hand-over"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("this router is not active"), "{said}");

    let (code, said) = ask(a, &["--hand-over"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(b.owns(VIP) && !a.owns(VIP), "{}", a.said("pulse.log"));
    a.wait_said("pulse.log", "hand-over requested: deactivating LVS");
    std::thread::sleep(DEADTIME * 3);
    assert!(b.owns(VIP) && !a.owns(VIP), "it stays where it was put");
    assert_eq!(ask(a, &["--status"]).0, Some(3));
}

#[test]
fn new_connections_are_passed_on_before_the_addresses_move() {
    let world = pair();
    let (a, b) = (&world.a, &world.b);
    // A partner that takes long is not waited for, and nothing can be passed on: once is enough.
    let relayed = (0..5).any(|_| {
        a.wait_said("run/pulse.json", "\"phase\": \"standby\"");
        let (code, said) = ask(a, &["--hand-over"]);
        assert_eq!(code, Some(0), "{said}");
        a.wait_said("run/pulse.json", "\"phase\": \"standby\"");
        wait("the partner is back", || {
            (ask(b, &["--hand-over"]).0 == Some(0) && a.owns(VIP)).then_some(())
        });
        a.count("lvs.log", "order relay 10.77.0.2") > 0
    });
    assert!(relayed, "{}", a.said("pulse.log"));
    assert!(b.count("lvs.log", "order relieve") > 0);
    let rules = a.ip("rule show priority 539");
    assert_eq!(rules, "", "the way to the partner is closed again");
}

#[test]
fn alone_nothing_is_handed_over() {
    let mut world = World::new();
    world.a.start();
    world.a.wait_owns(VIP);
    wait("active", || {
        (ask(&world.a, &["--status"]).0 == Some(0)).then_some(())
    });
    let (code, said) = ask(&world.a, &["--hand-over"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("no partner could take over"), "{said}");
    assert!(world.a.owns(VIP));
}

#[test]
fn the_service_manager_hears_of_a_turning_event_loop_and_not_of_a_stopped_one() {
    let world = World::new();
    let path = world.a.log.join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(secs(60))).unwrap();
    let mut pulse = world
        .a
        .command(&["-n"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000")
        .spawn()
        .unwrap();
    let heard = |wanted: &str| {
        let mut buffer = [0; 128];
        let end = Instant::now() + secs(60);
        while Instant::now() < end {
            let Ok(length) = manager.recv(&mut buffer) else {
                return false;
            };
            if buffer[..length] == *wanted.as_bytes() {
                return true;
            }
        }
        false
    };
    assert!(heard("READY=1"));
    let fed = (0..5).all(|_| heard("WATCHDOG=1"));
    crate::world::run(&format!("kill -STOP {}", pulse.id()));
    manager
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    // What it sent before it was stopped.
    while manager.recv(&mut [0; 128]).is_ok() {}
    let silent = manager.recv(&mut [0; 128]).is_err();
    let _ = pulse.kill();
    let _ = pulse.wait();
    assert!(fed && silent);
}

#[test]
fn a_reload_that_is_asked_for_is_answered_when_it_is_followed_or_refused() {
    let world = pair();
    let a = &world.a;
    let (code, said) = ask(a, &["--reload"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the configuration was read again"), "{said}");
    assert_eq!(a.count("lvs.log", "order reload"), 1, "lvs has followed it");

    a.configure(&world.configuration("virtual x {\n port = many\n}\n"));
    let (code, said) = ask(a, &["--reload"]);
    assert_eq!(code, Some(1), "{said}");
    let line = a
        .said("lvs.cf")
        .lines()
        .position(|it| it == " port = many")
        .unwrap()
        + 1;
    assert!(said.contains(&format!("lvs.cf at line {line}: ")), "{said}");
    assert!(
        said.contains("the old configuration stays in force"),
        "{said}"
    );
    assert_eq!(a.count("lvs.log", "order reload"), 1);

    a.configure(&world.configuration(""));
    a.set("lvs-refuses", true);
    let (code, said) = ask(a, &["--reload"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("lvs refuses the configuration: line 7: no"),
        "{said}"
    );

    // A router without lvs has nobody else to ask.
    let (code, said) = ask(&world.b, &["--reload"]);
    assert_eq!(code, Some(0), "{said}");
    let nowhere = world.folder.path().join("nowhere");
    let (code, said) = ask(a, &["--reload", "--run-dir", nowhere.to_str().unwrap()]);
    assert_eq!(code, Some(4), "{said}");
    assert!(!nowhere.exists(), "who asks makes nothing");
}
