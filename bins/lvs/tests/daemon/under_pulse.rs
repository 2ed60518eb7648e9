//! lvs as pulse starts it: configuration and orders on standard input, answers on descriptor 3.

use nix::sys::signal::Signal;

use crate::by_hand::{A, SERVICE, WEB};
use crate::disk::Frozen;
use crate::world::{World, is_gone, wait};

#[test]
fn take_over_reload_and_stop() {
    let world = World::new("this file is pulse's business");
    let (mut lvs, mut pulse) = world.under_pulse();
    pulse.configure(WEB);
    pulse.say("active\n");
    world.verdict("10.0.0.1:80", "up 10");
    assert_eq!(pulse.answer(), "ready");
    world.table(&format!("{SERVICE}{A}"));
    pulse.configure(&WEB.replace("weight = 10", "weight = 5"));
    pulse.say("reload\n");
    assert_eq!(pulse.answer(), "reloaded");
    assert_eq!(
        world.read("table"),
        format!("{SERVICE}{}", A.replace("-w 10", "-w 5"))
    );
    pulse.configure("virtual web {\nfoo = 1\n");
    pulse.say("reload\n");
    assert_eq!(pulse.answer(), "refused 2 unknown command");
    pulse.say("standby\n");
    world.table("");
    lvs.signal(Signal::SIGTERM);
    assert_eq!(lvs.ends().code(), Some(0));
}

#[test]
fn the_end_of_pulse_ends_lvs_and_nannies_but_not_the_table() {
    let world = World::new("");
    let (mut lvs, mut pulse) = world.under_pulse();
    pulse.configure(WEB);
    pulse.say("active\n");
    world.verdict("10.0.0.1:80", "up 10");
    world.table(&format!("{SERVICE}{A}"));
    pulse.orders = None;
    lvs.logs("pulse is gone");
    lvs.ends();
    assert_eq!(world.read("table"), format!("{SERVICE}{A}"));
    wait("the end of the nannies", || {
        world.nannies().iter().all(|nanny| is_gone(*nanny))
    });
}

#[test]
fn no_ipvs_is_told_to_pulse() {
    let world = World::new("");
    world.write(
        "broken",
        "Can't initialize ipvs: Permission denied (you must be root)\n",
    );
    let (mut lvs, mut pulse) = world.under_pulse();
    pulse.configure(WEB);
    pulse.say("active\n");
    let answer = pulse.answer();
    assert!(
        answer.starts_with("refused 0 IPVS refuses access: run as root"),
        "{answer}"
    );
    assert_eq!(lvs.ends().code(), Some(1));
}

#[test]
fn it_says_at_once_that_it_lives_and_from_then_on_term_withdraws_leftovers() {
    let world = World::new("");
    let other = "-A -t 203.0.113.1:25 -s rr\n";
    world.write("table", &format!("{other}{SERVICE}{A}"));
    world.write("owned.json", "{\"services\":[\"-t 192.0.2.80:80\"]}\n");
    let (mut lvs, pulse) = world.under_pulse();
    assert_eq!(pulse.line(), "alive");
    lvs.signal(Signal::SIGTERM);
    assert_eq!(lvs.ends().code(), Some(0));
    assert_eq!(world.read("table"), other);
}

#[test]
fn ready_does_not_wait_for_slow_checks() {
    let world = World::new("");
    let (_lvs, mut pulse) = world.under_pulse();
    pulse.configure(&format!("deadtime = 1\n{WEB}"));
    pulse.say("active\n");
    assert_eq!(pulse.answer(), "ready");
    assert_eq!(world.read("table"), SERVICE);
}

/// On a disk at work the smallest file may take half a second to be written.
#[test]
fn f14_a_disk_that_hangs_holds_up_no_take_over() {
    let world = World::on_a_disk("");
    let (mut lvs, mut pulse) = world.under_pulse();
    pulse.configure(WEB);
    pulse.say("standby\n");
    assert_eq!(pulse.line(), "alive");
    world.verdict("10.0.0.1:80", "up 10");
    let disk = Frozen::new(lvs.pid(), world.folder.path());
    pulse.say("active\n");
    assert_eq!(pulse.answer(), "ready");
    world.table(&format!("{SERVICE}{A}"));
    drop(disk);
    lvs.signal(Signal::SIGTERM);
    assert_eq!(lvs.ends().code(), Some(0));
}
