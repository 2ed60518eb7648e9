//! The table: start, adoption, verdicts, sorry servers, audits, refusals, the end.

use super::*;

const WEB: &str = "-A -t 192.0.2.80:80 -s wlc\n";
const A: &str = "-a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 10\n";
const B: &str = "-a -t 192.0.2.80:80 -r 10.0.0.2:80 -m -w 10\n";
const SORRY: &str = "-a -t 192.0.2.80:80 -r 10.0.0.9:80 -m -w 1\n";
const OTHER: &str = "-A -t 198.51.100.1:25 -s rr\n-a -t 198.51.100.1:25 -r 10.9.9.9:25 -m -w 1\n";

#[test]
fn a_start_makes_the_service_then_each_server_as_it_is_found_up() {
    let mut world = World::serving("", &web("", ""));
    assert_eq!(world.batches, [["-A -t 192.0.2.80:80 -s wlc"]]);
    assert!(world.logged("starting virtual service web active: 80"));
    assert!(world.logged("create_monitor for web/a running as pid 1"));
    assert!(world.told.is_empty());
    world.report("10.0.0.1:80", Health::Up(10));
    assert_eq!(world.saved(), format!("{WEB}{A}"));
    assert_eq!(world.told, [Message::Ready]);
    world.report("10.0.0.2:80", Health::Up(1));
    world.report("10.0.0.1:80", Health::Down);
    assert_eq!(
        world.batches[2..],
        [
            ["-a -t 192.0.2.80:80 -r 10.0.0.2:80 -m -w 1"],
            ["-d -t 192.0.2.80:80 -r 10.0.0.1:80"],
        ]
    );
}

#[test]
fn a_router_that_is_still_served_by_its_partner_need_not_be_ready_for_little() {
    for (relieving, within) in [(false, 500), (true, 1500)] {
        let mut world = World::new("", &[]);
        world.event(Event::Plan(Box::new(plan(&web("", "")))));
        if relieving {
            world.event(Event::Relieving);
        }
        world.event(Event::Mode(Mode::Active));
        world.pass(Duration::from_millis(within - 100));
        assert!(!world.told.contains(&Message::Ready), "{relieving}");
        world.pass(Duration::from_millis(200));
        assert!(world.told.contains(&Message::Ready), "{relieving}");
    }
}

#[test]
fn a_relay_sends_new_connections_to_the_other_router_and_keeps_the_rest() {
    let mut world = World::serving("", &web("", "scheduler = sh\npersistent = 60"));
    world.report("10.0.0.1:80", Health::Up(10));
    let other = std::net::Ipv4Addr::new(192, 0, 2, 11);
    world.event(Event::Mode(Mode::Relaying(other)));
    assert_eq!(
        world.batches.last().unwrap()[..],
        [
            "-E -t 192.0.2.80:80 -s wlc",
            "-a -t 192.0.2.80:80 -r 192.0.2.11:80 -g -w 1",
            "-e -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 0",
        ],
        "the other router first, so that there is always one"
    );
    world.report("10.0.0.2:80", Health::Up(10));
    assert!(world.saved().contains("-r 10.0.0.2:80 -m -w 0"));
    world.event(Event::Terminate(15));
    assert_eq!(world.saved(), "");
}

#[test]
fn a_right_table_is_adopted_without_a_write() {
    let mut world = World::serving(&format!("{WEB}{A}{B}{OTHER}"), &web("", ""));
    world.pass(Duration::from_secs(60));
    assert!(world.batches.is_empty());
    assert_eq!(world.told[0], Message::Ready);
    // The checkers go on from the weights found.
    assert!(world.starts.iter().all(|start| start.weight == Some(10)));
    world.report("10.0.0.1:80", Health::Up(10));
    assert!(world.batches.is_empty());
}

#[test]
fn b52_leftovers_of_lvs_go_services_of_others_stay() {
    let kernel = format!("{OTHER}-A -t 192.0.2.81:80 -s rr\n{WEB}");
    let mut world = World::new(&kernel, &["-t 192.0.2.81:80"]);
    world.event(Event::Plan(Box::new(plan(&web("", "")))));
    world.event(Event::Mode(Mode::Active));
    assert_eq!(world.batches, [["-D -t 192.0.2.81:80"]]);
    assert_eq!(world.saved(), format!("{WEB}{OTHER}"));
    let owned: Vec<_> = world
        .owned
        .iter()
        .map(crate::identity::service_text)
        .collect();
    assert_eq!(owned, ["-t 192.0.2.80:80"]);
}

