//! What cannot work: one clear line, an exit status other than 0, nothing touched.

use std::net::{SocketAddr, UdpSocket};
use std::process::Output;
use std::time::Duration;

use super::Scenario;
use crate::configuration::Configuration;
use crate::ensure;
use crate::error::{Context, Result};
use crate::network::{Method, Side, VIP};
use crate::pair::Pair;
use crate::router::{CONFIGURATION, Router};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "wrong-file",
        shows: "a wrong lvs.cf at start: the line named, exit 1, nothing touched",
        ipvs: true,
        run: wrong_file,
    },
    Scenario {
        name: "no-permission",
        shows: "as nobody: one clear line, exit status not 0",
        ipvs: true,
        run: no_permission,
    },
    Scenario {
        name: "port-in-use",
        shows: "the heartbeat port is taken: one clear line, exit 1, no VIP",
        ipvs: true,
        run: port_in_use,
    },
    Scenario {
        name: "missing-address",
        shows: "a machine with neither router's address: one clear line, exit 1, no VIP",
        ipvs: true,
        run: missing_address,
    },
    Scenario {
        name: "no-ipvs",
        shows: "a kernel without IPVS: one clear line, exit status not 0, no VIP",
        ipvs: false,
        run: no_ipvs,
    },
];

/// Longest time that a refusal may take.
const LIMIT: Duration = Duration::from_secs(10);
const SOCKET: &str = "pulse: cannot create heartbeat socket. running as root?";

/// A pair whose routers are silent, with this file on both.
fn silent(text: &str) -> Result<Pair> {
    let pair = Pair::build(Method::Nat, 1)?;
    pair.routers
        .iter()
        .try_for_each(|router| router.configure(text))?;
    Ok(pair)
}

/// Starts pulse and waits for its end: status and standard error.
fn refusal(pair: &mut Pair, side: Side) -> Result<(Option<i32>, Vec<String>)> {
    let router = pair.router_mut(side);
    let mark = router.journal.mark();
    router.start()?;
    let status = router.wait_for_exit(LIMIT)?;
    // The reader of its standard error ends after pulse does.
    let errors = crate::wait::until("a line on standard error", Duration::from_secs(1), || {
        let lines = errors(router, mark);
        Ok((!lines.is_empty()).then_some(lines))
    })?;
    Ok((status.code(), errors))
}

fn errors(router: &Router, mark: usize) -> Vec<String> {
    let mut lines = router.journal.from(mark);
    lines.retain(|line| line.tag == "stderr");
    lines.into_iter().map(|line| line.text).collect()
}

fn untouched(pair: &Pair, side: Side) -> Result<()> {
    let router = pair.router(side);
    ensure!(!router.owns(VIP)?, "{side} owns the VIP");
    let left = router.processes();
    ensure!(left.is_empty(), "left on {side}: {left:?}");
    Ok(())
}

fn wrong_file() -> Result<String> {
    let good = Configuration::new(Method::Nat, 1).to_string();
    let lines = good.lines().count();
    let cases = [
        (
            format!("# first\n\nkeepalive=6\n{good}"),
            3,
            "unknown command",
        ),
        (format!("deadtime = ten\n{good}"), 1, "integer expected"),
        (
            format!("{good}network\n"),
            lines + 1,
            "equal (=) expected after command",
        ),
        (
            good.replace("scheduler = rr", "scheduler ="),
            line_of(&good, "scheduler"),
            "missing arguments",
        ),
    ];
    let mut pair = silent(&good)?;
    let result = (|| {
        for (text, line, message) in cases {
            let wanted = format!("pulse: error parsing {CONFIGURATION} at line {line}: {message}");
            pair.router(Side::A).configure(&text)?;
            let (code, errors) = refusal(&mut pair, Side::A)?;
            ensure!(code == Some(1), "exit status {code:?} for {message}");
            ensure!(
                errors == [wanted.as_str()],
                "{errors:?} instead of {wanted:?}"
            );
            untouched(&pair, Side::A)?;
            let table = pair.router(Side::A).table()?;
            ensure!(table.is_empty(), "the table has {table:?}");
            let output = pair
                .router(Side::A)
                .run("lvs", &["--nodaemon", "-c", CONFIGURATION])?;
            ensure!(output.status.code() == Some(1), "lvs: {output:?}");
            one_line(
                "lvs",
                &output,
                &format!("lvs: error parsing {CONFIGURATION} at line {line}: "),
            )?;
        }
        Ok(String::new())
    })();
    pair.explained(result)
}

/// Number of the first line with these words, counted from 1.
fn line_of(text: &str, words: &str) -> usize {
    text.lines()
        .take_while(|line| !line.contains(words))
        .count()
        + 1
}

