//! Debian's service script and wrappers on ipvsadm, then on ours in its place: the same outcomes.

use std::process::Command;

use super::text::HOSTS;
use super::{Machine, Outcome, same};
use crate::ensure;
use crate::error::{Context, Error, Result};

const SCRIPT: &str = "/etc/init.d/ipvsadm";
const RULES: &str = "/etc/ipvsadm.rules";
const SETTINGS: &str = "AUTO=\"true\"\nDAEMON=\"both\"\nIFACE=\"dum0\"\nSYNCID=\"5\"\n";
/// What the rules file holds at first. The last line is refused: its service does not exist.
const TABLE: &str = "\
# written by hand
-A -t vip1:http -s wlc
-a -t 10.0.0.1:80 -r rs1:80 -m -w 3
-A -t [2001:db8::1]:80 -s mh -b mh-port -p 60
-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -g -w 1
-A -f 7 -s rr
-a -f 8 -r 192.168.0.1:80 -m
";

/// Words for the script, and lines that change the table before it.
const STEPS: [(&str, &str); 13] = [
    ("start", ""),
    ("status", ""),
    ("rate", ""),
    (
        "save",
        "-A -u 10.0.0.1:53 -s rr\n-a -u 10.0.0.1:53 -r 192.168.0.77:53 -i -w 0\n",
    ),
    ("load", "-C\n"),
    ("status", ""),
    ("reload", "-D -f 7\n"),
    ("force-reload", ""),
    ("restart", ""),
    ("start", ""),
    ("stop", ""),
    ("stop", ""),
    ("bogus", ""),
];

pub(super) fn run() -> Result<String> {
    let machine = Machine::new(HOSTS)?;
    machine
        .node
        .ip("link add dum0 type dummy\naddr add 10.9.9.1/24 dev dum0\nlink set dum0 up\n")?;
    machine.put("/etc/default/ipvsadm", SETTINGS)?;
    machine.put(RULES, TABLE)?;
    let with_original = all(&machine)?;
    let running = with_original.iter().any(|(_, outcome)| {
        outcome
            .stdout
            .contains("backup sync daemon (mcast=dum0, syncid=5")
    });
    ensure!(
        running,
        "the script did not start the sync daemons: {with_original:?}"
    );
    machine.replace_original()?;
    let with_ours = all(&machine)?;
    for ((what, original), (_, ours)) in with_original.iter().zip(&with_ours) {
        same(what, original, ours)?;
    }
    let wrapped = wrappers(&machine)?;
    Ok(format!(
        "{} steps of the script, {wrapped} of the wrappers",
        STEPS.len()
    ))
}

/// Each step of the script and what the kernel and the rules file hold after it.
fn all(machine: &Machine) -> Result<Vec<(String, Outcome)>> {
    machine.original(&["-C"], "")?.done("-C")?;
    std::fs::write(machine.own(RULES), TABLE).during("writing the rules")?;
    let mut outcomes = Vec::new();
    for (word, change) in STEPS {
        if !change.is_empty() {
            machine.original(&["-R"], change)?.done(change)?;
        }
        let mut command = Command::new(SCRIPT);
        command.arg(word);
        outcomes.push((format!("{SCRIPT} {word}"), machine.run(command, "")?));
        let state = machine.original(&["-R"], "-Sn\n-L --daemon\n")?;
        outcomes.push((format!("the state after {word}"), state));
        let rules = std::fs::read_to_string(machine.own(RULES)).during("reading the rules")?;
        let rules = Outcome {
            status: Some(0),
            stdout: rules,
            stderr: String::new(),
        };
        outcomes.push((format!("the rules after {word}"), rules));
    }
    Ok(outcomes)
}

/// Debian's wrappers on our program, and our program called by their names.
fn wrappers(machine: &Machine) -> Result<usize> {
    let steps = [
        ("ipvsadm-restore", "", TABLE),
        ("ipvsadm-save", "", ""),
        ("ipvsadm-save", "-n", ""),
        ("ipvsadm-save", "-n also ignored", ""),
        ("ipvsadm-save", "-x", ""),
        (
            "ipvsadm-restore",
            "",
            "-A -f 1 -s rr\n-A --bogus\n#-A -f 2\n-A -f 3",
        ),
        ("ipvsadm-restore", "", ""),
    ];
    let mut outcomes: [Vec<Outcome>; 2] = Default::default();
    for (kind, outcomes) in outcomes.iter_mut().enumerate() {
        machine.original(&["-C"], "")?.done("-C")?;
        for (name, words, input) in steps {
            let installed = crate::setup::find(name);
            let installed = installed.ok_or_else(|| Error::Setup(format!("no {name}")))?;
            let mut command = if kind == 0 {
                Command::new(installed)
            } else {
                named(machine, name)
            };
            command.args(words.split_whitespace());
            outcomes.push(machine.run(command, input)?);
            outcomes.push(machine.original(&["-Sn"], "")?);
        }
    }
    let [scripts, ours] = &outcomes;
    for (index, (script, ours)) in scripts.iter().zip(ours).enumerate() {
        let (name, words, _) = steps.get(index / 2).copied().unwrap_or_default();
        same(&format!("{name} {words}"), script, ours)?;
    }
    Ok(2 * steps.len())
}

/// Our program by another name.
fn named(machine: &Machine, name: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(&machine.ours);
    command.arg0(name);
    command
}
