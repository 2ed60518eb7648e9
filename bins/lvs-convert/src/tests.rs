//! Whole files: what becomes of them, and what holds for any.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::notes::PROGRAM;

fn options(args: &[&str]) -> Options {
    let args = [PROGRAM, "FILE"].iter().chain(args);
    Options::parse(args.copied()).unwrap()
}

/// The new file, or what is wrong; then all that is said.
fn converted(name: &str, text: &str, options: &Options) -> Result<(String, String), String> {
    let mut sources = Sources::default();
    let mut notes = Notes::default();
    let folder = samples();
    let file = sources.add(name, folder, text.to_owned());
    let result = convert(file, options, &mut sources, &mut notes);
    match result {
        Ok(text) => Ok((
            String::from_utf8(text).unwrap(),
            notes
                .text(&sources, Style::Lines)
                .replace(&format!("{}/", samples().display()), ""),
        )),
        Err(fault) => {
            let said = notes.text(&sources, Style::Lines);
            Err(said + &fault.text(&sources, Style::Lines))
        }
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

/// The new file without errors, what is said about the old one, and lvs-config's warnings.
fn report(name: &str, args: &[&str]) -> String {
    let text = std::fs::read_to_string(samples().join(name)).unwrap();
    let (text, notes) = converted(name, &text, &options(args)).unwrap();
    let checked = lvs_config::parse(text.as_bytes()).unwrap();
    let warnings: Vec<_> = checked
        .warnings
        .iter()
        .map(|warning| format!("{warning}\n"))
        .collect();
    format!(
        "{text}---- notes\n{notes}---- warnings\n{}",
        warnings.concat()
    )
}

#[test]
fn keepalived_with_nat() {
    insta::assert_snapshot!(report("keepalived-nat.conf", &[]));
}

#[test]
fn keepalived_with_direct_routing() {
    insta::assert_snapshot!(report(
        "keepalived-direct.conf",
        &["--primary", "192.0.2.1"]
    ));
}

#[test]
fn ldirectord_with_direct_routing() {
    insta::assert_snapshot!(report("ldirectord.cf", &["--interface", "bond0"]));
}

#[test]
fn ldirectord_with_nat() {
    let routers = ["--primary", "198.51.100.10", "--backup", "198.51.100.11"];
    insta::assert_snapshot!(report("ldirectord-nat.cf", &routers));
}

#[test]
fn what_cannot_be_read_is_one_line_with_place_and_remedy() {
    let rows = [
        "",
        "hello\n",
        "virtual_server 192.0.2.1 80 {\n  real_server 192.0.2.2 80 {\n}\n",
        "global_defs { router_id \"x\n}",
        "virtual_server 192.0.2.1 80 { } }\n",
        "vrrp_instance A { interface eth0 }\n",
        "virtual=192.0.2.1:80\n\treal=192.0.2.2:80 gate\ncheckinterval\n",
        "virtual=nonsense\n",
    ];
    let said = rows.map(|text| converted("a.conf", text, &options(&[])).unwrap_err());
    insta::assert_snapshot!(said.concat());
}

#[test]
fn a_message_on_a_terminal_shows_the_line() {
    let mut sources = Sources::default();
    let mut notes = Notes::default();
    let text = "virtual_server 192.0.2.1 80 {\n\tquorum\t7 # two\u{1b}\n}\n".to_owned();
    let file = sources.add("a.conf", PathBuf::new(), text);
    convert(file, &options(&[]), &mut sources, &mut notes).unwrap();
    insta::assert_snapshot!(notes.text(&sources, Style::Plain));
}

#[test]
fn a_file_is_not_overwritten_without_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lvs.cf");
    save(b"new", &path, false).unwrap();
    let error = save(b"newer", &path, false).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    save(b"newer", &path, true).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"newer");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_includes_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("self.conf");
    std::fs::write(
        &path,
        "include self.conf\nvirtual_server 192.0.2.1 80 { }\n",
    )
    .unwrap();
    let mut sources = Sources::default();
    let file = sources.read(&path).unwrap();
    let fault = convert(file, &options(&[]), &mut sources, &mut Notes::default()).unwrap_err();
    let said = fault.text(&sources, Style::Lines);
    assert!(
        said.contains("self.conf:1: more than 16 files within each other"),
        "{said}"
    );
}

#[test]
fn parameters_of_parameters_do_not_eat_the_memory() {
    let level = |name: &str, inner: &str| format!("${name}={}\n", inner.repeat(800));
    let text = level("A", "${B}") + &level("B", "${C}") + &level("C", "${D}") + "$D=x\n";
    let text = text + "virtual_server 192.0.2.1 80 {\n lb_kind ${A}\n}\n";
    let (_, said) = converted("a.conf", &text, &options(&[])).unwrap();
    assert!(said.contains("a.conf:6: lb_kind"), "{said}");
}

