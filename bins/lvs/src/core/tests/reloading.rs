//! Reloads: the smallest change for every difference of two files.

use super::*;

fn running(config: &str) -> World {
    let mut world = World::serving("", config);
    world.report("10.0.0.1:80", Health::Up(10));
    world.report("10.0.0.2:80", Health::Up(10));
    world.batches.clear();
    world.starts.clear();
    world.told.clear();
    world
}

#[test]
fn a_reload_that_changes_nothing_writes_nothing() {
    let mut world = running(&web("", ""));
    world.reload(&web("# a comment", ""));
    assert!(world.batches.is_empty() && world.starts.is_empty() && world.stopped.is_empty());
    assert_eq!(world.told, [Message::Reloaded]);
}

#[test]
fn b24_a_removed_server_is_all_that_goes() {
    let mut world = running(&web("", ""));
    let text = web("", "");
    let end = text.find("server b").unwrap();
    world.reload(&format!("{}}}\n", &text[..end]));
    assert_eq!(world.batches, [["-d -t 192.0.2.80:80 -r 10.0.0.2:80"]]);
    assert_eq!(world.running.len(), 1);
    assert_eq!(world.told, [Message::Reloaded]);
}

#[test]
fn b25_a_weight_is_edited_in_place() {
    let mut world = running(&web("", ""));
    world.reload(&web("", "").replacen("weight = 10", "weight = 3", 1));
    assert_eq!(
        world.batches,
        [["-e -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 3"]]
    );
    // Its checker goes on from there.
    assert_eq!(world.starts.len(), 1);
    assert_eq!(world.starts[0].weight, Some(3));
}

#[test]
fn b25_a_server_on_its_ramp_stays_there() {
    let mut world = running(&web("", ""));
    world.report("10.0.0.1:80", Health::Up(4));
    world.batches.clear();
    world.reload(&web("", "").replacen("weight = 10", "weight = 20", 1));
    assert!(world.batches.is_empty());
    assert_eq!(world.starts[0].weight, Some(4));
}

#[test]
fn b25_scheduler_and_persistence_are_edited_in_place() {
    let mut world = running(&web("", ""));
    world.reload(&web(
        "",
        "scheduler = rr\npersistent = 300\npmask = 255.255.255.0",
    ));
    assert_eq!(
        world.batches,
        [["-E -t 192.0.2.80:80 -s rr -p 300 -M 255.255.255.0"]]
    );
    assert!(world.starts.is_empty());
}

#[test]
fn b25_another_check_restarts_the_checkers_and_nothing_else() {
    let mut world = running(&web("", ""));
    world.reload(&web("", "timeout = 3\nexpect = \"OK\""));
    assert!(world.batches.is_empty());
    assert_eq!((world.starts.len(), world.stopped.len()), (2, 2));
    // What the old checkers still say counts no more; the new ones speak.
    world.report("10.0.0.1:80", Health::Down);
    assert_eq!(world.batches, [["-d -t 192.0.2.80:80 -r 10.0.0.1:80"]]);
}

#[test]
fn b25_another_forwarding_method_is_edited_in_place() {
    let mut world = running(&web("", ""));
    world.reload(&web("network = tunnel", ""));
    assert_eq!(
        world.batches,
        [[
            "-e -t 192.0.2.80:80 -r 10.0.0.1:80 -i -w 10",
            "-e -t 192.0.2.80:80 -r 10.0.0.2:80 -i -w 10",
        ]]
    );
}

#[test]
fn b26_order_and_names_mean_nothing() {
    let block = |name: &str, last: u8| {
        web("", "")
            .replace("virtual web", &format!("virtual {name}"))
            .replace("2.80", &format!("2.{last}"))
    };
    let mut world = World::serving("", &format!("{}{}", block("one", 1), block("two", 2)));
    let (batches, starts) = (world.batches.len(), world.starts.len());
    world.reload(&format!(
        "{}{}{}",
        block("new", 3),
        block("zwei", 2),
        block("one", 1)
    ));
    assert_eq!(world.batches[batches..], [["-A -t 192.0.2.3:80 -s wlc"]]);
    assert_eq!(world.starts.len() - starts, 2);
    assert!(world.stopped.is_empty());
    assert!(world.logged("starting virtual service new active: 80"));
}

#[test]
fn an_inactive_service_goes_with_its_checkers() {
    let mut world = running(&web("", ""));
    world.reload(&web("", "").replacen("active = 1", "active = 0", 1));
    assert_eq!(world.batches, [["-D -t 192.0.2.80:80"]]);
    assert!(world.running.is_empty());
    assert!(world.logged("shutting down virtual service web"));
}
