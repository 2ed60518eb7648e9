//! Addresses, links, events and frames in network namespaces of the running kernel. They need root.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod detour;
mod neighbour;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netdev::arp::{GratuitousArp, Sender};
use netdev::{Error, Event, Events, MacAddr, Netdev, VipAddress, sysctl};
use nix::sched::{CloneFlags, unshare};
use pnet::datalink::{self, Channel, Config};

/// Longer than anything here may take; a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `test` in a new network namespace that has a pair of connected interfaces, `left` and
/// `right`. A namespace belongs to a thread, so each test gets a thread and an event loop of its own.
fn in_namespace<F>(test: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a new network namespace (needs root)");
        ip("link set lo up");
        ip("link add left type veth peer name right");
        ip("link set left up");
        ip("link set right up");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            tokio::time::timeout(LIMIT, test())
                .await
                .expect("the test took too long");
        });
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// iproute2's view is independent of the code under test.
fn ip(arguments: &str) -> String {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .expect("iproute2");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn vip(address: &str, mask: &str, device: &str, lifetime: Option<u64>) -> VipAddress {
    let lifetime = lifetime.map(Duration::from_secs);
    VipAddress::new(
        address.parse().unwrap(),
        Some(mask.parse().unwrap()),
        device,
        lifetime,
    )
    .unwrap()
}

async fn add(netdev: &Netdev, vip: &VipAddress) {
    let errors = netdev.add(std::slice::from_ref(vip)).await;
    assert!(errors.is_empty(), "{errors:?}");
}

async fn remove(netdev: &Netdev, vip: &VipAddress) {
    let errors = netdev.remove(std::slice::from_ref(vip)).await;
    assert!(errors.is_empty(), "{errors:?}");
}

async fn until(events: &mut Events, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = events.next().await.unwrap();
        if wanted(&event) {
            return event;
        }
    }
}

#[test]
fn address_has_label_mask_broadcast_and_no_end() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        let vip = vip("10.1.2.3", "255.255.255.128", "left:1", None);
        add(&netdev, &vip).await;
        let shown = ip("-4 -o address show dev left");
        assert!(
            shown.contains("inet 10.1.2.3/25 brd 10.1.2.127 scope global left:1"),
            "{shown}"
        );
        assert!(
            shown.contains("valid_lft forever preferred_lft forever"),
            "{shown}"
        );
        let addresses = netdev.addresses().await.unwrap();
        let found = addresses.iter().find(|address| address.is(&vip)).unwrap();
        assert_eq!(
            (found.label.as_deref(), found.lifetime),
            (Some("left:1"), None)
        );
        assert_eq!(found.broadcast, vip.broadcast);
        remove(&netdev, &vip).await;
        assert_eq!(ip("-4 -o address show dev left"), "");
        remove(&netdev, &vip).await;
    });
}

#[test]
fn mask_is_that_of_the_class_when_none_is_given() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        let vip = VipAddress::new("172.16.2.3".parse().unwrap(), None, "left:1", None).unwrap();
        add(&netdev, &vip).await;
        let ours = ip("-4 -o address show dev left");
        remove(&netdev, &vip).await;
        // The program that the original called; the one that is not everywhere installed.
        if Command::new("/sbin/ifconfig")
            .args(["left:1", "172.16.2.3", "up"])
            .status()
            .is_ok()
        {
            assert_eq!(ours, ip("-4 -o address show dev left"));
        }
        assert!(
            ours.contains("inet 172.16.2.3/16 brd 172.16.255.255"),
            "{ours}"
        );
    });
}

#[test]
fn overlong_label_is_left_out() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        ip("link set left down");
        ip("link set left name interface12345");
        ip("link set interface12345 up");
        let vip = vip("10.1.2.3", "255.255.255.0", "interface12345:12", None);
        add(&netdev, &vip).await;
        let addresses = netdev.addresses().await.unwrap();
        let found = addresses.iter().find(|address| address.is(&vip)).unwrap();
        assert_eq!(found.label, None);
        remove(&netdev, &vip).await;
    });
}

#[test]
fn unrenewed_address_goes_by_itself_and_says_so() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        let mut events = netdev.events().unwrap();
        let vip = vip("10.1.2.3", "255.255.255.0", "left:1", Some(1));
        let start = Instant::now();
        add(&netdev, &vip).await;
        let added = until(&mut events, |event| matches!(event, Event::Address(_))).await;
        let Event::Address(added) = added else {
            unreachable!()
        };
        assert!(added.is(&vip), "{added:?}");
        assert_eq!(added.lifetime, vip.lifetime);
        let gone = until(&mut events, |event| matches!(event, Event::AddressGone(_))).await;
        let Event::AddressGone(gone) = gone else {
            unreachable!()
        };
        assert!(gone.is(&vip), "{gone:?}");
        assert!(
            start.elapsed() >= Duration::from_millis(900),
            "{:?}",
            start.elapsed()
        );
        assert!(
            start.elapsed() < Duration::from_millis(2500),
            "{:?}",
            start.elapsed()
        );
        assert!(
            netdev
                .addresses()
                .await
                .unwrap()
                .iter()
                .all(|address| !address.is(&vip))
        );
    });
}