#[test]
fn options_that_lvs_cf_cannot_hold_are_refused() {
    for args in [
        ["--interface", "a b"],
        ["--interface", ""],
        ["--primary", "2001:db8::1"],
        ["--backup", "0.0.0.0"],
    ] {
        let fault = converted("a", "virtual=1\n", &options(&args)).unwrap_err();
        assert!(fault.contains(args[0]), "{fault}");
    }
    assert!(Options::parse([PROGRAM, "--from", "haproxy", "FILE"]).is_err());
    assert!(Options::parse([PROGRAM]).is_err());
    assert!(Options::parse([PROGRAM, "a", "b"]).is_err());
    assert!(Options::parse([PROGRAM, "--unknown", "a"]).is_err());
}

/// Words that mean something in one of the formats, and some that do not.
const WORDS: &[&str] = &[
    "virtual_server",
    "real_server",
    "192.0.2.1",
    "192.0.2.2",
    "0.0.0.0",
    "255.255.255.255",
    "2001:db8::1",
    "80",
    "443",
    "0",
    "65536",
    "99999999999",
    "-1",
    "{",
    "}",
    "{\n",
    "}\n",
    "\n",
    "fwmark",
    "group",
    "G",
    "virtual_server_group",
    "192.0.2.1-9",
    "vrrp_instance",
    "interface",
    "eth0",
    "virtual_ipaddress",
    "192.0.2.1/24",
    "192.0.2.1/0",
    "label",
    "eth0:1",
    "eth0:\"x y",
    "dev",
    "delay_loop",
    "0.001",
    "1e9",
    "nan",
    "lb_kind",
    "NAT",
    "DR",
    "TUN",
    "lb_algo",
    "rr",
    "sed",
    "persistence_timeout",
    "persistence_granularity",
    "sorry_server",
    "weight",
    "retry",
    "HTTP_GET",
    "SSL_GET",
    "url",
    "path",
    "/x",
    "\"/a \\\"b c\"",
    "status_code",
    "200-299",
    "MISC_CHECK",
    "misc_path",
    "\"/bin/x a\"",
    "'q'",
    "TCP_CHECK",
    "SMTP_CHECK",
    "virtualhost",
    "a b",
    "inhibit_on_failure",
    "quorum",
    "protocol",
    "UDP",
    "global_defs",
    "lvs_sync_daemon",
    "lvs_timeouts",
    "tcp",
    "advert_int",
    "unicast_src_ip",
    "unicast_peer",
    "state",
    "MASTER",
    "notify_master",
    "$X=1",
    "$X",
    "${X}",
    "include",
    "nothing.conf",
    "#",
    "!",
    "@a",
    "\\",
    "\"",
    "virtual=192.0.2.1:80\n",
    "virtual=5\n",
    "\n\treal=",
    "192.0.2.3:80",
    "192.0.2.3->192.0.2.9:80",
    "gate",
    "masq",
    "ipip",
    "\"r\", \"s\"",
    "\n\tchecktype=external",
    "\n\tcheckcommand=",
    "\n\tservice=",
    "https",
    "http",
    "simpletcp",
    "\n\trequest=\"",
    "\n\treceive=\"",
    "\\d+\"",
    "\n\tvirtualhost=",
    "\n\tpersistent=",
    "\n\tnetmask=",
    "\n\tfallback=",
    "\n\tscheduler=",
    "\ncheckinterval=",
    "\nfallback=",
    "\nquiescent=yes\n",
    "\u{e9}\u{ac00}",
    "\u{0}",
    "\r\n",
    "\t",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// No text makes the program panic, and what it writes is an lvs.cf.
    #[test]
    fn what_is_written_is_always_accepted(
        words in prop::collection::vec(select(WORDS), 0..60),
        noise in "[ -~\n\t가]{0,20}",
        from in select(&["keepalived", "ldirectord"][..]),
        start in select(&["", "virtual_server 192.0.2.1 80 {\n lb_kind DR\n", "virtual=192.0.2.1:80\n"][..]),
    ) {
        let text = format!("{start}{}{noise}", words.join(" "));
        if let Ok((written, _)) = converted("a", &text, &options(&["--from", from])) {
            let parsed = lvs_config::parse_all(written.as_bytes());
            prop_assert!(!parsed.has_errors(), "{:?}\n{written}", parsed.diagnostics);
        }
    }

    /// Messages can be drawn for any text.
    #[test]
    fn any_message_can_be_drawn(words in prop::collection::vec(select(WORDS), 0..40)) {
        let mut sources = Sources::default();
        let mut notes = Notes::default();
        let file = sources.add("a", PathBuf::new(), words.join(" "));
        let result = convert(file, &options(&["--from", "keepalived"]), &mut sources, &mut notes);
        notes.text(&sources, Style::Plain);
        if let Err(fault) = result {
            fault.text(&sources, Style::Plain);
        }
    }
}