/// Exactly one line on the two outputs together, with these words in it.
fn one_line(program: &str, output: &Output, words: &str) -> Result<()> {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text);
    ensure!(
        !output.status.success(),
        "{program} ended with {}: {text}",
        output.status
    );
    ensure!(
        text.lines().count() == 1 && text.to_lowercase().contains(&words.to_lowercase()),
        "{program} should say one line with \"{words}\", not:\n{text}"
    );
    Ok(())
}

fn no_permission() -> Result<String> {
    let pair = silent(&Configuration::new(Method::Nat, 1).to_string())?;
    let result = (|| {
        let router = pair.router(Side::A);
        let output = router.run_as_nobody("pulse", &["--nofork", "-c", CONFIGURATION])?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(1), "pulse: {output:?}");
        ensure!(
            text.lines().count() == 1 && text.starts_with(SOCKET),
            "pulse says {text:?}"
        );
        let output = router.run_as_nobody("lvs", &["--nodaemon", "-c", CONFIGURATION])?;
        one_line("lvs", &output, "permi")?;
        let output = router.run_as_nobody("ipvsadm-rs", &["-Ln"])?;
        // The tool's own two lines, as ipvsadm prints them.
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            !output.status.success() && text.contains("you must be root"),
            "ipvsadm-rs: {output:?}"
        );
        let output = router.run_as_nobody(
            "send_arp",
            &[
                "-i",
                "eth0",
                "198.51.100.80",
                "020000000001",
                "198.51.100.255",
                "ffffffffffff",
            ],
        )?;
        one_line("send_arp", &output, "permi")?;
        untouched(&pair, Side::A)?;
        Ok(String::new())
    })();
    pair.explained(result)
}

fn port_in_use() -> Result<String> {
    let mut pair = silent(&Configuration::new(Method::Nat, 1).to_string())?;
    let result = (|| {
        for (side, address) in [(Side::A, Side::A.public()), (Side::B, Side::B.private())] {
            let address = SocketAddr::from((address, 539));
            let taken = pair
                .router(side)
                .node
                .run(move || UdpSocket::bind(address))?
                .during("taking the port")?;
            refused_socket(&mut pair, side)?;
            drop(taken);
        }
        Ok(String::new())
    })();
    pair.explained(result)
}

fn missing_address() -> Result<String> {
    let text = Configuration::new(Method::Nat, 1)
        .to_string()
        .replace("198.51.100.10\n", "198.51.100.20\n")
        .replace("198.51.100.11\n", "198.51.100.21\n");
    let mut pair = silent(&text)?;
    let result = (|| {
        let (code, errors) = refusal(&mut pair, Side::A)?;
        ensure!(code == Some(1), "exit status {code:?}");
        let clear = matches!(errors.as_slice(), [line] if line.starts_with("pulse: ") && line.contains("198.51.100.20"));
        ensure!(
            clear,
            "pulse should say one line with the missing address, not {errors:?}"
        );
        untouched(&pair, Side::A)?;
        Ok(String::new())
    })();
    pair.explained(result)
}

/// The port is taken: the original's two texts, in log and standard error.
fn refused_socket(pair: &mut Pair, side: Side) -> Result<()> {
    let mark = pair.router(side).journal.mark();
    let (code, errors) = refusal(pair, side)?;
    ensure!(code == Some(1), "exit status {code:?}");
    let clear = matches!(errors.as_slice(), [line] if line.starts_with(SOCKET));
    ensure!(clear, "{errors:?} instead of {SOCKET:?}");
    let wanted = "failed to bind to heartbeat address: Address already in use";
    pair.router(side)
        .journal
        .wait_from(mark, wanted, Duration::from_secs(1))?;
    untouched(pair, side)
}

fn no_ipvs() -> Result<String> {
    let mut pair = silent(&Configuration::new(Method::Nat, 1).to_string())?;
    let result = (|| {
        ensure!(
            pair.router(Side::A).table().is_err(),
            "this kernel has IPVS"
        );
        let (code, errors) = refusal(&mut pair, Side::A)?;
        ensure!(code.is_some_and(|code| code != 0), "exit status {code:?}");
        let clear = matches!(errors.as_slice(), [line] if line.contains("IP Virtual Server") || line.contains("IPVS"));
        ensure!(
            clear,
            "pulse should say one line that names IPVS, not {errors:?}"
        );
        untouched(&pair, Side::A)?;
        let router = pair.router(Side::A);
        let output = router.run("lvs", &["--nodaemon", "-c", CONFIGURATION])?;
        one_line("lvs", &output, "IP Virtual Server")
            .or_else(|_| one_line("lvs", &output, "IPVS"))?;
        let output = router.run("ipvsadm-rs", &["-Ln"])?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            !output.status.success() && text.contains("IP Virtual Server is built in the kernel"),
            "ipvsadm-rs: {output:?}"
        );
        untouched(&pair, Side::A)?;
        Ok(String::new())
    })();
    pair.explained(result)
}
