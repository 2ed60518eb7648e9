//! How the checker of one server is called: program and argument list (`piranha-daemons.md` 4.3).
//!
//! Starts nothing. The list is what monitoring scripts see in `ps`.

use std::ffi::{OsStr, OsString};
use std::net::Ipv4Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use lvs_config::{Config, Network, Protocol, Text, Virtual};

/// The checker that lvs.cf names when it names none.
pub const STOCK: &str = "/usr/sbin/nanny";

/// A checker's program and arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The program of a site's own `client_monitor`; `None`: the nanny of this project.
    pub custom: Option<PathBuf>,
    /// What the process is called.
    pub arg0: OsString,
    /// Its arguments after that.
    pub args: Vec<OsString>,
    /// Extensions, which the argument list of the original has no room for.
    pub env: Vec<(OsString, OsString)>,
    /// The pause between checks and the time limit of each.
    pub interval: Duration,
    /// Weight in lvs.cf.
    pub weight: u32,
    /// When it runs programs: so many of them at once, over all checkers.
    pub programs: Option<u32>,
}

/// What the argument list needs besides the block and the server's own values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// lvs runs with `--verbose`.
    pub verbose: bool,
    /// lvs runs with `--nodaemon`.
    pub nodaemon: bool,
}

/// The values of one server.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Virtual address.
    pub vip: Ipv4Addr,
    /// Real server.
    pub real: Ipv4Addr,
    /// The port that is checked.
    pub port: u16,
    /// Weight in lvs.cf.
    pub weight: u32,
}

/// The call of the checker of one server.
pub fn spec(config: &Config, block: &Virtual, target: Target, options: Options) -> Spec {
    let monitor = &*block.client_monitor;
    let custom = (monitor != STOCK).then(|| PathBuf::from(monitor.as_os_str()));
    Spec {
        custom,
        arg0: monitor.as_os_str().to_owned(),
        args: arguments(config, block, target, options),
        env: extensions(block),
        interval: block.timeout(),
        weight: target.weight,
        programs: runs_programs(block).then_some(*config.global.max_programs),
    }
}

/// Whether the checker runs programs, to check or to ask for the load.
fn runs_programs(block: &Virtual) -> bool {
    let load = block.load_monitor.as_ref();
    block.send_program.is_some() || load.is_some_and(|monitor| monitor != "none")
}

fn arguments(config: &Config, block: &Virtual, target: Target, options: Options) -> Vec<OsString> {
    let mut list = Arguments(vec!["-c".into()]);
    list.pair("-h", target.real.to_string());
    list.pair("-p", block.port.to_string());
    list.pair("-r", target.port.to_string());
    if *block.fwmark != 0 {
        list.pair("-f", block.fwmark.to_string());
    }
    list.flag("-u", *block.protocol == Protocol::Udp);
    for (option, text) in [
        ("-e", &*block.send_program),
        ("-s", &*block.send),
        ("-x", &*block.expect),
    ] {
        if let Some(text) = text {
            list.pair(option, unquoted(text));
        }
    }
    list.flag("-q", *block.quiesce_server);
    list.flag("--regex", *block.use_regex);
    list.flag("-v", options.verbose);
    list.pair("-a", block.reentry.to_string());
    list.pair("-I", config.global.ipvsadm.as_os_str());
    list.pair("-t", block.timeout.to_string());
    list.pair("-w", target.weight.to_string());
    list.pair("-V", target.vip.to_string());
    list.pair("-M", method(*config.global.network));
    if let Some(monitor) = &*block.load_monitor {
        let uptime = monitor == "uptime";
        let word = if uptime {
            &*config.global.rsh_command
        } else {
            monitor
        };
        list.pair("-U", word.as_os_str());
    }
    list.flag(
        "--nodaemon",
        options.nodaemon || block.sorry_server.is_some(),
    );
    list.flag("--lvs", true);
    list.0
}

struct Arguments(Vec<OsString>);

impl Arguments {
    fn pair(&mut self, option: &str, value: impl Into<OsString>) {
        self.0.push(option.into());
        self.0.push(value.into());
    }

    fn flag(&mut self, option: &str, given: bool) {
        if given {
            self.0.push(option.into());
        }
    }
}