#[test]
fn renewed_address_stays_one_address() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        let mut events = netdev.events().unwrap();
        let vip = vip("10.1.2.3", "255.255.255.0", "left:1", Some(2));
        let start = Instant::now();
        // Twice as long as the lifetime.
        while start.elapsed() < Duration::from_secs(4) {
            add(&netdev, &vip).await;
            let pause = tokio::time::sleep(Duration::from_millis(600));
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    event = events.next() => {
                        let event = event.unwrap();
                        assert!(!matches!(event, Event::AddressGone(_)), "{event:?}");
                    }
                    () = &mut pause => break,
                }
            }
        }
        let shown = ip("-4 -o address show dev left");
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(shown.contains("left:1"), "{shown}");
        // Lifetimes can be taken off again.
        let permanent = VipAddress {
            lifetime: None,
            ..vip
        };
        add(&netdev, &permanent).await;
        let shown = ip("-4 -o address show dev left");
        assert!(shown.contains("valid_lft forever"), "{shown}");
    });
}

#[test]
fn other_vips_survive_the_removal_of_the_first() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        sysctl::promote_secondaries("left").unwrap();
        let first = vip("10.1.2.3", "255.255.255.0", "left:1", None);
        let second = vip("10.1.2.4", "255.255.255.0", "left:2", None);
        add(&netdev, &first).await;
        add(&netdev, &second).await;
        remove(&netdev, &first).await;
        let addresses = netdev.addresses().await.unwrap();
        assert!(addresses.iter().any(|address| address.is(&second)));
        assert!(!addresses.iter().any(|address| address.is(&first)));
    });
}

#[test]
fn five_hundred_vips_at_once() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        let vips: Vec<VipAddress> = (0..500)
            .map(|n| {
                let text = format!("10.1.{}.{}", n / 250, n % 250 + 1);
                vip(&text, "255.255.0.0", &format!("left:{n}"), Some(30))
            })
            .collect();
        sysctl::promote_secondaries("left").unwrap();
        let errors = netdev.add(&vips).await;
        assert!(errors.is_empty(), "{errors:?}");
        let addresses = netdev.addresses().await.unwrap();
        for vip in &vips {
            assert!(addresses.iter().any(|address| address.is(vip)), "{vip:?}");
        }
        let errors = netdev.remove(&vips).await;
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(ip("-4 -o address show dev left"), "");
    });
}

/// A renewal that is overtaken by the removal would leave addresses on a router that lets go of them.
#[test]
fn what_is_asked_for_first_is_done_first() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        let old = [vip("10.1.2.3", "255.255.255.0", "left:1", None)];
        let new = [vip("10.1.2.4", "255.255.255.0", "left:2", None)];
        let both = [old.as_slice(), &new].concat();
        for round in 0..200 {
            let (added, changed, removed) = tokio::join!(
                netdev.add(&old),
                netdev.replace(&old, &new),
                netdev.remove(&both)
            );
            let errors: Vec<_> = added.into_iter().chain(changed).chain(removed).collect();
            assert!(errors.is_empty(), "{errors:?}");
            let left = netdev.addresses().await.unwrap();
            let left = left.iter().find(|it| both.iter().any(|vip| it.is(vip)));
            assert!(left.is_none(), "{left:?} is left in round {round}");
        }
    });
}

#[test]
fn errors_name_the_object() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        let vip = vip("10.1.2.3", "255.255.255.0", "nodevice:1", None);
        let good = self::vip("10.1.2.4", "255.255.255.0", "left:1", None);
        let errors = netdev.add(&[vip.clone(), good.clone()]).await;
        let [error] = errors.as_slice() else {
            panic!("{errors:?}")
        };
        assert!(ip("-4 -o address show dev left").contains("10.1.2.4/24"));
        assert_eq!(
            error.to_string(),
            "no network interface nodevice: create it or name another one"
        );
        remove(&netdev, &vip).await;
        assert!(matches!(
            netdev.link("nodevice").await,
            Err(Error::NoInterface { .. })
        ));
        let error = sysctl::promote_secondaries("nodevice").unwrap_err();
        assert!(matches!(error, Error::NoInterface { .. }), "{error}");
        let loopback = netdev.link("lo").await.unwrap();
        let error = loopback.hardware_address().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("interface lo has no Ethernet address"),
            "{error}"
        );
    });
}

