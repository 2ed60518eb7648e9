//! One test for each known fault of the original that this crate does better
//! (`piranha-daemons.md` 9.1), named after it.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "names of faults; a test may stop at the first surprise"
)]

use std::time::Duration;

use lvs_config::Code;
use lvs_config::Config;
use lvs_config::Host;
use lvs_config::parse;
use lvs_config::parse_all;

fn config(text: &str) -> Config {
    parse(text.as_bytes()).unwrap().config
}

fn error(text: &str) -> (usize, String) {
    let error = parse(text.as_bytes()).unwrap_err();
    (error.line, error.message)
}

fn refused(text: &str, line: usize, message: &str) {
    assert_eq!(error(text), (line, message.to_owned()), "{text}");
}

fn warns(text: &str, code: Code) -> bool {
    parse(text.as_bytes())
        .unwrap()
        .warnings
        .iter()
        .any(|warning| warning.code == code)
}

#[test]
fn B1_crlf_counts_as_lf_and_is_warned_about_once() {
    let text = "keepalive = 6\r\ndeadtime = 18\r\n";
    assert_eq!(*config(text).global.deadtime, 18);
    let warnings = parse(text.as_bytes()).unwrap().warnings;
    assert_eq!(
        warnings
            .iter()
            .filter(|w| w.code == Code::CrlfLineEnds)
            .count(),
        1
    );
    refused(
        "keepalive = 6\ndead\rtime = 18\n",
        2,
        "unexpected arguments",
    );
    assert_eq!(
        *config("keepalive = 6\rdeadtime = 18\r").global.deadtime,
        18
    );
}

#[test]
fn B2_blanks_may_follow_a_closing_quote() {
    let config = config("virtual \"a\" {\n expect = \"HTTP\" \t\n}\n");
    assert_eq!(config.virtuals[0].expect.as_ref().unwrap(), "HTTP");
}

#[test]
fn B2_an_original_partner_would_stop_at_such_a_quote() {
    for text in [
        "virtual \"a\" {\n}\n",
        "virtual a {\n expect = \"HTTP\" \n}\n",
        "keepalive = '6'\t\n",
    ] {
        assert!(warns(text, Code::OriginalQuotes), "{text}");
    }
    for text in [
        "virtual \"a b\" {\n expect = \"HTTP\"\n send = \"GET /\" \n}\n",
        "virtual a {\n} \"x\"y\" \n",
        "debug_level = \"a\"b\"\n# \"x\" \nrsh_command = it's\n",
    ] {
        assert!(!warns(text, Code::OriginalQuotes), "{text}");
    }
}

#[test]
fn B3_a_bad_quote_is_one_everywhere() {
    refused(
        "virtual a {\n active = 1\n expect = \"x\n}\n",
        3,
        "quotation mismatch",
    );
    refused(
        "virtual a {\n server b {\n  address = 'x\n",
        3,
        "quotation mismatch",
    );
}

#[test]
fn B4_single_quotes_do_not_reach_the_checker() {
    let config = config("virtual a {\n send = 'it\"s'\n expect = ok\"\n}\n");
    assert_eq!(config.virtuals[0].send.as_ref().unwrap(), "it\"s");
    // The checker took one mark off the end of any text.
    assert_eq!(config.virtuals[0].expect.as_ref().unwrap(), "ok");
    assert!(warns("virtual a {\n send = 'x'\n}\n", Code::SingleQuotes));
    assert!(!warns("debug_level = 'NONE'\n", Code::SingleQuotes));
}

#[test]
fn B5_a_block_must_be_closed() {
    refused("virtual a {\n active = 1\n\n", 3, "unexpected end of file");
    refused(
        "virtual a {\n server b {\n }\n# end",
        4,
        "unexpected end of file",
    );
    let help = parse(b"primary = 1.2.3.4\nvirtual a {\n")
        .unwrap_err()
        .diagnostic
        .help;
    assert_eq!(
        help.as_deref(),
        Some("the block opened in line 2 is not closed")
    );
}

#[test]
fn B6_a_server_takes_the_final_port() {
    let text = "virtual a {\n server b {\n }\n port = 443\n}\n";
    assert_eq!(*config(text).virtuals[0].servers[0].port, 443);
    assert!(warns(text, Code::ServerPortOrder));
    assert!(!warns(
        "virtual a {\n port = 443\n server b {\n }\n}\n",
        Code::ServerPortOrder
    ));
}

#[test]
fn B7_numbers_have_a_range() {
    refused("keepalive = -1\n", 1, "invalid argument");
    refused("deadtime = 2147483648\n", 1, "invalid argument");
    refused("heartbeat_port = 65536\n", 1, "invalid argument");
    refused("virtual a {\n port = -80\n}\n", 2, "invalid argument");
    refused(
        "virtual a {\n server b {\n  weight = -1\n }\n}\n",
        3,
        "invalid argument",
    );
    assert_eq!(*config("serial_no = -7\n").global.serial_no, -7);
    assert_eq!(*config("monitor_links = 0x10\n").global.monitor_links, 16);
}

