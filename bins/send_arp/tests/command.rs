//! The program as scripts and pulse call it, in network namespaces of the running kernel (needs
//! root).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use pnet::datalink::{self, Channel, Config, DataLinkReceiver};

const PROGRAM: &str = env!("CARGO_BIN_EXE_send_arp");
const USAGE: &str = "send_arp: sends out custom ARP packet\n\tusage: send_arp [-i DEV] SRC_IP SRC_HW TARGET_IP TARGET_HW\n";

fn send_arp(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn batch(input: &str) -> Output {
    let mut child = Command::new(PROGRAM)
        .arg("--batch")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn assert_fails(output: &Output, text: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), text);
    assert_eq!(output.status.code(), Some(1));
}

/// Runs `test` in a network namespace with the connected interfaces `eth0` and `peer`; it gets the
/// receiving end of `peer`. A namespace belongs to a thread, so each test gets one of its own.
fn in_namespace(test: impl FnOnce(&mut dyn DataLinkReceiver) + Send + 'static) {
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a new network namespace (needs root)");
        for arguments in [
            "link add eth0 type veth peer name peer",
            "link set eth0 up",
            "link set peer up",
        ] {
            assert!(
                Command::new("ip")
                    .args(arguments.split(' '))
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let interfaces = datalink::interfaces();
        let peer = interfaces
            .iter()
            .find(|interface| interface.name == "peer")
            .unwrap();
        let settings = Config {
            read_timeout: Some(Duration::from_secs(10)),
            ..Config::default()
        };
        let Channel::Ethernet(_, mut receiver) = datalink::channel(peer, settings).unwrap() else {
            panic!("no Ethernet channel");
        };
        test(receiver.as_mut());
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn next_arp(receiver: &mut dyn DataLinkReceiver) -> Vec<u8> {
    loop {
        let frame = receiver.next().unwrap();
        if frame[12..14] == [0x08, 0x06] {
            return frame.to_vec();
        }
    }
}

/// Column G8 of the reference's table.
fn expected(last_octet: u8) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([0x00, 0x0c, 0x29, 0xab, 0xcd, 0xef, 0x08, 0x06]);
    frame.extend([0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x02]);
    for _ in 0..2 {
        frame.extend([0x00, 0x0c, 0x29, 0xab, 0xcd, 0xef, 192, 168, 76, last_octet]);
    }
    frame.resize(60, 0);
    frame
}

#[test]
fn frame_is_the_originals_byte_for_byte() {
    in_namespace(|receiver| {
        let arguments = [
            "192.168.76.10",
            "000C29ABCDEF",
            "192.168.76.255",
            "ffffffffffff",
        ];
        let output = send_arp(&[&["-i", "eth0"][..], &arguments].concat());
        assert!(output.status.success(), "{output:?}");
        assert_eq!(next_arp(receiver), expected(10));
        assert!(
            output.stdout.is_empty() && output.stderr.is_empty(),
            "{output:?}"
        );
        // eth0 is the default.
        assert!(send_arp(&arguments).status.success());
        assert_eq!(next_arp(receiver), expected(10));
    });
}

#[test]
fn batch_sends_every_line_in_order() {
    in_namespace(|receiver| {
        let line = |octet| {
            format!("eth0 192.168.76.{octet} 00:0c:29:ab:cd:ef 192.168.76.255 FFFFFFFFFFFF\n")
        };
        let output = batch(&(0..200).map(line).collect::<String>());
        assert!(output.status.success(), "{output:?}");
        for octet in 0..200 {
            assert_eq!(next_arp(receiver), expected(octet));
        }
    });
}

#[test]
fn batch_goes_on_after_a_failure_and_names_it() {
    in_namespace(|receiver| {
        let rest = "000c29abcdef 192.168.76.255 ffffffffffff";
        let output = batch(&format!(
            "eth0 192.168.76.1 {rest}\n\nabsent0 192.168.76.2 {rest}\neth0 192.168.76.3\n\
             eth0 192.168.76.4 00 192.168.76.255 ffffffffffff\neth0 host {rest}\n\
             eth0 192.168.76.5 {rest}"
        ));
        assert_fails(
            &output,
            "send_arp: line 3: sendto: No such device (absent0)\n\
             send_arp: line 4: expected DEV SRC_IP SRC_HW TARGET_IP TARGET_HW\n\
             send_arp: line 5: Invalid hardware address\n\
             send_arp: line 6: host is not an IPv4 address\n",
        );
        assert_eq!(next_arp(receiver), expected(1));
        assert_eq!(next_arp(receiver), expected(5));
    });
}

#[test]
fn empty_batch_is_done() {
    assert!(batch("").status.success());
}

#[test]
fn failures_of_the_system_are_named() {
    in_namespace(|_| {
        let arguments = [
            "192.168.76.10",
            "000C29ABCDEF",
            "192.168.76.255",
            "ffffffffffff",
        ];
        let on = |device| send_arp(&[&["-i", device][..], &arguments].concat());
        assert_fails(&on("absent0"), "sendto: No such device (absent0)\n");
        assert!(
            Command::new("ip")
                .args(["link", "set", "eth0", "down"])
                .status()
                .unwrap()
                .success()
        );
        assert_fails(&on("eth0"), "sendto: Network is down\n");
        // The program where an unprivileged user can run it.
        let folder = std::env::temp_dir().join(format!("send_arp-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let copy = folder.join("send_arp");
        std::fs::copy(PROGRAM, &copy).unwrap();
        let output = Command::new(&copy)
            .args(arguments)
            .uid(65534)
            .gid(65534)
            .output();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_fails(&output.unwrap(), "socket: Operation not permitted\n");
    });
}

#[test]
fn wrong_arguments_print_the_usage() {
    for arguments in [
        &[][..],
        &["10.0.0.1"],
        &[
            "10.0.0.1",
            "000c29abcdef",
            "10.0.0.255",
            "ffffffffffff",
            "more",
        ],
        &[
            "-x",
            "eth0",
            "10.0.0.1",
            "000c29abcdef",
            "10.0.0.255",
            "ffffffffffff",
        ],
        &["-i", "eth0", "10.0.0.1", "000c29abcdef", "10.0.0.255"],
        &["--batch", "more"],
    ] {
        assert_fails(&send_arp(arguments), USAGE);
    }
}

#[test]
fn wrong_values_are_named() {
    let run =
        |source_ip, source_hw| send_arp(&[source_ip, source_hw, "10.0.0.255", "ffffffffffff"]);
    assert_fails(
        &run("10.0.0.1", "000c29abcde"),
        "Invalid hardware address\n",
    );
    assert_fails(
        &run("no such host", "000c29abcdef"),
        "send_arp: unknown host no such host\n",
    );
}

#[test]
fn help_and_version() {
    let output = send_arp(&["--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("Usage: send_arp [-i DEV] SRC_IP"));
    let output = send_arp(&["--version"]);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("Program Version:\tsend_arp "), "{text}");
    assert_eq!(text.lines().count(), 3);
}
