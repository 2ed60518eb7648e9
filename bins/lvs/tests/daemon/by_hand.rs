//! lvs started from a shell: lvs.cf from a file, signals.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::world::{World, is_gone, wait};

pub(crate) const WEB: &str = "virtual web {\nactive = 1\naddress = 192.0.2.80 eth0:1\n\
    server a {\naddress = 10.0.0.1\nactive = 1\nweight = 10\n}\n\
    server b {\naddress = 10.0.0.2\nactive = 1\nport = 8080\n}\n}\n";
pub(crate) const SERVICE: &str = "-A -t 192.0.2.80:80 -s wlc\n";
pub(crate) const A: &str = "-a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 10\n";
pub(crate) const B: &str = "-a -t 192.0.2.80:80 -r 10.0.0.2:8080 -m -w 1\n";

#[test]
fn verdicts_reload_and_end() {
    let world = World::new(WEB);
    let other = "-A -t 203.0.113.1:25 -s rr\n";
    world.write("table", other);
    let mut lvs = world.by_hand();
    lvs.logs("lvs: starting virtual service web active: 80");
    lvs.logs("lvs: create_monitor for web/a running as pid ");
    world.table(&format!("{other}{SERVICE}"));
    world.verdict("10.0.0.1:80", "up 10");
    world.verdict("10.0.0.2:8080", "up 1");
    wait("both servers", || {
        let table = world.read("table");
        table.contains(A) && table.contains(B)
    });
    assert_eq!(world.lines("calls")[0], "-Sn");
    world.verdict("10.0.0.2:8080", "down refused");
    world.table(&format!("{other}{SERVICE}{A}"));
    wait("the status", || {
        world.read("lvs.json").contains("\"reason\": \"refused\"")
    });

    let before = world.lines("operations").len();
    world.write("lvs.cf", &WEB.replace("weight = 10", "weight = 4"));
    lvs.signal(Signal::SIGHUP);
    lvs.logs("rereading configuration file");
    world.table(&format!("{other}{SERVICE}{}", A.replace("-w 10", "-w 4")));
    assert_eq!(world.lines("operations").len(), before + 1);
    wait("its nanny goes on from there", || {
        world.read("starts").contains("weight=4")
    });

    world.write("lvs.cf", "virtual {\n");
    lvs.signal(Signal::SIGHUP);
    lvs.logs("lvs: error parsing ");
    lvs.logs("at line 1: ");
    let nannies = world.nannies();
    lvs.signal(Signal::SIGTERM);
    assert_eq!(lvs.ends().code(), Some(0));
    assert_eq!(world.read("table"), other);
    assert!(nannies.iter().all(|nanny| is_gone(*nanny)));
    assert!(!world.path("lvs.json").exists());
    assert_eq!(world.read("owned.json"), "{\"services\":[]}\n");
    lvs.logs("shutting down due to signal 15");
    lvs.logs("shutting down virtual service web");
}

#[test]
fn f2_a_killed_lvs_leaves_the_table_and_its_successor_adopts_it() {
    let world = World::new(WEB);
    let lvs = world.by_hand();
    world.verdict("10.0.0.1:80", "up 3");
    let table = format!("{SERVICE}{}", A.replace("-w 10", "-w 3"));
    world.table(&table);
    lvs.signal(Signal::SIGKILL);
    wait("the end of the nannies", || {
        world.nannies().iter().all(|nanny| is_gone(*nanny))
    });
    let (before, starts) = (world.lines("operations").len(), world.lines("starts").len());
    let mut lvs = world.by_hand();
    lvs.logs("create_monitor for web/b");
    wait("its nannies", || world.lines("starts").len() == starts + 2);
    assert!(
        world.read("starts").contains("10.0.0.1:80") && world.read("starts").contains("weight=3")
    );
    assert_eq!(world.read("table"), table);
    assert_eq!(world.lines("operations").len(), before);
    // A service that is no longer wanted is known as its own.
    lvs.signal(Signal::SIGKILL);
    lvs.ends();
    world.write("lvs.cf", &WEB.replace("192.0.2.80", "192.0.2.81"));
    let _lvs = world.by_hand();
    world.table("-A -t 192.0.2.81:80 -s wlc\n");
}

