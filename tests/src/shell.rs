//! A shell among the machines, for a person who wants to look around.

use std::fmt::Write;
use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::error::{Context, Result};
use crate::pair::Pair;

/// Where the shell's settings are written; `/run` is our own.
const SETTINGS: &str = "/run/lab.bashrc";

/// Opens it on the terminal that the kernel was started with and waits for its end.
pub fn open(pair: &Pair) -> Result<()> {
    let terminal = std::env::var("LAB_TERMINAL").unwrap_or_else(|_| "/dev/tty".into());
    std::fs::write(SETTINGS, settings(pair)).during("writing the shell's settings")?;
    println!(
        "\nA shell among the machines. `on MACHINE COMMAND …` runs a command there:\n\
         \x20   on A ipvsadm-rs -Ln        on B ip addr        on client curl -s 198.51.100.80\n\
         \x20   on switch ip link set a0 down        on A bash\n\
         Machines: {}. lvs.cf of a router: /run/lab/lvs.cf. `exit` ends everything.\n",
        names(pair).join(" ")
    );
    let open = || OpenOptions::new().read(true).write(true).open(&terminal);
    let during = format!("opening {terminal}");
    // In a machine of its own the shell leads a session with that terminal.
    let mut command = if terminal == "/dev/tty" {
        Command::new("bash")
    } else {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", "bash"]);
        command
    };
    command
        .args(["--rcfile", SETTINGS, "-i"])
        .stdin(Stdio::from(open().during(&during)?))
        .stdout(Stdio::from(open().during(&during)?))
        .stderr(Stdio::from(open().during(&during)?))
        .status()
        .during("starting a shell")?;
    Ok(())
}

fn nodes(pair: &Pair) -> Vec<&crate::node::Node> {
    let network = &pair.network;
    let routers = network.routers.iter().map(AsRef::as_ref);
    [&network.client, &network.switch]
        .into_iter()
        .chain(routers)
        .chain(&network.servers)
        .collect()
}

fn names(pair: &Pair) -> Vec<&str> {
    nodes(pair).iter().map(|node| node.name()).collect()
}

fn settings(pair: &Pair) -> String {
    let mut text = String::from("PS1='lab# '\non() {\n  local ns\n  case $1 in\n");
    for node in nodes(pair) {
        let folder = node.namespace().parent().unwrap_or(node.namespace());
        let _ = writeln!(text, "    {}) ns={} ;;", node.name(), folder.display());
    }
    text.push_str("    *) echo \"no machine $1\" >&2; return 1 ;;\n  esac\n  shift\n");
    text.push_str("  PATH=/run/lab/bin:$PATH nsenter --net=$ns/net --mount=$ns/mnt -- \"$@\"\n}\n");
    text
}
