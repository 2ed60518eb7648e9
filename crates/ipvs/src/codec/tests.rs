use netlink_packet_core::{Emitable, ParseableParametrized};
use netlink_packet_generic::{GenlHeader, GenlMessage};
use proptest::prelude::*;

use super::*;
use crate::{
    Checksum, Counters, Daemon, DaemonRole, Family, Forward, Info, Server, ServerId, Service,
    ServiceId, Tunnel, arbitrary,
};

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn emitted(message: &IpvsMessage) -> Vec<u8> {
    let message = GenlMessage::from_payload(message.clone());
    let mut buffer = vec![0xaa; message.buffer_len()];
    message.emit(&mut buffer);
    buffer
}

fn parsed(bytes: &[u8]) -> IpvsMessage {
    GenlMessage::<IpvsMessage>::parse_with_param(bytes, 0u16)
        .unwrap()
        .payload
}

// Answers captured from Linux 6.1 (`ipvsadm.md` 4.7).
const SERVICE: &str = "010100005401010006000100020000000600020006000000140003000a000001000000000000000000000000060004000050000008000600777272000c00070002000000ffffffff080008000000000008000900ffffffff60000a000800010000000000080002000000000008000300000000000c000400000000000000000004000b000c0005000000000000000000080006000000000008000700000000000800080000000000080009000000000008000a0000000000a0000c000c000100000000000000000004000b000c000200000000000000000004000b000c000300000000000000000004000b000c000400000000000000000004000b000c000500000000000000000004000b000c000600000000000000000004000b000c000700000000000000000004000b000c000800000000000000000004000b000c000900000000000000000004000b000c000a000000000000000000";
const SERVER: &str = "050100007c01020014000100c0a8000200000000000000000000000006000200005000000800030002000000080004000100000005000d000100000006000e0017c0000006000f00010000000800050000000000080006000000000008000700000000000800080000000000080009000000000006000b000200000064000a0008000100000000000800020000000000080003000000000004000b000c000400000000000000000004000b000c0005000000000000000000080006000000000008000700000000000800080000000000080009000000000008000a0000000000a0000c000c000100000000000000000004000b000c000200000000000000000004000b000c000300000000000000000004000b000c000400000000000000000004000b000c000500000000000000000004000b000c000600000000000000000004000b000c000700000000000000000004000b000c000800000000000000000004000b000c000900000000000000000004000b000c000a000000000000000000";
const DAEMON: &str = "090100004000030008000100010000000900020064756d3000000000080003000700000006000400c00500000600070090220000050008000100000008000500e0000051";
const TIMEOUTS: &str = "0c01000008000400840300000800050078000000080006002c010000";
const INFO: &str = "0e01000008000100010201000800020000100000";

/// The kernel does not mark its nests; we do, as ipvsadm does in requests.
fn marked_as_nested(answer: &str) -> Vec<u8> {
    let mut bytes = bytes(answer);
    bytes[7] |= 0x80;
    bytes
}

#[test]
fn captured_answers_round_trip() {
    for answer in [SERVICE, SERVER, DAEMON] {
        let again = emitted(&parsed(&bytes(answer)));
        assert_eq!(hex(&again), hex(&marked_as_nested(answer)));
    }
    for answer in [TIMEOUTS, INFO] {
        assert_eq!(hex(&emitted(&parsed(&bytes(answer)))), answer);
    }
}

#[test]
fn captured_answers_mean_what_ipvsadm_showed() {
    let state = service::value(&parsed(&bytes(SERVICE))).unwrap();
    assert_eq!(
        state.service,
        Service {
            id: ServiceId::Address {
                protocol: crate::Protocol::Tcp,
                address: "10.0.0.1".parse().unwrap(),
                port: 80
            },
            scheduler: "wrr".to_owned(),
            scheduler_flags: 0,
            one_packet: false,
            persistence: None,
            engine: None,
        }
    );
    assert_eq!(state.counters, Counters::default());
    let server = destination::value(&parsed(&bytes(SERVER)), Family::V4)
        .unwrap()
        .server;
    assert_eq!(
        server,
        Server {
            id: ServerId {
                address: "192.168.0.2".parse().unwrap(),
                port: 80
            },
            forward: Forward::Tunnel(Tunnel::Gue {
                port: 6080,
                checksum: Checksum::Plain
            }),
            weight: 1,
            upper_threshold: 0,
            lower_threshold: 0,
        }
    );
    assert_eq!(
        daemon::value(&parsed(&bytes(DAEMON))).unwrap(),
        Daemon {
            role: DaemonRole::Master,
            interface: "dum0".to_owned(),
            sync_id: 7,
            max_length: Some(1472),
            group: Some("224.0.0.81".parse().unwrap()),
            port: Some(8848),
            ttl: Some(1),
        }
    );
    assert_eq!(
        parsed(&bytes(TIMEOUTS)).attributes,
        [
            Attribute::TimeoutTcp(900),
            Attribute::TimeoutTcpFin(120),
            Attribute::TimeoutUdp(300)
        ]
    );
    assert_eq!(
        info::value(&parsed(&bytes(INFO))).unwrap(),
        Info {
            version: 0x010201,
            table_size: 4096
        }
    );
}

#[test]
fn unknown_attributes_are_kept() {
    // Top level 9, then a service with attribute 200, whose one byte is padded.
    let message = "0101000008000900010203041400018006000100020000000500c80007000000";
    assert_eq!(hex(&emitted(&parsed(&bytes(message)))), message);
}

proptest! {
    #[test]
    fn a_service_comes_back_from_its_request(table in arbitrary::table()) {
        for entry in table.values() {
            let request = parsed(&emitted(&service::add(&entry.service)));
            prop_assert_eq!(&service::value(&request).unwrap().service, &entry.service);
            for server in entry.servers.values() {
                let request = parsed(&emitted(&destination::edit(&entry.service.id, server)));
                let family = entry.service.id.family();
                prop_assert_eq!(&destination::value(&request, family).unwrap().server, server);
            }
        }
    }

    #[test]
    fn any_answer_is_parsed_or_refused(
        command in 0u8..20,
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            (Just(bytes(SERVER)), any::<prop::sample::Index>(), any::<u8>()).prop_map(
                |(mut answer, at, byte)| {
                    *at.get_mut(&mut answer) = byte;
                    answer.split_off(4)
                }
            ),
        ]
    ) {
        let header = GenlHeader { cmd: command, version: FAMILY_VERSION };
        if let Ok(message) = IpvsMessage::parse_with_param(&bytes, header) {
            let _ = service::value(&message);
            let _ = destination::value(&message, Family::V4);
            let _ = daemon::value(&message);
            let _ = info::value(&message);
            emitted(&message);
        }
    }
}