#[test]
fn b28_a_killed_nanny_comes_back_and_the_table_stays() {
    let world = World::new(WEB);
    let mut lvs = world.by_hand();
    world.verdict("10.0.0.1:80", "up 10");
    world.table(&format!("{SERVICE}{A}"));
    let operations = world.lines("operations").len();
    let started = |world: &World| world.lines("starts").len();
    for _ in 0..3 {
        let before = started(&world);
        let nanny = world
            .lines("starts")
            .into_iter()
            .rfind(|line| line.starts_with("10.0.0.1:80"));
        let pid = nanny
            .unwrap()
            .split("pid=")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse();
        kill(nix::unistd::Pid::from_raw(pid.unwrap()), Signal::SIGKILL).unwrap();
        wait("another nanny", || started(&world) > before);
    }
    lvs.logs("nanny for child web/a died! starting it again now");
    assert!(world.lines("starts").last().unwrap().ends_with("weight=10"));
    assert_eq!(world.lines("operations").len(), operations);
}

/// The numbers that the system shows of a process: user, capabilities, whether it can gain any.
fn rights(pid: nix::unistd::Pid) -> [String; 3] {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let mut words = line.unwrap().split_whitespace();
        words.next().unwrap().to_owned()
    };
    [field("Uid:"), field("CapEff:"), field("NoNewPrivs:")]
}

#[test]
fn checkers_have_no_privileges() {
    if !nix::unistd::geteuid().is_root() {
        // Another user can only be chosen by root; lvs says so.
        let world = World::new(WEB);
        world.by_hand().logs("checkers run as the same user as lvs");
        return;
    }
    let world = World::new(WEB);
    let mut lvs = world.by_hand();
    world.verdict("10.0.0.1:80", "up 10");
    world.table(&format!("{SERVICE}{A}"));
    for nanny in world.nannies() {
        let [user, capabilities, stuck] = rights(nanny);
        assert_ne!(user, "0");
        assert_eq!(
            (capabilities.as_str(), stuck.as_str()),
            ("0000000000000000", "1")
        );
    }
    assert_eq!(rights(lvs.pid())[0], "0");
    let programs = std::fs::metadata(world.path("programs.lock")).unwrap();
    assert_ne!(std::os::unix::fs::MetadataExt::gid(&programs), 0);
    assert_eq!(programs.permissions().mode() & 0o777, 0o660);
    lvs.signal(Signal::SIGTERM);
    lvs.ends();
    // Where that user cannot come to the checker, it runs all the same.
    let closed = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(world.folder.path(), closed).unwrap();
    let mut lvs = world.by_hand();
    lvs.logs("checkers run as the same user as lvs: ");
    lvs.logs("create_monitor for web/b");
    wait("a nanny of root", || {
        let running = world.nannies().into_iter().filter(|nanny| !is_gone(*nanny));
        running.map(rights).any(|[user, ..]| user == "0")
    });
}

#[test]
fn f13_without_descriptors_for_checkers_the_table_is_still_written() {
    let world = World::new(WEB);
    let mut lvs = world.by_hand();
    world.verdict("10.0.0.1:80", "up 10");
    world.table(&format!("{SERVICE}{A}"));
    world.verdict("10.0.0.2:8080", "up 1");
    world.table(&format!("{SERVICE}{A}{B}"));
    let limit = std::process::Command::new("prlimit")
        .args([format!("--pid={}", lvs.pid()), "--nofile=130".to_owned()])
        .status();
    assert!(limit.unwrap().success());
    let third = "server c {\naddress = 10.0.0.3\nactive = 1\n}\n}\n";
    let more = WEB.strip_suffix("}\n").unwrap().to_owned() + third;
    // A change that no checker has to be started anew for.
    world.write(
        "lvs.cf",
        &more.replace(
            "active = 1\naddress = 192",
            "scheduler = rr\nactive = 1\naddress = 192",
        ),
    );
    lvs.signal(Signal::SIGHUP);
    lvs.logs("nanny for child web/c died!");
    lvs.logs("too many open files");
    world.table(&format!("{}{A}{B}", SERVICE.replace("wlc", "rr")));
    assert_eq!(
        world
            .lines("starts")
            .iter()
            .filter(|line| line.contains("10.0.0.3"))
            .count(),
        0
    );
}

