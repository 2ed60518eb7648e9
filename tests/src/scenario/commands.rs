//! A tool named in lvs.cf is called as Piranha called it, and checkers have Piranha's argument lists
//! (`piranha-daemons.md` 4.3, appendix B).

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::Scenario;
use crate::configuration::Configuration;
use crate::error::{Context, Error, Result};
use crate::network::{Method, Side, VIP};
use crate::pair::Pair;
use crate::router::{PROGRAMS, Router};
use crate::{ensure, wait};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "commands",
    shows: "a tool named in lvs.cf: one command for each change as in Piranha, checkers' argument lists",
    ipvs: true,
    run: commands,
}];

/// Notes each command that changes something, and has it done.
const TOOL: &str = "/run/lab/site-ipvsadm";
const CALLS: &str = "/run/lab/calls";
/// More than each step takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first real server, which dies and returns, the second, and the one for the time between.
const FIRST: &str = "10.20.0.101";
const SECOND: &str = "10.20.0.102";
const SORRY: &str = "10.20.0.9";

/// Weights without steps, so that each command comes once whatever time passes.
const SERVICES: &str = r#"
virtual sorry {
    active = 1
    address = VIP eth0:1
    vip_nmask = 255.255.255.0
    port = 81
    persistent = 60
    pmask = 255.255.255.0
    scheduler = wlc
    sorry_server = SORRY
    send = "GET / HTTP/1.0\r\n\r\n"
    expect = "HTTP"
    timeout = 1
    reentry = 2
    load_monitor = none
    server one {
        address = FIRST
        active = 1
        weight = 1
        port = 80
    }
}
virtual quiet {
    active = 1
    address = VIP eth0:1
    vip_nmask = 255.255.255.0
    port = 82
    scheduler = rr
    quiesce_server = 1
    send = "GET / HTTP/1.0\r\n\r\n"
    expect = "^HTTP"
    use_regex = 1
    timeout = 1
    reentry = 2
    server one {
        address = FIRST
        active = 1
        weight = 1
        port = 80
    }
}
virtual mark {
    active = 1
    address = VIP eth0:1
    vip_nmask = 255.255.255.0
    port = 83
    fwmark = 7
    scheduler = wrr
    slow_start = 0
    timeout = 1
    reentry = 2
    server one {
        address = FIRST
        active = 1
        weight = 10
        port = 80
    }
    server two {
        address = SECOND
        active = 1
        weight = 20
        port = 80
    }
}
virtual names {
    active = 1
    address = VIP eth0:1
    vip_nmask = 255.255.255.0
    port = 53
    protocol = udp
    scheduler = lc
    send_program = "/bin/echo %h %p"
    expect = "SECOND 5353"
    timeout = 1
    reentry = 2
    server two {
        address = SECOND
        active = 1
        weight = 1
        port = 5353
    }
}
"#;

fn file(method: Method) -> String {
    let text = Configuration {
        virtuals: Vec::new(),
        globals: vec![format!("ipvsadm = {TOOL}"), "tcp_timeout = 900".into()],
        ..Configuration::new(Method::Nat, 0)
    }
    .to_string()
    .replace("network = nat", &format!("network = {}", method.word()));
    text + &addressed(SERVICES)
}

fn commands() -> Result<String> {
    let mut pair = Pair::build(Method::Nat, 2)?;
    let result = (|| {
        let mut calls = Calls::record(pair.router(Side::A))?;
        pair.router(Side::A).configure(&file(Method::Nat))?;
        // One router is enough: what pulse does is shown elsewhere.
        pair.router_mut(Side::A).start()?;
        start(&pair, &mut calls)?;
        death_and_return(&mut pair, &mut calls)?;
        reloads(&pair, &mut calls)?;
        end(&pair, &mut calls)?;
        Ok(format!("{} commands", calls.seen))
    })();
    pair.explained(result)
}

fn start(pair: &Pair, calls: &mut Calls) -> Result<()> {
    calls.are(
        pair,
        "the start",
        &[
            "--set 900 0 0",
            "-A -t VIP:81 -s wlc -p 60 -M 255.255.255.0",
            "-A -t VIP:82 -s rr",
            "-A -f 7 -s wrr",
            "-A -u VIP:53 -s lc",
            "-a -t VIP:81 -r FIRST:80 -m -w 1",
            "-a -t VIP:82 -r FIRST:80 -m -w 1",
            "-a -f 7 -r FIRST:80 -m -w 10",
            "-a -f 7 -r SECOND:80 -m -w 20",
            "-a -u VIP:53 -r SECOND:5353 -m -w 1",
        ],
    )?;
    checkers(
        pair,
        &[
            r"-c -h FIRST -p 81 -r 80 -s GET / HTTP/1.0\r\n\r\n -x HTTP -a 2 -I TOOL -t 1 -w 1 -V VIP -M m -U none --nodaemon --lvs",
            r"-c -h FIRST -p 82 -r 80 -s GET / HTTP/1.0\r\n\r\n -x ^HTTP -q --regex -a 2 -I TOOL -t 1 -w 1 -V VIP -M m --lvs",
            "-c -h FIRST -p 83 -r 80 -f 7 -a 2 -I TOOL -t 1 -w 10 -V VIP -M m --lvs",
            "-c -h SECOND -p 53 -r 5353 -u -e /bin/echo %h %p -x SECOND 5353 -a 2 -I TOOL -t 1 -w 1 -V VIP -M m --lvs",
            "-c -h SECOND -p 83 -r 80 -f 7 -a 2 -I TOOL -t 1 -w 20 -V VIP -M m --lvs",
        ],
    )
}

