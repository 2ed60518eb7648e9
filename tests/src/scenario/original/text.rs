//! Random tables as the lines that `ipvsadm -R` reads.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::dice::Dice;

/// Names for some of the addresses that tables use often.
pub(super) const HOSTS: &str = "\
127.0.0.1 localhost
10.0.0.1 vip1
192.168.0.1 rs1 rs1.example.net
192.168.0.77 a-very-long-real-server-name.example.net
2001:db8::1 vip6.example.net
2001:db8::78 a-very-long-ipv6-real-server-name.example.net
";

/// Schedulers, all of which the laboratory's kernel has.
const SCHEDULERS: &[&str] = &[
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "none",
];
const WEIGHTS: &[&str] = &["0", "1", "5", "100", "65535", "2147483647"];

/// A table: its lines, and the options that name one of its services.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) lines: String,
    pub(super) service: String,
}

/// The table of a seed. A few lines are such that the kernel refuses them.
pub(super) fn table(seed: u64) -> Table {
    let mut dice = Dice::new(seed);
    let mut lines = String::new();
    let mut first = String::new();
    for _ in 0..=dice.below(7) {
        let six = dice.one_in(3);
        let (service, mark) = service(&mut dice, six);
        lines += &format!("-A {service}{}\n", settings(&mut dice, &service, six));
        for _ in 0..dice.below(6) {
            lines += &servers_line(&mut dice, &service, mark, six);
        }
        if first.is_empty() {
            first = service;
        }
    }
    Table {
        lines,
        service: first,
    }
}

/// The options that name a service, and whether they name a mark.
fn service(dice: &mut Dice, six: bool) -> (String, bool) {
    if dice.one_in(4) {
        // Marks from 2^31 on are shown otherwise on purpose.
        let mark = 1 + if dice.one_in(2) {
            dice.below(9)
        } else {
            dice.below(0x7fff_ffff)
        };
        return (format!("-f {mark}{}", if six { " -6" } else { "" }), true);
    }
    let protocol = dice.of(&["-t", "-t", "-u", "--sctp-service"]);
    let port = port(dice);
    (format!("{protocol} {}", end(dice, six, port)), false)
}

fn port(dice: &mut Dice) -> u64 {
    match dice.below(3) {
        0 => 80,
        1 => 53,
        _ => 1 + dice.below(65535),
    }
}

/// An address with a port.
fn end(dice: &mut Dice, six: bool, port: u64) -> String {
    if six {
        format!("[{}]:{port}", address6(dice))
    } else {
        format!("{}:{port}", address4(dice))
    }
}

fn address4(dice: &mut Dice) -> Ipv4Addr {
    const OFTEN: [Ipv4Addr; 4] = [
        Ipv4Addr::new(10, 0, 0, 1),
        Ipv4Addr::new(192, 168, 0, 1),
        Ipv4Addr::new(192, 168, 0, 77),
        Ipv4Addr::new(100, 64, 0, 1),
    ];
    if let Some(address) = OFTEN.get(usize::try_from(dice.below(8)).unwrap_or_default()) {
        return *address;
    }
    // Unicast and not loopback, over the whole space: the order of listings depends on it.
    let [_, b, c, d] = (dice.next() as u32).to_be_bytes();
    let first = 1 + dice.below(126) + 97 * dice.below(2);
    Ipv4Addr::new(first as u8, b, c, d)
}

fn address6(dice: &mut Dice) -> Ipv6Addr {
    match dice.below(6) {
        0 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
        1 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x78),
        2 => Ipv6Addr::new(0x2001, 0xdb8, 0, dice.next() as u16, 0, 0, 1, 0),
        3 => Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, dice.next() as u16),
        _ => {
            let number = u128::from(dice.next()) << 64 | u128::from(dice.next());
            Ipv6Addr::from(number >> 3 | 1 << 125)
        }
    }
}

fn settings(dice: &mut Dice, service: &str, six: bool) -> String {
    let scheduler = dice.of(SCHEDULERS);
    let mut text = format!(" -s {scheduler}");
    let datagrams = service.starts_with("-u");
    if dice.one_in(3) {
        text += &format!(" -p {}", dice.of(&["1", "60", "360", "2678400"]));
        if dice.one_in(2) {
            let masks: &[&str] = if six {
                &["1", "64", "127", "128"]
            } else {
                &[
                    "255.255.255.0",
                    "255.0.255.0",
                    "0.0.0.24",
                    "255.255.255.255",
                ]
            };
            text += &format!(" -M {}", dice.of(masks));
        }
        if datagrams && dice.one_in(2) {
            text += " --pe sip";
        }
    }
    if datagrams && dice.one_in(3) {
        text += " -o";
    }
    if dice.one_in(3) {
        let names: &[&str] = match scheduler {
            "sh" => &["sh-fallback", "sh-port", "sh-port,sh-fallback", "flag-3"],
            "mh" => &["mh-fallback", "mh-port", "mh-port,mh-fallback", "flag-1"],
            _ => &["flag-1", "flag-2,flag-3", "flag-3,flag-2,flag-1"],
        };
        text += &format!(" -b {}", dice.of(names));
    }
    text
}

fn servers_line(dice: &mut Dice, service: &str, mark: bool, six: bool) -> String {
    let forward = match dice.below(8) {
        0..=2 => "-m",
        3 => "-g",
        4 => "-i",
        5 => "-i --tun-type gre --tun-csum",
        6 => "-i --tun-type gue --tun-port 6080 --tun-remcsum",
        _ => "-i --tun-type gue --tun-port 65535 --tun-nocsum",
    };
    // A tunnel may lead to the other family.
    let six = six ^ (forward.starts_with("-i") && dice.one_in(4));
    let port = if mark && dice.one_in(2) {
        0
    } else {
        port(dice)
    };
    let mut line = format!(
        "-a {service} -r {} {forward} -w {}",
        end(dice, six, port),
        dice.of(WEIGHTS)
    );
    if dice.one_in(4) {
        // The lower one may be the greater one: then the kernel refuses it.
        line += &format!(" -x {} -y {}", dice.below(2000), dice.below(1000));
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_table() {
        assert_eq!(table(7).lines, table(7).lines);
        assert_ne!(table(7).lines, table(8).lines);
    }
}