#[test]
fn clear_table_is_the_old_way() {
    let world = World::serving(OTHER, &web("clear_table = 1\ntcp_timeout = 900", ""));
    assert_eq!(world.batches[0], ["--set 900 0 0", "-C"]);
    assert_eq!(world.saved(), WEB);
}

#[test]
fn timeouts_are_set_when_they_are_given_and_when_they_change() {
    let mut world = World::serving("", &web("udp_timeout = 300", ""));
    world.reload(&web("udp_timeout = 300", ""));
    world.reload(&web("udp_timeout = 301", ""));
    world.reload(&web("", ""));
    let set: Vec<_> = world
        .batches
        .iter()
        .filter(|lines| lines[0].starts_with("--set"))
        .collect();
    assert_eq!(set, [&["--set 0 0 300"], &["--set 0 0 301"]]);
}

#[test]
fn b41_the_sorry_server_waits_for_all_first_checks() {
    let mut world = World::serving("", &web("", "sorry_server = 10.0.0.9"));
    world.report("10.0.0.1:80", Health::Down);
    assert_eq!(world.saved(), WEB);
    world.report("10.0.0.2:80", Health::Down);
    assert_eq!(world.saved(), format!("{WEB}{SORRY}"));
    assert_eq!(world.told, [Message::Ready]);
    world.report("10.0.0.2:80", Health::Up(10));
    assert_eq!(world.saved(), format!("{WEB}{B}"));
    // In one batch, the real server first.
    let last = world.batches.last().unwrap();
    assert_eq!(last.len(), 2);
    assert!(last[0].starts_with("-a") && last[1].starts_with("-d"));
}

#[test]
fn b41_a_service_without_active_servers_gets_its_sorry_server_at_once() {
    let text = "virtual v {\nactive = 1\naddress = 192.0.2.80 eth0:1\nsorry_server = 10.0.0.9\n}\n";
    let world = World::serving("", text);
    assert_eq!(world.saved(), format!("{WEB}{SORRY}"));
    assert_eq!(world.batches.len(), 1);
}

#[test]
fn a_restarted_lvs_leaves_the_sorry_server_until_it_knows() {
    let mut world = World::serving(
        &format!("{WEB}{SORRY}"),
        &web("", "sorry_server = 10.0.0.9"),
    );
    world.report("10.0.0.1:80", Health::Down);
    assert!(world.batches.is_empty());
    world.report("10.0.0.2:80", Health::Up(10));
    assert_eq!(world.saved(), format!("{WEB}{B}"));
}

#[test]
fn a_quiesced_server_stays_with_weight_0_and_is_none_for_the_sorry_server() {
    let mut world = World::serving("", &web("", "quiesce_server = 1\nsorry_server = 10.0.0.9"));
    world.report("10.0.0.1:80", Health::Up(10));
    world.report("10.0.0.2:80", Health::Down);
    world.report("10.0.0.1:80", Health::Down);
    let quiesced = A.replace("-w 10", "-w 0");
    assert_eq!(world.saved(), format!("{WEB}{quiesced}{SORRY}"));
}

#[test]
fn b29_under_direct_routing_the_virtual_port_stands_in_the_table() {
    let text = "network = direct\nvirtual v {\nactive = 1\naddress = 192.0.2.80 eth0:1\n\
                server a {\naddress = 10.0.0.1\nactive = 1\nport = 8080\n}\n}\n";
    let mut world = World::serving("", text);
    world.report("10.0.0.1:80", Health::Up(1));
    world.report("10.0.0.1:80", Health::Down);
    assert_eq!(world.saved(), WEB);
    assert!(world.logged("port 8080 is only checked"));
    assert!(nanny::line(&world.starts[0].spec).contains(" -r 8080 "));
}

#[test]
fn b43_two_blocks_with_one_mark_are_one_service_and_it_is_said() {
    let block = |name: &str, port: u16| {
        format!(
            "virtual {name} {{\nactive = 1\naddress = 192.0.2.80 eth0:1\nfwmark = 8\nport = {port}\n\
             server a {{\naddress = 10.0.0.1\nactive = 1\n}}\n}}\n"
        )
    };
    let world = World::serving("", &format!("{}{}", block("one", 80), block("two", 443)));
    assert_eq!(world.saved(), "-A -f 8 -s wlc\n");
    assert!(world.logged("virtual service two is the same service as one (-f 8)"));
}