/// Settings that no original knows, passed only when lvs.cf has them.
fn extensions(block: &Virtual) -> Vec<(OsString, OsString)> {
    let mut env = Vec::new();
    let mut set = |name: &str, value: String| env.push((name.into(), value.into()));
    if let Some(milliseconds) = *block.timeout_ms {
        set("PIRANHA_TIMEOUT_MS", milliseconds.to_string());
    }
    if block.retries.is_written() {
        set("PIRANHA_RETRIES", block.retries.to_string());
    }
    if block.slow_start.is_written() {
        set(
            "PIRANHA_SLOW_START",
            u8::from(*block.slow_start).to_string(),
        );
    }
    env
}

/// One leading and one trailing quote removed, nothing else changed.
fn unquoted(text: &Text) -> OsString {
    let bytes = text.as_bytes();
    let bytes = bytes.strip_prefix(b"\"").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\"").unwrap_or(bytes);
    OsString::from_vec(bytes.to_vec())
}

/// The letter of `-M`, without dash.
const fn method(network: Network) -> &'static str {
    match network {
        Network::Nat => "m",
        Network::Direct => "g",
        Network::Tunnel => "i",
    }
}

/// The call as one line, for `--test-start`.
pub fn line(spec: &Spec) -> String {
    let words = std::iter::once(spec.arg0.as_os_str()).chain(spec.args.iter().map(OsStr::new));
    words
        .map(|word| String::from_utf8_lossy(word.as_bytes()).into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use lvs_config::Setting;

    use super::*;

    fn target() -> Target {
        Target {
            vip: Ipv4Addr::new(198, 51, 100, 5),
            real: Ipv4Addr::new(192, 0, 2, 11),
            port: 8080,
            weight: 10,
        }
    }

    #[test]
    fn the_example_of_the_reference() {
        let mut config = Config::default();
        config.global.network = Setting::unwritten(Network::Direct);
        let block = Virtual {
            send: Setting::unwritten(Some("GET / HTTP/1.0\\r\\n\\r\\n".into())),
            expect: Setting::unwritten(Some("HTTP".into())),
            load_monitor: Setting::unwritten(Some("none".into())),
            timeout: Setting::unwritten(6),
            reentry: Setting::unwritten(15),
            ..Virtual::default()
        };
        let spec = spec(&config, &block, target(), Options::default());
        assert_eq!(
            line(&spec),
            "/usr/sbin/nanny -c -h 192.0.2.11 -p 80 -r 8080 -s GET / HTTP/1.0\\r\\n\\r\\n -x HTTP -a 15 \
             -I /sbin/ipvsadm -t 6 -w 10 -V 198.51.100.5 -M g -U none --lvs"
        );
        assert_eq!((spec.custom, spec.programs), (None, None));
        assert!(spec.env.is_empty());
    }

    #[test]
    fn every_condition_has_its_place() {
        let block = Virtual {
            fwmark: Setting::unwritten(9),
            protocol: Setting::unwritten(Protocol::Udp),
            send_program: Setting::unwritten(Some("\"/bin/check %h\"".into())),
            send: Setting::unwritten(Some("".into())),
            quiesce_server: Setting::unwritten(true),
            use_regex: Setting::unwritten(true),
            load_monitor: Setting::unwritten(Some("uptime".into())),
            sorry_server: Setting::unwritten(Some(Ipv4Addr::LOCALHOST)),
            client_monitor: Setting::unwritten("/opt/check".into()),
            ..Virtual::default()
        };
        let options = Options {
            verbose: true,
            nodaemon: false,
        };
        let spec = spec(&Config::default(), &block, target(), options);
        assert_eq!(
            line(&spec),
            "/opt/check -c -h 192.0.2.11 -p 80 -r 8080 -f 9 -u -e /bin/check %h -s  -q --regex -v -a 180 \
             -I /sbin/ipvsadm -t 10 -w 10 -V 198.51.100.5 -M m -U rsh --nodaemon --lvs"
        );
        assert_eq!(spec.custom, Some("/opt/check".into()));
        assert_eq!(spec.programs, Some(64));
    }
}