#[test]
fn B8_a_persistence_mask_must_be_one() {
    refused(
        "virtual a {\n pmask = none\n}\n",
        2,
        "Bad subnet mask specified",
    );
    assert_eq!(
        *config("virtual a {\n pmask = 255.255.255.255\n}\n").virtuals[0].pmask,
        None
    );
}

#[test]
fn B9_what_crashed_the_original_is_an_error() {
    refused("debug_level = \"\n", 1, "quotation mismatch");
    refused("virtual a {\n dirs =\n}\n", 2, "missing arguments");
    refused("virtual a {\n dirs = x\n}\n", 2, "list expected");
    refused(
        "primary = 192.0.2.1\nkeep\0alive = 1\n",
        2,
        "invalid argument",
    );
    let name = "x".repeat(100_000);
    assert_eq!(
        config(&format!("virtual {name} {{\n}}\n")).virtuals[0]
            .name
            .as_bytes()
            .len(),
        100_000
    );
}

#[test]
fn B10_names_are_not_resolved() {
    let config = config("primary = lb1.example.com\nbackup = 10.1\n");
    assert_eq!(
        config.primary(),
        Some(Host::Name("lb1.example.com".to_owned()))
    );
    assert_eq!(config.backup(), Some(Host::Address([10, 0, 0, 1].into())));
    refused("primary = 2001:db8::1\n", 1, "invalid argument");
    refused("primary = 192.0.2.256\n", 1, "invalid argument");
    refused("primary = 0.0.0.0\n", 1, "invalid host name or ip address");
}

#[test]
fn B11_what_cannot_work_is_told() {
    assert!(warns("keepalive = 3\n", Code::NoPrimary));
    assert!(warns(
        "primary = 192.0.2.1\nbackup = 192.0.2.1\n",
        Code::SameRouters
    ));
    assert!(warns(
        "keepalive = 6\ndeadtime = 6\n",
        Code::DeadtimeNotAboveKeepalive
    ));
    assert!(warns("virtual a {\n active = 1\n}\n", Code::NoAddress));
    assert!(warns("virtual a {\n active = 1\n}\n", Code::NoActiveServer));
    let service = "virtual a {\n active = 1\n address = 192.0.2.80 eth0:1\n}\n";
    assert!(warns(&service.repeat(2), Code::DuplicateService));
    assert!(warns(&service.repeat(2), Code::DuplicateBlock));
    let other = service.replace("192.0.2.80", "192.0.2.81");
    assert!(warns(&format!("{service}{other}"), Code::SharedLabel));
}

#[test]
fn B11_without_any_router_pulse_does_not_start() {
    let message = |text: &[u8]| {
        let warnings = parse(text).unwrap().warnings;
        let warning = warnings.iter().find(|w| w.code == Code::NoPrimary);
        warning.map(|warning| warning.message.clone())
    };
    assert_eq!(
        message(b"backup = 0.0.0.0\n").unwrap(),
        "neither primary nor backup is given: pulse refuses to start"
    );
    assert_eq!(
        message(b"backup = 192.0.2.2\n").unwrap(),
        "no primary is given: the backup has no partner"
    );
    assert_eq!(message(b"primary = 192.0.2.1\n"), None);
}

#[test]
fn B12_a_lone_private_address_is_completed() {
    let routers = "primary = 192.0.2.1\nbackup = 192.0.2.2\n";
    let public = config(routers);
    assert_eq!(public.primary_private(), public.primary());
    assert_eq!(public.backup_private(), public.backup());
    let text = format!("{routers}primary_private = 10.0.0.1\n");
    assert_eq!(
        config(&text).primary_private(),
        Some(Host::Address([10, 0, 0, 1].into()))
    );
    assert_eq!(config(&text).backup_private(), public.backup());
    assert!(warns(&text, Code::LonePrivateAddress));
    // The original overwrites this one.
    let text = format!("{routers}backup_private = 10.0.0.2\n");
    assert_eq!(config(&text).backup_private(), public.backup());
    assert!(warns(&text, Code::LonePrivateAddress));
}

#[test]
fn B27_a_check_needs_time() {
    refused("virtual a {\n timeout = 0\n}\n", 2, "invalid argument");
}

#[test]
fn B47_failover_services_are_known_not_to_run() {
    let text = "service = fos\nfailover a {\n active = 1\n}\n";
    assert!(warns(text, Code::FailoverUnsupported));
    assert!(!warns("failover a {\n}\n", Code::FailoverUnsupported));
}

