//! Rows of the list of faults in which the system gives no more: processes, room on a disk, a log
//! that is read.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::DEADTIME;
use crate::disk::{self, Frozen};
use crate::faults::know_each_other;
use crate::world::{Router, VIP, World, run, wait};

/// Root's processes are not counted; this user's are.
const USER: &str = "54321";

/// Starts pulse as a user who may do to networks what root may.
fn start_as_user(router: &mut Router) {
    let (user, group) = (format!("--reuid={USER}"), format!("--regid={USER}"));
    let rights = "+net_admin,+net_raw,+net_bind_service";
    let (inherited, ambient) = (
        format!("--inh-caps={rights}"),
        format!("--ambient-caps={rights}"),
    );
    let wrapper = [
        "setpriv",
        &user,
        &group,
        "--clear-groups",
        &inherited,
        &ambient,
    ];
    router.start_by(&wrapper, &["-n"]);
}

/// Seconds of a processor that a process has used.
fn processor_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let numbers = stat.rsplit(") ").next().unwrap().split(' ');
    let used = numbers.skip(11).take(2);
    let ticks: f64 = used.map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

#[test]
fn f13_without_processes_the_partner_takes_over_and_pulse_tries_now_and_then() {
    let mut world = World::new();
    let folder = world.folder.path().display().to_string();
    run(&format!("chmod 755 {folder}"));
    run(&format!("chown -R {USER} {}", world.a.log.display()));
    start_as_user(&mut world.a);
    world.a.wait_owns(VIP);
    world.b.start();
    know_each_other(&world);
    let pid = world.a.pid();
    // As that user, since not every root may set the limits of others.
    let limit = |processes: &str| {
        run(&format!(
            "setpriv --reuid={USER} --regid={USER} --clear-groups prlimit --pid {pid} --nproc={processes}:"
        ));
    };
    limit("1");
    run(&format!("kill -KILL {}", world.a.lvs_pid().unwrap()));
    world
        .a
        .wait_said("pulse.log", "Resource temporarily unavailable");
    world.b.wait_owns(VIP);
    wait("it lets go", || (!world.a.owns(VIP)).then_some(()));

    // Alone, it goes on trying, ever more seldom.
    world
        .b
        .wait_said("run/pulse.json", "\"phase\": \"standby\"");
    world.b.kill();
    world
        .a
        .wait_said("pulse.log", "partner dead: activating lvs");
    let (before, span) = (processor_seconds(pid), Duration::from_secs(4));
    std::thread::sleep(span);
    let share = (processor_seconds(pid) - before) / span.as_secs_f64();
    assert!(share < 0.05, "{share} of a processor");
    let tries = world
        .a
        .count("pulse.log", "Resource temporarily unavailable");
    assert!(tries < 60, "{tries}: {}", world.a.said("pulse.log"));
    limit("64");
    world.a.wait_owns(VIP);
    assert_eq!(world.a.pid(), pid);
}

/// Its own small disks for what pulse writes.
fn start_on_small_disks(router: &mut Router) {
    for folder in ["run", "state"] {
        std::fs::create_dir(router.log.join(folder)).unwrap();
    }
    let script = format!(
        "cd {} && mount -t tmpfs -o size=64k none run && mount -t tmpfs -o size=64k none state && exec \"$@\"",
        router.log.display()
    );
    router.start_by(&["sh", "-c", &script, "sh"], &["-n"]);
}

/// What pulse sees there.
fn seen(router: &Router, file: &str) -> String {
    let file = router.log.join(file);
    let path = format!("/proc/{}/root{}", router.pid(), file.display());
    std::fs::read_to_string(path).unwrap_or_default()
}