#[test]
fn f13_without_processes_the_table_stays_and_lvs_tries_now_and_then() {
    /// Nobody else's.
    const USER: &str = "54323";
    let world = World::new(WEB);
    let mut lvs = world.by_hand_as(USER);
    world.verdict("10.0.0.1:80", "up 10");
    world.table(&format!("{SERVICE}{A}"));
    world.verdict("10.0.0.2:8080", "up 1");
    let whole = format!("{SERVICE}{A}{B}");
    world.table(&whole);
    let pid = lvs.pid();
    let limit = |processes: u32| {
        let words = format!(
            "--reuid={USER} --regid={USER} --clear-groups prlimit --pid {pid} --nproc={processes}:"
        );
        let limited = std::process::Command::new("setpriv")
            .args(words.split(' '))
            .status();
        assert!(limited.unwrap().success());
    };
    limit(1);
    let starts = world.lines("starts").len();
    kill(*world.nannies().first().unwrap(), Signal::SIGKILL).unwrap();
    lvs.logs("nanny for child web/");
    let (before, span) = (processor_seconds(pid), Duration::from_secs(4));
    std::thread::sleep(span);
    let share = (processor_seconds(pid) - before) / span.as_secs_f64();
    assert!(share < 0.05, "{share} of a processor");
    assert_eq!(world.lines("starts").len(), starts, "started all the same");
    assert_eq!(world.read("table"), whole);

    limit(64);
    wait("another nanny", || world.lines("starts").len() > starts);
    world.write("lvs.cf", &WEB.replace("weight = 10", "weight = 4"));
    lvs.signal(Signal::SIGHUP);
    world.table(&whole.replace("-w 10", "-w 4"));
}

/// What a process has used so far.
fn processor_seconds(pid: Pid) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let ticks: Vec<f64> = rest
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap())
        .collect();
    // USER_HZ is 100 everywhere.
    ticks.iter().sum::<f64>() / 100.0
}

#[test]
fn checkers_that_run_programs_share_a_number_of_them() {
    let program = "send_program = \"/bin/check %h\"\nserver a";
    let other = WEB.replace("web", "plain").replace("2.80", "2.81");
    let with = WEB.replace("server a", program);
    let world = World::new(&format!("max_programs = 3\n{with}{other}"));
    let _lvs = world.by_hand();
    wait("four nannies", || world.lines("starts").len() == 4);
    let slots = format!(" slots=3:{} ", world.path("programs.lock").display());
    let starts = world.lines("starts");
    assert_eq!(
        starts.iter().filter(|line| line.contains(&slots)).count(),
        2
    );
    assert_eq!(
        starts
            .iter()
            .filter(|line| line.contains(" slots=none "))
            .count(),
        2
    );
}

#[test]
fn f18_changes_of_others_are_repaired() {
    let world = World::new(&format!("audit_interval = 1\n{WEB}"));
    let mut lvs = world.by_hand();
    world.verdict("10.0.0.1:80", "up 10");
    world.table(&format!("{SERVICE}{A}"));
    wait("the status", || {
        world.read("lvs.json").contains("\"weight\": 10")
    });
    world.write("table", "");
    lvs.logs("others changed the table");
    world.table(&format!("{SERVICE}{A}"));
}

#[test]
fn no_ipvs_is_one_clear_line_and_a_failure() {
    let world = World::new(WEB);
    world.write(
        "broken",
        "modprobe: FATAL: Module ip_vs not found in directory /lib/modules/6.1.0\n\
         Can't initialize ipvs: Protocol not available\nAre you sure that IP Virtual Server is built in the \
         kernel or as module?\n",
    );
    let line = "lvs: this kernel has no IPVS: load the module (modprobe ip_vs) or boot a kernel that has it \
                (ipvsadm-rs: Can't initialize ipvs: Protocol not available)\n";
    refuses(&world, line);
}

#[test]
fn no_permission_is_one_clear_line_and_a_failure() {
    let world = World::new(WEB);
    world.write(
        "broken",
        "Can't initialize ipvs: Permission denied (you must be root)\n\
         Are you sure that IP Virtual Server is built in the kernel or as module?\n",
    );
    let line = "lvs: IPVS refuses access: run as root in the initial user namespace (ipvsadm-rs: Can't \
                initialize ipvs: Permission denied (you must be root))\n";
    refuses(&world, line);
}

/// In the foreground and as a daemon, whose starter says it.
fn refuses(world: &World, line: &str) {
    for args in [&["-n"][..], &[]] {
        let (status, output, errors) = world.run(args);
        assert_eq!(status.code(), Some(1));
        assert_eq!((output.as_str(), errors.as_str()), ("", line));
    }
    assert!(world.nannies().is_empty());
}

