//! nanny's options (`piranha-daemons.md` 2.2) as one value; refusals in the original's words.

use crate::given::{self, Given};
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Which kind of service is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// A real server of a virtual service.
    Lvs,
    /// The partner's service in failover mode.
    Failover,
}

/// The options as given.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) interval: i32,
    pub(crate) ipvsadm: OsString,
    pub(crate) load_command: Option<Vec<u8>>,
    /// `-m`, `-g` or `-i`.
    pub(crate) method: &'static str,
    pub(crate) nodaemon: bool,
    pub(crate) nofork: bool,
    pub(crate) port: u16,
    pub(crate) real_port: u16,
    pub(crate) reentry: i32,
    pub(crate) scale: i32,
    pub(crate) server: Ipv4Addr,
    pub(crate) send_program: Option<Vec<u8>>,
    pub(crate) send: Option<Vec<u8>>,
    pub(crate) expect: Option<Vec<u8>>,
    pub(crate) regex: bool,
    pub(crate) suppress: bool,
    pub(crate) quiesce: bool,
    pub(crate) udp: bool,
    pub(crate) verbose: bool,
    pub(crate) virtual_address: Option<OsString>,
    pub(crate) mark: i32,
    pub(crate) weight: i32,
    pub(crate) service: Service,
    pub(crate) norun: bool,
}

/// Parses the arguments; `Err` is the status to exit with, everything has been printed.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, u8> {
    read(&given::parse(args.into_iter().collect())?).map_err(|text| {
        eprintln!("nanny: {text}");
        crate::FAILED
    })
}

