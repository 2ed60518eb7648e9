//! The same tables by both programs.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::text::{HOSTS, Table, table};
use super::{Machine, Outcome, same};
use crate::ensure;
use crate::error::{Context, Error, Result};

/// Number of tables; each is the seed of the next figure.
const TABLES: u64 = 200;
/// Every so many tables with names instead of numbers.
const NAMED: u64 = 10;
/// For what changes by itself while it is listed.
const LIMIT: Duration = Duration::from_secs(60);

/// Every kind of listing, as lines of `-R`: one process instead of one for each.
fn listings(table: &Table, named: bool) -> String {
    let mut lines = String::new();
    let n = if named { "" } else { " -n" };
    for options in [
        "-L",
        "-L --stats",
        "-L --rate",
        "-L --stats --exact",
        "-L --rate -X",
        "-L --thresholds",
        "-L --persistent-conn",
        "-L --tun-info",
        "-L --nosort",
        "-L --nosort --stats",
        "-L -c",
        "-L -c --persistent-conn",
        "-L --timeout",
        "-L --daemon",
        "-S",
    ] {
        lines += &format!("{options}{n}\n");
    }
    lines.replace("--daemon -n", "--daemon") + &format!("-L{n} {}\n", table.service)
}

pub(super) fn run() -> Result<String> {
    let machine = Machine::new(HOSTS)?;
    let (mut rows, mut refused) = (0, 0);
    for seed in 1..=TABLES {
        let table = table(seed);
        let shown = one(&machine, &table, seed % NAMED == 0)
            .map_err(|error| Error::unmet(format_args!("seed {seed}: {error}\n{}", table.lines)))?;
        rows += shown
            .stdout
            .lines()
            .filter(|line| line.starts_with('-'))
            .count();
        refused += shown.stderr.lines().count();
    }
    one_by_one(&machine)?;
    let connections = with_traffic(&machine)?;
    Ok(format!(
        "{TABLES} tables of {rows} entries, {refused} lines refused alike; {connections} connections"
    ))
}

/// Programs a table by each program and lists it by both.
fn one(machine: &Machine, table: &Table, named: bool) -> Result<Outcome> {
    let lists = listings(table, named);
    let program = format!("-C\n{}{lists}", table.lines);
    let by_original = machine.original(&["-R"], &program)?;
    let listed = machine.ours(&["-R"], &lists)?;
    ensure!(
        listed.stdout.lines().count() > 30,
        "a listing is missing: {listed:?}"
    );
    let quiet = Outcome {
        status: by_original.status,
        stdout: by_original.stdout.clone(),
        stderr: String::new(),
    };
    same("programmed by ipvsadm", &quiet, &listed)?;
    let by_ours = machine.ours(&["-R"], &program)?;
    same("programmed by each", &by_original, &by_ours)?;
    let listed = machine.original(&["-R"], &lists)?;
    same("programmed by ipvsadm-rs", &listed, &quiet)?;
    Ok(by_original)
}

/// Command lines of their own, and the daemons, which are not part of a table.
fn one_by_one(machine: &Machine) -> Result<()> {
    machine.node.ip(
        "link add dum0 type dummy\naddr add 10.9.9.1/24 dev dum0\nlink set dum0 up\n\
         route add default dev dum0\n",
    )?;
    let rules = table(1).lines;
    let lines = [
        ("-C", ""),
        (
            "--start-daemon master --mcast-interface dum0 --syncid 7",
            "",
        ),
        ("-L --daemon", ""),
        ("--start-daemon master --mcast-interface dum0", ""),
        ("--stop-daemon master", ""),
        ("--stop-daemon master", ""),
        ("--set 1000 100 0", ""),
        ("-L --timeout", ""),
        ("-R", &rules),
        ("-Z", ""),
        ("-D -t 10.1.1.1:1", ""),
        ("-Ln -t 10.1.1.1:1", ""),
        ("-Ln", ""),
        ("-Sn", ""),
        ("", ""),
    ];
    let mut outcomes = Vec::new();
    for program in [&machine.original, &machine.ours] {
        let mut all = Vec::new();
        for (arguments, input) in lines {
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            all.push(machine.tool(program, &arguments, input)?);
        }
        outcomes.push(all);
    }
    let [original, ours] = outcomes.as_slice() else {
        return Err(Error::unmet("two programs were run"));
    };
    for ((arguments, _), (original, ours)) in lines.iter().zip(original.iter().zip(ours)) {
        same(arguments, original, ours)?;
    }
    let daemon = original.get(2).map(|outcome| outcome.stdout.as_str());
    ensure!(
        daemon.is_some_and(|text| text.starts_with("master sync daemon (mcast=dum0, syncid=7")),
        "the sync daemon did not run: {daemon:?}"
    );
    Ok(())
}

/// Counters and connections. What changes while it is looked at is looked at again: the original is asked
/// before and after.
fn with_traffic(machine: &Machine) -> Result<usize> {
    let table = "-C\n-A -u 10.0.0.1:53 -s rr\n-a -u 10.0.0.1:53 -r 10.9.9.5:53 -m\n\
                 -a -u 10.0.0.1:53 -r 10.9.9.6:5353 -m\n-A -u 10.0.0.2:5060 -s rr -p 60\n\
                 -a -u 10.0.0.2:5060 -r 10.9.9.7 -g\n";
    machine.ours(&["-R"], table)?.done("programming")?;
    machine.node.run(|| -> Result<()> {
        for size in [1usize, 100, 1000] {
            for target in ["10.0.0.1:53", "10.0.0.2:5060"] {
                let socket = UdpSocket::bind("10.9.9.1:0").during("opening a socket")?;
                socket.send_to(&vec![0; size], target).during("sending")?;
            }
        }
        Ok(())
    })??;
    for options in [
        "-Ln",
        "-Ln --stats",
        "-Ln --rate",
        "-Ln --persistent-conn",
        "-Lcn",
    ] {
        let arguments: Vec<&str> = options.split(' ').collect();
        let limit = Instant::now() + LIMIT;
        loop {
            let before = machine.original(&arguments, "")?;
            let ours = machine.ours(&arguments, "")?;
            let after = machine.original(&arguments, "")?;
            if before == after {
                same(&format!("{options} with traffic"), &before, &ours)?;
                break;
            }
            ensure!(Instant::now() < limit, "{options} never came to rest");
        }
    }
    let connections = machine.ours(&["-Lcn"], "")?.done("-Lcn")?;
    // Without the two title lines.
    let count = connections.lines().count().saturating_sub(2);
    ensure!(count >= 6, "connections are missing:\n{connections}");
    Ok(count)
}