fn on_its_disks(router: &Router, script: &str) {
    let script = format!("cd {} && {script}", router.log.display());
    let output = std::process::Command::new("nsenter")
        .args(["-t", &router.pid().to_string(), "-m", "sh", "-c", &script])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A pair whose disks `fail`, with a fail-over meanwhile; then they are `repaired`.
fn fails_over_on_disks_that(fail: &str, repaired: &str, error: &str) {
    let mut world = World::new();
    start_on_small_disks(&mut world.a);
    world.a.wait_owns(VIP);
    start_on_small_disks(&mut world.b);
    wait("they know each other", || {
        let known = seen(&world.a, "run/pulse.json").contains("\"phase\": \"standby\"")
            && seen(&world.b, "run/pulse.json").contains("\"says\": \"running\"");
        known.then_some(())
    });
    for router in [&world.a, &world.b] {
        on_its_disks(router, fail);
    }
    world.a.signal("TERM");
    world.b.wait_owns(VIP);
    assert!(world.a.wait_end().success());
    assert_eq!(
        world.b.count("pulse.log", "partner dead"),
        0,
        "by hand-over"
    );
    std::thread::sleep(DEADTIME * 2);
    for file in ["run/pulse.json", "state/epoch"] {
        let warning = format!("cannot write {}: ", world.b.log.join(file).display());
        world.b.wait_said("pulse.log", &warning);
        let said = world.b.said("pulse.log");
        assert_eq!(said.matches(&warning).count(), 1, "{said}");
        assert!(said.contains(error), "{said}");
    }
    on_its_disks(&world.b, repaired);
    wait("the status is written again", || {
        seen(&world.b, "run/pulse.json")
            .contains("\"serving\": true")
            .then_some(())
    });
    assert!(world.b.owns(VIP));
}

#[test]
fn f14_full_disks_are_a_warning_and_no_obstacle() {
    fails_over_on_disks_that(
        "for disk in run state; do ! dd if=/dev/zero of=$disk/filled bs=1k 2> /dev/null || exit 1; done",
        "rm run/filled state/filled",
        "No space left on device",
    );
}

#[test]
fn f14_disks_that_become_read_only_are_a_warning_and_no_obstacle() {
    fails_over_on_disks_that(
        "mount -o remount,ro run && mount -o remount,ro state",
        "mount -o remount,rw run && mount -o remount,rw state",
        "Read-only file system",
    );
}

fn start_on_a_disk(router: &mut Router) {
    disk::make(&router.log);
    let folder = router.log.display().to_string();
    router.start_by(&["sh", "-c", disk::MOUNT, &folder], &["-n"]);
}

#[test]
fn f14_disks_that_hang_hold_up_no_take_over() {
    let mut world = World::new();
    start_on_a_disk(&mut world.a);
    world.a.wait_owns(VIP);
    start_on_a_disk(&mut world.b);
    know_each_other(&world);
    let disks = [&world.a, &world.b].map(|router| Frozen::new(router.pid(), &router.log));
    world.a.signal("TERM");
    world.b.wait_owns(VIP);
    wait("it lets go", || (!world.a.owns(VIP)).then_some(()));
    assert_eq!(
        world.b.count("pulse.log", "partner dead"),
        0,
        "by hand-over"
    );
    let epoch = seen(&world.b, "state/epoch");
    drop(disks);
    assert!(world.a.wait_end().success());
    wait("the number of the take-over is kept", || {
        (seen(&world.b, "state/epoch") != epoch).then_some(())
    });
}

/// Logs in detail to a socket at `log`.
fn start_logging_to(router: &mut Router, log: &Path) {
    let device = router.log.join("dev");
    std::fs::create_dir(&device).unwrap();
    let (device, log) = (device.display(), log.display());
    let script = format!(
        "mount -t tmpfs none {device} && cd {device} && for name in null zero urandom; do \
         touch $name && mount --bind /dev/$name $name; done && ln -s {log} log && \
         cd / && mount --rbind {device} /dev && exec \"$@\""
    );
    router.start_by(&["sh", "-c", &script, "sh"], &["--nofork", "-v"]);
}

#[test]
fn f15_a_log_that_nobody_reads_holds_nothing_up_and_what_is_lost_is_counted() {
    let mut world = World::new();
    let logs = [&world.a, &world.b].map(|router| {
        let path = router.log.join("log");
        (UnixDatagram::bind(&path).unwrap(), path)
    });
    start_logging_to(&mut world.a, &logs[0].1);
    world.a.wait_owns(VIP);
    start_logging_to(&mut world.b, &logs[1].1);
    know_each_other(&world);
    // With heartbeats told of one by one, the queues are full by now.
    std::thread::sleep(DEADTIME);
    world.a.signal("TERM");
    world.b.wait_owns(VIP);
    assert!(world.a.wait_end().success());
    let socket = &logs[1].0;
    socket.set_nonblocking(true).unwrap();
    let mut said = String::new();
    let lost = wait("what was lost is told", || {
        let mut buffer = [0; 4096];
        loop {
            match socket.recv(&mut buffer) {
                Ok(length) => said += &(String::from_utf8_lossy(&buffer[..length]) + "\n"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        let (before, _) = said.split_once(" messages were lost because nobody took them")?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    });
    assert!(lost > 10, "{lost}: {said}");
    assert!(said.contains("STARTING PULSE AS BACKUP"), "{said}");
    assert!(!said.contains("partner dead"), "{said}");
}

/// How many messages the kernel could not give to netlink sockets of this router.
fn netlink_drops(router: &Router) -> u64 {
    let sockets = std::fs::read_to_string(format!("/proc/{}/net/netlink", router.pid())).unwrap();
    let column = |line: &str| line.split_whitespace().nth(8)?.parse::<u64>().ok();
    sockets.lines().skip(1).filter_map(column).sum()
}

#[test]
fn f13_changes_of_links_that_netlink_lost_are_found_out() {
    let mut world = World::new();
    let text = format!("monitor_links = 1\n{}", world.configuration(""));
    for router in [&mut world.a, &mut world.b] {
        router.configure(&text);
        router.start();
    }
    world.a.wait_owns(VIP);
    know_each_other(&world);
    let batch = world.b.log.join("batch");
    let one = "address add 192.0.2.1/32 dev lo\naddress del 192.0.2.1/32 dev lo\n";
    std::fs::write(&batch, one.repeat(3000)).unwrap();
    world.b.signal("STOP");
    run(&format!(
        "ip -n {} -batch {}",
        world.b.namespace,
        batch.display()
    ));
    assert!(netlink_drops(&world.b) > 0, "nothing was lost");
    world.connect("b", "eth1", false);
    world.b.signal("CONT");
    world.b.wait_said("pulse.log", "Private NIC: link down");
    world.connect("b", "eth1", true);
    world
        .b
        .wait_said("pulse.log", "Local NIC link(s) restored: Pulse enabled");
    assert!(world.a.owns(VIP) && !world.b.owns(VIP));
}