/// What an option takes; the text is what the help calls the value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Takes {
    Nothing,
    Number(&'static str),
    Text(&'static str),
}

use Takes::{Nothing, Number, Text};

/// Long name, letter, value, help; in the order of the help.
pub(crate) type Row = (&'static str, Option<char>, Takes, &'static str);

pub(crate) static OPTIONS: [Row; 26] = [
    (
        "interval",
        Some('t'),
        Number("seconds"),
        "Pause between checks, and time limit of a check",
    ),
    ("ipvsadm", Some('I'), Text("path"), "Path of ipvsadm"),
    (
        "loadcmd",
        Some('U'),
        Text("command"),
        "Load monitor: rup, ruptime, rsh, ssh, program, none",
    ),
    (
        "method",
        Some('M'),
        Text("method"),
        "Forwarding method: m, g or i",
    ),
    (
        "nodaemon",
        Some('n'),
        Nothing,
        "Stay in the foreground, messages on standard output",
    ),
    ("nofork", Some('c'), Nothing, "Do not fork, but detach"),
    (
        "port",
        Some('p'),
        Number("port"),
        "Port of the virtual service",
    ),
    (
        "rport",
        Some('r'),
        Number("port"),
        "Port of the real server, when it is another one",
    ),
    (
        "reentrytime",
        Some('a'),
        Number("seconds"),
        "How long a failed server must answer again",
    ),
    (
        "scale",
        Some('S'),
        Number("factor"),
        "Load raises the weight up to this factor",
    ),
    (
        "server",
        Some('h'),
        Text("address"),
        "Address of the real server",
    ),
    (
        "send_program",
        Some('e'),
        Text("command"),
        "Program that checks instead (%h, %p)",
    ),
    ("send_string", Some('s'), Text("text"), "Text to send"),
    ("expect_string", Some('x'), Text("text"), "Text to expect"),
    (
        "regex",
        None,
        Nothing,
        "The expected text is an extended regular expression",
    ),
    (
        "suppress",
        Some('T'),
        Nothing,
        "Do not decode backslash sequences",
    ),
    (
        "quiesce_server",
        Some('q'),
        Nothing,
        "Weight 0 instead of removal",
    ),
    ("udp", Some('u'), Nothing, "UDP instead of TCP"),
    ("verbose", Some('v'), Nothing, "Debug messages"),
    (
        "virtaddress",
        Some('V'),
        Text("address"),
        "Address of the virtual service",
    ),
    (
        "fwmark",
        Some('f'),
        Number("mark"),
        "Firewall mark of the virtual service",
    ),
    (
        "weight",
        Some('w'),
        Number("weight"),
        "Weight of the real server",
    ),
    ("fos", None, Nothing, "Watch a failover service"),
    (
        "lvs",
        None,
        Nothing,
        "Watch a real server of a virtual service",
    ),
    ("test-start", None, Nothing, "Do not run ipvsadm"),
    ("norun", None, Nothing, "Do not run ipvsadm"),
];

fn read(given: &Given) -> Result<Options, String> {
    let number = |name, default| given.number(name).unwrap_or(default);
    let text = |name| given.text(name);
    let flag = |name| given.has(name);
    let bytes = |name| text(name).map(OsStringExt::into_vec);
    let address =
        text("server").ok_or_else(|| "No address supplied. Use '--help' for help. ".to_owned())?;
    let server = address.to_str().and_then(|text| text.parse().ok());
    let server =
        server.ok_or_else(|| format!("bad IP address -- {}", address.to_string_lossy()))?;
    let service = match (flag("fos"), flag("lvs")) {
        (true, _) => Service::Failover,
        (false, true) => Service::Lvs,
        (false, false) => return Err("unknown service type".to_owned()),
    };
    let port = number("port", 80);
    Ok(Options {
        interval: number("interval", 10),
        ipvsadm: text("ipvsadm").unwrap_or_else(|| "/sbin/ipvsadm".into()),
        load_command: bytes("loadcmd"),
        method: method(text("method")),
        nodaemon: flag("nodaemon"),
        nofork: flag("nofork"),
        port: as_port(port)?,
        real_port: as_port(number("rport", port))?,
        reentry: number("reentrytime", 0),
        scale: number("scale", 10),
        server,
        send_program: bytes("send_program"),
        send: bytes("send_string"),
        expect: bytes("expect_string"),
        regex: flag("regex"),
        suppress: flag("suppress"),
        quiesce: flag("quiesce_server"),
        udp: flag("udp"),
        verbose: flag("verbose"),
        virtual_address: text("virtaddress"),
        mark: number("fwmark", 0),
        weight: number("weight", 1),
        service,
        norun: flag("test-start") || flag("norun"),
    })
}

fn as_port(number: i32) -> Result<u16, String> {
    u16::try_from(number).map_err(|_| format!("bad port -- {number}"))
}

/// A leading hyphen is skipped, then only the first letter counts.
fn method(text: Option<OsString>) -> &'static str {
    let text = text.unwrap_or_default();
    let letters = text
        .as_bytes()
        .strip_prefix(b"-")
        .unwrap_or(text.as_bytes());
    match letters.first() {
        Some(b'i') => "-i",
        Some(b'g') => "-g",
        _ => "-m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options, String> {
        let words = ["nanny"].iter().chain(words).map(OsString::from);
        read(&given::parse(words.collect()).unwrap())
    }

    #[test]
    fn the_argument_list_of_lvsd() {
        let words = [
            "-c",
            "-h",
            "192.0.2.11",
            "-p",
            "80",
            "-r",
            "8080",
            "-s",
            r"GET / HTTP/1.0\r\n\r\n",
            "-x",
            "HTTP",
            "-a",
            "15",
            "-I",
            "/sbin/ipvsadm",
            "-t",
            "6",
            "-w",
            "10",
            "-V",
            "198.51.100.5",
            "-M",
            "g",
            "-U",
            "none",
            "--lvs",
        ];
        let options = options(&words).unwrap();
        assert_eq!(options.server, Ipv4Addr::new(192, 0, 2, 11));
        assert_eq!((options.port, options.real_port), (80, 8080));
        assert_eq!(options.send.unwrap(), br"GET / HTTP/1.0\r\n\r\n");
        assert_eq!(
            (options.reentry, options.interval, options.weight),
            (15, 6, 10)
        );
        assert_eq!(options.method, "-g");
        assert_eq!(options.service, Service::Lvs);
        assert!(options.nofork && !options.nodaemon);
    }

    #[test]
    fn refusals() {
        let refused = |words: &[&str]| options(words).unwrap_err();
        assert_eq!(refused(&[]), "No address supplied. Use '--help' for help. ");
        assert_eq!(refused(&["-h", "web1"]), "bad IP address -- web1");
        assert_eq!(refused(&["-h", "10.0.0.1"]), "unknown service type");
        assert_eq!(
            refused(&["-h", "10.0.0.1", "--lvs", "-p", "70000"]),
            "bad port -- 70000"
        );
    }

    #[test]
    fn defaults() {
        let options = options(&["-h", "10.0.0.1", "--lvs", "--fos", "-p", "81"]).unwrap();
        assert_eq!(
            (options.real_port, options.interval, options.weight),
            (81, 10, 1)
        );
        assert_eq!(options.ipvsadm, "/sbin/ipvsadm");
        assert_eq!(options.service, Service::Failover);
        assert_eq!(options.method, "-m");
    }

    #[test]
    fn methods() {
        for (text, expected) in [
            ("-g", "-g"),
            ("i", "-i"),
            ("gate", "-g"),
            ("m", "-m"),
            ("x", "-m"),
            ("", "-m"),
        ] {
            assert_eq!(method(Some(text.into())), expected);
        }
    }
}
