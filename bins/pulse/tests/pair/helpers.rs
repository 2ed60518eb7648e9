//! The programs that a router has do something: sync daemons, and the administrator's commands.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::pair;
use crate::world::{VIP, World, wait};

const MASTER: &str = "master sync daemon (mcast=eth1, syncid=44)\n";
const BACKUP: &str = "backup sync daemon (mcast=eth1, syncid=44)\n";

#[test]
fn the_old_master_is_listened_to_until_it_has_let_go() {
    let mut world = pair();
    wait("a master on the active router", || {
        (world.a.said("sync-master") == MASTER && world.a.said("sync-backup").is_empty())
            .then_some(())
    });
    wait("a listener on the other", || {
        (world.b.said("sync-backup") == BACKUP && world.b.said("sync-master").is_empty())
            .then_some(())
    });
    let before = world.b.said("ipvsadm.log").lines().count();
    world.a.signal("TERM");
    world.b.wait_owns(VIP);
    assert!(world.a.wait_end().success());
    wait("only a master in the end", || {
        (world.b.said("sync-master") == MASTER && world.b.said("sync-backup").is_empty())
            .then_some(())
    });
    // The tool writes down what it did after having done it.
    world.b.wait_said("ipvsadm.log", "--stop-daemon backup");
    let log = world.b.said("ipvsadm.log");
    let commands: Vec<&str> = log.lines().skip(before).collect();
    let place = |words: &str| commands.iter().position(|line| line.starts_with(words));
    assert!(
        place("--start-daemon master") < place("--stop-daemon backup"),
        "{log}"
    );
    // The listener that goes on running over a restart misses nothing.
    assert_eq!(world.a.said("sync-backup"), BACKUP);
    let stops = world.a.count("ipvsadm.log", "--stop-daemon backup");
    world.a.start();
    world.a.wait_said("run/pulse.json", "\"says\": \"running\"");
    assert_eq!(world.a.count("ipvsadm.log", "--stop-daemon backup"), stops);
}

#[test]
fn f32_a_sync_daemon_that_was_stopped_is_started_again_with_an_alarm() {
    let world = pair();
    wait("a master", || {
        (world.a.said("sync-master") == MASTER).then_some(())
    });
    world.a.set("sync-fails", true);
    fs::remove_file(world.a.log.join("sync-master")).unwrap();
    world.a.wait_said("pulse.log", "sync daemon: ");
    world.a.wait_said("pulse.log", "No such device");
    wait("the status tells", || {
        let output = world.a.command(&["--status"]).output().unwrap();
        (output.status.code() == Some(4)).then_some(())
    });
    world.a.set("sync-fails", false);
    wait("it runs again", || {
        (world.a.said("sync-master") == MASTER).then_some(())
    });
    world.a.wait_said("pulse.log", "sync daemon: it runs again");
    assert_eq!(world.a.count("pulse.log", "No such device"), 1);
    fs::remove_file(world.a.log.join("sync-master")).unwrap();
    world
        .a
        .wait_said("pulse.log", "sync daemon: the master does not run any more");
    wait("it runs again", || {
        (world.a.said("sync-master") == MASTER).then_some(())
    });
    assert!(world.a.owns(VIP));
}

#[test]
fn b58_a_stop_waits_for_inactive_cmd() {
    let mut world = World::new();
    let slow = world.folder.path().join("slow");
    let script = "#!/bin/sh\nsleep 0.2\necho \"$*\" >> \"$PULSE_TEST_LOG/slow.log\"\n";
    fs::write(&slow, script).unwrap();
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).unwrap();
    let text = world.configuration("");
    let line = text.lines().find(|line| line.starts_with("inactive_cmd"));
    let command = format!("inactive_cmd = \"{} now\"", slow.display());
    world.a.configure(&text.replace(line.unwrap(), &command));
    world.a.start();
    world.a.wait_owns(VIP);
    world.a.wait_said("slow.log", "now");
    world.a.signal("TERM");
    assert!(world.a.wait_end().success());
    assert_eq!(world.a.said("slow.log"), "now\nnow\n");
}

#[test]
fn b58_commands_that_fail_or_are_missing_are_told_of() {
    let mut world = World::new();
    let text: String = world
        .configuration("")
        .lines()
        .map(|line| match line.split(' ').next() {
            Some("active_cmd") => "active_cmd = \"/bin/false\"\n".to_owned(),
            Some("inactive_cmd") => "inactive_cmd = \"/nowhere/let-go now\"\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    world.a.configure(&text);
    world.a.start();
    world.a.wait_owns(VIP);
    world
        .a
        .wait_said("pulse.log", "active_cmd exited with status 1");
    world.a.wait_said("pulse.log", "inactive_cmd ");
    let said = world.a.said("pulse.log");
    assert!(said.contains("/nowhere/let-go"), "{said}");
    world.a.signal("TERM");
    assert!(world.a.wait_end().success());
    assert!(!world.a.owns(VIP));
}

#[test]
fn where_systemd_runs_pulse_commands_get_a_unit_of_their_own() {
    let world = World::new();
    let bin = world.folder.path().join("systemd");
    fs::create_dir(&bin).unwrap();
    let systemd_run = bin.join("systemd-run");
    // Takes its options off and does as told, the first time not.
    let script = "#!/bin/sh\n\
        [ -e \"$PULSE_TEST_LOG/asked\" ] || { touch \"$PULSE_TEST_LOG/asked\"; echo 'Failed to connect to bus' >&2; exit 1; }\n\
        echo \"$*\" >> \"$PULSE_TEST_LOG/units.log\"\n\
        while [ \"$1\" != -- ]; do shift; done; shift; exec \"$@\"\n";
    fs::write(&systemd_run, script).unwrap();
    fs::set_permissions(&systemd_run, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let log = fs::File::create(world.a.log.join("pulse.log")).unwrap();
    let mut pulse = world
        .a
        .command(&["-n"])
        .env("PATH", path)
        .env("NOTIFY_SOCKET", "/dev/null/none")
        .env("INVOCATION_ID", "1")
        .stdout(log)
        .spawn()
        .unwrap();
    world.a.wait_said("units.log", "became active");
    world.a.wait_said("commands.log", "became active");
    world.a.wait_said("commands.log", "became inactive");
    let said = world.a.said("pulse.log");
    assert!(said.contains("run within pulse's own unit"), "{said}");
    let _ = pulse.kill();
    let _ = pulse.wait();
}