#[test]
fn f18_foreign_changes_are_repaired_and_said_after_a_second_look() {
    let mut world = World::serving(&format!("{WEB}{A}{B}{OTHER}"), &web("", ""));
    world.report("10.0.0.1:80", Health::Up(10));
    world.report("10.0.0.2:80", Health::Up(10));
    world.kernel.clear();
    world.pass(Duration::from_secs(11));
    assert_eq!(world.saved(), format!("{WEB}{A}{B}"));
    assert_eq!(world.batches.len(), 1);
    assert!(world.logged("others changed the table"));
}

#[test]
fn f18_a_repair_takes_at_most_ten_seconds_however_slow_the_tool() {
    for reading in [1, 50, 150, 500] {
        let mut world = World::serving(&format!("{WEB}{A}{B}"), &web("", ""));
        world.report("10.0.0.1:80", Health::Up(10));
        world.report("10.0.0.2:80", Health::Up(10));
        world.reading = Duration::from_millis(reading);
        // The readings before show how slow it is; the change comes just after the last of them.
        let reads = world.reads;
        while world.reads < reads + 2 {
            world.pass(Duration::from_millis(1));
        }
        world.kernel.clear();
        let changed = world.now;
        while world.batches.is_empty() {
            world.pass(Duration::from_millis(1));
        }
        let took = world.now - changed;
        assert!(took <= Duration::from_secs(10), "{reading}: {took:?}");
        assert_eq!(world.saved(), format!("{WEB}{A}{B}"));
    }
}

#[test]
fn audits_that_find_nothing_write_and_say_nothing() {
    let mut world = World::serving(&format!("{WEB}{A}{B}"), &web("", ""));
    let (lines, reads) = (world.log.len(), world.reads);
    world.pass_alive(100);
    assert!(world.reads >= reads + 9);
    assert!(world.batches.is_empty());
    assert_eq!(world.log.len(), lines);
}

#[test]
fn a_service_removed_by_others_under_a_batch_is_nobodys_refusal() {
    let mut world = World::serving("", &web("", ""));
    world.tolerant = true;
    world.kernel.clear();
    world.report("10.0.0.1:80", Health::Up(10));
    assert_eq!(world.saved(), format!("{WEB}{A}"));
    assert!(!world.logged("failed"));
}

#[test]
fn b63_a_refused_service_is_said_once_tried_again_and_hinders_nothing() {
    let two = web("", "")
        .replace("virtual web", "virtual bad")
        .replace("2.80 eth0:1", "2.66 eth0:2")
        + &web("", "");
    let mut world = World::new("", &[]);
    world.refuse = |operation| match operation {
        Operation::AddService(service) if operation.to_string().contains("192.0.2.66") => {
            (service.scheduler == "wlc").then_some("No such thing")
        }
        Operation::AddServer(..) if operation.to_string().contains("192.0.2.66") => {
            Some("Service not defined")
        }
        _ => None,
    };
    world.event(Event::Plan(Box::new(plan(&two))));
    world.event(Event::Mode(Mode::Active));
    assert_eq!(world.saved(), WEB);
    assert!(world.logged("ipvsadm failed for virtual server bad!"));
    assert!(world.logged("ipvsadm-rs: No such thing"));
    world.report("10.0.0.1:80", Health::Up(10));
    world.pass(Duration::from_secs(300));
    let said = world
        .log
        .iter()
        .filter(|line| line.contains("failed for virtual"))
        .count();
    assert_eq!(said, 1);
    let tries = world
        .batches
        .iter()
        .filter(|lines| lines[0].contains("192.0.2.66"))
        .count();
    assert!((10..=20).contains(&tries), "{tries} tries");
    world.refuse = |_| None;
    world.pass(Duration::from_secs(31));
    assert!(world.saved().contains("192.0.2.66"));
    assert!(world.core.troubles().is_empty());
}

