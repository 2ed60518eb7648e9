//! Whatever happens, the table converges to lvs.cf times health, and then nothing more is written.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::desired::{desired, restricted};

#[derive(Debug, Clone)]
struct Service {
    last: u8,
    mark: bool,
    scheduler: &'static str,
    quiesce: bool,
    sorry: bool,
    persistent: bool,
    servers: Vec<(u8, u32, bool)>,
}

fn service() -> impl Strategy<Value = Service> {
    let scheduler = prop_oneof![Just("wlc"), Just("rr"), Just("sh")];
    let server = (
        0u8..6,
        prop_oneof![Just(0u32), Just(1), Just(40)],
        prop::bool::weighted(0.8),
    );
    let servers = prop::collection::vec(server, 0..5);
    (
        0u8..4,
        prop::bool::weighted(0.2),
        scheduler,
        any::<[bool; 3]>(),
        servers,
    )
        .prop_map(
            |(last, mark, scheduler, [quiesce, sorry, persistent], servers)| Service {
                last,
                mark,
                scheduler,
                quiesce,
                sorry,
                persistent,
                servers,
            },
        )
}

fn config() -> impl Strategy<Value = String> {
    let network = prop_oneof![Just("nat"), Just("direct"), Just("tunnel")];
    (network, prop::collection::vec(service(), 0..4)).prop_map(|(network, services)| {
        let mut text = format!("network = {network}\n");
        for service in services {
            write(&mut text, &service);
        }
        text
    })
}

fn write(text: &mut String, service: &Service) {
    let last = service.last;
    let _ = write!(
        text,
        "virtual v{last} {{\nactive = 1\naddress = 192.0.2.{last} eth0:1\n"
    );
    let _ = write!(
        text,
        "scheduler = {}\nquiesce_server = {}\n",
        service.scheduler,
        u8::from(service.quiesce)
    );
    if service.mark {
        let _ = writeln!(text, "fwmark = {}", last + 1);
    }
    if service.sorry {
        text.push_str("sorry_server = 10.0.0.9\n");
    }
    if service.persistent {
        text.push_str("persistent = 60\n");
    }
    for (server, weight, active) in &service.servers {
        let active = u8::from(*active);
        let _ = write!(
            text,
            "server s{server} {{\naddress = 10.0.0.{server}\nactive = {active}\nweight = {weight}\n}}\n"
        );
    }
    text.push_str("}\n");
}

#[derive(Debug, Clone)]
enum Step {
    Reload(String),
    Verdict(prop::sample::Index, Health),
    Death(prop::sample::Index),
    Foreign(prop::sample::Index),
    Clear,
    Standby,
    Active,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let health = prop_oneof![Just(Health::Down), (0i32..50).prop_map(Health::Up)];
    let index = any::<prop::sample::Index>;
    prop_oneof![
        2 => config().prop_map(Step::Reload),
        8 => (index(), health).prop_map(|(index, health)| Step::Verdict(index, health)),
        2 => index().prop_map(Step::Death),
        2 => index().prop_map(Step::Foreign),
        1 => Just(Step::Clear),
        1 => Just(Step::Standby),
        2 => Just(Step::Active),
        4 => (1u64..3000).prop_map(Step::Wait),
    ]
}

fn perform(world: &mut World, step: Step) {
    let chosen = |world: &World, index: prop::sample::Index| {
        let ids: Vec<_> = world
            .running
            .iter()
            .map(|(id, start)| (*id, start.key))
            .collect();
        (!ids.is_empty()).then(|| *index.get(&ids))
    };
    match step {
        Step::Reload(text) => world.reload(&text),
        Step::Verdict(index, health) => {
            if let Some((id, key)) = chosen(world, index) {
                world.event(Event::Reported(key, id, Report::Greeting));
                world.event(Event::Reported(
                    key,
                    id,
                    Report::Verdict(health, String::new()),
                ));
            }
        }
        Step::Death(index) => {
            if let Some((id, _)) = chosen(world, index) {
                world.die(id);
                world.settle();
            }
        }
        Step::Foreign(index) => {
            if !world.kernel.is_empty() {
                let ids: Vec<_> = world.kernel.keys().copied().collect();
                world.kernel.remove(index.get(&ids));
            }
        }
        Step::Clear => world.kernel.clear(),
        Step::Standby => world.event(Event::Mode(Mode::Standby)),
        Step::Active => world.event(Event::Mode(Mode::Active)),
        Step::Wait(millis) => world.pass(Duration::from_millis(millis)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn the_table_converges(first in config(), steps in prop::collection::vec(step(), 0..40)) {
        let other = table("-A -t 203.0.113.1:25 -s rr\n-a -t 203.0.113.1:25 -r 10.9.9.9:25 -m -w 1\n");
        let mut world = World::serving("", &first);
        world.stops_early = steps.len() % 2 == 0;
        for step in steps {
            // The kernel of this world refuses what cannot be done, so stale knowledge is an error too.
            world.refuse = |_| None;
            perform_tolerantly(&mut world, step);
        }
        world.kernel.extend(other.clone());
        world.pass(Duration::from_secs(30));
        let (core, mode) = (&world.core, world.core.mode().unwrap());
        let own: BTreeSet<_> = world.kernel.keys().copied().filter(|id| !other.contains_key(id)).collect();
        let actual = restricted(&world.kernel, &own);
        let wanted = desired(core.plan(), core.health(), &BTreeSet::new(), &actual, mode);
        prop_assert_eq!(&actual, &wanted);
        prop_assert!(other.iter().all(|(id, entry)| world.kernel.get(id) == Some(entry)));
        world.batches.clear();
        world.pass(Duration::from_secs(60));
        prop_assert!(world.batches.is_empty(), "{:?}", world.batches);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn the_plan_of_a_reload_is_what_it_does(
        (old, new) in (config(), config()),
        verdicts in prop::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![Just(Health::Down), (0i32..50).prop_map(Health::Up)]),
            0..20,
        ),
    ) {
        let mut world = World::serving("", &old);
        for (index, health) in verdicts {
            perform(&mut world, Step::Verdict(index, health));
        }
        world.pass(Duration::from_secs(1));
        prop_assert_eq!(world.core.preview(&plan(&old)), []);
        let mut planned = world.kernel.clone();
        for operation in world.core.preview(&plan(&new)) {
            prop_assert!(ipvs::apply(&mut planned, &operation), "{operation}");
        }
        world.event(Event::Plan(Box::new(plan(&new))));
        prop_assert_eq!(&world.kernel, &planned);
        let (core, mode) = (&world.core, world.core.mode().unwrap());
        let departing: BTreeSet<_> = core.departing.keys().copied().collect();
        let wanted = desired(core.plan(), core.health(), &departing, &planned, mode);
        prop_assert_eq!(&planned, &wanted);
        prop_assert_eq!(core.preview(&plan(&new)), []);
    }
}

fn perform_tolerantly(world: &mut World, step: Step) {
    world.tolerant = true;
    perform(world, step);
}