#[test]
fn heartbeat_auth_needs_a_key() {
    assert!(warns("heartbeat_auth = enforce\n", Code::KeywordIgnored));
    assert!(!warns(
        "heartbeat_auth = send\nheartbeat_key = /etc/k\n",
        Code::KeywordIgnored
    ));
}

#[test]
fn B56_keywords_of_the_gui_are_named_as_such() {
    for (text, line) in [
        ("virtual a {\n server b {\n  nmask = 255.255.255.0\n", 3),
        ("virtual a {\n deadtime = 5\n", 2),
        ("virtual a {\n expect_program = x\n", 2),
        ("failover a {\n heartbeat = 1\n", 2),
    ] {
        refused(text, line, "unknown command");
        let help = parse(text.as_bytes()).unwrap_err().diagnostic.help.unwrap();
        assert!(
            help.starts_with("the GUI of 0.8.x wrote this keyword"),
            "{help}"
        );
    }
}

#[test]
fn B57_each_program_tells_the_text() {
    let line = parse(b"bogus\n")
        .unwrap_err()
        .first_line("lvs", "/etc/lvs.cf");
    assert_eq!(
        line,
        "lvs: error parsing /etc/lvs.cf at line 1: unknown command"
    );
}

#[test]
fn errors_are_checked_in_the_order_of_the_original() {
    refused("", 0, "Empty configuration");
    refused("bogus \"\n", 1, "quotation mismatch");
    refused("bogus\n", 1, "unknown command");
    refused("keepalive 6\n", 1, "equal (=) expected after command");
    refused("keepalive =6\n", 1, "equal (=) expected after command");
    refused("keepalive =\n", 1, "missing arguments");
    refused("keepalive = x y\n", 1, "unexpected arguments");
    refused("keepalive = x\n", 1, "integer expected");
    refused("heartbeat = 2\n", 1, "boolean expected");
    refused("virtual a b c\n", 1, "unexpected arguments");
    refused("virtual a b\n", 1, "missing arguments");
    refused("virtual a\n{\n", 1, "missing arguments");
    refused("virtual a { }\n", 1, "unexpected arguments");
    refused("virtual a {\n};\n", 2, "unknown command");
    refused(
        "virtual a {\n sorry_server = web\n}\n",
        2,
        "invalid host name or ip address",
    );
    refused(
        "virtual a {\n address = 192.0.2.1 eth0:1 x\n}\n",
        2,
        "unexpected arguments",
    );
    refused(
        "virtual a {\n expect = \"a b\"c\n}\n",
        2,
        "unexpected arguments",
    );
    assert!(parse(b"# only\n\n").is_ok());
    assert!(parse(b"virtual a {\n} anything goes\n").is_ok());
}

#[test]
fn all_errors_are_told_and_openings_are_recovered() {
    let text = "virtual a{\n x = 1\n server b\n {\n  weight = w\n }\n}\n}\nnetwork = NAT\n";
    let errors: Vec<_> = parse_all(text.as_bytes())
        .diagnostics
        .iter()
        .map(|d| (d.line, d.code))
        .collect();
    let expected = [
        (1, Code::MissingArguments),
        (2, Code::UnknownCommand),
        (3, Code::MissingArguments),
        (5, Code::IntegerExpected),
        (8, Code::UnknownCommand),
        (9, Code::InvalidArgument),
    ];
    assert_eq!(errors, expected);
}

#[test]
fn times_in_milliseconds_take_precedence() {
    let global = config("keepalive = 6\nkeepalive_ms = 500\ndeadtime = 18\n").global;
    assert_eq!(global.keepalive(), Duration::from_millis(500));
    assert_eq!(global.deadtime(), Duration::from_secs(18));
    assert_eq!(global.vip_lifetime(), None);
    let pair = "primary = 192.0.2.1\nbackup = 192.0.2.2\nbackup_active = 1\n";
    let lifetime = |more: &str| config(&format!("{pair}{more}")).global.vip_lifetime();
    assert_eq!(
        lifetime("keepalive = 6\ndeadtime = 18\n"),
        Some(Duration::from_secs(12))
    );
    assert_eq!(
        lifetime("keepalive = 1\ndeadtime = 2\n"),
        Some(Duration::from_secs(2))
    );
    assert_eq!(lifetime("vip_lifetime = 0\n"), None);
    assert_eq!(lifetime("vip_lifetime = 9\n"), Some(Duration::from_secs(9)));
    assert_eq!(
        config("keepalive = 0\n").global.keepalive(),
        Duration::from_secs(1)
    );
    refused("keepalive_ms = 9\n", 1, "invalid argument");
    refused("virtual a {\n retries = 0\n}\n", 2, "invalid argument");
}