#[test]
fn link_has_its_addresses_and_carrier_follows_the_peer() {
    in_namespace(async || {
        ip("link set left address 02:00:00:00:00:01");
        let netdev = Netdev::open().unwrap();
        let mut events = netdev.events().unwrap();
        let link = netdev.link("left").await.unwrap();
        assert_eq!(link.name, "left");
        assert_eq!(link.mac, Some(MacAddr::new(2, 0, 0, 0, 0, 1)));
        assert_eq!(link.broadcast_mac, Some(MacAddr::broadcast()));
        assert!(link.is_working(), "{link:?}");
        ip("link set right down");
        let is_left = |event: &Event, carrier| matches!(event, Event::Link(link) if link.name == "left" && link.carrier == carrier);
        until(&mut events, |event| is_left(event, false)).await;
        let link = netdev.link("left").await.unwrap();
        assert!(link.up && !link.carrier, "{link:?}");
        ip("link set right up");
        until(&mut events, |event| is_left(event, true)).await;
        ip("link delete left");
        until(
            &mut events,
            |event| matches!(event, Event::LinkGone(link) if link.name == "left"),
        )
        .await;
        let names: Vec<String> = netdev
            .links()
            .await
            .unwrap()
            .into_iter()
            .map(|link| link.name)
            .collect();
        assert!(names.iter().any(|name| name == "lo"), "{names:?}");
        assert!(
            names.iter().all(|name| name != "left" && name != "right"),
            "{names:?}"
        );
    });
}

/// What stands on other interfaces has their carrier (B38).
#[test]
fn carrier_of_a_bridge_is_that_of_its_port() {
    in_namespace(async || {
        ip("link add bridge0 type bridge");
        ip("link set left master bridge0");
        ip("link set bridge0 up");
        let netdev = Netdev::open().unwrap();
        let mut events = netdev.events().unwrap();
        while !netdev.link("bridge0").await.unwrap().carrier {
            events.next().await.unwrap();
        }
        ip("link set right down");
        while netdev.link("bridge0").await.unwrap().carrier {
            events.next().await.unwrap();
        }
    });
}

/// What the socket cannot hold is lost, but that it was lost is told.
#[test]
fn more_events_than_fit_are_reported_as_missed() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        let mut events = netdev.events().unwrap();
        // No await in here: nobody takes the events meanwhile.
        let mut batch = Command::new("ip")
            .args(["-batch", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let lines: String = (0..4000)
            .map(|n| format!("address add 10.2.{}.{}/32 dev left\n", n / 250, n % 250 + 1))
            .collect();
        batch
            .stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        assert!(batch.wait().unwrap().success());
        until(&mut events, |event| *event == Event::Missed).await;
        assert_eq!(netdev.addresses().await.unwrap().len(), 4001);
        // It goes on after that.
        ip("link set right down");
        until(
            &mut events,
            |event| matches!(event, Event::Link(link) if !link.carrier),
        )
        .await;
    });
}

#[test]
fn frame_arrives_byte_for_byte() {
    in_namespace(async || {
        let interfaces = datalink::interfaces();
        let right = interfaces
            .iter()
            .find(|interface| interface.name == "right")
            .unwrap();
        let settings = Config {
            read_timeout: Some(LIMIT),
            ..Config::default()
        };
        let Channel::Ethernet(_, mut receiver) = datalink::channel(right, settings).unwrap() else {
            panic!("no Ethernet channel");
        };
        let arp = GratuitousArp {
            source_ip: "10.1.2.3".parse().unwrap(),
            source_mac: MacAddr::new(2, 0, 0, 0, 0, 1),
            ethernet_destination: MacAddr::broadcast(),
        };
        Sender::open("left").unwrap().send(&arp.frame()).unwrap();
        let received = loop {
            let frame = receiver.next().unwrap();
            if frame[12..14] == [0x08, 0x06] {
                break frame.to_vec();
            }
        };
        assert_eq!(received, arp.frame());
    });
}

#[test]
fn sending_on_an_interface_that_is_down_is_an_error() {
    in_namespace(async || {
        ip("link set left down");
        let frame = [0; netdev::arp::FRAME_LENGTH];
        let error = Sender::open("left")
            .and_then(|mut sender| sender.send(&frame))
            .unwrap_err();
        assert!(error.to_string().contains("left"), "{error}");
        // Nothing here may have set it up.
        let netdev = Netdev::open().unwrap();
        assert!(!netdev.link("left").await.unwrap().up);
    });
}
