//! The part inside the kernel: a pair without lvs.cf, the web tool on router A, and a port where the
//! part outside asks for what a browser cannot do.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::accounts::Account;
use crate::client;
use crate::error::{Context, Error, Result};
use crate::network::{CLIENT, Method, Side, VIP};
use crate::node::Node;
use crate::pair::Pair;
use crate::router::{CONFIGURATION, PROGRAMS, Router};
use crate::setup;

/// Where the client's machine takes requests.
pub(super) const CONTROL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(CLIENT), 9000);
/// The web tool's port.
pub(super) const PORT: u16 = 3636;
/// Who may change everything.
pub(super) const ADMIN: (&str, &str) = ("piranha", "a long pass phrase");
/// Who may only look.
pub(super) const GUEST: (&str, &str) = ("guest", "another phrase");
/// The web process's user; every Debian machine has it.
const USER: &str = "nobody";
/// File of accounts on the router.
const ACCOUNTS: &str = "/run/lab/accounts/piranha.passwd";
/// What the applier reaches the partner with.
const SSH: &str = "/run/lab/ssh";

/// Builds everything, serves one connection of the part outside, and ends with it.
pub fn inside() -> Result<()> {
    let mut pair = Pair::build(Method::Nat, 2)?;
    attach(&pair)?;
    ssh(pair.router(Side::A), pair.router(Side::B))?;
    let _tool = Tool::start(pair.router(Side::A))?;
    let listener = pair
        .network
        .client
        .run(|| TcpListener::bind(CONTROL))?
        .during("listening for the part outside")?;
    let (stream, _) = listener.accept().during("waiting for the part outside")?;
    let mut writer = stream.try_clone().during("answering the part outside")?;
    for line in BufReader::new(stream).lines() {
        let line = line.during("listening to the part outside")?;
        let answer = match obey(&mut pair, &line) {
            Ok(answer) => format!("ok {answer}"),
            Err(error) => format!("error {error}"),
        };
        let answer = answer.replace('\n', "\u{1}");
        writeln!(writer, "{answer}").during("answering the part outside")?;
    }
    Ok(())
}

/// The kernel's network card becomes one more port of the public network.
fn attach(pair: &Pair) -> Result<()> {
    let switch = &pair.network.switch;
    let status = Command::new("ip")
        .args(["link", "set", "eth0", "netns"])
        .arg(switch.namespace())
        .status()
        .during("running ip")?;
    if !status.success() {
        return Err(Error::unmet("the kernel has no network card"));
    }
    switch.ip("link set eth0 master public up\n")
}

fn obey(pair: &mut Pair, line: &str) -> Result<String> {
    let (word, argument) = line.split_once(' ').unwrap_or((line, ""));
    let number = || argument.parse::<usize>().unwrap_or_default();
    match word {
        "start" => start(pair),
        "stop-web" => {
            pair.web_mut(number())?.0.stop();
            Ok(String::new())
        }
        "resume-web" => {
            let (web, node) = pair.web_mut(number())?;
            web.resume(node)?;
            Ok(String::new())
        }
        "ask" => ask(pair, number()),
        "table" => pair.router(Side::A).listing(),
        "owner" => owner(pair),
        "file" => pair.router(Side::A).read(CONFIGURATION),
        "partner-file" => pair.router(Side::B).read(CONFIGURATION),
        "report" => Ok(pair.report()),
        _ => Err(Error::unmet(format_args!("unknown request {line}"))),
    }
}

/// As an administrator does: the partner may be reached by ssh, the file to the other router too, then
/// pulse on both.
fn start(pair: &mut Pair) -> Result<String> {
    let text = pair.router(Side::A).read(CONFIGURATION)?;
    let text = format!("rsh_command = ssh\n{text}");
    pair.router(Side::A).configure(&text)?;
    pair.router(Side::B).configure(&text)?;
    pair.router_mut(Side::A).start()?;
    pair.router_mut(Side::B).start()?;
    Ok(String::new())
}

/// So many requests of the client to the virtual address; gives who answered.
fn ask(pair: &Pair, count: usize) -> Result<String> {
    let names = pair.network.client.run(move || {
        let target = SocketAddr::from((VIP, 80));
        let answers = (0..count).filter_map(|_| client::request(target, client::PATIENT).ok());
        answers.collect::<Vec<_>>()
    })?;
    Ok(names.join(" "))
}

