//! What a neighbour on the wire answers.

use std::process::Command;
use std::time::Duration;

use netdev::arp::{GratuitousArp, Sender};
use netdev::{Echo, Introductions, MacAddr, Netdev, Questions};

use crate::{in_namespace, ip};

/// A second machine, joined by `right`, which gets `address`. It lives in a namespace of its own,
/// held by a process that is ended with the value.
struct Neighbour(std::process::Child);

impl Neighbour {
    fn new(address: &str) -> Self {
        let child = Command::new("unshare")
            .args(["--net", "sleep", "60"])
            .spawn()
            .unwrap();
        let neighbour = Self(child);
        // Until unshare has done its work the two have the same namespace.
        let place = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net"));
        let own = place("thread-self").unwrap();
        while place(&neighbour.0.id().to_string()).is_ok_and(|other| other == own) {
            std::thread::sleep(Duration::from_millis(1));
        }
        ip(&format!("link set right netns {}", neighbour.0.id()));
        neighbour.ip("link set lo up");
        neighbour.ip("link set right up");
        neighbour.ip(&format!("address add {address} dev right"));
        neighbour
    }

    fn ip(&self, arguments: &str) -> String {
        let output = Command::new("nsenter")
            .args(["-t", &self.0.id().to_string(), "-n", "ip"])
            .args(arguments.split(' '))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn mac(&self) -> MacAddr {
        let shown = self.ip("-o link show dev right");
        let mac = shown.split("link/ether ").nth(1).unwrap();
        mac.split(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn next(questions: &Questions) -> netdev::Claim {
    std::future::poll_fn(|context| questions.poll_next(context))
        .await
        .unwrap()
}

#[test]
fn machines_that_were_introduced_know_each_other() {
    in_namespace(async || {
        let neighbour = Neighbour::new("10.1.2.3/24");
        ip("address add 10.1.2.1/24 dev left");
        let netdev = Netdev::open().unwrap();
        let own = netdev.link("left").await.unwrap().mac.unwrap();
        // What a kernel that has asked in vain remembers until it asks again.
        ip("neigh add 10.1.2.3 dev left nud incomplete");
        let introductions = Introductions::open().unwrap();
        let this = ([10, 1, 2, 1].into(), own);
        introductions
            .introduce("left", this, [10, 1, 2, 3].into())
            .unwrap();
        let mac = neighbour.mac().to_string();
        while !ip("neigh show 10.1.2.3").contains(&mac) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let known = neighbour.ip("-4 neigh show");
        assert!(known.contains(&own.to_string()), "{known}");
    });
}

#[test]
fn a_neighbour_that_has_the_address_answers_and_others_do_not() {
    in_namespace(async || {
        let neighbour = Neighbour::new("10.1.2.3/24");
        let netdev = Netdev::open().unwrap();
        let own = netdev.link("left").await.unwrap().mac.unwrap();
        let questions = Questions::open("left").unwrap();
        let whom = neighbour.mac();
        // Not its address: no answer, so that what comes is the answer to the second question.
        questions.ask([10, 1, 2, 9].into(), own, whom).unwrap();
        questions.ask([10, 1, 2, 3].into(), own, whom).unwrap();
        let claim = next(&questions).await;
        assert_eq!(
            (claim.address, claim.mac, claim.reply),
            ([10, 1, 2, 3].into(), whom, true)
        );
        assert_eq!(neighbour.ip("-4 neigh show"), "", "it learned nothing");
        // Own announcements are no claims of others.
        let announcement = GratuitousArp {
            source_ip: [10, 1, 2, 80].into(),
            source_mac: own,
            ethernet_destination: MacAddr::broadcast(),
        };
        let mut sender = Sender::open("left").unwrap();
        sender.send(&announcement.frame()).unwrap();
        questions.ask([10, 1, 2, 3].into(), own, whom).unwrap();
        let claim = next(&questions).await;
        assert_eq!(claim.address, std::net::Ipv4Addr::new(10, 1, 2, 3));
    });
}

#[test]
fn an_interface_that_was_down_is_heard_again() {
    in_namespace(async || {
        let neighbour = Neighbour::new("10.1.2.3/24");
        let netdev = Netdev::open().unwrap();
        let own = netdev.link("left").await.unwrap().mac.unwrap();
        let questions = Questions::open("left").unwrap();
        ip("link set left down");
        let while_down = Questions::open("left").unwrap();
        for questions in [&questions, &while_down] {
            let heard = std::future::poll_fn(|context| {
                std::task::Poll::Ready(questions.poll_next(context).is_ready())
            });
            assert!(!heard.await);
        }
        ip("link set left up");
        for questions in [&questions, &while_down] {
            // The first questions may be lost until the carrier is back.
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            loop {
                tokio::select! {
                    claim = next(questions) => {
                        assert_eq!(claim.mac, neighbour.mac());
                        break;
                    }
                    _ = pause.tick() => {
                        let _ = questions.ask([10, 1, 2, 3].into(), own, neighbour.mac());
                    }
                }
            }
        }
    });
}

#[test]
fn a_machine_that_is_there_answers_a_ping() {
    in_namespace(async || {
        let _neighbour = Neighbour::new("10.1.2.3/24");
        ip("address add 10.1.2.4/24 dev left");
        let echo = Echo::open([10, 1, 2, 3].into(), 77).unwrap();
        let other = Echo::open([10, 1, 2, 3].into(), 78).unwrap();
        other.ask(1).unwrap();
        echo.ask(2).unwrap();
        assert_eq!(echo.next().await.unwrap(), 2);
        assert_eq!(other.next().await.unwrap(), 1);
    });
}

#[test]
fn an_interface_that_comes_back_under_its_old_number_is_another() {
    in_namespace(async || {
        let questions = Questions::open("left").unwrap();
        assert!(questions.is_on("left"));
        assert!(!questions.is_on("right"));
        let number = ip("-o link show left");
        let number = number.split(':').next().unwrap();
        ip("link del left");
        assert!(!questions.is_on("left"));
        ip(&format!(
            "link add left index {number} type veth peer name right"
        ));
        assert!(!questions.is_on("left"));
        assert!(Questions::open("left").unwrap().is_on("left"));
    });
}
