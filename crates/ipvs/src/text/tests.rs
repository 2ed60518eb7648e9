use proptest::prelude::*;

use super::*;
use crate::{Operation, Server, Table, arbitrary};

/// As a table comes out of `-S`, which leaves thresholds out.
fn without_thresholds(mut table: Table) -> Table {
    for server in table
        .values_mut()
        .flat_map(|entry| entry.servers.values_mut())
    {
        server.upper_threshold = 0;
        server.lower_threshold = 0;
    }
    table
}

/// The table as operations that build it from nothing, one a line.
fn as_operations(table: &Table) -> String {
    crate::diff(&Table::new(), table)
        .iter()
        .map(|operation| format!("{operation}\n"))
        .collect()
}

#[test]
fn words_that_name_a_service_are_read() {
    for (text, printed) in [
        ("-t 192.0.2.80:80", "-D -t 192.0.2.80:80"),
        (" -f  7 ", "-D -f 7"),
    ] {
        let service = parse_service(text).unwrap();
        assert_eq!(Operation::DeleteService(service).to_string(), printed);
    }
    for bad in ["", "-t", "-t 192.0.2.80", "-f 7 -t 192.0.2.80:80", "web"] {
        assert!(parse_service(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn parse_of_print_is_the_identity(table in arbitrary::table()) {
        let table = without_thresholds(table);
        prop_assert_eq!(parse_table(&print_table(&table)), Ok(table));
    }

    #[test]
    fn operations_hold_everything_that_they_set(table in arbitrary::table()) {
        prop_assert_eq!(parse_table(&as_operations(&table)), Ok(table));
    }

    #[test]
    fn any_text_is_answered(text in "([-a-zA-Z0-9:.\\[\\], \n]|-A -t |-a -f | -r |10.0.0.1:80){0,40}") {
        let _ = parse_table(&text);
    }
}

/// The sample of `ipvsadm.md` 2.1 in the form of 2.7.
const SAVED: &str = "\
-A -t 10.0.0.1:80 -s wlc
-a -t 10.0.0.1:80 -r 192.168.0.1:80 -g -w 5
-a -t 10.0.0.1:80 -r 192.168.0.4:80 -i -w 65535 --tun-type ipip
-a -t 10.0.0.1:80 -r 192.168.0.5:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 10.0.0.1:80 -r 192.168.0.6:80 -i -w 1 --tun-type gre --tun-nocsum
-a -t 10.0.0.1:80 -r 192.168.0.10:8080 -m -w 0
-A -t [2001:db8::1]:80 -s mh -p 120 -M 64 -b mh-fallback,mh-port
-a -t [2001:db8::1]:80 -r [2001:db8:1:2:3:4:5:6]:8080 -m -w 1
-A -u 10.0.0.1:53 -s rr -o
-A --sctp-service 10.0.0.1:2905 -s sh -b sh-port
-A -f 5 -s wrr -p 60 -M 255.255.255.0
-A -f 5 -6 -s rr -p 360 --pe sip
";

#[test]
fn saved_text_is_printed_as_read() {
    assert_eq!(print_table(&parse_table(SAVED).unwrap()), SAVED);
}

#[test]
fn errors_name_the_line() {
    for (text, message) in [
        ("\n-L", "line 2: not -A or -a: -L"),
        ("-A -t 10.0.0.1:80 -q", "line 1: unknown option: -q"),
        ("-A -t 10.0.0.1:80 -s", "line 1: missing value of -s"),
        (
            "-A -t vip1:http -s rr",
            "line 1: invalid value of -t: vip1:http",
        ),
        ("-A -s rr", "line 1: no service named"),
        (
            "-A -f 1 -s rr\n-A -f 1 -s rr",
            "line 2: service already exists",
        ),
        ("-a -f 1 -r 10.0.0.2:80", "line 1: service not defined"),
        ("-A -f 1 -s rr\n-a -f 1", "line 2: no real server named"),
        (
            "-A -f 1 -s rr\n-a -f 1 -r 1.2.3.4:1\n-a -f 1 -r 1.2.3.4:1",
            "line 3: destination already exists",
        ),
        (
            "-A -f 1\n-a -f 1 -r 1.2.3.4:1 -m --tun-type gre",
            "line 2: tunnel options do not fit the forwarding method",
        ),
    ] {
        assert_eq!(
            parse_table(text).unwrap_err().to_string(),
            message,
            "{text}"
        );
    }
}

#[test]
fn operations_print_every_setting() {
    let table = parse_table(SAVED).unwrap();
    let (id, entry) = table.first_key_value().unwrap();
    let (server_id, server) = entry.servers.first_key_value().unwrap();
    let limited = Server {
        upper_threshold: 100,
        lower_threshold: 50,
        ..server.clone()
    };
    assert_eq!(
        Operation::EditServer(*id, limited).to_string(),
        "-e -t 10.0.0.1:80 -r 192.168.0.1:80 -g -w 5 -x 100 -y 50"
    );
    assert_eq!(
        Operation::DeleteServer(*id, *server_id).to_string(),
        "-d -t 10.0.0.1:80 -r 192.168.0.1:80"
    );
    assert_eq!(
        Operation::DeleteService(*id).to_string(),
        "-D -t 10.0.0.1:80"
    );
    let mut flagged = entry.service.clone();
    flagged.scheduler = "sh".to_owned();
    flagged.scheduler_flags = 0x28;
    assert_eq!(
        Operation::EditService(flagged).to_string(),
        "-E -t 10.0.0.1:80 -s sh -b sh-fallback,flag-3"
    );
}