fn owner(pair: &Pair) -> Result<String> {
    let mut owners = String::new();
    for (side, name) in [(Side::A, "A"), (Side::B, "B")] {
        if pair.router(side).owns(VIP)? {
            owners.push_str(name);
        }
    }
    Ok(owners)
}

/// The web process and the applier of a router.
struct Tool {
    programs: Vec<Child>,
}

impl Tool {
    fn start(router: &Router) -> Result<Self> {
        let node = &router.node;
        accounts(router)?;
        let listen = format!("{}:{PORT}", Side::A.public());
        let applier = [
            "--nodaemon",
            "-c",
            CONFIGURATION,
            "--user",
            USER,
            "--run-dir",
            "/run/piranha",
            "--send-to-partner",
            "--ssh",
            SSH,
        ];
        let tls = setup::workspace().join("bins/piranha-gui/src/tests/tls");
        let pem = |name: &str| tls.join(name).display().to_string();
        let (certificate, key) = (pem("certificate.pem"), pem("key.pem"));
        let gui = [
            "--listen",
            &listen,
            "--certificate",
            &certificate,
            "--key",
            &key,
            "--accounts",
            ACCOUNTS,
            "-c",
            CONFIGURATION,
            "--run-dir",
            "/run/piranha",
            "--user",
            USER,
        ];
        let programs = vec![
            started(node, "piranha-applier", &applier)?,
            started(node, "piranha-gui", &gui)?,
        ];
        Ok(Self { programs })
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

/// A program with its output where the laboratory's goes.
fn started(node: &Arc<Node>, name: &str, arguments: &[&str]) -> Result<Child> {
    let mut command = Command::new(Router::program(name));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0);
    node.run(move || {
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).ok();
        command.spawn()
    })?
    .during(format_args!("starting {name}"))
}

fn accounts(router: &Router) -> Result<()> {
    let node = &router.node;
    node.run(|| std::fs::create_dir_all("/run/lab/accounts"))?
        .during("making the folder of accounts")?;
    let passwd = Router::program("piranha-passwd");
    for ((user, password), role) in [(ADMIN, "admin"), (GUEST, "read-only")] {
        let account = Account {
            user,
            password,
            role,
        };
        account.make(Path::new(&passwd), Some(node), Path::new(ACCOUNTS), USER)?;
    }
    Ok(())
}

/// What takes the place of ssh on a router: a command is run on the other one, where the programs lie
/// as on every router here.
fn ssh(router: &Router, other: &Router) -> Result<()> {
    let namespaces = other.node.namespace().with_file_name("");
    let namespaces = namespaces.display();
    let script = format!(
        "#!/bin/sh\n\
         while [ \"$1\" != -- ]; do shift; done\n\
         program=$3\n\
         shift 3\n\
         case $program in\n\
         lvsd) program=lvs ;;\n\
         piranha-applier) set -- \"$@\" -c {CONFIGURATION} ;;\n\
         esac\n\
         exec nsenter --net={namespaces}net --mount={namespaces}mnt -- {PROGRAMS}/$program \"$@\"\n"
    );
    router
        .node
        .run(move || {
            std::fs::write(SSH, script)?;
            std::fs::set_permissions(SSH, PermissionsExt::from_mode(0o755))
        })?
        .during("writing what takes the place of ssh")
}

/// The connection of the part outside.
pub(super) struct Remote {
    reader: BufReader<TcpStream>,
}

impl Remote {
    pub(super) fn new(stream: TcpStream, limit: Duration) -> Result<Self> {
        stream
            .set_read_timeout(Some(limit))
            .during("connecting to the part inside")?;
        Ok(Self {
            reader: BufReader::new(stream),
        })
    }

    /// What the part inside says to a request.
    pub(super) fn ask(&mut self, request: &str) -> Result<String> {
        writeln!(self.reader.get_mut(), "{request}").during(format_args!("asking {request}"))?;
        let mut line = String::new();
        self.reader
            .read_line(&mut line)
            .during(format_args!("hearing about {request}"))?;
        let line = line.trim_end_matches('\n').replace('\u{1}', "\n");
        match line.split_once(' ') {
            Some(("ok", answer)) => Ok(answer.to_owned()),
            _ => Err(Error::unmet(format_args!("{request}: {line}"))),
        }
    }
}