#[test]
fn a_daemon_has_a_pid_file_and_ends_by_term() {
    let world = World::new(WEB);
    let (status, ..) = world.run(&[]);
    assert_eq!(status.code(), Some(0));
    // The starter returns when the table is right.
    assert_eq!(world.read("table"), SERVICE);
    let pid = nix::unistd::Pid::from_raw(world.read("lvs.pid").trim().parse().unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    wait("the end of lvs", || is_gone(pid));
    assert!(!world.path("lvs.pid").exists());
    assert_eq!(world.read("table"), "");
}

#[test]
fn bad_input_touches_nothing() {
    for (text, line) in [
        ("virtual web {\nport = x y\n}\n", 2),
        ("", 0),
        ("a\0b = 1\n", 1),
    ] {
        let world = World::new(text);
        let (status, _, errors) = world.run(&["-n"]);
        assert_eq!(status.code(), Some(1));
        let expected = format!(
            "lvs: error parsing {} at line {line}: ",
            world.path("lvs.cf").display()
        );
        assert!(errors.starts_with(&expected), "{errors}");
        assert!(!world.path("calls").exists());
    }
    let world = World::new("");
    std::fs::remove_file(world.path("lvs.cf")).unwrap();
    let (status, _, errors) = world.run(&["-n"]);
    assert_eq!(status.code(), Some(1));
    assert!(errors.starts_with("lvs: failed to open "), "{errors}");
}

#[test]
fn b63_a_refusal_is_said_and_the_rest_goes_on() {
    let world = World::new(&format!(
        "{WEB}{}",
        WEB.replace("web", "bad").replace("2.80", "2.81")
    ));
    world.write("refuse", "-A -t 192.0.2.81:80 -s wlc\n");
    let mut lvs = world.by_hand();
    lvs.logs("ipvsadm failed for virtual server bad!");
    lvs.logs("-A -t 192.0.2.81:80 -s wlc: ipvsadm-rs: Memory allocation problem");
    world.table(SERVICE);
    wait("the status", || {
        world.read("lvs.json").contains("Memory allocation problem")
    });
    std::fs::remove_file(world.path("refuse")).unwrap();
    wait("another try", || world.read("table").contains("192.0.2.81"));
}

/// The tool that waits for a batch: the stand-in's file for it is still empty.
fn waiting_tool(world: &World) -> Option<Pid> {
    let mut files = std::fs::read_dir(world.folder.path()).unwrap();
    files.find_map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let pid = Pid::from_raw(name.strip_prefix("batch.")?.parse().ok()?);
        let is_empty = file.metadata().is_ok_and(|about| about.len() == 0);
        (is_empty && !is_gone(pid)).then_some(pid)
    })
}

#[test]
fn the_tool_for_the_next_batch_is_started_beforehand_and_may_die() {
    let world = World::new(WEB);
    let mut lvs = world.by_hand();
    world.verdict("10.0.0.1:80", "up 10");
    world.table(&format!("{SERVICE}{A}"));
    let mut weigh = |weight: &str| {
        let mut waiting = None;
        wait("a tool that waits", || {
            waiting = waiting_tool(&world);
            waiting.is_some()
        });
        let waiting = waiting.unwrap();
        if weight == "6" {
            kill(waiting, Signal::SIGKILL).unwrap();
            wait("its end", || is_gone(waiting));
            std::fs::remove_file(world.path(&format!("batch.{waiting}"))).unwrap();
        }
        let weight = format!("weight = {weight}");
        world.write("lvs.cf", &WEB.replace("weight = 10", &weight));
        lvs.signal(Signal::SIGHUP);
        world.table(&format!(
            "{SERVICE}{}",
            A.replace("-w 10", &weight.replace("weight =", "-w"))
        ));
        wait("the end of the tool that waited", || is_gone(waiting));
    };
    ["5", "6", "7"].into_iter().for_each(&mut weigh);
    lvs.signal(Signal::SIGTERM);
    assert_eq!(lvs.ends().code(), Some(0));
    assert!(!lvs.has_logged("failed"));
    assert!(!lvs.has_logged("cannot"));
}

/// A terminal signals the whole foreground group.
#[test]
fn ctrl_c_leaves_no_entry_though_a_tool_waits() {
    let more = |number: u8| {
        let name = format!("web{number}");
        WEB.replace("web", &name).replace(
            "192.0.2.80 eth0:1",
            &format!("192.0.2.{number} eth0:{number}"),
        )
    };
    let world = World::new(&format!("{}{}{}{}", more(81), more(82), more(83), more(84)));
    let mut lvs = world.by_hand();
    wait("four services", || {
        world.read("table").matches("-A ").count() == 4
    });
    wait("a tool that waits", || waiting_tool(&world).is_some());
    killpg(lvs.pid(), Signal::SIGINT).unwrap();
    assert_eq!(lvs.ends().code(), Some(0));
    assert_eq!(world.read("table"), "");
    assert!(!lvs.has_logged("failed"));
}