#[test]
fn a_line_that_ends_the_run_hinders_only_its_own_service() {
    let mut text = String::new();
    for n in 1..=5 {
        text += &web("", "").replace("2.80 eth0:1", &format!("2.{n} eth0:{n}"));
    }
    let mut world = World::new("", &[]);
    world.stops_early = true;
    world.refuse = |operation| {
        operation
            .to_string()
            .contains("192.0.2.2:")
            .then_some("Zero port")
    };
    world.event(Event::Plan(Box::new(plan(&text))));
    world.event(Event::Mode(Mode::Active));
    assert_eq!(world.kernel.len(), 4);
    assert_eq!(world.core.troubles().len(), 1);
}

#[test]
fn no_ipvs_is_the_end_with_one_clear_line() {
    let mut world = World::new("", &[]);
    world.readable = false;
    world.event(Event::Plan(Box::new(plan(&web("", "")))));
    world.event(Event::Mode(Mode::Active));
    assert_eq!(world.exit, Some((1, Some("no IPVS".into()))));
    assert_eq!(world.told, [Message::Refused(0, "no IPVS".into())]);
    assert!(world.starts.is_empty() && world.log.is_empty());
}

#[test]
fn an_unreadable_table_later_is_no_end() {
    let mut world = World::serving(&format!("{WEB}{A}{B}"), &web("", ""));
    world.readable = false;
    world.pass(Duration::from_secs(100));
    assert_eq!(world.exit, None);
    assert_eq!(
        world
            .log
            .iter()
            .filter(|line| line.contains("cannot read the table"))
            .count(),
        1
    );
    world.readable = true;
    world.pass(Duration::from_secs(40));
    world.report("10.0.0.1:80", Health::Down);
    assert_eq!(world.saved(), format!("{WEB}{B}"));
}

#[test]
fn term_withdraws_what_is_owned_and_ends_with_0() {
    let mut world = World::serving(OTHER, &web("", ""));
    world.report("10.0.0.1:80", Health::Up(10));
    world.event(Event::Terminate(15));
    assert_eq!(world.saved(), OTHER);
    assert_eq!(world.exit, Some((0, None)));
    assert!(world.running.is_empty() && world.owned.is_empty());
    assert!(world.logged("shutting down due to signal 15"));
    assert!(world.logged("shutting down virtual service web"));
}

#[test]
fn term_before_any_configuration_withdraws_leftovers() {
    let mut world = World::new(&format!("{OTHER}{WEB}{A}"), &["-t 192.0.2.80:80"]);
    world.settle();
    assert_eq!(world.alive, [Duration::ZERO]);
    world.event(Event::Terminate(15));
    assert_eq!(world.saved(), OTHER);
    assert_eq!(world.exit, Some((0, None)));
}

#[test]
fn term_with_a_kernel_that_refuses_ends_all_the_same() {
    let mut world = World::serving("", &web("", ""));
    world.refuse = |operation| matches!(operation, Operation::DeleteService(_)).then_some("no");
    world.event(Event::Terminate(15));
    assert_eq!(world.exit, Some((1, None)));
    assert!(!world.owned.is_empty());
}

#[test]
fn on_standby_checks_run_and_the_take_over_is_one_batch() {
    let mut world = World::new("", &[]);
    world.event(Event::Plan(Box::new(plan(&web("standby_checks = 1", "")))));
    world.event(Event::Mode(Mode::Standby));
    world.report("10.0.0.1:80", Health::Up(10));
    world.report("10.0.0.2:80", Health::Up(10));
    assert!(world.batches.is_empty() && world.told.is_empty());
    world.event(Event::Mode(Mode::Active));
    assert_eq!(world.batches.len(), 1);
    assert_eq!(world.saved(), format!("{WEB}{A}{B}"));
    assert_eq!(world.told, [Message::Ready]);
    world.event(Event::Mode(Mode::Standby));
    assert_eq!(world.saved(), "");
    assert_eq!(world.running.len(), 2);
}

#[test]
fn ready_comes_in_time_whatever_the_checks_do() {
    let mut world = World::serving("", &web("", ""));
    world.pass(Duration::from_millis(490));
    assert!(world.told.is_empty());
    world.pass(Duration::from_millis(20));
    assert_eq!(world.told, [Message::Ready]);
}

#[test]
fn ready_when_all_first_checks_failed() {
    let mut world = World::serving("", &web("", ""));
    world.verdict("10.0.0.1:80", Health::Down);
    assert!(world.told.is_empty());
    world.verdict("10.0.0.2:80", Health::Down);
    assert_eq!(world.told, [Message::Ready]);
}
