//! `standby_checks`: an lvs that checks while the partner serves.

use crate::world::{VIP, World, run, wait};

fn pair(more: &str) -> World {
    let mut world = World::new();
    for router in [&world.a, &world.b] {
        router.configure(&world.configuration(more));
    }
    world.a.start();
    world.a.wait_owns(VIP);
    world.b.start();
    world
}

#[test]
fn the_lvs_that_checks_on_standby_takes_over() {
    let mut world = pair("standby_checks = 1\n");
    let b = &world.b;
    b.wait_said("lvs.log", "order standby");
    let first = b.lvs_pid().unwrap();
    // It is started again when it dies.
    run(&format!("kill -KILL {first}"));
    let second = wait("another lvs", || b.lvs_pid().filter(|pid| *pid != first));
    b.wait_said("lvs.log", &format!("started {second}"));
    wait("its orders", || {
        (b.count("lvs.log", "order standby") == 2).then_some(())
    });
    b.signal("HUP");
    b.wait_said("lvs.log", "order reload");
    assert_eq!(b.lvs_pid(), Some(second));
    world.a.signal("TERM");
    world.b.wait_owns(VIP);
    assert_eq!(world.b.lvs_pid(), Some(second));
    assert_eq!(world.b.count("lvs.log", "order relieve"), 1);
    assert!(world.a.wait_end().success());
    // And the other way round: the router that let go checks as soon as it is back.
    world.a.start();
    wait("the other lvs", || {
        (world.a.count("lvs.log", "order standby") == 1).then_some(())
    });
    world.a.signal("TERM");
    assert!(world.a.wait_end().success());
    let lvs = world.a.lvs_pid().unwrap();
    wait("the end of lvs", || {
        (!std::path::Path::new(&format!("/proc/{lvs}")).exists()).then_some(())
    });
}

#[test]
fn a_reload_begins_and_ends_it() {
    let world = pair("");
    let b = &world.b;
    b.wait_said("pulse.log", "STARTING PULSE AS BACKUP");
    b.configure(&world.configuration("standby_checks = 1\n"));
    b.signal("HUP");
    b.wait_said("lvs.log", "order standby");
    let lvs = b.lvs_pid().unwrap();
    b.configure(&world.configuration(""));
    b.signal("HUP");
    b.wait_said("lvs.log", &format!("terminated {lvs}"));
}