fn death_and_return(pair: &mut Pair, calls: &mut Calls) -> Result<()> {
    pair.web_mut(0)?.0.stop();
    calls.are(
        pair,
        "a server's death",
        &[
            "-a -t VIP:81 -r SORRY:81 -m -w 1",
            "-d -t VIP:81 -r FIRST:80",
            "-e -t VIP:82 -r FIRST:80 -m -w 0",
            "-d -f 7 -r FIRST:80",
        ],
    )?;
    let (web, node) = pair.web_mut(0)?;
    web.resume(node)?;
    calls.are(
        pair,
        "its return",
        &[
            "-a -t VIP:81 -r FIRST:80 -m -w 1",
            "-d -t VIP:81 -r SORRY:81",
            "-e -t VIP:82 -r FIRST:80 -m -w 1",
            "-a -f 7 -r FIRST:80 -m -w 10",
        ],
    )
}

/// What the original took over only after a restart (B25); ports that these methods cannot change (B29).
fn reloads(pair: &Pair, calls: &mut Calls) -> Result<()> {
    let router = pair.router(Side::A);
    let hang_up = |text: &str| {
        router.configure(text)?;
        router.signal(Signal::SIGHUP)
    };
    let changed = |text: String| {
        text.replace("tcp_timeout = 900", "udp_timeout = 30")
            .replace("scheduler = wrr", "scheduler = dh")
            .replace("weight = 20", "weight = 30")
    };
    hang_up(&changed(file(Method::Nat)))?;
    calls.are(
        pair,
        "another scheduler and weight",
        &[
            "--set 0 0 30",
            "-E -f 7 -s dh",
            "-e -f 7 -r SECOND:80 -m -w 30",
        ],
    )?;
    for (method, option) in [(Method::Direct, "-g"), (Method::Tunnel, "-i")] {
        hang_up(&changed(file(method)))?;
        let before = |port: &str, virtual_port: &str| match method {
            Method::Direct => port.to_owned(),
            _ => virtual_port.to_owned(),
        };
        let mut wanted = Vec::new();
        for (service, address, port, virtual_port, weight) in [
            ("-t VIP:81", "FIRST", "80", "81", 1),
            ("-t VIP:82", "FIRST", "80", "82", 1),
            ("-f 7", "FIRST", "80", "83", 10),
            ("-f 7", "SECOND", "80", "83", 30),
            ("-u VIP:53", "SECOND", "5353", "53", 1),
        ] {
            let server = format!("{service} -r {address}");
            if before(port, virtual_port) == virtual_port {
                wanted.push(format!("-e {server}:{virtual_port} {option} -w {weight}"));
            } else {
                wanted.push(format!("-d {server}:{port}"));
                wanted.push(format!("-a {server}:{virtual_port} {option} -w {weight}"));
            }
        }
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        calls.are(pair, method.word(), &wanted)?;
    }
    Ok(())
}

fn end(pair: &Pair, calls: &mut Calls) -> Result<()> {
    pair.router(Side::A).signal(Signal::SIGTERM)?;
    calls.are(
        pair,
        "the end",
        &["-D -t VIP:81", "-D -t VIP:82", "-D -f 7", "-D -u VIP:53"],
    )
}

/// With the network's addresses.
fn addressed(text: &str) -> String {
    text.replace("VIP", &VIP.to_string())
        .replace("FIRST", FIRST)
        .replace("SECOND", SECOND)
        .replace("SORRY", SORRY)
        .replace("TOOL", TOOL)
}

/// The argument lists of the checkers at work.
fn checkers(pair: &Pair, wanted: &[&str]) -> Result<()> {
    let mut wanted: Vec<String> = wanted
        .iter()
        .map(|list| format!("/usr/sbin/nanny {}", addressed(list)))
        .collect();
    wanted.sort();
    let mut lists: Vec<String> = pair
        .router(Side::A)
        .running("nanny")
        .into_iter()
        .map(|nanny| nanny.arguments)
        .collect();
    lists.sort();
    ensure!(
        lists == wanted,
        "checkers run as\n{}\ninstead of\n{}",
        lists.join("\n"),
        wanted.join("\n")
    );
    Ok(())
}

/// The commands that the tool was given.
struct Calls {
    /// Those that have been compared.
    seen: usize,
}

impl Calls {
    fn record(router: &Router) -> Result<Self> {
        let text = format!(
            "#!/bin/sh\ncase $1 in -S*|-L*) ;; *) echo \"$*\" >>{CALLS};; esac\n\
             exec {PROGRAMS}/ipvsadm-rs \"$@\"\n"
        );
        router
            .node
            .run(move || {
                std::fs::write(CALLS, "")?;
                std::fs::write(TOOL, text)?;
                std::fs::set_permissions(TOOL, PermissionsExt::from_mode(0o755))
            })?
            .during("writing the tool")?;
        Ok(Self { seen: 0 })
    }

    /// Waits until these commands and no others have followed those before, in whichever order.
    fn are(&mut self, pair: &Pair, step: &str, wanted: &[&str]) -> Result<()> {
        let mut wanted: Vec<String> = wanted.iter().map(|call| addressed(call)).collect();
        wanted.sort();
        let mut last = Vec::new();
        let done = wait::for_it("the commands", PATIENCE, || {
            let text = pair.router(Side::A).read(CALLS)?;
            last = text.lines().skip(self.seen).map(str::to_owned).collect();
            last.sort();
            Ok(last == wanted)
        });
        done.map_err(|error| {
            Error::unmet(format_args!(
                "{step}: {error}; called\n{}\ninstead of\n{}",
                last.join("\n"),
                wanted.join("\n")
            ))
        })?;
        self.seen += wanted.len();
        Ok(())
    }
}
